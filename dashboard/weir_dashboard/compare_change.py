"""One run against the baseline: how much a value changed, and whether that is better. Pure."""

from __future__ import annotations

import fnmatch
import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from weir_dashboard import words
from weir_dashboard.differences import Value, is_same
from weir_store.attributes import METRIC_RULE
from weir_store.records import Json, Run

LEGEND: Final = (
    "✓ better and ✗ worse than the baseline, by the goal that `define_metric` gave;"
    " Δ where no goal is known; ≠ another value; – no value."
)


class Verdict(StrEnum):
    """What a value is beside the baseline's."""

    BASE = "base"  # it is the baseline's own
    SAME = "same"
    BETTER = "better"
    WORSE = "worse"
    CHANGED = "changed"  # a number, and nobody said which direction is good
    OTHER = "other"  # not both are finite numbers
    ABSENT = "absent"  # one of the two is not there


MARKS: Final = {
    Verdict.BASE: "",
    Verdict.SAME: "=",
    Verdict.BETTER: "✓",
    Verdict.WORSE: "✗",
    Verdict.CHANGED: "Δ",
    Verdict.OTHER: "≠",
    Verdict.ABSENT: "–",
}


@dataclass(frozen=True, slots=True)
class Change:
    """From the baseline's value to another.

    Attributes:
        verdict: What it comes to.
        absolute: value − base; None unless both are finite numbers.
        relative: (value − base) / |base|; None also where base is 0.
    """

    verdict: Verdict
    absolute: float | None = None
    relative: float | None = None


def change(value: Value, base: Value, goal: str = "") -> Change:
    """Hold a value against the baseline's.

    Args:
        value: None = the run does not have it.
        base: The same of the baseline.
        goal: `minimize`, `maximize`, or "" where nobody said. NaN is worse than any number.
    """
    if value is None or base is None:
        return Change(Verdict.SAME if value is base else Verdict.ABSENT)
    if is_same(value, base):
        return Change(Verdict.SAME)
    if not (_is_number(value) and _is_number(base)):
        return Change(Verdict.OTHER)
    assert isinstance(value, int | float)
    assert isinstance(base, int | float)
    verdict = _verdict(float(value), float(base), goal)
    if not (math.isfinite(value) and math.isfinite(base)):
        return Change(verdict if goal else Verdict.OTHER)
    absolute = float(value) - float(base)
    return Change(verdict, absolute, absolute / abs(base) if base else None)


def goal_of(metric: str, runs: Iterable[Run]) -> str:
    """Return `minimize`, `maximize` or "": what the first run says that says anything.

    Where several rules of one run match, the exact name counts, then the longest glob: what is
    known of a run here does not tell which rule is the newest.
    """
    for run in runs:
        rules = [
            (path == METRIC_RULE + metric, len(path), goal)
            for path, told in run.meta.items()
            if path.startswith(METRIC_RULE)
            and fnmatch.fnmatchcase(metric, path.removeprefix(METRIC_RULE))
            and (goal := _goal(told))
        ]
        if rules:
            return max(rules)[2]
    return ""


def goals_of(metrics: Iterable[str], runs: Iterable[Run]) -> dict[str, str]:
    """Return the goals of those metrics that have one; runs that tell no rule cost nothing."""
    telling = [run for run in runs if any(path.startswith(METRIC_RULE) for path in run.meta)]
    found = {metric: goal_of(metric, telling) for metric in metrics} if telling else {}
    return {metric: goal for metric, goal in found.items() if goal}


def arrow(goal: str) -> str:
    """Draw where good is: ↓, ↑ or nothing."""
    return {"minimize": " ↓", "maximize": " ↑"}.get(goal, "")


def text(found: Change) -> str:
    """Write a change: `✓ −0.0412 (−12.3 %)`; "" of what is the same, or the baseline's own."""
    mark = MARKS[found.verdict]
    if found.verdict in (Verdict.BASE, Verdict.SAME):
        return ""
    if found.absolute is None:
        return mark
    return f"{mark} {signed(found.absolute)}{_percent(found.relative)}"


def signed(x: float) -> str:
    """Write a difference with its sign; a real minus, as wide as the plus."""
    written = words.number(abs(x))
    return f"{'−' if x < 0 else '+'}{written}"


def percent(part: float) -> str:
    """Write a relative change as a percentage; what is more than a million percent in powers of ten."""
    size = abs(part) * 100
    written = f"{size:.1f}" if size < 1_000 else f"{size:,.0f}" if size < 1e6 else f"{size:.0e}"
    return f"{'−' if part < 0 else '+'}{written} %"


def _percent(relative: float | None) -> str:
    return "" if relative is None else f" ({percent(relative)})"


def _verdict(value: float, base: float, goal: str) -> Verdict:
    if goal not in ("minimize", "maximize"):
        return Verdict.CHANGED
    if math.isnan(value) or math.isnan(base):
        return Verdict.WORSE if math.isnan(value) else Verdict.BETTER
    return Verdict.BETTER if (value < base) == (goal == "minimize") else Verdict.WORSE


def _is_number(value: Value) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _goal(told: Value) -> str:
    written = told.text if isinstance(told, Json) else told
    if not isinstance(written, str):
        return ""
    try:
        read = json.loads(written)
    except ValueError:
        return ""
    goal = read.get("goal") if isinstance(read, dict) else None
    return goal if goal in ("minimize", "maximize") else ""
