"""Answering a `Condition` in Python, for the in-memory reader."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from weir_store.conditions import (
    AllOf,
    AnyOf,
    Compare,
    Condition,
    Field,
    HasTag,
    IsNull,
    Kind,
    Like,
    Not,
    Operand,
    Word,
)

_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True, slots=True)
class Subject:
    """A run as a filter sees it.

    Attributes:
        value: Gives a field's value: number, text or `None` where the run has none.
        tags: The run's tags.
        searched: What free words are looked for in.
    """

    value: Callable[[Field], Operand | None]
    tags: Sequence[str]
    searched: Sequence[str]


def matches(condition: Condition, subject: Subject) -> bool:
    """Tell whether the condition is true of the run; unknown is not true."""
    return _truth(condition, subject) is True


def _truth(condition: Condition, subject: Subject) -> bool | None:
    match condition:
        case Compare(field=field, op=op, value=value):
            return _compare(subject.value(field), op, value)
        case Like(field=field, pattern=pattern, any_case=any_case):
            text = subject.value(field)
            return bool(like(pattern, any_case).fullmatch(text)) if isinstance(text, str) else None
        case IsNull(field=field):
            return subject.value(field) in ((None, "") if field.kind is Kind.TEXT else (None,))
        case HasTag(tag=tag):
            return tag in subject.tags
        case Word(text=word):
            return any(word.lower() in place.lower() for place in subject.searched)
        case Not(part=part):
            truth = _truth(part, subject)
            return None if truth is None else not truth
        case AllOf(parts=parts):
            return _all([_truth(part, subject) for part in parts])
        case AnyOf(parts=parts):
            truth = _all([_negated(_truth(part, subject)) for part in parts])
            return _negated(truth)


def _compare(held: Operand | None, op: str, value: Operand) -> bool | None:
    if held is None or isinstance(held, str) is not isinstance(value, str):
        return None
    return _OPERATORS[op](held, value)


def _all(truths: Sequence[bool | None]) -> bool | None:
    if False in truths:
        return False
    return None if None in truths else True


def _negated(truth: bool | None) -> bool | None:
    return None if truth is None else not truth


def like(pattern: str, any_case: bool) -> re.Pattern[str]:
    r"""Compile a LIKE pattern: `%` any text, `_` one character, `\` makes the next one plain."""
    parts = re.findall(r"\\.|.", pattern, re.DOTALL)
    regex = "".join({"%": ".*", "_": "."}.get(part) or _plain(part) for part in parts)
    return re.compile(regex, re.DOTALL | (re.IGNORECASE if any_case else 0))


def _plain(part: str) -> str:
    # As in ClickHouse: a backslash before anything but %, _ and itself is a backslash.
    return re.escape(part[1:] if part[:1] == "\\" and part[1:] in ("%", "_", "\\") else part)
