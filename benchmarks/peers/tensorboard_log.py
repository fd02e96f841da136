"""A TensorBoard writer (tensorboardX): the caller's time of N add_scalar() calls."""

import sys
import tempfile

from tensorboardX import SummaryWriter

from benchmarks.pace import report, scalars, time_calls

calls, count, period_s = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
row = scalars(count)
with tempfile.TemporaryDirectory() as folder, SummaryWriter(folder) as writer:

    def log(step: int) -> None:
        for name, value in row.items():
            writer.add_scalar(name, value, step)

    result = time_calls(log, calls=calls, period_s=period_s)
report(result)
