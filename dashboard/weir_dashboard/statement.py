"""A SQL statement ⇄ the address: as it is while short, packed when long; and its parameters. Pure."""

from __future__ import annotations

import base64
import binascii
import re
import zlib
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode

from weir_dashboard.selection import Query

PLAIN_CHARS: Final = 1_000
"""A statement of up to so many characters stands in the address as it is."""

LONGEST_BYTES: Final = 1 << 18
"""More than the gate admits; a packed statement that grows beyond it is not unpacked."""

_PARAMETER: Final = re.compile(r"\{\s*([A-Za-z_]\w*)\s*:\s*([^{}:]+?)\s*\}")
_VALUE: Final = "p."


def build(text: str, values: Mapping[str, str] | None = None) -> dict[str, list[str]]:
    """Write a statement and the values of its parameters as keys of the address."""
    pairs = {f"{_VALUE}{name}": [value] for name, value in (values or {}).items() if value}
    if not text:
        return pairs
    if len(text) <= PLAIN_CHARS:
        return {"sql": [text], **pairs}
    packed = base64.urlsafe_b64encode(zlib.compress(text.encode(), 9)).rstrip(b"=")
    return {"sqlz": [packed.decode()], **pairs}


def parse(query: Query) -> str:
    """Read the statement of an address; "" when it has none, or none that can be understood."""
    plain, packed = query.get("sql", ()), query.get("sqlz", ())
    if plain:
        return plain[-1].strip()
    return _unpack(packed[-1]).strip() if packed else ""


def values(query: Query) -> dict[str, str]:
    """Read the values of parameters."""
    return {
        key.removeprefix(_VALUE): texts[-1]
        for key, texts in query.items()
        if key.startswith(_VALUE) and texts
    }


def parameters(text: str) -> dict[str, str]:
    """Return the parameters of a statement, `{name:Type}`, as name → type in their order."""
    return {found[1]: found[2] for found in _PARAMETER.finditer(text)}


def value_key(name: str) -> str:
    """Return the key of a parameter's value in the address."""
    return _VALUE + name


def address(text: str, values: Mapping[str, str] | None = None) -> str:
    """Return the address of the page that shows the answer."""
    return f"/sql?{urlencode(build(text, values), doseq=True)}"


def _unpack(packed: str) -> str:
    """Undo `build`; what grows beyond the limit, or is no text, counts as not there."""
    try:
        data = base64.urlsafe_b64decode(packed.encode("ascii") + b"=" * (-len(packed) % 4))
        opened = zlib.decompressobj()
        text = opened.decompress(data, LONGEST_BYTES)
        return text.decode() if opened.eof else ""
    except (ValueError, binascii.Error, zlib.error):
        return ""
