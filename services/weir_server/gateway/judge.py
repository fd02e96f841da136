"""One frame to one stream entry: unpacked, checked, and with its rejected parts taken out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from weir_proto.v1 import ingest_pb2, stream_pb2
from weir_server import tally
from weir_server.errors import InvalidFrame
from weir_server.gateway.cardinality import MetricCounter
from weir_server.gateway.facts import check_branch
from weir_server.gateway.findings import Findings
from weir_server.gateway.limits import BODY_SCHEMA, MAX_TALLIES, Code, Limits
from weir_server.gateway.node_findings import count_of
from weir_server.gateway.producer import Producer
from weir_server.gateway.unpack import repack, unpack
from weir_server.gateway.validate import TooMuch, validate

# What may go wrong between the client's disk and here, so that sending again may help.
_DAMAGE: Final = frozenset({Code.FRAME_CRC_MISMATCH, Code.FRAME_CANNOT_BE_UNPACKED})
_MOST_HASHED: Final = 65_536  # things to hash in a refused body: beyond, nobody adds them up


class Damaged(Exception):
    """The frame did not arrive whole: it should be sent once more before it is given up."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A frame that is ready for the stream.

    Attributes:
        seq: Of the frame.
        payload: A serialised `Entry`.
        points: Points in it.
        points_rejected: Points taken out of it.
        rejects: What was taken out, and why.
    """

    seq: int
    payload: bytes
    points: int
    points_rejected: int
    rejects: Sequence[ingest_pb2.Reject]


class Judge:
    """Applies one gateway's limits. Decides; does no I/O."""

    def __init__(self, limits: Limits, counter: MetricCounter) -> None:
        self._limits = limits
        self._counter = counter

    def judge(self, producer: Producer, frame: ingest_pb2.Frame, now_unix_us: int) -> Judged:
        """Make an entry of a frame.

        A frame of which nothing can be kept becomes an entry with an empty body and the reason:
        its seq is consumed, so poison cannot wedge a producer, and the run shows what was refused.

        Raises:
            Damaged: It came damaged for the first time.
            SchemaTooNew: A newer server is needed.
        """
        try:
            raw = unpack(frame, self._limits)
            admit = partial(self._counter.admit, *producer.run)
            verdict = validate(raw, self._limits, now_unix_us=now_unix_us, admit=admit)
        except InvalidFrame as error:
            if error.code in _DAMAGE and producer.damaged_seq != frame.seq:
                raise Damaged(str(error)) from error
            return self.give_up(producer, frame, error, now_unix_us)
        kept, missed = frame, _NOTHING_MISSED
        if verdict.rest is not None:
            kept = repack(frame, verdict.rest.SerializeToString())
            missed = _missed(verdict.body, verdict.rest)
        rejects = verdict.findings.rejects(frame.seq)
        return Judged(
            seq=frame.seq,
            payload=_entry(producer, kept, rejects, missed, now_unix_us),
            points=verdict.points,
            points_rejected=verdict.findings.points,
            rejects=rejects,
        )

    def give_up(
        self, producer: Producer, frame: ingest_pb2.Frame, error: InvalidFrame, now_unix_us: int
    ) -> Judged:
        """Make an entry that holds nothing but the reason, and the producer's claim and branch if read."""
        reject = ingest_pb2.Reject(
            seq=frame.seq, code=error.code, field=error.field, message=str(error), count=1
        )
        rest, missed = ingest_pb2.Body(schema=BODY_SCHEMA), _Missed((), unreadable=True)
        if isinstance(error, TooMuch):
            rest.tallies.extend(error.body.tallies[:MAX_TALLIES])
            if error.body.HasField("branch") and check_branch(error.body.branch, Findings()):
                rest.branch.CopyFrom(error.body.branch)
            missed = _missed(error.body, rest)
        kept = repack(frame, rest.SerializeToString())
        return Judged(
            seq=frame.seq,
            payload=_entry(producer, kept, [reject], missed, now_unix_us),
            points=0,
            points_rejected=0,
            rejects=[reject],
        )


@dataclass(frozen=True, slots=True)
class _Missed:
    """What the ledger must know of things that were taken out of a frame."""

    rejected: Sequence[ingest_pb2.Tally]
    unreadable: bool  # there was more, and nobody can say what


_NOTHING_MISSED: Final = _Missed((), unreadable=False)


def _missed(body: ingest_pb2.Body, rest: ingest_pb2.Body) -> _Missed:
    texts = sum(len(block.value) for block in body.texts) + count_of(body)
    if len(body.names) + texts + len(body.attrs) + len(body.events) > _MOST_HASHED:
        return _Missed((), unreadable=True)
    before = tally.contents_of(body)
    taken_out = tally.taken_out(before, tally.contents_of(rest))
    return _Missed(tally.tally_messages(taken_out), unreadable=not before.exact)


def entry_of_body(producer: Producer, seq: int, body: ingest_pb2.Body, now_unix_us: int) -> bytes:
    """Return an entry the gateway writes itself, in place of frames that will never come."""
    frame = repack(ingest_pb2.Frame(producer=producer.id, seq=seq), body.SerializeToString())
    return _entry(producer, frame, [], _NOTHING_MISSED, now_unix_us)


def _entry(
    producer: Producer,
    frame: ingest_pb2.Frame,
    rejects: Sequence[ingest_pb2.Reject],
    missed: _Missed,
    now_unix_us: int,
) -> bytes:
    entry = stream_pb2.Entry(
        origin=producer.origin,
        frame=frame,
        run_created_unix_us=producer.birth_unix_us,
        accepted_unix_us=now_unix_us,
        rejects=rejects,
        rejected=missed.rejected,
        unreadable=missed.unreadable,
    )
    return entry.SerializeToString()
