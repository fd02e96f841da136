"""One process that logs METRICS scalars STEPS_PER_S times a second for SECONDS."""

import sys

import weir
from benchmarks.pace import report, scalars, time_calls

seconds, metrics, steps_per_s = (int(word) for word in sys.argv[1:4])
row = scalars(metrics)
run = weir.init(project="bench", id="steady", rank=0)
result = time_calls(
    lambda step: run.log(row, step=step), calls=seconds * steps_per_s, period_s=1 / steps_per_s
)
run.finish(timeout=60)
report(result)
