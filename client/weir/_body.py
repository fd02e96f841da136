"""Facts about a run as messages of the wire, and a batch as a frame's body. Pure."""

import os
from collections.abc import Mapping, Sequence
from typing import Any, Final

from weir._columns import StepMemory, Symbols, point_blocks, text_blocks
from weir._config import DELETED
from weir._ledger import Ledger
from weir._queue import Batch
from weir._values import MAX_TEXT_BYTES, Json, fits_text, to_attr_value
from weir.errors import InvalidPoint
from weir_proto.v1 import ingest_pb2 as pb

BODY_SCHEMA = 1
_MAX_LINE_LETTERS: Final = 1_000
_MAX_EXIT_CODE: Final = (1 << 31) - 1


def attr(namespace: pb.Attr.Namespace, path: str, value: Any) -> pb.Attr:
    """Return one fact; `DELETED` as its removal.

    Raises:
        InvalidPoint: The value is a text or JSON over 64 KiB, or nothing JSON can say.
    """
    message = pb.Attr(namespace=namespace, path=path)
    if value is DELETED:
        message.deleted = True
        return message
    try:
        leaf = to_attr_value(value)
    except Exception as error:  # the value is the user's code: it may raise anything
        raise InvalidPoint(f"{path} cannot be recorded: {error}") from error
    if isinstance(leaf, str) and not fits_text(leaf):
        raise InvalidPoint(f"{path} is over {MAX_TEXT_BYTES} bytes, or not valid UTF-8")
    set_value(message, leaf)
    return message


def set_value(message: pb.Attr, leaf: float | int | bool | str | None) -> None:
    """Put a leaf into the field of its type."""
    if leaf is None:
        message.null = True
    elif isinstance(leaf, bool):
        message.bool = leaf
    elif isinstance(leaf, int):
        message.int = leaf
    elif isinstance(leaf, float):
        message.float = leaf
    elif isinstance(leaf, Json):
        message.json = leaf
    else:
        message.str = leaf


def event(
    kind: str,
    title: str,
    *,
    time_unix_us: int,
    severity: str = "warn",
    body: str = "",
    step: int | None = None,
    attrs: Mapping[str, str] | None = None,
) -> pb.Event:
    """Return something that happened to the run, with a fresh id; `title` is cut to one line."""
    return pb.Event(
        event_id=os.urandom(16),
        time_unix_us=time_unix_us,
        kind=kind,
        severity=severity,
        title=_line(title),
        body=body,
        has_step=step is not None,
        step=step or 0,
        attrs=attrs or {},
    )


def session(
    state: pb.SessionUpdate.State,
    *,
    time_unix_us: int,
    exit_code: int = 0,
    reason: str = "",
) -> pb.SessionUpdate:
    """Return what the process knows about its own life; `reason` is cut to one line.

    An exit code over 32 bits, which no system hands on either, is told as -1.
    """
    return pb.SessionUpdate(
        state=state,
        exit_code=int(exit_code) if abs(exit_code) <= _MAX_EXIT_CODE else -1,
        reason=_line(reason),
        time_unix_us=time_unix_us,
    )


def _line(text: str) -> str:
    """The first line, so short that it fits any frame, and UTF-8 whatever the text came from."""
    first = text.splitlines()[0] if text else ""
    return first[:_MAX_LINE_LETTERS].encode(errors="replace").decode()


def pack_body(
    batch: Batch,
    memory: StepMemory,
    *,
    session: pb.SessionUpdate | None = None,
    losses: Sequence[pb.Loss] = (),
    branch: pb.Branch | None = None,
    ledger: Ledger | None = None,
) -> bytes:
    """Return a frame's body. `memory` learns the steps in it, `ledger` what it counts to."""
    symbols = Symbols()
    points = point_blocks(batch.rows, symbols, memory)
    texts = text_blocks(batch.texts, symbols)
    body = pb.Body(
        schema=BODY_SCHEMA,
        names=symbols.names(),
        points=points,
        texts=texts,
        attrs=_newest(batch.attrs),
        events=batch.events,
        session=session,
        losses=losses,
        branch=branch,
    )
    if ledger is not None:
        ledger.state_in(body)
    return body.SerializeToString()


def _newest(attrs: Sequence[pb.Attr]) -> list[pb.Attr]:
    """Of several values for one path the last: they would have one version, and chance the say."""
    return list({(attr.namespace, attr.path): attr for attr in attrs}.values())
