"""MLflow on SQLite: how long `search_runs` takes for a page of runs by final metric and parameter."""

import random
import statistics
import sys
import tempfile
import time

from mlflow.entities import Metric, Param
from mlflow.tracking import MlflowClient

from benchmarks.pace import report

PAGE = 50
TIMES = 10


def main(runs: int, metrics: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        client = MlflowClient(f"sqlite:///{folder}/mlflow.db")
        experiment = client.create_experiment("asking")
        for _ in range(runs):
            run_id = client.create_run(experiment).info.run_id
            client.log_batch(
                run_id,
                metrics=[Metric(f"metric_{n:03d}", random.random(), 0, 0) for n in range(metrics)],
                params=[Param(name, f"{random.random() / 10:.4f}") for name in ("lr", "seed")],
            )
        taken = []
        for _ in range(TIMES):
            begun_s = time.perf_counter()
            client.search_runs(
                [experiment],
                "metrics.metric_007 < 0.75 and params.lr < '0.05'",
                order_by=["metrics.metric_007 ASC"],
                max_results=PAGE,
            )
            taken.append(1_000 * (time.perf_counter() - begun_s))
        report({"page_ms": statistics.median(taken)})


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
