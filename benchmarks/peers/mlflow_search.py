"""MLflow on SQLite: how long `search_runs` takes for a page of runs by a final metric.

Its parameters are texts that can be equal or alike, not less: the half of our question that is about
`lr` cannot be asked.
"""

import statistics
import sys
import time

from mlflow.tracking import MlflowClient

from benchmarks.pace import report

PAGE = 50
TIMES = 10

client, experiment = MlflowClient(f"sqlite:///{sys.argv[1]}"), sys.argv[2]
taken = []
for _ in range(TIMES):
    begun_s = time.perf_counter()
    client.search_runs(
        [experiment],
        "metrics.`train/metric_007` < 2.1",
        order_by=["metrics.`train/metric_007` ASC"],
        max_results=PAGE,
    )
    taken.append(1_000 * (time.perf_counter() - begun_s))
report({"page_ms": statistics.median(taken)})
