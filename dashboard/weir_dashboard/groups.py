"""Runs put into groups: by a path of config, tag, group, job type or user. Pure.

A group is named by its key and value, `config.lr=0.1`; the value is JSON, so that
the number 1 and the text "1" are two groups, and 1 and 1.0 are one. Runs without the
key form the group `config.lr=-`, shown as "—". A run with several tags is in the group
of each.
"""

from __future__ import annotations

import json
import math
import re
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from weir_dashboard.colors import PALETTE
from weir_store.records import Json, Run, RunRef, RunState, Scalar

LABELS: Final = {"tag": "tag", "group": "group", "job_type": "job type", "user": "user"}
"""What runs can be grouped by beside their config, and how people call it."""

CONFIG: Final = "config."
NONE: Final = "-"
NONE_LABEL: Final = "—"
DRAWN_AT_FIRST: Final = 12
"""So many groups are drawn until somebody asks for more."""


@dataclass(frozen=True, slots=True)
class RunGroup:
    """Runs with one value.

    Attributes:
        name: Key and value, unlike any other's.
        label: The value as people read it.
        runs: Newest first.
    """

    name: str
    label: str
    runs: tuple[Run, ...]

    @property
    def refs(self) -> tuple[RunRef, ...]:
        """Its runs, in queries."""
        return tuple(run.ref for run in self.runs)

    @property
    def running(self) -> int:
        """How many of them log still."""
        return sum(run.state is RunState.RUNNING for run in self.runs)


def is_key(text: str) -> bool:
    """Tell whether runs can be grouped by this."""
    return text in LABELS or (text.startswith(CONFIG) and len(text) > len(CONFIG))


def label_of_key(key: str) -> str:
    """Return what people call it: a path of config without `config.`."""
    return LABELS.get(key) or key.removeprefix(CONFIG)


def columns_of(key: str) -> tuple[str, ...]:
    """Return the columns a page of runs needs to be grouped by this."""
    return (key,) if key.startswith(CONFIG) else ()


def values_of(run: Run, key: str) -> tuple[str, ...]:
    """Return the values of a run, as JSON; `NONE` alone when there is none."""
    if key == "tag":
        return tuple(_json(tag) for tag in run.tags) or (NONE,)
    if key in LABELS:
        text: str = getattr(run, key)
        return (_json(text),) if text else (NONE,)
    path = key.removeprefix(CONFIG)
    return (_json(run.config[path]),) if path in run.config else (NONE,)


def grouped(runs: Iterable[Run], key: str) -> list[RunGroup]:
    """Return the groups by value: numbers, then everything else by name, then those without."""
    members: dict[str, list[Run]] = {}
    for run in runs:
        for value in values_of(run, key):
            members.setdefault(value, []).append(run)
    return [
        RunGroup(
            f"{key}={value}",
            label_of(value),
            tuple(members[value]),
        )
        for value in sorted(members, key=_place)
    ]


def label_of(value: str) -> str:
    """Return what people read: a text without quotes, unless it looks like something else."""
    if value == NONE:
        return NONE_LABEL
    told = _read(value)
    if isinstance(told, str):
        return told if told.strip() and not _looks_odd(told) else value
    return value


def colors(groups: Sequence[RunGroup], known: Mapping[str, int], key: str) -> dict[str, int]:
    """Return each group's place in the palette: the order in which its value first came up.

    Args:
        groups: To be coloured, by name.
        known: Place of each value among all of the project, see `first_seen`.
        key: What they are grouped by.
    """
    return {
        group.name: known.get(group.name.removeprefix(f"{key}="), zlib.crc32(group.name.encode()))
        % len(PALETTE)
        for group in groups
    }


def first_seen(runs: Iterable[Run], key: str) -> dict[str, int]:
    """Number the values in the order in which runs, oldest first, brought them."""
    places: dict[str, int] = {}
    for run in runs:
        for value in values_of(run, key):
            places.setdefault(value, len(places))
    return places


def _json(value: Scalar | Json) -> str:
    if isinstance(value, Json):
        return value.text
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        value = int(value)
    return json.dumps(value, ensure_ascii=False)


def _read(value: str) -> object:
    try:
        return json.loads(value)
    except ValueError:
        return value


def _looks_odd(text: str) -> bool:
    """Tell whether a text would be taken for a number, null, true, false, a list or no value at all."""
    if text == NONE_LABEL:
        return True
    return not isinstance(_read(text), str) or text.startswith('"')


def _place(value: str) -> tuple[int, float, list[tuple[int, str]], str]:
    """Return where a value stands in the order: mix-2 before mix-10, and never two in one place."""
    told = _read(value)
    if value == NONE:
        return 2, 0.0, [], value
    if isinstance(told, int | float) and not isinstance(told, bool):
        return 0, math.inf if math.isnan(told) else float(told), [], value
    parts = re.split(r"([0-9]{1,18})", str(told).casefold())
    return 1, 0.0, [(int(part) if n % 2 else -1, part) for n, part in enumerate(parts)], value
