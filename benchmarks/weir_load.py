"""One rank that logs 50 metrics 1 000 times a second for SECONDS."""

import sys

import weir
from benchmarks.pace import report, time_calls

rank, seconds = int(sys.argv[1]), float(sys.argv[2])
row = {f"rank{rank}/metric_{index:02d}": 0.5 for index in range(50)}
run = weir.init(project="bench", id="load", rank=rank, world_size=4)
result = time_calls(
    lambda step: run.log(row, step=step), calls=int(seconds * 1_000), period_s=0.001
)
run.finish(timeout=60)
report(result)
