"""`make demo`: start Weir, run a real four-rank training job, open its page in the browser.

Everything it keeps lies in weir-data/demo. Ctrl-C stops it all.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import time
import webbrowser
from pathlib import Path
from urllib.parse import urlencode

HERE = Path(__file__).resolve().parent
READY_WITHIN_S = 120.0


def main() -> int:
    """Run the demo; returns the training job's exit code."""
    arguments = read_arguments()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as good as Ctrl-C
    up = start_weir(arguments.data_dir)
    code = 1
    try:
        doors = wait_ready(arguments.data_dir / "weir-up.json", up)
        run_id = f"demo-{time.strftime('%m%d-%H%M%S')}"
        job = start_job(doors["gateway"], arguments, run_id)
        page = f"{doors['dashboard']}/run?{urlencode({'project': 'digits', 'id': run_id})}"
        print(f"\n  Training with {arguments.ranks} ranks. Watch: {page}\n", flush=True)
        if not arguments.no_browser:
            webbrowser.open(page)
        code = job.wait()
        print(f"\n  Training ended with code {code}: {page}\n", flush=True)
        if not arguments.exit_when_done:
            print("  Ctrl-C stops Weir.\n", flush=True)
            up.wait()
    except KeyboardInterrupt:
        code = 0
    finally:
        up.terminate()  # a second Ctrl-C does not reach it: it has a session of its own
        up.wait()
    return code


def read_arguments() -> argparse.Namespace:
    """Return the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-dir", type=Path, default=Path("weir-data/demo"))
    parser.add_argument("--seconds", type=float, default=180.0, help="how long to train")
    parser.add_argument("--ranks", type=int, default=4)
    parser.add_argument("--exit-when-done", action="store_true", help="stop Weir after training")
    parser.add_argument("--no-browser", action="store_true")
    return parser.parse_args()


def start_weir(data_dir: Path) -> subprocess.Popen[bytes]:
    """Start `weir up` on free ports, so that it gets along with one that runs already."""
    metrics = [f"{part}.metrics-port" for part in ("gateway", "writer", "rules")]
    doors = [
        "gateway.port",
        "gateway.sql-port",
        "objects.door-port",
        "engine.port",
        "dashboard.port",
    ]
    free = [word for port in (*doors, *metrics) for word in (f"--{port}", "0")]
    command = [sys.executable, "-P", "-m", "weir_server", "up", "--data-dir", str(data_dir), *free]
    return subprocess.Popen(command, start_new_session=True)


def wait_ready(state_file: Path, up: subprocess.Popen[bytes]) -> dict[str, str]:
    """Return the doors of the Weir that was started, once they are open."""
    deadline_s = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < deadline_s:
        if up.poll() is not None:
            raise SystemExit(up.returncode)
        if state_file.exists():
            state = json.loads(state_file.read_text())
            if state["ready"] and state["pid"] == up.pid:
                return state
        time.sleep(0.1)
    raise SystemExit(f"weir up was not ready in {READY_WITHIN_S:g} s")


def start_job(gateway: str, arguments: argparse.Namespace, run_id: str) -> subprocess.Popen[bytes]:
    """Start the training as anybody would: a script that does `import weir`."""
    spool = (arguments.data_dir / "spool").absolute()
    return subprocess.Popen(
        [
            sys.executable, str(HERE / "02_digits_ddp.py"), "--run-id", run_id,
            "--ranks", str(arguments.ranks), "--seconds", str(arguments.seconds),
        ],
        env={**os.environ, "WEIR_SERVER": gateway, "WEIR_DIR": str(spool)},
    )  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
