"""A gateway in the test process: ingest.proto over real gRPC, its stream and store in memory.

The `Ledger` is what a server knows and outlives restarts of the `ModelGateway` in front of it.
"""

import asyncio
import struct
import threading
import zlib
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field

import grpc
import grpc.aio
import pytest
import zstandard

from weir_proto.v1 import ingest_pb2 as pb
from weir_proto.v1.ingest_pb2_grpc import IngestServicer, add_IngestServicer_to_server


@dataclass
class Account:
    """What the ledger knows of one producer."""

    origin: pb.Origin
    last: int = 0
    committed: int = 0
    frames: dict[int, bytes] = field(default_factory=dict)  # seq → body, uncompressed
    lost: list[tuple[int, int]] = field(default_factory=list)
    duplicates: int = 0
    final_seq: int = 0


@dataclass
class Ledger:
    """Redis and ClickHouse of the model, and the knobs that tests turn."""

    token: str = ""
    window_frames: int = 8
    window_bytes: int = 8 << 20
    commits: bool = True  # commit what is accepted
    accounts: dict[bytes, Account] = field(default_factory=dict)
    refusal: pb.Refusal | None = None
    full_for: int = 0  # answer so many frames with FULL
    break_every: int = 0  # abort a stream after so many frames
    stop: bool = False  # ask runs to stop
    frames_seen: int = 0
    hellos: int = 0

    def greet(self, hello: pb.Hello) -> pb.Welcome:
        self.hellos += 1
        producer = hello.origin.producer
        existed = any(a.origin.run_id == hello.origin.run_id for a in self.accounts.values())
        account = self.accounts.setdefault(producer, Account(hello.origin))
        if hello.first_available > account.last + 1:
            account.lost.append((account.last + 1, hello.first_available - 1))
            account.last = hello.first_available - 1
        self._commit(account)
        return pb.Welcome(
            accepted_seq=account.last,
            committed_seq=account.committed,
            window_frames=self.window_frames,
            window_bytes=self.window_bytes,
            max_frame_bytes=1 << 20,
            run_existed=existed,
            server_version="model",
        )

    def take(self, frame: pb.Frame) -> pb.Ack:
        self.frames_seen += 1
        account = self.accounts[frame.producer]
        ack = pb.Ack()
        if self.full_for > 0:
            self.full_for -= 1
            ack.retry_after_ms = 30
        elif frame.seq == account.last + 1:
            account.frames[frame.seq] = _checked_body(frame)
            account.last = frame.seq
            ack.points_accepted = 1
            if frame.flags & 1:
                account.final_seq = frame.seq
            self._commit(account)
        elif frame.seq > account.last + 1:
            ack.expect_seq = account.last + 1
        else:
            account.duplicates += 1
        ack.accepted_seq = account.last
        ack.committed_seq = account.committed
        return ack

    def roll_back(self, seq: int) -> None:
        """Restore every account from a backup that knew frames up to `seq`."""
        for account in self.accounts.values():
            account.last = account.committed = min(account.last, seq)
            account.frames = {s: body for s, body in account.frames.items() if s <= seq}

    def only(self) -> Account:
        """The single account there is."""
        (account,) = self.accounts.values()
        return account

    def _commit(self, account: Account) -> None:
        if self.commits:
            account.committed = account.last


def _checked_body(frame: pb.Frame) -> bytes:
    body = frame.body
    if frame.codec == pb.CODEC_ZSTD:
        body = zstandard.ZstdDecompressor().decompress(body)
    assert len(body) == frame.raw_bytes
    checked = struct.pack("<QH", frame.seq, frame.flags) + body
    assert zlib.crc32(checked) == frame.crc32
    return body


class _Servicer(IngestServicer):
    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def Stream(self, requests, context):
        await self._authorize(context)
        queue: asyncio.Queue = asyncio.Queue()
        told: dict[bytes, int] = {}  # committed, as last told on this stream
        reading = asyncio.create_task(self._read(requests, context, queue, told))
        pushing = asyncio.create_task(self._push(queue, told))
        try:
            while (message := await queue.get()) is not None:
                yield message
        finally:
            reading.cancel()
            pushing.cancel()

    async def _read(self, requests, context, queue, told) -> None:
        taken = 0
        try:
            async for message in requests:
                for answer in self._answer(message):
                    told[answer.producer] = answer.ack.committed_seq
                    queue.put_nowait(answer)
                taken += message.HasField("frame")
                if self._ledger.break_every and taken >= self._ledger.break_every:
                    break
        finally:
            queue.put_nowait(None)
        if self._ledger.break_every and taken >= self._ledger.break_every:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "the model breaks the stream")

    def _answer(self, message: pb.ClientMessage) -> Iterator[pb.ServerMessage]:
        kind = message.WhichOneof("message")
        if kind == "hello":
            producer = message.hello.origin.producer
            if self._ledger.refusal is not None:
                yield pb.ServerMessage(producer=producer, refusal=self._ledger.refusal)
                return
            yield pb.ServerMessage(producer=producer, welcome=self._ledger.greet(message.hello))
            if self._ledger.stop:
                control = pb.Control(stop=True, reason="because", by="somebody")
                yield pb.ServerMessage(producer=producer, control=control)
        elif kind == "frame":
            ack = self._ledger.take(message.frame)
            yield pb.ServerMessage(producer=message.frame.producer, ack=ack)

    async def _push(self, queue, told) -> None:
        """Push commits that come later than the frames."""
        while True:
            await asyncio.sleep(0.05)
            for producer, account in self._ledger.accounts.items():
                self._ledger._commit(account)
                if account.committed > told.get(producer, 0):
                    told[producer] = account.committed
                    ack = pb.Ack(accepted_seq=account.last, committed_seq=account.committed)
                    queue.put_nowait(pb.ServerMessage(producer=producer, ack=ack))

    async def Append(self, request, context):
        await self._authorize(context)
        if self._ledger.refusal is not None:
            await context.abort(grpc.StatusCode.FAILED_PRECONDITION, self._ledger.refusal.message)
        response = pb.AppendResponse(welcome=self._ledger.greet(request.hello))
        for frame in request.frames:
            ack = self._ledger.take(frame)
            ack.points_accepted += response.ack.points_accepted
            response.ack.CopyFrom(ack)
            if ack.expect_seq or ack.retry_after_ms:
                break
        return response

    async def _authorize(self, context) -> None:
        given = dict(context.invocation_metadata()).get("authorization", "")
        if self._ledger.token and given != f"Bearer {self._ledger.token}":
            await context.abort(grpc.StatusCode.UNAUTHENTICATED, "unknown or expired token")


class ModelGateway:
    """A real grpc.aio server on a thread of its own. May be stopped and started on one port."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._server: grpc.aio.Server | None = None

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        self._run(self._start())

    def stop(self) -> None:
        if self._server is not None:
            self._run(self._server.stop(None))
            self._server = None

    def close(self) -> None:
        self.stop()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _start(self) -> None:
        options = [
            ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
            ("grpc.so_reuseport", 0),
        ]
        self._server = grpc.aio.server(options=options)
        add_IngestServicer_to_server(_Servicer(self.ledger), self._server)
        self.port = self._server.add_insecure_port(f"127.0.0.1:{self.port}")
        await self._server.start()

    def _run(self, coroutine) -> None:
        future: Future = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        future.result(20)


@pytest.fixture
def gateway() -> Iterator[ModelGateway]:
    model = ModelGateway(Ledger())
    model.start()
    yield model
    model.close()
