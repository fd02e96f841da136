"""One plain form for strings and names, which any reader of ClickHouse's SQL understands alike."""

from __future__ import annotations

import re

_PLAIN = re.compile(r"[^\x00-\x1f\x7f\\'`\"\ud800-\udfff]*")


def string(content: str) -> str:
    """Return a string literal; lone surrogates stand for bytes that are no UTF-8."""
    return f"'{_escaped(content)}'"


def name(content: str) -> str:
    """Return a quoted name."""
    return f"`{_escaped(content)}`"


def strings(contents: tuple[str, ...]) -> str:
    """Return a list for the right side of IN; an empty one is in nothing."""
    return f"({', '.join(map(string, contents))})" if contents else "(SELECT '' WHERE 0)"


def _escaped(content: str) -> str:
    if _PLAIN.fullmatch(content):
        return content
    return "".join(map(_escaped_sign, content))


def _escaped_sign(sign: str) -> str:
    if sign in "\\'`\"":
        return "\\" + sign
    if "\udc80" <= sign <= "\udcff":
        return f"\\x{ord(sign) - 0xDC00:02x}"
    return f"\\x{ord(sign):02x}" if sign < " " or sign == "\x7f" else sign
