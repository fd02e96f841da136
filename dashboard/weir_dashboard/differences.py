"""What several runs differ in, in groups: everything that is known of them. Pure.

The groups and their words are those of `weir diff`, which says the same in a terminal.
"""

from __future__ import annotations

import difflib
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from weir_dashboard.sections import PACKAGES, packages
from weir_store.records import Json, Run, Scalar

Value: TypeAlias = Scalar | Json | None

GROUPS: Final = (
    *("metrics", "config", "code", "data", "seeds", "command", "packages", "environment"),
    *("machine", "variables", "files", "metadata"),
)
MOST_DIFF_LINES: Final = 2_000
"""A diff of two files shows at most so many lines."""
MOST_COMPARED_LINES: Final = 10_000
"""Of longer files, only the beginnings are compared: difflib takes the square of it at worst."""

_PREFIXES: Final = {
    "git/": "code",
    "code/": "code",
    "data/": "data",
    "seed/": "seeds",
    "command/": "command",
    "environment/": "environment",
    "library/": "environment",
    "machine/": "machine",
    "container/": "machine",
    "node/": "machine",
    "variables/": "variables",
}
_ABOUT: Final = ("name", "group", "job_type", "user", "notes", "state", "tags", "world_size")


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that some of the runs have.

    Attributes:
        group: One of `GROUPS`.
        path: Within the group.
        values: One for each run; None = it has none.
        same: All have it, and it is equal.
        change: Of numbers of two runs, (second - first) / |first|; None where that means nothing.
    """

    group: str
    path: str
    values: tuple[Value, ...]
    same: bool
    change: float | None = None


def differences(
    runs: Sequence[Run], *, everything: bool = False, search: str = ""
) -> list[Difference]:
    """Return what differs, by group in the order of `GROUPS`, then path.

    Args:
        runs: Two or more; one run has no differences.
        everything: Also what is the same.
        search: Words that must all be in a row, in its group, path or one of its values.
    """
    held = [grouped(run) for run in runs]
    rows = (row for group in GROUPS for row in _of_group(group, [each[group] for each in held]))
    wanted = search.lower().split()
    return [
        row
        for row in rows
        if (everything or not row.same) and (not wanted or all(w in _text(row) for w in wanted))
    ]


def grouped(run: Run) -> dict[str, dict[str, Value]]:
    """Return all that is known of a run, by group and path within it."""
    found: dict[str, dict[str, Value]] = {group: {} for group in GROUPS}
    found["config"] |= run.config
    found["metrics"] |= run.summary
    found["packages"] |= packages(run.meta)
    found["files"] |= {path: _digest(text) for path, text in run.files.items()}
    found["metadata"] |= {name: told for name in _ABOUT if (told := _about(run, name))}
    for path, value in run.meta.items():
        if path != PACKAGES:
            group = next((g for p, g in _PREFIXES.items() if path.startswith(p)), "metadata")
            found[group][path] = value
    return found


def shared_files(a: Run, b: Run) -> list[str]:
    """List the run files that both have and that differ."""
    return [path for path in sorted(a.files) if path in b.files and _differ(a, b, path)]


def digest_of(run: Run, path: str) -> str:
    """Return the SHA-256 of a run file; "" when the run has no such file."""
    return _digest(run.files.get(path, ""))


def file_diff(a: bytes, b: bytes, names: tuple[str, str]) -> list[str]:
    """Return how two text files differ, as lines of a unified diff; empty when they do not.

    At most `MOST_DIFF_LINES` of it, then a line that says how many more there are; a last line says
    when files were too long to be compared as a whole.
    """
    left, right = (_lines(content) for content in (a, b))
    cut = max(len(left), len(right)) > MOST_COMPARED_LINES
    compared = (left[:MOST_COMPARED_LINES], right[:MOST_COMPARED_LINES])
    lines = list(difflib.unified_diff(*compared, *names, n=3, lineterm=""))
    more = len(lines) - MOST_DIFF_LINES
    shown = lines[:MOST_DIFF_LINES] + ([f"… {more:,} more lines"] if more > 0 else [])
    return shown + ([f"… compared up to line {MOST_COMPARED_LINES:,}"] if cut else [])


def is_same(a: Value, b: Value) -> bool:
    """Tell whether two values are equal; NaN equals NaN, and True is not 1."""
    if isinstance(a, float) and isinstance(b, float) and math.isnan(a) and math.isnan(b):
        return True
    if isinstance(a, bool) != isinstance(b, bool):
        return False
    if isinstance(a, Json) and isinstance(b, Json):
        return _canonical(a) == _canonical(b)
    return a == b


def relative_change(a: Value, b: Value) -> float | None:
    """Return (b − a) / |a| of two finite numbers; None of anything else, and where a is 0."""
    for value in (a, b):
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        if not math.isfinite(value):
            return None
    assert isinstance(a, int | float)
    assert isinstance(b, int | float)
    return (b - a) / abs(a) if a else None


def _of_group(group: str, held: Sequence[Mapping[str, Value]]) -> Iterator[Difference]:
    for path in sorted(set().union(*held)):
        values = tuple(each.get(path) for each in held)
        there = all(path in each for each in held)
        same = there and all(is_same(values[0], value) for value in values[1:])
        change = relative_change(*values) if len(values) == 2 and not same else None
        yield Difference(group, path, values, same, change)


def _about(run: Run, name: str) -> Scalar | None:
    value = getattr(run, name)
    return (
        ", ".join(value) if isinstance(value, tuple) else str(value) if name == "state" else value
    )


def _differ(a: Run, b: Run, path: str) -> bool:
    return digest_of(a, path) != digest_of(b, path)


def _digest(text: str) -> str:
    try:
        read = json.loads(text)
    except ValueError:
        return ""
    return str(read.get("sha256", "")) if isinstance(read, Mapping) else ""


def _canonical(value: Json) -> str:
    try:
        return json.dumps(json.loads(value.text), sort_keys=True)
    except ValueError:
        return value.text


def _lines(content: bytes) -> list[str]:
    return content.decode(errors="replace").splitlines()


def _text(row: Difference) -> str:
    values: Iterable[object] = (v.text if isinstance(v, Json) else v for v in row.values)
    return " ".join((row.group, row.path, *map(str, values))).lower()
