"""MLflow's tracking server on SQLite: points per second that W clients get stored, in its largest batches."""

import multiprocessing
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

from mlflow.entities import Metric
from mlflow.tracking import MlflowClient

from benchmarks.pace import report

BATCH = 1_000  # the most that log_batch takes


def write(uri: str, run_id: str, writer: int, metrics: int, points: int) -> None:
    client = MlflowClient(uri)
    now_ms = int(time.time() * 1_000)
    rows = [
        Metric(f"w{writer}/metric_{index % metrics:02d}", float(index), now_ms, index // metrics)
        for index in range(points)
    ]
    for start in range(0, points, BATCH):
        client.log_batch(run_id, metrics=rows[start : start + BATCH])


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until_up(uri: str) -> None:
    for _ in range(600):
        try:
            urllib.request.urlopen(f"{uri}/health", timeout=1)
            return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("mlflow server did not start")


if __name__ == "__main__":
    writers, metrics, points = (int(word) for word in sys.argv[1:4])
    with tempfile.TemporaryDirectory() as folder:
        uri = f"http://127.0.0.1:{free_port()}"
        server = subprocess.Popen(
            [sys.executable, "-m", "mlflow", "server", "--backend-store-uri", f"sqlite:///{folder}/mlflow.db",
             "--artifacts-destination", folder, "--host", "127.0.0.1",
             "--port", uri.rsplit(":", 1)[1], "--workers", "1"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            wait_until_up(uri)
            client = MlflowClient(uri)
            run_id = client.create_run(client.create_experiment("bench")).info.run_id
            spawn = multiprocessing.get_context("spawn")
            jobs = [
                spawn.Process(target=write, args=(uri, run_id, w, metrics, points))
                for w in range(writers)
            ]
            start = time.perf_counter()
            for job in jobs:
                job.start()
            for job in jobs:
                job.join()
            seconds = time.perf_counter() - start
            stored = len(client.get_run(run_id).data.metrics)
        finally:
            server.terminate()
            server.wait()
    report(
        {
            "points": writers * points,
            "seconds": seconds,
            "points_per_s": writers * points / seconds,
            "metrics_stored": stored,
        }
    )
