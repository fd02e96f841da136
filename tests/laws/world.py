"""The whole of Weir in one hand, and the laws that hold after everything that may happen to it.

I1  committed ≤ accepted ≤ last spooled, in everything a client is told
I2  the spool holds every frame that is not stored
I3  everything up to the committed watermark is stored, or declared lost
I4  what is read is the union of the frames, each row once and as it was logged
I5  what a client is told of committed never falls, but after a restore (and but for a new stream that
    begins while Redis has lost its memory and the store is away: nobody knows then, and it rises again)
and a rewind asks only for frames that exist, and a loss is declared only of frames nobody has.
"""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from tests.laws.house import House
from tests.laws.node import Sender, T, Trainer
from tests.laws.parts import Parts, PartStore
from tests.laws.streams import Backend, MemoryBackend
from weir_proto.v1 import ingest_pb2 as pb
from weir_server.clock import ManualClock
from weir_store import tables

LAYERS = frozenset({"seq check", "token window", "writer skip", "collapse"})
_FAST_DISK = Path("/dev/shm")
_NOBODY_KNEW = -1


class LawBroken(AssertionError):
    """A law does not hold."""


def law(holds: bool, name: str, *seen: object) -> None:
    """Fail when a law does not hold."""
    if not holds:
        raise LawBroken(f"{name}: {' '.join(map(str, seen))}")


@dataclass
class Found:
    """What a reader finds of one trainer."""

    stored: set[int] = field(default_factory=set)
    declared: set[int] = field(default_factory=set)  # lost, says an event


class World:
    """Trainers and their senders on one side, the house on the other, and a model of all frames.

    Args:
        off: Layers against doubles that are switched off, of `LAYERS`.
        backend: The stream; a twin in memory when None.
    """

    def __init__(self, off: Iterable[str] = (), backend: Backend | None = None) -> None:
        off = frozenset(off)
        assert off <= LAYERS
        root = _FAST_DISK if _FAST_DISK.is_dir() else None
        self.root = Path(tempfile.mkdtemp(prefix="weir-laws-", dir=root))
        self.clock = ManualClock()
        stream = backend or MemoryBackend(self.clock, checks_seq="seq check" not in off)
        self.store = PartStore(window="token window" not in off, collapse="collapse" not in off)
        self.house = House(self.clock, stream, self.store, skips="writer skip" not in off)
        self.trainers: list[Trainer] = []
        self.senders: list[Sender] = []
        self.restores = 0
        self.redis_lost = False  # its memory, the births of runs with it
        self._found_at: Any = None
        self._found: dict[bytes, Found] = {}

    def close(self) -> None:
        """Take everything down."""
        for sender in self.senders:
            sender.close()
        self.house.close()
        shutil.rmtree(self.root, ignore_errors=True)

    # ── who is there ───────────────────────────────────────────────────────

    def start_trainer(self, rank: int) -> None:
        """Begin one more process life, with an agent beside it."""
        self.trainers.append(Trainer(self.root, self.clock, len(self.trainers) + 1, rank=rank))
        self.start_sender(self.trainers[-1])

    def start_sender(self, trainer: Trainer) -> None:
        """Let one more process speak for a spool, if there is still one."""
        if trainer.has_spool:
            self.senders.append(Sender(trainer, self.clock))

    def restart_sender(self, index: int) -> None:
        """Kill a sender; another takes its place."""
        sender = self.senders.pop(index)
        sender.close()
        self.start_sender(sender.trainer)

    def connect(self, sender: Sender, gateway: int) -> None:
        """Let a sender begin on a fresh stream."""
        sender.connect(self.house.gateways[gateway])
        assert sender.stream is not None
        sender.stream.since = self.restores

    # ── a sender at work ───────────────────────────────────────────────────

    def carry(self, sender: Sender, count: int) -> None:
        """Bring messages to the gateway and check what it answers."""
        before = len(sender.inbox)
        sender.carry(count)
        self._check_answers(sender, sender.inbox[before:])

    def gather_news(self, sender: Sender) -> None:
        """Let the gateway tell its news, and check them."""
        before = len(sender.inbox)
        sender.gather_news()
        self._check_answers(sender, sender.inbox[before:])

    def settle(self, sender: Sender) -> None:
        """Write the watermark and forget what is committed; a sender with no spool left ends."""
        if sender.producer.gone():
            self._drop(sender)
            return
        sender.settle()
        if sender.producer.finished:
            self._drop(sender)

    def _drop(self, sender: Sender) -> None:
        self.senders = [one for one in self.senders if one is not sender]
        sender.close()

    # ── disasters ──────────────────────────────────────────────────────────

    def restore(self, parts: Parts) -> None:
        """ClickHouse is again what a backup says, and Redis is emptied, as docs/guarantees.md asks."""
        self.restores += 1
        for trainer in self.trainers:
            trainer.departed |= not trainer.has_spool
        self.store.restore(parts)
        self.house.stream.flush()

    # ── the laws ───────────────────────────────────────────────────────────

    def _check_answers(self, sender: Sender, answers: Iterable[pb.ServerMessage]) -> None:
        for message in answers:
            kind = message.WhichOneof("message")
            if kind in ("welcome", "ack"):
                self._check_watermarks(sender, getattr(message, kind))
            elif kind == "refusal":
                fine = message.refusal.retry or message.refusal.code == "NOT_GREETED"
                law(fine, "a good client is refused", message.refusal)

    def _check_watermarks(self, sender: Sender, told: pb.Ack | pb.Welcome) -> None:
        trainer, committed, accepted = sender.trainer, told.committed_seq, told.accepted_seq
        law(committed <= accepted <= trainer.last_seq, "I1", committed, accepted, trainer.last_seq)
        self._check_never_falls(sender, told, committed)
        trainer.told = max(trainer.told, committed)
        expected = told.expect_seq if isinstance(told, pb.Ack) else 0
        if expected:
            self._check_rewind(trainer, expected)

    def _check_never_falls(self, sender: Sender, told: pb.Ack | pb.Welcome, committed: int) -> None:
        stream = sender.stream
        if stream is None:
            return
        if isinstance(told, pb.Welcome) and self.redis_lost and self.store.away:
            stream.since = _NOBODY_KNEW
        # A gateway that knew better before a restore may still say so on the streams it has.
        if stream.since == self.restores:
            before = sender.told.get(self.restores, 0)
            law(committed >= before, "I5", committed, before)
            sender.told[self.restores] = committed

    def _check_rewind(self, trainer: Trainer, expected: int) -> None:
        law(1 <= expected <= trainer.last_seq + 1, "rewind", expected, trainer.last_seq)
        there = {frame.seq for frame in trainer.in_spool()} | trainer.gone
        missing = set(range(expected, trainer.last_seq + 1)) - there
        law(not missing, "rewind asks for frames nobody has", expected, missing)

    def check(self) -> None:
        """Check every law that can be seen from outside."""
        law(not self.house.complaints, "a writer complains", *self.house.complaints)
        found = self._read()
        for trainer in self.trainers:
            self._check_trainer(trainer, found.get(trainer.id, Found()))

    def _check_trainer(self, trainer: Trainer, found: Found) -> None:
        spooled = set(range(1, trainer.last_seq + 1))
        held = {frame.seq for frame in trainer.in_spool()}
        law(held <= spooled, "a frame nobody wrote", held - spooled)
        vanished = spooled - held - found.stored
        if self.restores:
            trainer.gone |= vanished
        law(vanished <= trainer.gone, "I2 neither spooled nor stored", vanished)
        unsaid = {seq for seq in spooled - held if seq > trainer.told}
        law(not unsaid, "I2 forgotten before it was told committed", unsaid, trainer.told)
        name = UUID(bytes=trainer.id)
        committed = max(
            (
                r["seq"]
                for r in self.store.rows(tables.INGEST_COMMITS)
                if r["producer"] == name.bytes
            ),
            default=0,
        )
        uncovered = set(range(1, committed + 1)) - found.stored - found.declared
        law(not uncovered, "I3 committed and not stored", committed, uncovered)
        false_alarm = found.declared - trainer.gone
        law(not false_alarm, "declared lost, and somebody has it", false_alarm)

    # ── what a reader finds ────────────────────────────────────────────────

    def _read(self) -> dict[bytes, Found]:
        state = (self.restores, sum(map(len, self.store.parts.rows.values())))
        state = (*state, *(trainer.last_seq for trainer in self.trainers))
        if state != self._found_at:
            self._found, self._found_at = self._find(), state
        return self._found

    def _find(self) -> dict[bytes, Found]:
        points = _once(
            "points",
            (
                (row["ver"], row["metric"], row["step"], row["rank"], row["value"], row["ts"])
                for row in self.store.rows(tables.POINTS)
            ),
        )
        texts = _once(
            "texts",
            (
                (r["ver"], r["metric"], r["step"], r["value"])
                for r in self.store.rows(tables.TEXT_POINTS)
            ),
        )
        nodes = _once("what nodes told", self._of_nodes())
        events = self.store.rows(tables.EVENTS)
        told = _once("events", ((r["ver"], r["title"]) for r in events if r["kind"] == "alert"))
        sessions = {row["ver"] for row in self.store.rows(tables.SESSIONS)}
        births = {row["run_date"] for row in self.store.rows(tables.POINTS)}
        agreed = self.redis_lost or self.restores or len(births) <= 1
        law(bool(agreed), "the rows of a run disagree about its birth", births)
        found: dict[bytes, Found] = {}
        expected_rows = 0
        for trainer in self.trainers:
            mine = found[trainer.id] = Found(declared=_declared(events, trainer))
            for seq, body in trainer.frames.items():
                rows = _rows_of(trainer, seq, body)
                here = [
                    rows.points & points,
                    rows.texts & texts,
                    rows.told & told,
                    rows.nodes & nodes,
                ]
                expected_rows += sum(map(len, here))
                own = len(rows.points) + len(rows.texts) + len(rows.told) + len(rows.nodes)
                # A frame with no rows of its own but the session of its producer.
                bare = own == 0 and any(
                    v >= rows.ver for v in sessions if v >> 32 == rows.ver >> 32
                )
                if sum(map(len, here)) == own and (own or bare):
                    mine.stored.add(seq)
        strangers = len(points) + len(texts) + len(told) + len(nodes) - expected_rows
        law(strangers == 0, "I4 rows that nobody logged", strangers)
        return found

    def _of_nodes(self) -> Iterator[tuple[Any, ...]]:
        for row in self.store.rows(tables.SYSTEM_POINTS):
            yield row["ver"], row["metric"], row["device"], row["value"]
        for row in self.store.rows(tables.CONSOLE):
            yield row["ver"], row["stream"], row["number"], row["line"]


@dataclass(frozen=True)
class _Rows:
    ver: int
    points: set[Any]
    texts: set[Any]
    told: set[Any]
    nodes: set[Any]


def _rows_of(trainer: Trainer, seq: int, body: pb.Body) -> _Rows:
    """Return what a reader should find of a frame, told from how frames are made (node.body_of)."""
    ver = trainer.birth_s << 32 | seq
    if not body.points:
        return _Rows(ver, set(), set(), set(), set())
    at = _moment(T + seq)
    number, rank = trainer.number, trainer.rank
    points = {
        (ver, "loss", seq, rank, number + seq / 7, at),
        (ver, "again", seq // 2, rank, seq * 1.5 + rank, at),
    }
    title = f"{number}:{seq}"
    texts = {(ver, "loss", seq, title)} if seq % 4 == 0 else set()
    told = {(ver, title)} if seq % 3 == 0 else set()
    measured, printed = (ver, "cpu", "", number + seq / 8), (ver, "stdout", seq, title)
    return _Rows(ver, points, texts, told, {measured, printed} if seq % 5 == 0 else set())


def _declared(events: Iterable[Any], trainer: Trainer) -> set[int]:
    lost: set[int] = set()
    for row in events:
        if row["kind"] != "loss" or row["ver"] >> 32 != trainer.birth_s:
            continue
        attrs = row["attrs"]
        first = int(attrs["first_seq"])
        if first:
            lost |= set(range(first, int(attrs["last_seq"]) + 1))
    return lost


def _once(what: str, rows: Iterable[Any]) -> set[Any]:
    counted = Counter(rows)
    twice = [row for row, times in counted.items() if times > 1]
    law(not twice, f"I4 {what} read more than once", twice[:3])
    return set(counted)


def _moment(unix_us: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=unix_us)
