"""Formats that an answer may come in: they write rows, and nothing else.

Not here: formats that are read only, that take a template or a schema from a file, and `SQLInsert`,
whose text somebody could run.
"""

from __future__ import annotations

from typing import Final

from weir_server.sql_door.faults import UNKNOWN_FORMAT, Fault

DEFAULT: Final = "TabSeparated"
FORMATS: Final = (
    "TabSeparated", "TabSeparatedRaw", "TabSeparatedWithNames", "TabSeparatedWithNamesAndTypes",
    "TSV", "TSVRaw", "TSVWithNames", "TSVWithNamesAndTypes",
    "CSV", "CSVWithNames", "CSVWithNamesAndTypes",
    "JSON", "JSONStrings", "JSONColumns", "JSONColumnsWithMetadata", "JSONCompact", "JSONCompactStrings",
    "JSONEachRow", "JSONStringsEachRow", "JSONCompactEachRow", "JSONCompactEachRowWithNames",
    "JSONCompactEachRowWithNamesAndTypes", "JSONCompactStringsEachRowWithNamesAndTypes",
    "JSONLines", "NDJSON",
    "Native", "RowBinary", "RowBinaryWithNames", "RowBinaryWithNamesAndTypes",
    "Arrow", "ArrowStream", "Parquet", "ORC", "Avro", "MsgPack",
    "Pretty", "PrettyCompact", "PrettyNoEscapes", "PrettyCompactNoEscapes", "Vertical", "Values",
    "Markdown", "XML", "Null",
)  # fmt: skip
_BY_LOWER: Final = {name.lower(): name for name in FORMATS}


def format_named(name: str) -> str:
    """Return a format as ClickHouse spells it. Raises `Fault` for one that is not offered."""
    known = _BY_LOWER.get(name.lower())
    if known is None:
        some = "Native, JSON, JSONEachRow, CSVWithNames, TSV, ArrowStream, Parquet …"
        raise Fault(UNKNOWN_FORMAT, f"format {name[:80]!r} is not offered here; there are {some}")
    return known
