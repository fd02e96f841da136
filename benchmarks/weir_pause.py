"""Weir: the caller's time of log() while the disk is slow or full, or the agent dies again and again."""

import os
import resource
import sys
import tempfile
import threading
import time
from array import array

import psutil

import weir
from benchmarks.harness import agent_of
from benchmarks.pace import report, scalars, time_calls
from weir._spool import writer

trouble, calls, period_s = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
row = scalars(20)
done = threading.Event()


def busy(_: int) -> None:
    """Do about as much as log() does, and nothing of Weir."""
    for _ in range(3):
        array("d", list(row.values()))


def write_slowly() -> None:
    """Make every write to a segment take half a second more."""

    def write(descriptor: int, content: bytes) -> int:
        time.sleep(0.5)
        return os.write(descriptor, content)

    writer.os = type("os", (), {**vars(os), "write": staticmethod(write)})  # type: ignore[attr-defined]


def kill_agents(root: str) -> None:
    """Kill the agent of a spool root whenever there is one."""
    while not done.wait(0.2):
        agent = agent_of(root)
        if agent is not None:
            try:
                agent.kill()
            except psutil.NoSuchProcess:
                continue


with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
    mode = "online" if trouble == "killed" else "offline"
    run = weir.init(project="bench", mode=mode, dir=folder, settings={"server": "127.0.0.1:1"})
    run.log(row)
    run.flush()
    if trouble == "slow":
        write_slowly()
    elif trouble == "full":
        resource.setrlimit(resource.RLIMIT_FSIZE, (10, resource.RLIM_INFINITY))
    elif trouble == "killed":
        threading.Thread(target=kill_agents, args=(folder,), daemon=True).start()
    call = busy if trouble == "nothing" else (lambda _: run.log(row))
    result = time_calls(call, calls=calls, period_s=period_s)
    done.set()
    run.finish(timeout=0)
    if trouble == "killed" and (agent := agent_of(folder)):
        agent.kill()
report(result)
