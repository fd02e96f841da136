"""Entries as the gateway would write them, for tests of what comes after."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence

import numpy as np
import zstandard

from weir_proto.v1 import ingest_pb2, stream_pb2
from weir_server.stream.base import NewEntry, StreamEntry

BIRTH_S = 1_700_000_000
RUN_CREATED_UNIX_US = 1_699_999_000_000_000
ACCEPTED_UNIX_US = 1_700_000_100_000_000


def producer(number: int = 0, *, birth_s: int = BIRTH_S) -> bytes:
    """Return a UUIDv7-shaped id."""
    return (birth_s * 1_000).to_bytes(6, "big") + b"\x70\x00\x80" + number.to_bytes(7, "big")


def grid(
    step: int, rows: int = 1, metrics: Sequence[str] = ("loss", "acc"), *, rewrites: bool = False
) -> ingest_pb2.Body:
    """Return a body with `rows` steps from `step` on; the value is step + metric index / 10."""
    steps = np.arange(step, step + rows, dtype="<i8")
    values = steps[:, None] + np.arange(len(metrics))[None, :] / 10
    body = ingest_pb2.Body(schema=1, names=metrics)
    body.points.add(
        width=len(metrics),
        metric=np.arange(len(metrics), dtype="<u4").tobytes(),
        step=steps.tobytes(),
        time_unix_us=(ACCEPTED_UNIX_US + steps).astype("<i8").tobytes(),
        value=values.astype("<f8").tobytes(),
        rewrites=rewrites,
    )
    return body


def entry(
    body: ingest_pb2.Body | bytes,
    seq: int = 1,
    *,
    who: bytes | None = None,
    project: str = "p",
    run_id: str = "r",
    rank: int = 0,
    packed: bool = True,
    created_unix_us: int = RUN_CREATED_UNIX_US,
    rejects: Sequence[ingest_pb2.Reject] = (),
    flags: int = 0,
    entry_id: str = "",
) -> StreamEntry:
    """Wrap a body as the client and the gateway do."""
    who = who or producer()
    raw = body if isinstance(body, bytes) else body.SerializeToString()
    frame = ingest_pb2.Frame(
        producer=who,
        seq=seq,
        codec=ingest_pb2.CODEC_ZSTD if packed else ingest_pb2.CODEC_RAW,
        crc32=zlib.crc32(raw, zlib.crc32(struct.pack("<QH", seq, flags))),
        raw_bytes=len(raw),
        body=zstandard.ZstdCompressor(level=1).compress(raw) if packed else raw,
        flags=flags,
    )
    origin = ingest_pb2.Origin(
        producer=who,
        project=project,
        run_id=run_id,
        rank=rank,
        local_rank=rank,
        world_size=2,
        node="n1",
        pid=7,
        started_unix_us=BIRTH_S * 1_000_000,
    )
    payload = stream_pb2.Entry(
        origin=origin,
        frame=frame,
        run_created_unix_us=created_unix_us,
        accepted_unix_us=ACCEPTED_UNIX_US + seq,
        rejects=rejects,
    ).SerializeToString()
    return StreamEntry(entry_id or f"{seq}-0", who, seq, payload)


def appended(source: StreamEntry, shard: int = 0) -> NewEntry:
    """Return the entry as the gateway appends it."""
    return NewEntry(shard, source.producer, source.seq, source.payload)
