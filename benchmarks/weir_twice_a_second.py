"""A job that logs twenty metrics twice a second, until its input is closed."""

import select
import sys
import tempfile

import weir
from benchmarks import many_runs

with tempfile.TemporaryDirectory() as spool:
    run = weir.init(many_runs.PROJECT, dir=spool)
    step = 0
    while not select.select([sys.stdin], [], [], 0.5)[0]:
        run.log({f"train/metric_{n:03d}": 1 / (step + n + 1) for n in range(many_runs.CURVES)})
        step += 1
    run.finish()
