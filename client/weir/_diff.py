"""Two runs side by side: what differs, in groups. Pure: records in, differences out."""

import difflib
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from weir._run_record import PATCH_PATH, RunRecord

GROUPS: Final = (
    *("metrics", "config", "code", "data", "seeds", "command", "packages", "environment"),
    *("machine", "variables", "files", "metadata"),
)
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
    "variables/": "variables",
}
_PACKAGES: Final = "environment/packages"
_MISSING: Final = object()
_MAX_DIFF_LINES: Final = 400


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that two runs have, or one of them.

    Attributes:
        group: One of `GROUPS`.
        path: Within the group.
        a: Of the first run; None = it has none.
        b: Of the second run.
        same: They are equal.
        change: Of numbers, (b - a) / |a|; None where that means nothing.
    """

    group: str
    path: str
    a: Any
    b: Any
    same: bool
    change: float | None = None


def differences(a: RunRecord, b: RunRecord, *, everything: bool = False) -> list[Difference]:
    """Return what differs, by group in the order of `GROUPS`, then path.

    Args:
        a: The first run.
        b: The second run.
        everything: Also what is the same.
    """
    first, second = grouped(a), grouped(b)
    found = [
        difference
        for group in GROUPS
        for difference in _between(group, first.get(group, {}), second.get(group, {}))
    ]
    return [each for each in found if everything or not each.same]


def grouped(run: RunRecord) -> dict[str, dict[str, Any]]:
    """Return all that is known of a run, by group and path within it."""
    found: dict[str, dict[str, Any]] = {group: {} for group in GROUPS}
    found["config"] = dict(run.config)
    found["metrics"] = dict(run.summary)
    found["metadata"] = {name: value for name, value in run.about.items() if value}
    found["files"] = {path: told.get("sha256", "") for path, told in run.files.items()}
    for path, value in run.meta.items():
        if path == _PACKAGES and isinstance(value, Mapping):
            found["packages"].update(value)
            continue
        group = next((g for prefix, g in _PREFIXES.items() if path.startswith(prefix)), "metadata")
        found[group][path] = value
    return found


def patch_difference(a: RunRecord, b: RunRecord) -> list[str]:
    """Return how the uncommitted changes of two runs differ, as lines of a unified diff."""
    lines = difflib.unified_diff(
        a.text(PATCH_PATH).splitlines(),
        b.text(PATCH_PATH).splitlines(),
        f"{a.path} {PATCH_PATH}",
        f"{b.path} {PATCH_PATH}",
        n=1,
        lineterm="",
    )
    listed = list(lines)
    left_out = len(listed) - _MAX_DIFF_LINES
    return [*listed[:_MAX_DIFF_LINES], f"… {left_out} more lines"] if left_out > 0 else listed


def _between(group: str, a: Mapping[str, Any], b: Mapping[str, Any]) -> Iterator[Difference]:
    for path in sorted({*a, *b}):
        left, right = a.get(path, _MISSING), b.get(path, _MISSING)
        same = left is not _MISSING and right is not _MISSING and is_same(left, right)
        yield Difference(
            group,
            path,
            None if left is _MISSING else left,
            None if right is _MISSING else right,
            same,
            None if same else relative_change(left, right),
        )


def is_same(a: Any, b: Any) -> bool:
    """Return whether two values are equal; NaN equals NaN, and True is not 1."""
    if isinstance(a, float) and isinstance(b, float) and math.isnan(a) and math.isnan(b):
        return True
    if isinstance(a, bool) != isinstance(b, bool):
        return False
    if isinstance(a, (list, tuple, Mapping)):
        return json.dumps(a, sort_keys=True, default=str) == json.dumps(
            b, sort_keys=True, default=str
        )
    return bool(a == b)


def relative_change(a: Any, b: Any) -> float | None:
    """Return (b − a) / |a| of two finite numbers; None of anything else, and where a is 0."""
    for value in (a, b):
        if (
            isinstance(value, bool)
            or not isinstance(value, (int, float))
            or not math.isfinite(value)
        ):
            return None
    return (b - a) / abs(a) if a else None
