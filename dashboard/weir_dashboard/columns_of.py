"""Columns of the runs table: how they are named in the address, shown, sorted by, and put in order. Pure.

config.PATH   summary.NAME   metric.NAME@last|min|max|mean|STEP
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from weir_store.metric_field import AT_STEP, LAST, STATS, MetricField, parse_metric_field
from weir_store.names.base import CONFIG, METRIC, SPACES

STEP: Final = "at step"
KINDS: Final = (*STATS, STEP)
"""What a column of a metric may hold, as people read it."""

MOST: Final = 60
"""So many columns a table may have."""

_PLAIN: Final = re.compile(r"[^\W\d][\w./:@%+\-]*")
_RUN_FIELDS: Final = ("created", "name", "state", "duration", "user", "group")


def known(texts: Sequence[str]) -> list[str]:
    """Return the columns among these, each once, in their full form, as many as a table may have."""
    found = [_full(text) for text in texts]
    return list(dict.fromkeys(text for text in found if text))[:MOST]


def split(column: str) -> tuple[str, str]:
    """Return a column's space and name."""
    space, _, name = column.partition(".")
    return space, name


def label(column: str) -> str:
    """Return what stands above the column; what needs no space before it has none."""
    space, name = split(column)
    if space == METRIC and (field := parse_metric_field(name)).stat == LAST:
        return f"{METRIC}.{field.metric}"
    return column


def field(column: str) -> str:
    """Return the column as a field of the filter language, in quotes where it needs them."""
    space, name = split(column)
    if _PLAIN.fullmatch(name):
        return column
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'{space}."{escaped}"'


def kind_of(column: str) -> str:
    """Return which number of a metric it holds, one of KINDS; empty for what is no metric."""
    space, name = split(column)
    if space != METRIC:
        return ""
    stat = parse_metric_field(name).stat
    return STEP if stat == AT_STEP else stat


def step_of(column: str) -> int:
    """Return the step of a column that holds the value at one, else 0."""
    return parse_metric_field(split(column)[1]).step


def of_kind(column: str, kind: str, step: int = 0) -> str:
    """Return the column of the same metric that holds another number."""
    metric = parse_metric_field(split(column)[1]).metric
    told = MetricField(metric, AT_STEP, step) if kind == STEP else MetricField(metric, kind)
    return f"{METRIC}.{told}"


def begun(space: str, name: str) -> str:
    """Return the column for a name that was found: of a metric its last value."""
    return f"{METRIC}.{MetricField(name)}" if space == METRIC else f"{space}.{name}"


def moved(columns: Sequence[str], at: int, by: int) -> list[str]:
    """Return the columns with one of them moved by so many places, as far as there are places."""
    left = [*columns[:at], *columns[at + 1 :]]
    place = min(max(0, at + by), len(left))
    return [*left[:place], columns[at], *left[place:]]


def orders(columns: Sequence[str], chosen: str) -> list[str]:
    """List what the table can be sorted by: `-` in front for the highest first; the first is the default."""
    fields = [*_RUN_FIELDS, *(field(column) for column in columns)]
    listed = [sign + each for each in fields for sign in ("-", "")]
    return listed if chosen in listed else [*listed, chosen]


def order_label(order: str) -> str:
    """Return an order as people read it."""
    return f"{label(order.lstrip('-'))} {'↓' if order.startswith('-') else '↑'}"


def _full(text: str) -> str:
    space, name = split(text)
    if space not in SPACES or not name:
        return ""
    return f"{METRIC}.{parse_metric_field(name)}" if space == METRIC else text


def is_config(column: str) -> bool:
    """Whether the column holds what the run was asked to do, not what came of it."""
    return split(column)[0] == CONFIG
