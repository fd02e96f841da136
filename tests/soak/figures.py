"""What a list of samples comes to. Pure."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Sequence

from tests.soak.strike import Struck
from tests.soak.watch import Sample

_WARM_S = 60.0


def spread(values: Sequence[float]) -> dict[str, float]:
    """Return how many, the median, the 90th percentile and the longest."""
    ordered = sorted(values)
    if not ordered:
        return {"n": 0}
    p90 = ordered[min(len(ordered) - 1, int(len(ordered) * 0.9))]
    return {"n": len(ordered), "p50": statistics.median(ordered), "p90": p90, "max": ordered[-1]}


def recoveries(struck: Sequence[Struck]) -> dict[str, dict[str, object]]:
    """Return by kind of blow: how many, and the seconds to being well and to stored points.

    `alone` leaves out blows into whose recovery another one fell.
    """
    kinds: dict[str, list[Struck]] = defaultdict(list)
    for blow in struck:
        kinds[f"{blow.action} {blow.target}"].append(blow)
    return {
        kind: {
            "blows": len(blows),
            "not_seen_to_recover": sum(not blow.over for blow in blows),
            "well_s": spread([b.well_s for b in blows if b.well_s is not None]),
            "stored_s": spread([b.stored_s for b in blows if b.stored_s is not None]),
            "well_alone_s": spread([b.well_s for b in blows if b.well_s is not None and b.alone]),
            "stored_alone_s": spread(
                [b.stored_s for b in blows if b.stored_s is not None and b.alone]
            ),
        }
        for kind, blows in sorted(kinds.items())
    }


def memory(samples: Sequence[Sample]) -> dict[str, float]:
    """Return the peak, the median, and how fast the longest-lived process grew.

    The growth is the slope of a straight line through that process's samples, its first minute
    left out; NaN when it lived for less than three.
    """
    longest = _longest(samples)
    warm = [s for s in longest if s.at_s - longest[0].at_s >= _WARM_S]
    lived_s = longest[-1].at_s - longest[0].at_s
    slope = float("nan")
    if lived_s >= 3 * _WARM_S and len(warm) > 2:
        times_h = [s.at_s / 3600 for s in warm]
        slope = statistics.linear_regression(times_h, [s.rss_mb for s in warm]).slope
    return {
        "peak_mb": max(s.rss_mb for s in samples),
        "median_mb": statistics.median(s.rss_mb for s in samples),
        "processes": len({s.pid for s in samples}),
        "longest_life_s": lived_s,
        "growth_mb_per_h": slope,
        "last_mb": longest[-1].rss_mb,
    }


def _longest(samples: Sequence[Sample]) -> list[Sample]:
    lives: dict[int, list[Sample]] = defaultdict(list)
    for sample in samples:
        lives[sample.pid].append(sample)
    return max(lives.values(), key=lambda life: life[-1].at_s - life[0].at_s)
