"""The client's side of the laws: trainers that spool, and senders that speak for a spool."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np

from tests.laws.house import Gateway, ServerStream
from tests.laws.lockstep import Killed
from weir._spool import FLAG_FINAL, Frame, Meta, SegmentWriter, SpoolDir, SpoolReader
from weir.agent._extent import read_extent
from weir.agent._messages import FramePacker
from weir.agent._producer import Producer
from weir.agent._takeover import take_over
from weir_proto.v1 import ingest_pb2 as pb
from weir_server.clock import ManualClock

T = 1_700_000_000_000_000
MONTH_US = 31 * 86_400 * 1_000_000
_SEGMENT_BYTES = 700  # a few frames, so that segments are forgotten often
_PACKER = FramePacker()


def body_of(number: int, rank: int, seq: int) -> pb.Body:
    """Return what frame `seq` of a trainer holds: every kind of thing now and then, a correction too."""
    body = pb.Body(schema=1, names=["loss", "again"])
    body.points.add(
        metric=np.array([0, 1], "<u4").tobytes(),
        step=np.array([seq, seq // 2], "<i8").tobytes(),
        time_unix_us=np.array([T + seq, T + seq], "<i8").tobytes(),
        value=np.array([number + seq / 7, seq * 1.5 + rank], "<f8").tobytes(),
        rewrites=True,
    )
    if seq % 4 == 0:
        one = struct.pack("<I", 0), struct.pack("<q", seq), struct.pack("<q", T)
        body.texts.add(metric=one[0], step=one[1], time_unix_us=one[2], value=[f"{number}:{seq}"])
    if seq % 3 == 0:
        body.events.add(
            event_id=struct.pack("<QQ", number, seq), time_unix_us=T, kind="alert",
            severity="info", title=f"{number}:{seq}",
        )  # fmt: skip
    if seq % 5 == 0:
        body.names.extend(["cpu", ""])
        body.system.add(
            metric=struct.pack("<I", 2), device=struct.pack("<I", 3),
            time_unix_us=struct.pack("<q", T), value=struct.pack("<d", number + seq / 8),
        )  # fmt: skip
        body.lines.add(
            process=bytes(16), rank=rank, number=struct.pack("<Q", seq),
            time_unix_us=struct.pack("<q", T), stream=b"\1", level=b"\0", line=[f"{number}:{seq}"],
        )  # fmt: skip
    return body


class Trainer:
    """One process life of a rank, its spool, and all that was ever in it.

    Attributes:
        frames: What was spooled, by seq.
        alive: It may still write.
        told: The highest committed seq anybody was told, since the store was last restored.
        gone: Frames that nobody may have any more: the store that had them was restored.
        departed: It had done its work before such a restore, and nobody is left to speak for it.
    """

    def __init__(self, root: Path, clock: ManualClock, number: int, *, rank: int) -> None:
        self.number = number
        self.rank = rank
        started_unix_us = clock.unix_us() - (12 - number) * MONTH_US
        birth_ms = started_unix_us // 1_000
        self.id = birth_ms.to_bytes(6, "big") + b"\x70\x00\x80" + number.to_bytes(7, "big")
        meta = Meta(
            mode="online", server="here", producer=self.id.hex(), project="p", run_id="r",
            rank=rank, started_unix_us=started_unix_us,
        )  # fmt: skip
        self.spool = SpoolDir.create(root, meta)
        self.meta = meta
        self.birth_s = birth_ms // 1_000
        self.frames: dict[int, pb.Body] = {}
        self.alive = True
        self.told = 0
        self.gone: set[int] = set()
        self.departed = False
        self._writer = SegmentWriter(self.spool, segment_bytes=_SEGMENT_BYTES)

    @property
    def has_spool(self) -> bool:
        """Whether there is still something to speak for."""
        return (self.spool.path / "meta.json").exists()

    @property
    def last_seq(self) -> int:
        """Highest seq spooled."""
        return len(self.frames)

    def log(self, *, final: bool = False) -> None:
        """Spool the next frame."""
        seq = self.last_seq + 1
        body = body_of(self.number, self.rank, seq)
        self._writer.append(seq, FLAG_FINAL if final else 0, body.SerializeToString())
        self.frames[seq] = body
        if final:
            self.alive = False

    def die(self, torn: bytes) -> None:
        """Vanish, leaving a frame half written."""
        self.alive = False
        segments = self.spool.list_segments()
        if segments and torn:
            with segments[-1].open("ab") as segment:
                segment.write(torn)

    def be_taken_over(self, clock: ManualClock) -> None:
        """Let an agent close the log."""
        if take_over(self.spool, self.meta, now_unix_us=clock.unix_us()):
            last = self.in_spool()[-1]
            assert last.seq == self.last_seq + 1
            self.frames[last.seq] = pb.Body.FromString(last.body)

    def in_spool(self) -> list[Frame]:
        """Return the frames on disk; a gap between them breaks a law."""
        segments = self.spool.list_segments()
        if not segments:
            return []
        reader = SpoolReader(self.spool, next_seq=max(read_extent(self.spool).first_seq, 1))
        try:
            found = list(reader.read(writer_alive=self.alive))
        finally:
            reader.close()
        frames = [frame for frame in found if isinstance(frame, Frame)]
        assert frames == found, f"a gap in a spool: {found}"
        return frames


class Sender:
    """The agent, or a `weir sync` beside it: one spool, and one stream at a time.

    Attributes:
        outbox: Said, and not yet at the gateway.
        inbox: Answered, and not yet heard.
        told: The committed seq it was told last, by the number of restores before.
    """

    def __init__(self, trainer: Trainer, clock: ManualClock) -> None:
        self.trainer = trainer
        self.clock = clock
        self.producer = Producer(
            trainer.spool,
            trainer.meta,
            live=trainer.alive,
            packer=_PACKER,
            monotonic_s=clock.monotonic_s,
        )
        self.stream: ServerStream | None = None
        self.outbox: list[pb.ClientMessage] = []
        self.inbox: list[pb.ServerMessage] = []
        self.told: dict[int, int] = {}

    def connect(self, gateway: Gateway) -> None:
        """Begin on a fresh stream; what was under way on the old one is lost."""
        self.hang_up()
        self.stream = ServerStream(gateway)
        self.producer.start_stream()

    def hang_up(self) -> None:
        """Lose the stream and all that was on it."""
        if self.stream is not None:
            self.stream.close()
        self.stream = None
        self.outbox.clear()
        self.inbox.clear()

    def speak(self) -> None:
        """Say what may be said now."""
        if self.stream is None:
            return
        try:
            if self.producer.wants_greeting():
                self.outbox.append(pb.ClientMessage(hello=self.producer.greet()))
            else:
                self.outbox += [pb.ClientMessage(frame=frame) for frame in self.producer.frames()]
        except (OSError, ValueError) as error:  # as StreamTalk does
            self.producer.disk_failed(error)

    def carry(self, count: int) -> None:
        """Bring messages to the gateway, and its answers on their way."""
        if self.stream is None or not self.stream.gateway.alive:
            self.hang_up()
            return
        now, self.outbox = self.outbox[:count], self.outbox[count:]
        try:
            self.inbox += self.stream.deliver(now)
        except Killed:
            self.hang_up()

    def gather_news(self) -> None:
        """Let the gateway pass its news on."""
        if self.stream is not None and self.stream.gateway.alive:
            self.inbox += self.stream.news()

    def hear(self, count: int) -> list[pb.ServerMessage]:
        """Hear answers, and return them."""
        now, self.inbox = self.inbox[:count], self.inbox[count:]
        for message in now:
            try:
                self._hear_one(message)
            except (OSError, ValueError) as error:  # as StreamTalk does
                self.producer.disk_failed(error)
        return now

    def _hear_one(self, message: pb.ServerMessage) -> None:
        kind = message.WhichOneof("message")
        if kind == "welcome":
            self.producer.welcome(message.welcome, unix_us=self.clock.unix_us())
        elif kind == "ack":
            self.producer.ack(message.ack)
        elif kind == "refusal":
            self.producer.refuse(message.refusal)

    def settle(self) -> None:
        """Write the watermark and forget what is committed."""
        self.producer.settle()

    def taken_over(self) -> None:
        """Learn that the trainer is dead and its log was closed."""
        self.producer.taken_over(read_extent(self.trainer.spool))

    def close(self) -> None:
        """End, as a killed agent does: nothing is written."""
        self.hang_up()
        self.producer.close()
