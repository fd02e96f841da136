"""A gateway in this process, on real gRPC, and a client that says exactly what a test wants said."""

import asyncio
import queue
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import grpc
import zstandard

from weir_proto.v1 import ingest_pb2 as pb
from weir_proto.v1 import ingest_pb2_grpc
from weir_server.gateway.auth import Auth
from weir_server.gateway.server import Gateway
from weir_server.gateway.unpack import crc32_of
from weir_server.settings import GatewaySettings
from weir_server.stream.base import Appender
from weir_store.console.memory import MemoryConsole
from weir_store.editor import Editor
from weir_store.memory import MemoryStore
from weir_store.memory_reader import MemoryReader
from weir_store.system.memory import MemorySystem

TIMEOUT_S = 20.0


def eventually(what: Callable[[], Any], timeout_s: float = TIMEOUT_S) -> Any:
    """Return the first true answer; fails when there is none in time."""
    deadline = time.monotonic() + timeout_s
    while not (answer := what()):
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.01)
    return answer


class RunningGateway:
    """A gateway in a thread with a loop of its own; `appender` is made inside that loop."""

    def __init__(
        self,
        make_appender: Callable[[], Appender],
        *,
        shards: int = 1,
        store: Any = None,
        reader: Any = None,
        artifacts: Callable[[Auth], Any] | None = None,
        door: Any = None,
        services: Callable[[Auth], Any] | None = None,
        **settings: Any,
    ) -> None:
        self.store = store or MemoryStore()
        self.settings = GatewaySettings(
            **{"port": 0, "commit_poll_s": 0.02, "drain_s": 4.0, **settings}
        )
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.gateway, self.port = self.run(
            self._start(make_appender, shards, reader, artifacts, door, services)
        )
        self._stopped = False

    async def _start(
        self, make_appender, shards, reader, artifacts, door, services
    ) -> tuple[Gateway, int]:
        auth = Auth(self.settings.tokens_file)
        gateway = Gateway(
            self.settings,
            shards,
            appender=make_appender(),
            inserter=self.store,
            reader=reader or MemoryReader(self.store),
            system=MemorySystem(self.store),
            console=MemoryConsole(self.store),
            editor=Editor(self.store),
            auth=auth,
            artifacts=artifacts(auth) if artifacts else None,
            door=door,
            services=services(auth) if services else (),
        )
        return gateway, await gateway.start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """Run a coroutine in the gateway's loop."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(TIMEOUT_S)

    def stop(self) -> None:
        """Drain and stop; twice is once."""
        if not self._stopped:
            self._stopped = True
            self.run(self.gateway.stop())
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(TIMEOUT_S)
            self._loop.close()


class StreamClient:
    """One open stream. `say` sends, `hear` returns the next answer."""

    def __init__(self, address: str, *, token: str = "") -> None:
        self.channel = grpc.insecure_channel(address)
        self.stub = ingest_pb2_grpc.IngestStub(self.channel)
        self.metadata = (("authorization", f"Bearer {token}"),) if token else ()
        self._out: queue.Queue[pb.ClientMessage | None] = queue.Queue()
        self._in: queue.Queue[pb.ServerMessage | grpc.RpcError | None] = queue.Queue()
        self._call = self.stub.Stream(iter(self._out.get, None), metadata=self.metadata)
        self._reading = threading.Thread(target=self._read, daemon=True)
        self._reading.start()

    def _read(self) -> None:
        try:
            for message in self._call:
                self._in.put(message)
            self._in.put(None)
        except grpc.RpcError as error:
            self._in.put(error)

    def say(self, *messages: pb.Hello | pb.Frame | pb.Bye) -> None:
        for message in messages:
            kind = type(message).__name__.lower()
            self._out.put(pb.ClientMessage(**{kind: message}))

    def hear(self, kind: str | None = None) -> pb.ServerMessage:
        """Return the next answer (of a kind); an error status is raised."""
        while True:
            answer = self._in.get(timeout=TIMEOUT_S)
            if isinstance(answer, grpc.RpcError):
                raise answer
            assert answer is not None, "the stream has ended"
            if kind is None or answer.HasField(kind):
                return answer

    def greet(self, hello: pb.Hello) -> pb.Welcome:
        self.say(hello)
        answer = self.hear()
        assert answer.HasField("welcome"), answer
        return answer.welcome

    def send(self, *frames: pb.Frame) -> pb.Ack:
        """Send frames and return the Ack that accepts the last, or asks for something."""
        self.say(*frames)
        while True:
            ack = self.hear("ack").ack
            if ack.accepted_seq >= frames[-1].seq or ack.expect_seq or ack.retry_after_ms:
                return ack

    def half_close(self) -> None:
        self._out.put(None)

    def ended(self) -> bool:
        """Wait for the end; whether it was a good one."""
        while (answer := self._in.get(timeout=TIMEOUT_S)) is not None:
            if isinstance(answer, grpc.RpcError):
                return False
        return True

    def close(self) -> None:
        self._call.cancel()
        self._out.put(None)
        self._reading.join(TIMEOUT_S)
        self.channel.close()


def producer_id(number: int = 0) -> bytes:
    """Return a UUIDv7 born now."""
    born_ms = time.time_ns() // 1_000_000
    return born_ms.to_bytes(6, "big") + b"\x70\x00\x80" + number.to_bytes(7, "big")


def hello_of(
    producer: bytes, *, first_available: int = 1, last_spooled: int = 0, **origin: Any
) -> pb.Hello:
    origin = {
        "project": "p",
        "run_id": "r",
        "started_unix_us": time.time_ns() // 1_000,
        "node": "n",
        **origin,
    }
    return pb.Hello(
        origin=pb.Origin(producer=producer, **origin),
        first_available=first_available,
        last_spooled=last_spooled,
        protocol=1,
        client_version="test",
    )


def body_of(*values: float, metric: str = "loss", first_step: int = 0) -> pb.Body:
    """Return a body with one metric, in grid layout."""
    import numpy as np

    rows = len(values)
    now = time.time_ns() // 1_000
    block = pb.PointBlock(
        width=1,
        metric=np.zeros(1, "<u4").tobytes(),
        step=np.arange(first_step, first_step + rows, dtype="<i8").tobytes(),
        time_unix_us=np.full(rows, now, "<i8").tobytes(),
        value=np.array(values, "<f8").tobytes(),
    )
    return pb.Body(schema=1, names=[metric], points=[block])


def frame_of(
    producer: bytes, seq: int, body: pb.Body | bytes | None = None, **more: Any
) -> pb.Frame:
    """Return a frame as an agent makes it; `more` overrides fields."""
    if body is None:
        body = body_of(float(seq), first_step=seq)
    raw = body if isinstance(body, bytes) else body.SerializeToString()
    flags = more.pop("flags", 0)
    fields = {
        "producer": producer,
        "seq": seq,
        "codec": pb.CODEC_ZSTD,
        "crc32": crc32_of(seq, flags, raw),
        "raw_bytes": len(raw),
        "body": zstandard.ZstdCompressor(level=1).compress(raw),
        "flags": flags,
        **more,
    }
    return pb.Frame(**fields)


def clients(address: str) -> Iterator[Callable[..., StreamClient]]:
    """Yield a function that opens streams; they are closed afterwards."""
    opened: list[StreamClient] = []

    def open_one(**more: Any) -> StreamClient:
        opened.append(StreamClient(address, **more))
        return opened[-1]

    yield open_one
    for client in opened:
        client.close()
