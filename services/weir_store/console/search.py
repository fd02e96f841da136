"""What a search finds in a line: as SQL that the text index answers, and in plain Python.

Both compare with the line as it is read on a screen: without terminal
sequences, ASCII letters small. Its *tokens* are the runs of letters and digits
(every character beyond ASCII counts as a letter), as ClickHouse's
`splitByNonAlpha` cuts them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from weir_store.errors import InvalidQuery
from weir_store.parameters import Parameters

SHOWN_SQL: Final = (
    r"lower(replaceRegexpAll(line, '\\x1b(\\[[0-?]*[ -/]*[@-~]"
    r"|\\][^\\x07\\x1b]*(\\x07|\\x1b\\\\))', ''))"
)
"""The line as compared; the index in 0004_nodes.sql is over exactly this expression."""

_TERMINAL: Final = re.compile(rb"\x1b(\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\))")
_TOKEN: Final = re.compile(rb"[a-z0-9\x80-\xff]+")
_MOST_TOKENS: Final = 64  # ClickHouse takes no more in one condition
_MOST_BYTES: Final = 4_096


def search_sql(search: str, parameters: Parameters) -> str:
    """Return the condition on `line`, to be appended; empty when every line matches."""
    tokens, parts = _understood(search)
    condition = f" AND hasAllTokens({SHOWN_SQL}, {parameters.texts(tokens)})" if tokens else ""
    return condition + "".join(
        f" AND position({SHOWN_SQL}, {parameters.text(part)}) > 0" for part in parts
    )


def matcher(search: str) -> Callable[[str], bool]:
    """Return what tells whether a line matches."""
    tokens, parts = _understood(search)

    def matches(line: str) -> bool:
        shown = _TERMINAL.sub(b"", line.encode()).lower()
        held = {token.decode() for token in _TOKEN.findall(shown)}
        return held.issuperset(tokens) and all(part.encode() in shown for part in parts)

    return matches


def check_search(search: str) -> None:
    """Raise `InvalidQuery` for a search that is too long."""
    _understood(search)


def _understood(search: str) -> tuple[list[str], list[str]]:
    """Return the tokens a line must have, and the words that must stand in it as they are."""
    if len(search.encode()) > _MOST_BYTES:
        raise InvalidQuery("the search is too long", hint=f"at most {_MOST_BYTES} bytes")
    words = [word.encode().lower() for word in search.split()]
    tokens = {token.decode() for word in words for token in _TOKEN.findall(word)}
    if len(tokens) > _MOST_TOKENS:
        raise InvalidQuery(f"{len(tokens)} words to look for", hint=f"at most {_MOST_TOKENS}")
    parts = {word.decode() for word in words if not _TOKEN.fullmatch(word)}
    return sorted(tokens), sorted(parts)
