"""A client that sends what no client of ours would, to a gateway that runs for real."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable

import grpc

from tests.fuzz.bad_frames import PRODUCER, frame_of, mutated
from weir_proto.v1 import ingest_pb2 as pb
from weir_proto.v1 import ingest_pb2_grpc

_PATIENCE_S = 60.0
_HARMLESS = pb.Body(schema=1).SerializeToString()
_ANSWERS = frozenset(
    {
        grpc.StatusCode.INVALID_ARGUMENT,
        grpc.StatusCode.FAILED_PRECONDITION,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        grpc.StatusCode.INTERNAL,  # gRPC itself: bytes that are no message
        grpc.StatusCode.CANCELLED,
    }
)


class Hostile:
    """Sends frames one request at a time, and breaks streams.

    Attributes:
        told: How the gateway answered, and how often.
    """

    def __init__(self, address: str, *, run_id: str = "hostile") -> None:
        self._channel = grpc.insecure_channel(address)
        self._stub = ingest_pb2_grpc.IngestStub(self._channel)
        self._raw = self._channel.unary_unary("/weir.v1.Ingest/Append")  # bytes as they are
        self._origin = pb.Origin(
            producer=PRODUCER, project="fuzz", run_id=run_id, started_unix_us=1_760_000_000_000_000
        )
        self.told: Counter[str] = Counter()

    def send(self, frames: Iterable[pb.Frame]) -> None:
        """Send frames in order until each is consumed, as one that sends again would."""
        seq = self._append().welcome.accepted_seq
        for frame in frames:
            seq += 1
            self._send_until_consumed(frame, seq)

    def _send_until_consumed(self, frame: pb.Frame, seq: int) -> None:
        frame.seq = seq
        for _ in range(3):
            try:
                ack = self._append(frame).ack
            except grpc.RpcError as refused:
                if refused.code() not in _ANSWERS:
                    raise
                self.told[str(refused.code().name)] += 1
                break  # not consumed: a harmless one takes its place
            self.told["asked again" if ack.expect_seq else "consumed"] += 1
            if ack.accepted_seq >= seq:
                return
        assert self._append(frame_of(seq, _HARMLESS)).ack.accepted_seq == seq

    def _append(self, *frames: pb.Frame) -> pb.AppendResponse:
        hello = pb.Hello(origin=self._origin, first_available=1, last_spooled=2**31, protocol=1)
        request = pb.AppendRequest(hello=hello, frames=frames)
        return self._stub.Append(request, timeout=_PATIENCE_S)

    def send_garbage(self, rng: random.Random, frame: pb.Frame) -> None:
        """Send bytes where a request should be."""
        hello = pb.Hello(origin=self._origin, first_available=1, protocol=1)
        request = pb.AppendRequest(hello=hello, frames=[frame]).SerializeToString()
        try:
            self._raw(mutated(rng, request), timeout=_PATIENCE_S)
            self.told["garbage answered"] += 1
        except grpc.RpcError as refused:
            self.told[f"garbage {refused.code().name}"] += 1

    def break_a_stream(self, rng: random.Random, frames: list[pb.Frame]) -> None:
        """Open a stream, say strange things in a strange order, and leave without a word."""
        hello = pb.Hello(
            origin=self._origin, first_available=rng.choice((0, 1, 9, 2**40)), protocol=1
        )
        messages = [pb.ClientMessage(frame=frame) for frame in frames]
        messages.insert(rng.randrange(len(messages) + 1), pb.ClientMessage(hello=hello))
        messages.insert(rng.randrange(len(messages) + 1), pb.ClientMessage())
        messages.insert(
            rng.randrange(len(messages) + 1), pb.ClientMessage(bye=pb.Bye(producer=b"x"))
        )
        call = self._stub.Stream(iter(messages), timeout=_PATIENCE_S)
        try:
            for heard, _ in enumerate(call):
                if heard >= rng.randrange(8):
                    break
        except grpc.RpcError as refused:
            self.told[f"stream {refused.code().name}"] += 1
        call.cancel()
        self.told["streams"] += 1

    def close(self) -> None:
        """Hang up."""
        self._channel.close()
