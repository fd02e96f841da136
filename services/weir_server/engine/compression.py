"""Bodies that arrive packed; what is wrong with them in ClickHouse's words."""

from __future__ import annotations

from collections.abc import Iterator

from weir_server import content_encoding
from weir_server.content_encoding import UnknownEncoding, WrongEncoding
from weir_server.engine import errors
from weir_server.engine.errors import QueryFailed


def unpack(encoding: str, chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the unpacked bytes of `chunks`, about 1 MiB at a time (zstd: 33 MiB at the worst).

    Raises:
        QueryFailed: An encoding nobody knows, bytes that are not in it, or an end too early.
    """
    try:
        yield from content_encoding.unpack(encoding, chunks)
    except UnknownEncoding as fault:
        raise QueryFailed(errors.UNKNOWN_COMPRESSION_METHOD, str(fault)) from fault
    except WrongEncoding as fault:
        raise QueryFailed(errors.INCORRECT_DATA, str(fault)) from fault
