"""A metric as one number of each run: `val/loss@min`, `val/loss@1000`. Pure.

    NAME@last  NAME@min  NAME@max  NAME@mean      over all of its points
    NAME@1000                                     at step 1000, nothing where the run has no point there
    NAME                                          as NAME@last

The last `@` counts, so a metric called `map@50` is `map@50@last`. The lowest rank that has the metric (the
step) speaks for the run; min, max and mean are over finite values, NaN where there is none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

LAST: Final = "last"
AT_STEP: Final = "step"
STATS: Final = (LAST, "min", "max", "mean")
MAX_STEP: Final = (1 << 63) - 1


@dataclass(frozen=True, slots=True)
class MetricField:
    """Which number of which metric; `step` counts where `stat` is AT_STEP."""

    metric: str
    stat: str = LAST
    step: int = 0

    def __str__(self) -> str:
        return f"{self.metric}@{self.step if self.stat == AT_STEP else self.stat}"


def parse_metric_field(text: str) -> MetricField:
    """Understand `NAME@what`; what is none of the known ones belongs to the name."""
    metric, _, what = text.rpartition("@")
    if metric and what in STATS:
        return MetricField(metric, what)
    if metric and what.isascii() and what.isdigit() and int(what[:20]) <= MAX_STEP:
        return MetricField(metric, AT_STEP, int(what))
    return MetricField(text)
