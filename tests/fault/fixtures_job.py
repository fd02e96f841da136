"""Jobs whose every point is remembered, the agents that bring them, and the count afterwards."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path
from uuid import UUID

import psutil

from tests.e2e.fixtures_up import wait_until
from tests.fault.fixtures_house import SOON_S, House
from tests.integration.fixtures_gateway import producer_id
from tests.integration.fixtures_spools import NODE
from tests.unit.server import frames
from weir._spool import FLAG_FINAL, Meta, SegmentWriter, SpoolDir
from weir_proto.v1 import ingest_pb2 as pb

PROJECT = "p"
METRICS = ("loss", "acc")


class Rank:
    """One producer: its spool, and every point that it has put there."""

    def __init__(self, root: Path, meta: Meta, segment_bytes: int) -> None:
        self.meta = meta
        self.spool = SpoolDir.create(root, meta)
        self.seq = 0
        self.points: dict[str, list[tuple[int, float]]] = defaultdict(list)
        self._writer = SegmentWriter(self.spool, segment_bytes=segment_bytes)

    def log(self, steps: int) -> None:
        """Write one frame with so many steps."""
        first = len(self.points[METRICS[0]])
        body = frames.grid(first, steps, METRICS)
        if self.seq == 0:
            body.session.CopyFrom(_session(pb.SessionUpdate.RUNNING))
        self._append(body, 0)
        for step in range(first, first + steps):
            for index, metric in enumerate(METRICS):
                self.points[metric].append((step, step + index / 10))

    def forget_steps(self, steps: range) -> None:
        """Expect these steps to be gone."""
        for metric, points in self.points.items():
            self.points[metric] = [point for point in points if point[0] not in steps]

    def finish(self) -> None:
        body = pb.Body(schema=1, session=_session(pb.SessionUpdate.FINISHED))
        self._append(body, FLAG_FINAL)
        self._writer.close()

    def _append(self, body: pb.Body, flags: int) -> None:
        self.seq += 1
        self._writer.append(self.seq, flags, body.SerializeToString())

    @property
    def committed(self) -> int:
        """What its spool has been told."""
        return self.spool.read_watermark().committed_seq

    @property
    def forgotten(self) -> bool:
        """Whether everything is committed and its spool is gone."""
        return not self.spool.path.exists()


def _session(state: pb.SessionUpdate.State) -> pb.SessionUpdate:
    return pb.SessionUpdate(state=state, time_unix_us=time.time_ns() // 1_000)


class Job:
    """Some ranks of one run, alive as long as `process` (this one, unless told)."""

    def __init__(
        self,
        root: Path,
        server: str,
        run_id: str,
        *,
        ranks: int = 2,
        segment_bytes: int = 16 << 20,
        process: psutil.Process | None = None,
    ) -> None:
        process = process or psutil.Process()
        self.run_id = run_id
        self.ranks = [
            Rank(
                root,
                Meta(
                    mode="online",
                    server=server,
                    producer=producer_id(number).hex(),
                    project=PROJECT,
                    run_id=run_id,
                    rank=number,
                    world_size=ranks,
                    node=NODE,
                    pid=process.pid,
                    process_started_s=process.create_time(),
                ),
                segment_bytes,
            )
            for number in range(ranks)
        ]

    def log(self, count: int = 1, *, steps: int = 5) -> None:
        """Let every rank write so many frames."""
        for _ in range(count):
            for rank in self.ranks:
                rank.log(steps)

    def finish(self) -> None:
        for rank in self.ranks:
            rank.finish()

    @property
    def forgotten(self) -> bool:
        return all(rank.forgotten for rank in self.ranks)

    def points(self) -> list[tuple[str, int, int, float]]:
        """Return every (metric, rank, step, value) that was logged, in order."""
        return sorted(
            (metric, rank.meta.rank, step, value)
            for rank in self.ranks
            for metric, points in rank.points.items()
            for step, value in points
        )


class Agent:
    """A real agent process for one spool root."""

    def __init__(self, root: Path, fault: str = "") -> None:
        root.mkdir(exist_ok=True)
        environment = {"WEIR_AGENT_IDLE_S": "2", "WEIR_FAULT": fault}
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "weir.agent", "--root", str(root)],
            env={**os.environ, **environment},
        )

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def ended(self) -> int:
        return self.process.wait(SOON_S)

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(SOON_S)

    def __enter__(self) -> Agent:
        return self

    def __exit__(self, *_: object) -> None:
        if self.alive:
            self.kill()


# ── counting ───────────────────────────────────────────────────────────────


def stored_points(house: House, run_id: str) -> list[tuple[str, int, int, float]]:
    """Return every point of a run that can be read; one that is there twice is here twice."""
    sql = "SELECT metric, rank, step, value FROM raw.points FINAL WHERE run_id = '{}' ORDER BY ALL"
    return [(m, r, s, round(v, 6)) for m, r, s, v in house.rows(sql.format(run_id))]


def count_stored(house: House, run_id: str) -> int:
    sql = f"SELECT count() FROM raw.points FINAL WHERE run_id = '{run_id}'"
    return int(house.rows(sql)[0][0])


def committed_in_store(house: House, job: Job) -> dict[int, int]:
    """Return the watermark of each rank, as the store has it."""
    found = dict(
        house.rows(
            f"SELECT producer, max(seq) FROM raw.ingest_commits WHERE run_id = '{job.run_id}'"
            " GROUP BY producer"
        )
    )
    return {rank.meta.rank: found.get(UUID(rank.meta.producer), 0) for rank in job.ranks}


def wait_forgotten(job: Job, within_s: float = SOON_S) -> None:
    """Wait until every spool is gone, which says that all is committed."""
    wait_until(lambda: job.forgotten, f"{job.run_id} is committed", within_s=within_s)


def assert_stored_once(house: House, job: Job, *, dead: int = 0, lost: int = 0) -> None:
    """Nothing lost, nothing doubled, nothing changed, nothing left over."""
    assert stored_points(house, job.run_id) == [
        (m, r, s, round(v, 6)) for m, r, s, v in job.points()
    ]
    assert committed_in_store(house, job) == {rank.meta.rank: rank.seq for rank in job.ranks}
    kinds = house.rows(
        f"SELECT kind, count() FROM raw.events FINAL WHERE run_id = '{job.run_id}'"
        " AND kind IN ('dead_letter', 'loss') GROUP BY kind"
    )
    expected = {"dead_letter": dead, "loss": lost}
    assert dict(kinds) == {kind: number for kind, number in expected.items() if number}
    assert _summaries(house, job.run_id) == _expected_summaries(job)
    wait_until(house.stream_is_empty, "the stream is empty")


def _summaries(house: House, run_id: str) -> list[tuple]:
    """What the views say of each series: they are filled by every insert, also a repeated one."""
    found = house.rows(
        "SELECT metric, rank, min(min_step), max(max_step), argMinMerge(first), argMaxMerge(last)"
        f" FROM raw.series WHERE run_id = '{run_id}' GROUP BY metric, rank ORDER BY metric, rank"
    )
    return [(*row[:4], round(row[4], 6), round(row[5], 6)) for row in found]


def _expected_summaries(job: Job) -> list[tuple]:
    summaries = []
    for metric in sorted(METRICS):
        for rank in job.ranks:
            points = rank.points[metric]
            if points:
                first, last = points[0], points[-1]
                values = round(first[1], 6), round(last[1], 6)
                summaries.append((metric, rank.meta.rank, first[0], last[0], *values))
    return summaries
