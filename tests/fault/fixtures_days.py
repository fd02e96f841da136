"""Spools that hold what was logged while nobody listened, and a count of what became of it."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import psutil

from tests.fault.fixtures_house import House
from tests.integration.fixtures_gateway import producer_id
from tests.integration.fixtures_spools import NODE
from weir._spool import FLAG_FINAL, Meta, SegmentWriter, SpoolDir
from weir_proto.v1 import ingest_pb2 as pb

DAY_S = 86_400


class Backlog:
    """One producer that logs random numbers, hence frames that do not shrink when they are packed."""

    def __init__(
        self, root: Path, server: str, run_id: str, *, rank: int = 0, project: str = "p"
    ) -> None:
        process = psutil.Process()
        meta = Meta(
            mode="online",
            server=server,
            producer=producer_id(rank).hex(),
            project=project,
            run_id=run_id,
            rank=rank,
            node=NODE,
            pid=process.pid,
            process_started_s=process.create_time(),
            started_unix_us=time.time_ns() // 1_000,
        )
        self.run_id, self.rank = run_id, rank
        self.spool = SpoolDir.create(root, meta)
        self.seq = self.points = 0
        self.digest = np.uint64(0)
        self._writer = SegmentWriter(self.spool)
        self._random = np.random.default_rng(rank)

    def log(self, frames: int = 1, *, points: int = 1_000, ago_s: float = 0.0) -> None:
        """Write frames that say they were logged evenly from `ago_s` ago until now."""
        now_us = time.time_ns() // 1_000
        times = now_us - ago_s * 1e6 + np.arange(frames * points) * (ago_s * 1e6 / frames / points)
        for n in range(frames):
            self._frame(times[n * points : (n + 1) * points].astype("<i8"))

    def finish(self) -> None:
        """Say the last word."""
        state = pb.SessionUpdate(
            state=pb.SessionUpdate.FINISHED, time_unix_us=time.time_ns() // 1_000
        )
        self._append(pb.Body(schema=1, session=state), FLAG_FINAL)
        self._writer.close()

    def _frame(self, times: np.ndarray) -> None:
        values = self._random.random(len(times))
        self.digest ^= np.bitwise_xor.reduce(values.view("<u8"))
        body = pb.Body(schema=1, names=["loss"])
        body.points.add(
            width=1,
            metric=np.zeros(1, "<u4").tobytes(),
            step=np.arange(self.points, self.points + len(times), dtype="<i8").tobytes(),
            time_unix_us=times.tobytes(),
            value=values.tobytes(),
        )
        self.points += len(times)
        self._append(body, 0)

    def _append(self, body: pb.Body, flags: int) -> None:
        self.seq += 1
        if self.seq == 1:
            body.session.state = pb.SessionUpdate.RUNNING
        self._writer.append(self.seq, flags, body.SerializeToString())

    @property
    def committed(self) -> int:
        """What its spool has been told; all of it once the spool is gone."""
        if self.forgotten:
            return self.seq
        return self.spool.read_watermark().committed_seq

    @property
    def accepted(self) -> int:
        """What its spool has been told of the stream."""
        return self.seq if self.forgotten else self.spool.read_watermark().accepted_seq

    @property
    def forgotten(self) -> bool:
        """Whether everything is committed and the spool is gone."""
        return not self.spool.path.exists()


def stored(house: House, one: Backlog) -> tuple[int, int, int]:
    """Return how many points the store has, the digest of their values, and how many steps from 0."""
    ((count, digest, last),) = house.rows(
        "SELECT count(), groupBitXor(reinterpretAsUInt64(value)), max(step) FROM raw.points FINAL"
        f" WHERE run_id = '{one.run_id}' AND rank = {one.rank}"
    )
    return count, digest, last + 1 if count else 0


def assert_stored_once(house: House, one: Backlog) -> None:
    """Nothing lost, nothing doubled, nothing changed."""
    assert stored(house, one) == (one.points, int(one.digest), one.points)


def rss_bytes(pid: int) -> int:
    """Return how much memory a process takes."""
    return int(psutil.Process(pid).memory_info().rss)
