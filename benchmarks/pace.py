"""Time one call again and again at a steady pace, as a training loop makes it. Standard library only: for peers too."""

from __future__ import annotations

import json
import random
import sys
import time
from array import array
from collections.abc import Callable

SHARES = {"p50_us": 0.5, "p99_us": 0.99, "p999_us": 0.999, "p9999_us": 0.9999, "max_us": 1.0}


def time_calls(call: Callable[[int], None], *, calls: int, period_s: float) -> dict[str, float]:
    """Make `calls` calls, one each `period_s`; return percentiles of the caller's time in µs."""
    taken_ns = array("q", bytes(8 * calls))  # a list of ints would grow as it is filled
    clock = time.perf_counter_ns
    due = time.perf_counter()
    for index in range(calls):
        due += period_s
        while (wait_s := due - time.perf_counter()) > 0:
            time.sleep(wait_s)
        start = clock()
        call(index)
        taken_ns[index] = clock() - start
    ordered_ns = sorted(taken_ns[calls // 10 :])  # the first tenth warms up
    return {
        name: ordered_ns[min(len(ordered_ns) - 1, int(len(ordered_ns) * share))] / 1_000
        for name, share in SHARES.items()
    }


def scalars(count: int) -> dict[str, float]:
    """Return a dict of `count` metrics as a training step logs them."""
    rng = random.Random(0)
    return {f"train/metric_{index:02d}": rng.random() for index in range(count)}


def report(result: object) -> None:
    """Print a result as the last line of stdout, for the process that started us."""
    sys.stdout.write("\n" + json.dumps(result) + "\n")
