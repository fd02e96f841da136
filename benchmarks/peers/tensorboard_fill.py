"""TensorBoard: the curves of many_runs' newest runs as event files."""

import math
import sys

from tensorboardX import SummaryWriter

from benchmarks.pace import report

folder, first, runs, curves, steps = sys.argv[1], *map(int, sys.argv[2:])
for run in range(first, first + runs):
    with SummaryWriter(f"{folder}/run-{run:05d}", max_queue=100_000) as writer:
        for metric in range(curves):
            for step in range(steps):
                value = 2 * math.exp(-step / 400) + hash((run, metric, step)) % 1000 / 5000
                writer.add_scalar(f"train/metric_{metric:03d}", value, step)
report({"runs": runs})
