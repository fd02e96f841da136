"""What a filter says once it is understood: fields, comparisons, and / or / not.

Plain values: `filter.py` makes them from text, `filter_sql.py` turns them into
SQL, `filter_match.py` answers them in Python. Logic has three values as in
SQL: a comparison with something a run does not have is unknown, and only what
is true matches.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias


class Kind(StrEnum):
    """What a field holds, and so what it may be compared with."""

    TEXT = "text"
    TIME = "time"  # Unix µs, compared with a date or Unix seconds
    NUMBER = "number"
    ANY = "any"  # config, summary, meta: a number, text, or not there
    TAGS = "tags"


@dataclass(frozen=True, slots=True)
class Field:
    """A thing of a run that can be asked for; `space` is `run`, `config`, `metrics` and so on."""

    space: str
    name: str
    kind: Kind

    def __str__(self) -> str:
        return self.name if self.space == "run" else f"{self.space}.{self.name}"


RUN_FIELDS = {
    "id": Kind.TEXT,
    "name": Kind.TEXT,
    "project": Kind.TEXT,
    "group": Kind.TEXT,
    "job_type": Kind.TEXT,
    "user": Kind.TEXT,
    "notes": Kind.TEXT,
    "state": Kind.TEXT,
    "tags": Kind.TAGS,
    "created": Kind.TIME,
    "finished": Kind.TIME,
    "duration": Kind.NUMBER,  # seconds from created to the end, or to the last sign of life
}
SPACES = {
    "config": Kind.ANY,
    "summary": Kind.ANY,
    "meta": Kind.ANY,
    "metrics": Kind.NUMBER,  # the last value
    "metric": Kind.NUMBER,  # `name@min` and so on, metric_field.py
}

Operand: TypeAlias = float | str


@dataclass(frozen=True, slots=True)
class Compare:
    """`field op value`; op is one of = != < <= > >=. A bool is the number 0 or 1."""

    field: Field
    op: str
    value: Operand


@dataclass(frozen=True, slots=True)
class Like:
    """`field LIKE pattern`, or ILIKE when case does not matter."""

    field: Field
    pattern: str
    any_case: bool


@dataclass(frozen=True, slots=True)
class IsNull:
    """The run does not have the field."""

    field: Field


@dataclass(frozen=True, slots=True)
class HasTag:
    """The run bears the tag, exactly."""

    tag: str


@dataclass(frozen=True, slots=True)
class Word:
    """The word occurs in the run's name, id, notes or a tag, in any case."""

    text: str


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite; unknown stays unknown."""

    part: Condition


@dataclass(frozen=True, slots=True)
class AllOf:
    """Every part; true when there is none."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one part; false when there is none."""

    parts: tuple[Condition, ...]


Condition: TypeAlias = Compare | Like | IsNull | HasTag | Word | Not | AllOf | AnyOf

EVERYTHING = AllOf(())


def fields_of(condition: Condition) -> Iterator[Field]:
    """Yield every field the condition looks at, repeats included."""
    match condition:
        case Compare(field=field) | Like(field=field) | IsNull(field=field):
            yield field
        case Not(part=part):
            yield from fields_of(part)
        case AllOf(parts=parts) | AnyOf(parts=parts):
            for each in parts:
                yield from fields_of(each)
