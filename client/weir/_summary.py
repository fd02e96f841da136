"""What metrics came to, kept locally as they pass by, and the rules that users set for them."""

import json
import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase
from typing import Literal, get_args

from weir._columns import Row
from weir.errors import UsageError

Policy = Literal["last", "min", "max", "mean", "best", "none"]
Goal = Literal["minimize", "maximize"]
Reduction = Literal["mean", "sum", "max", "min", "p99", "last"]


@dataclass(frozen=True, slots=True)
class MetricDefinition:
    """How metrics whose names match a glob are summarised and drawn.

    Attributes:
        glob: `val/*`; `*` also crosses `/`.
        step_metric: Metric to draw over instead of the step.
        summary: What the run's table shows; None = last.
        goal: Which direction is better; `best` needs it to know.
        reduce: How the values of several ranks become one; None = mean.
    """

    glob: str
    step_metric: str | None = None
    summary: Policy | None = None
    goal: Goal | None = None
    reduce: Reduction | None = None

    def __post_init__(self) -> None:
        """Check the words.

        Raises:
            UsageError: A word is not one of those allowed.
        """
        if self.summary is not None and self.summary not in get_args(Policy):
            raise UsageError(f"no such summary {self.summary!r}", hint=_one_of(Policy))
        if self.goal is not None and self.goal not in get_args(Goal):
            raise UsageError(f"no such goal {self.goal!r}", hint=_one_of(Goal))
        if self.reduce is not None and self.reduce not in get_args(Reduction):
            raise UsageError(f"no such reduction {self.reduce!r}", hint=_one_of(Reduction))

    def to_json(self) -> str:
        """Return what META attribute `metric/<glob>` holds."""
        return json.dumps({key: value for key, value in asdict(self).items() if value is not None})

    @property
    def effective(self) -> Policy:
        """The policy with `best` resolved: lowest unless the goal says maximize."""
        policy = self.summary or "last"
        if policy == "best":
            return "max" if self.goal == "maximize" else "min"
        return policy


def _one_of(words: object) -> str:
    return "use one of " + ", ".join(get_args(words))


class AutomaticSummary:
    """The automatic value of each metric, from the points this process logged.

    Folded by the spool thread and read by the user's: no lock, because every change is one
    assignment.
    """

    def __init__(self) -> None:
        self._definitions: list[MetricDefinition] = []
        self._policies: dict[str, Policy] = {}
        self._values: dict[str, float] = {}
        self._means: dict[str, tuple[int, float]] = {}

    def define(self, definition: MetricDefinition) -> None:
        """Apply a definition to what comes from now on; of two that match, the later wins."""
        self._definitions.append(definition)
        self._policies = {}

    def value(self, metric: str) -> float | None:
        """Return the automatic value; None when there is none (yet)."""
        return self._values.get(metric)

    def fold(self, rows: Iterable[Row]) -> None:
        """Take rows into account. Without definitions only a layout's last row is looked at."""
        if not self._definitions:
            latest = {row[0]: row[3] for row in rows}
            for layout, values in latest.items():
                self._values.update(zip(layout.names, values, strict=True))
            return
        for layout, _, _, values in rows:
            for name, value in zip(layout.names, values, strict=True):
                self._fold_value(name, value)

    def _fold_value(self, name: str, value: float) -> None:
        policy = self._policies.get(name) or self._find_policy(name)
        before = self._values.get(name, math.nan)
        if policy == "last" or (math.isnan(before) and policy != "none"):
            self._values[name] = value
        elif policy == "min":
            self._values[name] = min(before, value)
        elif policy == "max":
            self._values[name] = max(before, value)
        if policy == "mean" and not math.isnan(value):
            count, mean = self._means.get(name, (0, 0.0))
            self._means[name] = (count + 1, mean + (value - mean) / (count + 1))
            self._values[name] = self._means[name][1]

    def _find_policy(self, name: str) -> Policy:
        for definition in reversed(self._definitions):
            if definition.summary is not None and fnmatchcase(name, definition.glob):
                policy = definition.effective
                break
        else:
            policy = "last"
        self._policies[name] = policy
        return policy
