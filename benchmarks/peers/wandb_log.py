"""W&B offline: the caller's time of one log() of N scalars."""

import sys
import tempfile

import wandb

from benchmarks.pace import report, scalars, time_calls

calls, count, period_s = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
row = scalars(count)
with tempfile.TemporaryDirectory() as folder:
    run = wandb.init(
        project="bench",
        mode="offline",
        dir=folder,
        settings=wandb.Settings(silent=True, console="off"),
    )
    result = time_calls(lambda _: run.log(row), calls=calls, period_s=period_s)
    run.finish()
report(result)
