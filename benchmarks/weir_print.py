"""Print lines with and without a scribe listening; tells what each cost: `weir_print.py LINES RUNS`."""

import json
import os
import resource
import sys
import time

import psutil

import weir

LINES, RUNS = int(sys.argv[1]), int(sys.argv[2])
QUIET = dict.fromkeys(
    ("record_git", "record_diff", "record_command", "record_packages", "record_machine"), False
)
OFFLINE = {"mode": "offline", "agent": False, "record_variables": False, "record_seeds": False}


def cpu_s() -> float:
    """CPU that this process has used."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def scribe() -> psutil.Process:
    """Return our scribe: of a run before, one may still be on its way out."""
    return max(psutil.Process().children(), key=psutil.Process.create_time)


def print_lines(console: str) -> dict[str, float]:
    """Print the lines of one run; CPU per line of us and of the scribe, µs; time of init(), ms."""
    began_s = time.perf_counter()
    settings = {"console": console, "console_lines_per_s": 1e6, **QUIET, **OFFLINE}
    run = weir.init("bench", settings=settings)
    init_ms = 1e3 * (time.perf_counter() - began_s)
    own = scribe() if console == "fd" else None
    time.sleep(0.5)  # it has begun
    before_s, began_s = cpu_s(), time.perf_counter()
    other_s = sum(own.cpu_times()[:2]) if own else 0.0
    for number in range(LINES):
        os.write(1, b"epoch 3 step %08d loss 0.123456 lr 0.001 tokens/s 123456\n" % number)
    wall_s, spent_s = time.perf_counter() - began_s, cpu_s() - before_s
    time.sleep(1.0)
    found = {"init_ms": init_ms, "us": 1e6 * spent_s / LINES, "wall_us": 1e6 * wall_s / LINES}
    if own:
        found["scribe_us"] = 1e6 * (sum(own.cpu_times()[:2]) - other_s) / LINES
        found["scribe_bytes"] = own.memory_info().rss
        found["scribe_uss_bytes"] = own.memory_full_info().uss
    run.finish()
    return found


weir.init(
    "bench", settings={"console": "fd", **QUIET, **OFFLINE}
).finish()  # loads what is loaded once
results = {way: [print_lines(way) for _ in range(RUNS)] for way in ("off", "fd")}
sys.stderr.write(json.dumps(results) + "\n")
