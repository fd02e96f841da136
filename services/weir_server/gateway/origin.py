"""Is a Hello one that we can serve? Pure."""

from __future__ import annotations

from typing import Final

from weir_proto.v1 import ingest_pb2
from weir_server.gateway.findings import has_control, is_longer, shown
from weir_server.gateway.limits import (
    MAX_CLOCK_ERROR_US,
    MAX_ID_BYTES,
    MAX_LABEL_BYTES,
    MAX_SEQ,
    PROTOCOL,
    Code,
)

_PRODUCER_BYTES: Final = 16
_FUTURE_BIRTH_S: Final = 2**32


class Refused(Exception):
    """A producer cannot be served here.

    Attributes:
        code: One of docs/limits.md.
        retry: Asking again may help, without anybody changing anything.
    """

    def __init__(self, code: Code, message: str, *, retry: bool = False) -> None:
        super().__init__(message)
        self.code = code
        self.retry = retry

    def message(self) -> ingest_pb2.Refusal:
        """Return it as the wire says it."""
        return ingest_pb2.Refusal(code=self.code, message=str(self), retry=self.retry)


def server_error() -> Refused:
    """Return the refusal for a fault of our own: the client keeps its frames and asks again."""
    return Refused(Code.SERVER_ERROR, "the server has a fault, see its log", retry=True)


def check_hello(hello: ingest_pb2.Hello) -> None:
    """Raise `Refused` (PROTOCOL_TOO_NEW, PROTOCOL_TOO_OLD, ORIGIN_INVALID) when it makes no sense."""
    if hello.protocol > PROTOCOL:
        raise Refused(
            Code.PROTOCOL_TOO_NEW,
            f"the client speaks protocol {hello.protocol}, this server {PROTOCOL}: upgrade the server",
        )
    if hello.protocol < PROTOCOL:
        raise Refused(
            Code.PROTOCOL_TOO_OLD,
            f"the client speaks protocol {hello.protocol}, this server {PROTOCOL}: upgrade weir there",
        )
    problem = _origin_problem(hello.origin) or _seq_problem(hello)
    if problem:
        raise Refused(Code.ORIGIN_INVALID, problem)


def own_birth_unix_us(origin: ingest_pb2.Origin, now_unix_us: int) -> int:
    """Return the birth of a run that this producer is the first of: its start, if that is sane."""
    started = origin.started_unix_us
    if now_unix_us - MAX_CLOCK_ERROR_US <= started <= now_unix_us:
        return started
    return now_unix_us


def _origin_problem(origin: ingest_pb2.Origin) -> str:
    if len(origin.producer) != _PRODUCER_BYTES:
        return f"a producer id has {_PRODUCER_BYTES} bytes, not {len(origin.producer)}"
    if int.from_bytes(origin.producer[:6], "big") // 1_000 >= _FUTURE_BIRTH_S:
        return "a producer id is a UUIDv7, this one would be born after 2106"
    for what, name in (("project", origin.project), ("run id", origin.run_id)):
        if not name or has_control(name) or is_longer(name, MAX_ID_BYTES):
            return f"{what} {shown(name)!r} is empty, over {MAX_ID_BYTES} bytes, or holds control characters"
    labels = {"node": origin.node, "launcher": origin.launcher, "role": origin.role}
    for what, label in labels.items():
        if is_longer(label, MAX_LABEL_BYTES):
            return f"{what} takes over {MAX_LABEL_BYTES} bytes"
    return ""


def _seq_problem(hello: ingest_pb2.Hello) -> str:
    if not 1 <= hello.first_available <= MAX_SEQ:
        return f"first_available is {hello.first_available}, seqs go from 1 to {MAX_SEQ}"
    return ""
