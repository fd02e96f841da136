"""A statement of a driver taken apart: the SELECT, the format it names, the settings it brings.

    SELECT … SETTINGS max_execution_time = 10 FORMAT Native;
    └ text ┘          └────── settings ─────┘        └form┘

What is taken off the end is never run as text; what is left goes through the gate.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from weir_store.sql.lexer import NUMBER, QUOTED, STRING, WORD, Token, tokens


@dataclass(frozen=True, slots=True)
class Statement:
    """What was sent.

    Attributes:
        text: Without FORMAT and SETTINGS at its end.
        tokens: Of `text`.
        form: The format named; "" = none.
        settings: Name and value, as written.
    """

    text: str
    tokens: tuple[Token, ...]
    form: str = ""
    settings: tuple[tuple[str, str], ...] = ()


def read_statement(text: str) -> Statement:
    """Take a statement apart. Raises `Refused` for what is no SQL."""
    found = tokens(text)
    form = ""
    settings: list[tuple[str, str]] = []
    end = len(found)
    while True:
        if not form and _is_format(found[:end]):
            form, end = found[end - 1].text, end - 2
        elif not settings and (at := _settings_at(found[:end])) is not None:
            settings = [(found[i].text, found[i + 2].text) for i in range(at + 1, end, 4)]
            end = at
        else:
            break
    if end == len(found):
        return Statement(text, tuple(found))
    cut = found[end].at
    return Statement(text[:cut], tuple(found[:end]), form, tuple(settings))


def _is_format(found: Sequence[Token]) -> bool:
    return (
        len(found) > 2
        and found[-2].upper == "FORMAT"
        and found[-1].kind in (WORD, QUOTED)
        and not found[-3].is_mark(",", ".", "(")
    )


def _settings_at(found: Sequence[Token]) -> int | None:
    """Return where `SETTINGS a = 1, b = 'x'` begins, when nothing else stands behind it."""
    starts = [index for index, token in enumerate(found) if token.upper == "SETTINGS"]
    if not starts or not _are_assignments(found[starts[-1] + 1 :]):
        return None
    return starts[-1]


def _are_assignments(found: Sequence[Token]) -> bool:
    """Whether this is `name = value`, and more of them behind commas."""
    if len(found) % 4 != 3:
        return False
    return all(
        found[i].kind == WORD
        and found[i + 1].is_mark("=")
        and found[i + 2].kind in (NUMBER, STRING)
        and (i + 3 == len(found) or found[i + 3].is_mark(","))
        for i in range(0, len(found), 4)
    )
