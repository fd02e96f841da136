"""MLflow on SQLite: the numbers of many_runs, written into its tables; its own client takes an hour for them."""

import math
import sqlite3
import sys

from mlflow.tracking import MlflowClient

from benchmarks.pace import report

path, runs, metrics, curves, steps, with_curves = sys.argv[1], *map(int, sys.argv[2:])
BORN_MS = 1_793_491_200_000

experiment = MlflowClient(f"sqlite:///{path}").create_experiment(
    "many", artifact_location="/nowhere"
)
ids = [f"{number:032x}" for number in range(runs)]


def value(run: int, metric: int, step: int) -> float:
    return 2 * math.exp(-step / 400) + hash((run, metric, step)) % 1000 / 5000


def points():
    for run in range(runs - with_curves, runs):
        for metric in range(curves):
            for step in range(steps - 1):
                at = BORN_MS + 60_000 * run + 1_000 * step
                yield f"train/metric_{metric:03d}", value(run, metric, step), at, ids[run], step, 0


def last():
    for run in range(runs):
        for metric in range(metrics):
            at = BORN_MS + 60_000 * run + 1_000 * (steps - 1)
            yield (
                f"train/metric_{metric:03d}",
                value(run, metric, steps - 1),
                at,
                ids[run],
                steps - 1,
                0,
            )


with sqlite3.connect(path) as db:
    db.executemany(
        "INSERT INTO runs (run_uuid, name, source_type, source_name, entry_point_name, user_id, status,"
        " start_time, end_time, source_version, lifecycle_stage, artifact_uri, experiment_id)"
        " VALUES (?, ?, 'UNKNOWN', '', '', 'bench', 'FINISHED', ?, ?, '', 'active', '/nowhere', ?)",
        (
            (
                ids[run],
                f"run-{run:05d}",
                BORN_MS + 60_000 * run,
                BORN_MS + 60_000 * run + 1,
                experiment,
            )
            for run in range(runs)
        ),
    )
    db.executemany(
        "INSERT INTO tags (key, value, run_uuid) VALUES ('mlflow.runName', ?, ?)",
        ((f"run-{run:05d}", ids[run]) for run in range(runs)),
    )
    db.executemany(
        "INSERT INTO params (key, value, run_uuid) VALUES (?, ?, ?)",
        (
            (name, f"{hash((run, name)) % 1000 / 10000}", ids[run])
            for run in range(runs)
            for name in ("lr", "seed", "depth", "width")
        ),
    )
    insert = (
        "INSERT INTO {} (key, value, timestamp, run_uuid, step, is_nan) VALUES (?, ?, ?, ?, ?, ?)"
    )
    db.executemany(insert.format("metrics"), points())
    db.executemany(insert.format("metrics"), last())
    db.executemany(insert.format("latest_metrics"), last())
report({"experiment": int(experiment)})
