"""A run's ledger as a gateway tells it: what the store knows, and what is still on its way."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Final
from uuid import UUID

from weir_proto.v1 import runs_pb2
from weir_server.errors import StreamUnavailable
from weir_server.stream.base import Appender, shard_of
from weir_store.base import Reader
from weir_store.errors import StoreUnavailable
from weir_store.ledger import expected, lost, verdict_of, worst
from weir_store.records import (
    Ledger,
    LedgerLine,
    LedgerProducer,
    RunRef,
    RunState,
    Session,
    Verdict,
)

_ASKED_AT_ONCE: Final = 256


class Ledgers:
    """Reads the store in a thread, and asks the stream for what it has not brought there yet."""

    def __init__(self, reader: Reader, appender: Appender, shards: int) -> None:
        self._reader = reader
        self._appender = appender
        self._shards = shards

    async def answer(self, ref: RunRef) -> runs_pb2.GetLedgerResponse:
        """Return the run's ledger with its verdicts.

        Raises:
            UnknownRun: There is no such run.
            StoreUnavailable: The store did not count it in time.
        """
        # Who has ended is asked first: what ends later was running when it was counted.
        sessions = await asyncio.to_thread(self._reader.list_sessions, ref)
        try:
            ledger = await asyncio.to_thread(self._reader.read_ledger, ref)
        except StoreUnavailable as error:
            raise StoreUnavailable(
                f"the points of run {ref.run_id!r} could not be counted: {error}",
                hint="a long run takes a while: see clickhouse.query_timeout_s",
            ) from error
        accepted = await self._accepted(ref, _may_go_on(sessions, ledger))
        return message_of(ledger, accepted, _underway(sessions, ledger, accepted))

    async def _accepted(self, ref: RunRef, producers: Sequence[UUID]) -> Mapping[UUID, int]:
        """Return how far the stream has each; those that it does not know are absent."""
        found: dict[UUID, int] = {}
        for start in range(0, len(producers), _ASKED_AT_ONCE):
            some = producers[start : start + _ASKED_AT_ONCE]
            try:
                seqs = await asyncio.gather(*(self._read_accepted(ref, each) for each in some))
            except StreamUnavailable:
                return found  # nothing was decided; what the store holds is true without it
            found |= {each: seq for each, seq in zip(some, seqs, strict=True) if seq is not None}
        return found

    async def _read_accepted(self, ref: RunRef, producer: UUID) -> int | None:
        shard = shard_of(ref.project, ref.run_id, producer.bytes, self._shards)
        return await self._appender.read_accepted(shard, producer.bytes)


def message_of(
    ledger: Ledger, accepted: Mapping[UUID, int], underway: frozenset[UUID]
) -> runs_pb2.GetLedgerResponse:
    """Return a ledger as sent.

    Args:
        ledger: Of the store.
        accepted: How far the stream has the producers that it knows.
        underway: Producers of which more is to come: their lines are whole only so far.
    """
    verdicts = [_verdict(line, underway) for line in ledger.lines]
    return runs_pb2.GetLedgerResponse(
        verdict=_verdict_of_run(verdicts, underway),
        lines=[
            _line_message(line, verdict)
            for line, verdict in zip(ledger.lines, verdicts, strict=True)
        ],
        gaps=[
            runs_pb2.LedgerGap(
                producer=gap.producer.bytes, first_seq=gap.first_seq, last_seq=gap.last_seq
            )
            for gap in ledger.gaps
        ],
        producers=[
            _producer_message(each, accepted.get(each.producer, 0)) for each in ledger.producers
        ],
        rows_at_rest=ledger.rows_at_rest,
    )


def _may_go_on(sessions: Iterable[Session], ledger: Ledger) -> list[UUID]:
    """Return the producers that have not said that they ended."""
    ended = {
        session.producer
        for session in sessions
        if session.state not in (RunState.RUNNING, RunState.CRASHED)
    }
    return [each.producer for each in ledger.producers if each.producer not in ended]


def _underway(
    sessions: Iterable[Session], ledger: Ledger, accepted: Mapping[UUID, int]
) -> frozenset[UUID]:
    """Return the producers that live, and those of which the stream has more than the store."""
    living = {each.producer for each in sessions if each.state is RunState.RUNNING}
    ahead = {
        each.producer
        for each in ledger.producers
        if accepted.get(each.producer, 0) > each.committed_seq
    }
    return frozenset(living | ahead)


def _verdict(line: LedgerLine, underway: frozenset[UUID]) -> Verdict:
    verdict = verdict_of(line)
    if verdict is Verdict.WHOLE and not underway.isdisjoint(line.producers):
        return Verdict.PENDING
    return verdict


def _verdict_of_run(verdicts: Sequence[Verdict], underway: frozenset[UUID]) -> Verdict:
    """Return the worst; a run whose first points are still on their way has no line yet."""
    return worst([*verdicts, Verdict.PENDING]) if underway else worst(verdicts)


def _line_message(line: LedgerLine, verdict: Verdict) -> runs_pb2.LedgerLine:
    return runs_pb2.LedgerLine(
        rank=line.rank,
        producers=[producer.bytes for producer in line.producers],
        kind=line.kind,
        claimed=line.is_claimed,
        sent=line.sent.count if line.sent else 0,
        stored=line.stored.count,
        rejected=line.rejected.count,
        dead=line.dead.count,
        lost=lost(line),
        dropped=line.dropped,
        refused=line.refused,
        sent_digest=expected(line).digest,
        stored_digest=line.stored.digest,
        verdict=verdict,
        removed=line.removed.count,
        added=line.added.count,
    )


def _producer_message(producer: LedgerProducer, accepted_seq: int) -> runs_pb2.LedgerProducer:
    return runs_pb2.LedgerProducer(
        producer=producer.producer.bytes,
        rank=producer.rank,
        claimed_seq=producer.claimed_seq,
        committed_seq=producer.committed_seq,
        accepted_seq=max(accepted_seq, producer.committed_seq),
    )
