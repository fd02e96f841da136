"""Entries of producers that keep a ledger: every frame states what was sent through it."""

from __future__ import annotations

import math
from collections import defaultdict
from typing import Any
from uuid import uuid4

import numpy as np

from tests.unit.client.any_frame import node_body
from tests.unit.server import frames
from weir._ledger import Claim
from weir_proto.v1 import ingest_pb2
from weir_server.stream.base import StreamEntry
from weir_store.records import RunRef


class Teller:
    """The producers of one run, each with its running claim."""

    def __init__(self) -> None:
        self.ref = RunRef(f"p-{uuid4().hex}", "run")
        self._claims: dict[bytes, Claim] = defaultdict(Claim)

    def entry(
        self, body: ingest_pb2.Body, seq: int, *, who: bytes | None = None, **more: Any
    ) -> StreamEntry:
        """Return the frame as it lies in the stream; its claim is what was told before and this."""
        who = who or frames.producer()
        self._claims[who] += Claim.of(body)
        said = ingest_pb2.Body()
        said.CopyFrom(body)
        said.tallies.extend(self._claims[who].messages())
        place = {"project": self.ref.project, "run_id": self.ref.run_id}
        return frames.entry(said, seq, who=who, **place, **more)


def of_a_node(number: int, *, process: bytes = b"p" * 16) -> ingest_pb2.Body:
    """Return a body as an agent writes it: three values of two devices, and two lines."""
    at_us = frames.ACCEPTED_UNIX_US + number
    return node_body(
        ["", "cpu.percent", "gpu.memory", "gpu0", "gpu1"],
        [(1, 0, at_us, _bits(0.5)), (2, 3, at_us, _bits(-0.0)), (2, 4, at_us, _bits(math.nan))],
        [(number, at_us, 1, 0, "grüße\x1b[0m"), (number + 1, at_us, 3, 30, "")],
        process=process,
        rank=3,
    )


def _bits(value: float) -> int:
    return int(np.float64(value).view(np.uint64))


def everything(step: int) -> ingest_pb2.Body:
    """Return a body with things of every kind."""
    body = frames.grid(step, rows=3)
    body.texts.add(
        metric=bytes(4),
        step=step.to_bytes(8, "little", signed=True),
        time_unix_us=(frames.ACCEPTED_UNIX_US).to_bytes(8, "little"),
        value=["grüße"],
    )
    body.attrs.add(namespace=ingest_pb2.Attr.CONFIG, path="lr", float=0.1 + step)
    body.attrs.add(namespace=ingest_pb2.Attr.TAG, path="base", deleted=True)
    body.events.add(
        event_id=uuid4().bytes,
        time_unix_us=frames.ACCEPTED_UNIX_US,
        kind="alert",
        severity="warn",
        title="hot",
    )
    return body
