"""MLflow's tracking server on SQLite: points per second that `get_metric_history` reads."""

import subprocess
import sys
import tempfile
import time

from mlflow.tracking import MlflowClient

from benchmarks.pace import report
from benchmarks.peers.mlflow_ingest import free_port, wait_until_up, write


def main(points: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        uri = f"http://127.0.0.1:{port}"
        server = subprocess.Popen(
            [
                sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port),
                "--backend-store-uri", f"sqlite:///{folder}/mlflow.db", "--workers", "1",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            wait_until_up(uri)
            client = MlflowClient(uri)
            run_id = client.create_run(client.create_experiment("reading")).info.run_id
            write(uri, run_id, 0, 1, points)
            begun_s = time.perf_counter()
            read = client.get_metric_history(run_id, "w0/metric_00")
            taken_s = time.perf_counter() - begun_s
            if len(read) != points:
                raise SystemExit(f"{len(read)} of {points} points came")
            report({"points_per_s": points / taken_s})
        finally:
            server.terminate()
            server.wait()


if __name__ == "__main__":
    main(int(sys.argv[1]))
