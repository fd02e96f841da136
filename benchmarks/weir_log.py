"""Weir: the caller's time of one log() of N scalars, the CPU it adds to the process, and the memory."""

import resource
import sys
import tempfile
import time

import psutil

from benchmarks.pace import report, scalars, time_calls

calls, count, period_s, mode = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), sys.argv[4]
row = scalars(count)
process = psutil.Process()


def cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


# The same loop without logging: what pacing and timing cost by themselves.
start_cpu, start = cpu_s(), time.perf_counter()
time_calls(lambda _: None, calls=calls // 4, period_s=period_s)
idle_share = (cpu_s() - start_cpu) / (time.perf_counter() - start)

before_bytes = process.memory_info().rss
import weir  # noqa: E402 - what the import costs is part of the figure

with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
    run = weir.init(project="bench", mode=mode, dir=None if mode == "online" else folder)
    hot = time_calls(lambda _: run.log(row), calls=20_000, period_s=0)
    run.flush(level="spooled")
    start_cpu, start = cpu_s(), time.perf_counter()
    result = time_calls(lambda _: run.log(row), calls=calls, period_s=period_s)
    busy_share = (cpu_s() - start_cpu) / (time.perf_counter() - start)
    result["hot_p50_us"], result["hot_p99_us"] = hot["p50_us"], hot["p99_us"]
    result["rss_added_bytes"] = process.memory_info().rss - before_bytes
    result["cpu_share_added"] = busy_share - idle_share
    run.finish()
report(result)
