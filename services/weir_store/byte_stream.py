"""An answer in a format of ClickHouse, as bytes on their way: for those who only pass it on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ByteStream:
    """One answer. What fails behind its beginning stands in the bytes, as ClickHouse writes it.

    Attributes:
        headers: Of HTTP, names in lower case; `x-clickhouse-exception-tag` marks a late failure.
        pieces: The body; not for two threads at once.
        close: Hangs up, which stops the query; from any thread, and more than once.
    """

    headers: Mapping[str, str]
    pieces: Iterator[bytes]
    close: Callable[[], None]
