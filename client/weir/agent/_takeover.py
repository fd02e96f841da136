"""Finishing what a dead trainer left: the agent becomes the writer for one last frame."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager

from weir import _fault as fault
from weir._body import BODY_SCHEMA
from weir._spool import FLAG_FINAL, Meta, SegmentWriter, SpoolDir, cut_torn_tail
from weir.agent._extent import read_extent
from weir_proto.v1 import ingest_pb2 as pb

_EXIT_CODE_UNKNOWN = -1


def take_over(spool: SpoolDir, meta: Meta, *, now_unix_us: int) -> bool:
    """Close the log of a trainer that vanished; returns whether this call did it.

    Cuts the torn tail and appends a CRASHED session with the FINAL flag; INTERRUPTED when the
    trainer had said that it would be taken away. Safe to repeat, also after dying half way: a
    spool that has its FINAL frame is left alone. Frames that are damaged in the middle stay where
    they are; the reader tells of them as a gap when it gets there.

    Raises:
        SpoolError, OSError: The disk does not let us. Try again later.
    """
    with _alone(spool) as alone:
        if not alone or read_extent(spool, live=False).final:
            return False
        fault.hit("agent.before_takeover")
        cut_bytes = cut_torn_tail(spool)
        fault.hit("agent.mid_takeover")
        extent = read_extent(spool, live=False)
        # After a power loss the server may have accepted frames that our disk has lost; their
        # numbers are taken.
        seq = max(extent.last_seq, spool.read_watermark().accepted_seq) + 1
        session = _session(meta, spool.read_preempting(), now_unix_us)
        _append(spool, seq, _last_words(session, cut_bytes).SerializeToString())
        fault.hit("agent.after_takeover")
        return True


def _append(spool: SpoolDir, seq: int, body: bytes) -> None:
    writer = SegmentWriter(spool)
    try:
        writer.append(seq, FLAG_FINAL, body)
    finally:
        writer.close()


def _session(meta: Meta, preempting: str, now_unix_us: int) -> pb.SessionUpdate:
    vanished = f"process {meta.pid} vanished without finish()"
    return pb.SessionUpdate(
        state=pb.SessionUpdate.INTERRUPTED if preempting else pb.SessionUpdate.CRASHED,
        exit_code=_EXIT_CODE_UNKNOWN,
        reason=f"{preempting}; {vanished}" if preempting else vanished,
        time_unix_us=now_unix_us,
    )


def _last_words(session: pb.SessionUpdate, cut_bytes: int) -> pb.Body:
    losses = []
    if cut_bytes:
        message = f"{cut_bytes} bytes of the last frame were half written when the process died"
        losses.append(pb.Loss(reason="torn_tail", message=message))
    return pb.Body(schema=BODY_SCHEMA, session=session, losses=losses)


@contextmanager
def _alone(spool: SpoolDir) -> Iterator[bool]:
    """Keep the agent and `weir sync` from closing the same log at once; True when we are alone."""
    # Opened for writing because NFS emulates flock with record locks, which ask for it.
    with (spool.path / "meta.json").open("r+b") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
            return
        yield True
