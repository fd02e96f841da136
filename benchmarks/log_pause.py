"""The longest pause that `log()` saw while everything below it goes wrong. Figures only: machines differ."""

from __future__ import annotations

import sys

from benchmarks.harness import Figure, run_script

CALLS, PERIOD_S = 100_000, 0.0001
TROUBLES = {
    "nothing": "as much work without Weir: the machine's own pauses",
    "well": "all is well",
    "slow": "every write takes half a second",
    "full": "the disk is full",
    "killed": "the agent is killed whenever there is one",
}


def measure() -> list[Figure]:
    """Call log() of 20 scalars 10 000 times a second for ten seconds in each kind of trouble."""
    figures = []
    for trouble, words in TROUBLES.items():
        took = run_script(sys.executable, "weir_pause.py", trouble, CALLS, PERIOD_S)
        figures.append(Figure(f"{words}, p99.99", took["p9999_us"], "µs"))
        figures.append(Figure("… the longest", took["max_us"], "µs"))
    return figures
