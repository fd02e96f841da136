"""A long session of bad frames: `python -m tests.fuzz.session --frames 100000`.

The bulk goes through the gateway's judge and the writer's unpacking in this process; some thousand
go to a whole Weir over gRPC. Prints what was found as JSON; any crash ends it with its traceback.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from tests.e2e.fixtures_up import EmbeddedWeir, running_weir, wait_until
from tests.fuzz.bad_frames import bad_frames
from tests.fuzz.hostile import Hostile
from tests.fuzz.targets import judge_frame, new_judge

_WARM_UP = 2_000  # frames before memory is measured: caches and allocators fill


def judge_many(count: int, seed: int) -> dict[str, Any]:
    """Judge frames in this process."""
    judge, told, rss_before = new_judge(), Counter[str](), 0
    started_s = time.monotonic()
    for number, frame in enumerate(bad_frames(seed, _WARM_UP + count)):
        if number == _WARM_UP:
            rss_before = _rss(psutil.Process())
        judged = judge_frame(frame, judge)
        told["waits for a newer server" if judged is None else _outcome(judged.rejects)] += 1
    return {
        "frames": _WARM_UP + count,
        "crashes": 0,
        "told": dict(told.most_common()),
        "seconds": round(time.monotonic() - started_s),
        "rss_before_mib": rss_before >> 20,
        "rss_after_mib": _rss(psutil.Process()) >> 20,
    }


def _outcome(rejects: Any) -> str:
    return str(rejects[0].code) if rejects else "taken whole"


def attack(weir: EmbeddedWeir, count: int, seed: int) -> dict[str, Any]:
    """Send frames, garbage and broken streams to a whole Weir; tell what it cost."""
    hostile, rng = Hostile(weir.gateway), random.Random(seed)
    warm = list(bad_frames(seed, 300))
    hostile.send(warm)
    before = _parts(weir)
    hostile.send(bad_frames(seed + 1, count))
    for frame in bad_frames(seed + 2, count // 5):
        hostile.send_garbage(rng, frame)
    for start in range(0, count // 5, 5):
        hostile.break_a_stream(rng, list(bad_frames(seed + start, 5)))
    hostile.close()
    settled = lambda: _streams(weir) == 0  # noqa: E731
    wait_until(settled, "the streams are closed")
    after = _parts(weir)
    return {
        "told": dict(hostile.told.most_common()),
        "same_processes": {n: before[n]["pid"] == after[n]["pid"] for n in before},
        "rss_mib": {n: [before[n]["rss"] >> 20, after[n]["rss"] >> 20] for n in before},
        "descriptors": {n: [before[n]["fds"], after[n]["fds"]] for n in before},
        "streams_left": _streams(weir),
    }


def _parts(weir: EmbeddedWeir) -> dict[str, dict[str, int]]:
    found = {}
    for name, part in weir.parts().items():
        process = psutil.Process(part.pid)
        found[name] = {"pid": part.pid, "rss": _rss(process), "fds": descriptors(part.pid)}
    return found


def descriptors(pid: int) -> int:
    """Count what a process holds open, less the three files that ClickHouse keeps for each of its threads."""
    count = 0
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(OSError):
            count += not str(link.readlink()).startswith("/proc/")
    return count


def _streams(weir: EmbeddedWeir) -> int:
    """Count open gRPC connections to the gateway."""
    port = int(weir.gateway.rpartition(":")[2])
    gateway = psutil.Process(weir.parts()["gateway"].pid)
    return sum(
        1
        for connection in gateway.net_connections(kind="tcp")
        if connection.status == psutil.CONN_ESTABLISHED and connection.laddr.port == port
    )


def _rss(process: psutil.Process) -> int:
    return int(process.memory_info().rss)


def main() -> int:
    """Run a session."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=100_000)
    parser.add_argument("--gateway-frames", type=int, default=5_000)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args()
    found: dict[str, Any] = {"seed": options.seed}
    found["judge"] = judge_many(options.frames, options.seed)
    if options.gateway_frames:
        with (
            tempfile.TemporaryDirectory() as folder,
            running_weir(Path(folder) / "data", "--no-dashboard") as weir,
        ):
            found["weir"] = attack(weir, options.gateway_frames, options.seed)
    sys.stdout.write(json.dumps(found, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
