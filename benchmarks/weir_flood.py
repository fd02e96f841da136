"""One writer process that logs as fast as its spool takes it: METRICS × STEPS points into one run."""

import sys
import time

import weir
from benchmarks.pace import report

run_id, rank, metrics, steps, start_at = (
    sys.argv[1],
    int(sys.argv[2]),
    int(sys.argv[3]),
    int(sys.argv[4]),
    float(sys.argv[5]),
)
names = [f"rank{rank}/metric_{index:02d}" for index in range(metrics)]
run = weir.init(project="bench", id=run_id, rank=rank, world_size=4)
while time.time() < start_at:
    time.sleep(0.001)
began = time.time()
for step in range(steps):
    value = 1.0 / (step + 1.0)
    run.log(dict.fromkeys(names, value), step=step)
    if step % 1_000 == 999:
        run.flush(level="spooled")  # a bounded memory queue is not a place for millions of points
logged_s = time.time() - began
run.finish(timeout=300)
report({"logged_s": logged_s, "began": began})
