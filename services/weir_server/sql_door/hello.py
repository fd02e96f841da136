"""The greeting of clients in Go (Grafana): one row of Native, as of the revision they name.

They ask `SELECT displayName(), version(), revision(), timezone()` in a dialect of Native that only
ClickHouse's own protocol speaks, and read everything behind it as of the revision that they are told.
They are told 0: plain Native, which every ClickHouse and the engine write.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Final

from weir_server.sql_door.catalogue import Catalogue
from weir_server.sql_door.statement import Statement

_CUSTOM_SERIALIZATION: Final = 54_454  # from this revision on a byte stands before each column
_BLOCK_INFO: Final = b"\x01\x00\x02\xff\xff\xff\xff\x00"
_WORDS: Final = ("displayname", "version", "revision", "timezone")
_LONGEST: Final = 127  # bytes; a length of one byte


def greeting(statement: Statement, known: Catalogue, revision: int) -> bytes | None:
    """Return the answer to a greeting; None when the statement is another one.

    Args:
        statement: As the client sent it.
        known: Which ClickHouse it is.
        revision: That the client speaks; 0 = plain Native, which needs no greeting.
    """
    words = [token.text for token in statement.tokens if token.text not in ("(", ")", ",")]
    asked = tuple(word.lower() for word in words[1:])
    if not revision or words[0].upper() != "SELECT" or asked != _WORDS:
        return None
    columns = (
        ("String", _text("weir")),
        ("String", _text(known.version)),
        ("UInt32", struct.pack("<I", 0)),
        ("String", _text(known.timezone)),
    )
    return _block([f"{word}()" for word in words[1:]], columns, revision)


def _block(names: Sequence[str], columns: Sequence[tuple[str, bytes]], revision: int) -> bytes:
    plain = b"\x00" if revision >= _CUSTOM_SERIALIZATION else b""
    block = _BLOCK_INFO + bytes([len(columns), 1])
    for name, (kind, value) in zip(names, columns, strict=True):
        block += _text(name) + _text(kind) + plain + value
    return block


def _text(text: str) -> bytes:
    raw = text.encode()[:_LONGEST]
    return bytes([len(raw)]) + raw
