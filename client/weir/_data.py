"""Which data a run uses: what `Run.use_data` was given, as a name and facts. Copies nothing."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from weir._data_tables import table_facts
from weir._names import name_fault
from weir._redact import Redactor
from weir.errors import UsageError

_MAX_NAME_LETTERS = 200


@dataclass(frozen=True, slots=True)
class Data:
    """What is known of data at once.

    Attributes:
        name: What the run calls it.
        facts: By key below `data/<name>/`.
        path: What is still to be looked at, by the collector; "" = nothing.
    """

    name: str
    facts: Mapping[str, Any]
    path: str = ""


def data_of(
    source: Any,
    *,
    name: str | None,
    version: str | None,
    etag: str | None,
    taken: Mapping[str, Any],
) -> Data:
    """Return what a source is.

    Args:
        source: A path, a URI, a data frame, an Arrow table or a Hugging Face dataset.
        name: Given by the user; None = the last part of the path, or `data`.
        version: Given by the user.
        etag: Likewise, of a URI.
        taken: Names in use, with the source each was given for.

    Raises:
        UsageError: It is nothing of the kind, or the name cannot be one.
    """
    said = {key: str(value) for key, value in (("version", version), ("etag", etag)) if value}
    if isinstance(source, (str, os.PathLike)):
        text = os.fspath(source)
        if not isinstance(text, str):
            raise UsageError("use_data() takes a path as text")
        if is_reference(text):
            return _reference(
                text, _checked(name or _last_part(urlsplit(text).path), text, taken), said
            )
        path = str(Path(text.removeprefix("file://")).expanduser().absolute())
        facts = {"source": path, **said}  # the collector tells the rest
        return Data(_checked(name or _last_part(path), path, taken), facts, path)
    facts_of_table = table_facts(source)
    if facts_of_table is None:
        raise UsageError(
            f"use_data() cannot tell what a {type(source).__name__} is",
            hint="a path, a URI, a pandas or polars data frame, an Arrow table",
        )
    key = str(facts_of_table.get("fingerprint", ""))
    return Data(_checked(name or "data", key, taken), {**facts_of_table, **said})


def is_reference(text: str) -> bool:
    """Return whether a text names something elsewhere, e.g. `s3://bucket/key`; not a path or file://."""
    scheme, colon, _ = text.partition("://")
    return bool(colon) and scheme != "file" and scheme.replace("+", "").replace("-", "").isalnum()


def _reference(uri: str, name: str, said: Mapping[str, str]) -> Data:
    """Nothing is asked of the network: what tells versions apart is what the user gave."""
    etag = said.get("etag", "")
    facts = {
        "kind": "reference",
        "source": Redactor().text(uri),
        **said,
        **({"fingerprint": f"etag:{etag}", "fingerprint_of": "the ETag given"} if etag else {}),
    }
    return Data(name, facts)


def _last_part(path: str) -> str:
    return path.rstrip("/").rpartition("/")[2][-_MAX_NAME_LETTERS:] or "data"


def _checked(name: str, key: str, taken: Mapping[str, Any]) -> str:
    """The name; with a number behind it when other data has it already."""
    if fault := name_fault(name, max_bytes=_MAX_NAME_LETTERS * 2):
        raise UsageError(f"data cannot be called {name!r}: {fault}")
    number, numbered = 1, name
    while taken.get(numbered, key) != key:
        number += 1
        numbered = f"{name}-{number}"
    return numbered
