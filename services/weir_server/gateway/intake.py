"""Frames into the stream, many at once, and one Ack for each producer that sent some."""

from __future__ import annotations

import asyncio
import math
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from weir_proto.v1 import ingest_pb2
from weir_server import fault, telemetry
from weir_server.clock import Clock
from weir_server.errors import StreamUnavailable
from weir_server.gateway.cardinality import MetricSeeds
from weir_server.gateway.judge import Damaged, Judge, Judged
from weir_server.gateway.limits import MAX_REJECTS, Code, Patience
from weir_server.gateway.origin import Refused, server_error
from weir_server.gateway.producer import Producer, Turn
from weir_server.gateway.rates import Rates
from weir_server.gateway.reseed import reseed
from weir_server.gateway.validate import SchemaTooNew
from weir_server.gateway.watermarks import StoredWatermarks
from weir_server.log import get_logger
from weir_server.stream.base import Appender, AppendResult, NewEntry, Outcome
from weir_store.errors import StoreError

_YIELD_AFTER_S: Final = 0.005
_REWIND_PATIENCE_S: Final = 1.0
_FULL_RETRY_S: Final = 0.5
_AWAY_RETRY_S: Final = 1.0


@dataclass(slots=True)
class _Answer:
    """What one producer will be told about its frames of this batch."""

    producer: Producer
    next_seq: int
    judged: list[Judged] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)
    points: int = 0
    points_rejected: int = 0
    rejects: list[ingest_pb2.Reject] = field(default_factory=list)
    missing: bool = False
    unknown: bool = False
    rewind: bool = False
    retry_after_s: float = 0.0
    retry_reason: Patience | None = None
    refused: Refused | None = None

    def wait(self, seconds: float, reason: Patience) -> None:
        """Ask the client for patience."""
        self.retry_after_s, self.retry_reason = seconds, reason


class Intake:
    """Judges frames and appends them; the same for streams and for single requests."""

    def __init__(
        self,
        judge: Judge,
        appender: Appender,
        watermarks: StoredWatermarks,
        clock: Clock,
        rates: Rates | None = None,
        seeds: MetricSeeds | None = None,
    ) -> None:
        self._seeds = seeds
        self._judge = judge
        self._rates = rates or Rates()
        self._appender = appender
        self._watermarks = watermarks
        self._clock = clock
        self._in_trouble = False

    async def take(
        self, frames: Sequence[tuple[Producer, ingest_pb2.Frame]]
    ) -> list[ingest_pb2.ServerMessage]:
        """Append what can be appended and answer every producer once.

        Nothing is raised for trouble with Redis or the store: the frames were not taken, and the
        client is asked to send them again a little later, on the same stream.
        """
        answers = await self._judge_all(frames)
        await self._append_all([answer for answer in answers.values() if answer.judged])
        for answer in answers.values():
            if answer.missing and not answer.retry_after_s:
                await self._look_for_missing(answer)
        return [self._message(answer) for answer in answers.values()]

    # ── judging ────────────────────────────────────────────────────────────

    async def _judge_all(
        self, frames: Sequence[tuple[Producer, ingest_pb2.Frame]]
    ) -> dict[bytes, _Answer]:
        answers: dict[bytes, _Answer] = {}
        yielded_at_s = self._clock.monotonic_s()
        for producer, frame in frames:
            answer = answers.get(producer.id)
            if answer is None:
                if self._seeds is not None:  # known since its greeting, unless long forgotten
                    self._seeds.begin(*producer.run)
                answer = answers[producer.id] = _Answer(producer, producer.accepted + 1)
            self._judge_one(answer, frame)
            if self._clock.monotonic_s() - yielded_at_s > _YIELD_AFTER_S:
                await asyncio.sleep(0)  # other streams have their turn
                yielded_at_s = self._clock.monotonic_s()
        return answers

    def _judge_one(self, answer: _Answer, frame: ingest_pb2.Frame) -> None:
        producer = answer.producer
        telemetry.INGEST_BYTES.inc(len(frame.body))
        if producer.refused or answer.rewind or answer.missing or answer.retry_after_s:
            return  # the client will hear from where to go on
        now_s = self._clock.monotonic_s()
        turn = producer.turn_of(frame.seq, next_seq=answer.next_seq, now_s=now_s)
        if turn is Turn.SEEN:
            answer.outcomes["dup"] += 1
        elif turn is Turn.PASSED_BY:
            answer.outcomes["gap"] += 1
        elif turn is Turn.MISSING:
            answer.missing = True
        else:
            self._judge_next(answer, frame)

    def _judge_next(self, answer: _Answer, frame: ingest_pb2.Frame) -> None:
        producer = answer.producer
        project, now_s = producer.origin.project, self._clock.monotonic_s()
        if (wait_s := self._rates.wait_s(project, now_s)) > 0:
            answer.wait(wait_s, Patience.PROJECT_RATE)
            answer.outcomes["limited"] += 1
            return
        try:
            judged = self._judge.judge(producer, frame, self._clock.unix_us())
        except Damaged:
            producer.damaged_seq = frame.seq
            answer.rewind = True
        except SchemaTooNew as error:
            producer.refused = True
            answer.refused = Refused(Code.SCHEMA_TOO_NEW, f"{error}: upgrade the server")
        except Exception:  # noqa: BLE001  # a fault of ours must cost nobody a frame, nor others their stream
            get_logger().exception("judging failed", producer=producer.id.hex(), seq=frame.seq)
            producer.refused = True
            answer.refused = server_error()
        else:
            self._rates.spend(project, judged.points, len(frame.body), now_s)
            answer.judged.append(judged)
            answer.next_seq += 1

    # ── appending ──────────────────────────────────────────────────────────

    async def _append_all(self, answers: Sequence[_Answer]) -> None:
        if not answers:
            return
        fault.hit("gateway.before_append")
        try:
            results = await self._append(answers)
        except StreamUnavailable as error:
            self._postpone(answers, error)
            return
        fault.hit("gateway.after_append")
        self._trouble_over()
        for answer, of_producer in zip(answers, results, strict=True):
            self._settle(answer, of_producer)
        unknown = [answer for answer in answers if answer.unknown]
        if unknown:
            await self._append_again(unknown)

    async def _append(self, answers: Sequence[_Answer]) -> list[list[AppendResult]]:
        """Append the frames of all producers in one round trip; results by producer."""
        entries = [
            NewEntry(
                answer.producer.shard,
                answer.producer.id,
                judged.seq,
                judged.payload,
                answer.producer.origin.project,
            )
            for answer in answers
            for judged in answer.judged
        ]
        with telemetry.INGEST_APPEND_SECONDS.time():
            results = iter(await self._appender.append(entries))
        return [[next(results) for _ in answer.judged] for answer in answers]

    async def _append_again(self, answers: Sequence[_Answer]) -> None:
        """Redis has forgotten these producers: tell it where the store stands, then append."""
        try:
            for answer in answers:
                await reseed(answer.producer, self._appender, self._watermarks)
            fault.hit("gateway.after_reseed")
            results = await self._append(answers)
        except (StreamUnavailable, StoreError) as error:
            self._postpone(answers, error)
            return
        for answer, of_producer in zip(answers, results, strict=True):
            answer.unknown = False
            self._settle(answer, of_producer)
            if answer.unknown:  # forgotten once more meanwhile
                answer.wait(_AWAY_RETRY_S, Patience.STREAM_AWAY)

    def _settle(self, answer: _Answer, results: Sequence[AppendResult]) -> None:
        """Take the stream's word for each frame, up to the first that it did not take."""
        for judged, result in zip(answer.judged, results, strict=True):
            if result.outcome is Outcome.UNKNOWN:
                answer.unknown = True
                return
            answer.producer.accepted = result.last_seq
            if result.outcome is Outcome.OK:
                self._count(answer, judged)
            elif result.outcome is Outcome.DUP:
                answer.outcomes["dup"] += 1
            elif result.outcome is Outcome.FULL:
                answer.wait(_FULL_RETRY_S * (1 + random.random()), Patience.STREAM_FULL)
                answer.outcomes["full"] += 1
                return
            else:
                answer.missing = True
                return

    def _count(self, answer: _Answer, judged: Judged) -> None:
        empty = bool(judged.rejects) and judged.points == 0
        answer.outcomes["rejected" if empty else "ok"] += 1
        answer.points += judged.points
        answer.points_rejected += judged.points_rejected
        answer.rejects.extend(judged.rejects)

    # ── what is missing ────────────────────────────────────────────────────

    async def _look_for_missing(self, answer: _Answer) -> None:
        """Before asking for frames again: another gateway, or the store, may have them."""
        producer = answer.producer
        answer.outcomes["gap"] += 1
        try:
            accepted = await self._appender.read_accepted(producer.shard, producer.id)
            if accepted is None or accepted <= producer.accepted:
                await reseed(producer, self._appender, self._watermarks)
            else:
                producer.accepted = accepted
        except (StreamUnavailable, StoreError) as error:
            self._postpone([answer], error)
        else:
            answer.rewind = True

    # ── trouble ────────────────────────────────────────────────────────────

    def _postpone(self, answers: Sequence[_Answer], error: Exception) -> None:
        """Nothing was decided: ask the clients for patience, and tell the log once."""
        for answer in answers:
            answer.wait(_AWAY_RETRY_S, Patience.STREAM_AWAY)
        if not self._in_trouble:
            get_logger().warning("frames cannot be appended, clients wait", problem=str(error))
        self._in_trouble = True

    def _trouble_over(self) -> None:
        if self._in_trouble:
            get_logger().info("frames can be appended again")
        self._in_trouble = False

    # ── answering ──────────────────────────────────────────────────────────

    def _message(self, answer: _Answer) -> ingest_pb2.ServerMessage:
        producer = answer.producer
        self._tell(answer)
        if answer.refused is not None:
            return ingest_pb2.ServerMessage(producer=producer.id, refusal=answer.refused.message())
        if answer.rewind or answer.retry_after_s:
            producer.asked_to_rewind(
                now_s=self._clock.monotonic_s(),
                patience_s=answer.retry_after_s + _REWIND_PATIENCE_S,
            )
        producer.told_committed = producer.committed
        ack = ingest_pb2.Ack(
            accepted_seq=producer.accepted,
            committed_seq=producer.committed,
            expect_seq=producer.accepted + 1 if answer.rewind else 0,
            retry_after_ms=math.ceil(answer.retry_after_s * 1_000),
            retry_reason=answer.retry_reason or "",
            points_accepted=answer.points,
            points_rejected=answer.points_rejected,
            rejects=answer.rejects[:MAX_REJECTS],
            server_time_unix_us=self._clock.unix_us(),
        )
        return ingest_pb2.ServerMessage(producer=producer.id, ack=ack)

    def _tell(self, answer: _Answer) -> None:
        for outcome, frames in answer.outcomes.items():
            telemetry.INGEST_FRAMES.labels(outcome).inc(frames)
        telemetry.INGEST_POINTS.labels("accepted").inc(answer.points)
        telemetry.INGEST_POINTS.labels("rejected").inc(answer.points_rejected)
        for reject in answer.rejects:
            telemetry.INGEST_REJECTS.labels(reject.code).inc()
