"""What recording the console costs: per printed line, in memory, and at init()."""

from __future__ import annotations

import json
import os
import pty
import statistics
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from benchmarks.harness import Figure

LINES = 50_000
RUNS = 5


def measure() -> list[Figure]:
    """Print to a file, a pipe and a terminal, each with and without a scribe."""
    figures = []
    for target in ("file", "pipe", "terminal"):
        with tempfile.TemporaryDirectory() as folder:
            found = _run(target, Path(folder))
        off, led = found["off"], found["fd"]
        what = f"a line printed to a {target}"
        figures += [
            Figure(f"{what}, as ever: CPU", _median(off, "us"), "µs"),
            Figure(f"{what}, recorded: CPU", _median(led, "us"), "µs"),
            Figure(f"{what}, recorded: CPU of the scribe", _median(led, "scribe_us"), "µs"),
            Figure(f"{what}, as ever: time", _median(off, "wall_us"), "µs"),
            Figure(f"{what}, recorded: time", _median(led, "wall_us"), "µs"),
        ]
        if target == "file":
            added_ms = _median(led, "init_ms") - _median(off, "init_ms")
            figures += [
                Figure("time the console adds to init()", added_ms, "ms", "<= 20"),
                Figure("memory of a scribe", _median(led, "scribe_bytes") / 1e6, "MB", "<= 30"),
                Figure("… of its own", _median(led, "scribe_uss_bytes") / 1e6, "MB"),
            ]
    return figures


def _run(target: str, folder: Path) -> dict[str, list[dict[str, float]]]:
    command = [
        sys.executable,
        str(Path(__file__).with_name("weir_print.py")),
        str(LINES),
        str(RUNS),
    ]
    read_end, write_end = _open(target, folder)
    process = subprocess.Popen(
        command,
        stdout=write_end,
        stderr=subprocess.PIPE,
        env={**os.environ, "WEIR_DIR": str(folder)},
    )
    os.close(write_end)
    if read_end >= 0:
        threading.Thread(target=_drain, args=(read_end,), daemon=True).start()
    _, err = process.communicate(timeout=600)
    told = [line for line in err.splitlines() if line.startswith(b"{")]
    if not told:
        raise RuntimeError(err.decode(errors="replace"))
    return dict(json.loads(told[-1]))


def _open(target: str, folder: Path) -> tuple[int, int]:
    if target == "file":
        return -1, os.open(folder / "out", os.O_WRONLY | os.O_CREAT)
    return os.pipe() if target == "pipe" else pty.openpty()


def _drain(read_end: int) -> None:
    try:
        while os.read(read_end, 1 << 16):
            pass
    except OSError:  # a terminal that nobody has open any more
        return


def _median(runs: list[dict[str, float]], name: str) -> float:
    return statistics.median(run[name] for run in runs)
