"""What was stored, as live.proto tells it; what a request looks at. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from weir_proto.v1 import live_pb2 as pb
from weir_proto.v1 import runs_pb2
from weir_server.gateway.messages import event_message, refs_of
from weir_store.console.cursor import Life, Marks
from weir_store.errors import InvalidQuery
from weir_store.live.base import Happened, Kind, Rows, Scope, Standing, Start, Told, Wants
from weir_store.records import RunRef

MAX_RUNS: Final = 1_000
MAX_METRICS: Final = 1_000
MAX_RANKS: Final = 100_000
_ROWS_AT_ONCE: Final = 20_000  # 0.7 MB of points
_KINDS: Final = {
    pb.UPDATE_KIND_POINTS: Kind.POINTS,
    pb.UPDATE_KIND_TEXTS: Kind.TEXTS,
    pb.UPDATE_KIND_EVENTS: Kind.EVENTS,
    pb.UPDATE_KIND_STATES: Kind.STATES,
}


def scope_of(request: pb.SubscribeRequest) -> Scope:
    """Return which runs a request looks at. Raises `InvalidQuery`."""
    if len(request.runs) > MAX_RUNS:
        raise InvalidQuery(f"{len(request.runs)} runs asked for", hint=f"at most {MAX_RUNS}")
    if bool(request.runs) is bool(request.project):
        raise InvalidQuery(
            "neither runs nor a project to look at, or both", hint="give one of them"
        )
    if request.project:
        return Scope(projects=frozenset({request.project}))
    return Scope(frozenset(refs_of(request.runs)))


def wants_of(request: pb.SubscribeRequest) -> Wants:
    """Return what a request wants of it. Raises `InvalidQuery`."""
    if len(request.metrics) > MAX_METRICS:
        raise InvalidQuery(
            f"{len(request.metrics)} metrics asked for", hint=f"at most {MAX_METRICS}, or all"
        )
    if len(request.ranks) > MAX_RANKS:
        raise InvalidQuery(f"{len(request.ranks)} ranks asked for", hint=f"at most {MAX_RANKS}")
    if not set(request.kinds) <= set(_KINDS):
        raise InvalidQuery("this server does not know a kind of update asked for")
    return Wants(
        frozenset(_KINDS[kind] for kind in request.kinds) or frozenset(Kind),
        frozenset(request.metrics) or None,
        frozenset(request.ranks) or None,
    )


def start_of(request: pb.SubscribeRequest) -> Start | None:
    """Return where to go on; None = from now on. Raises `InvalidQuery`."""
    if request.HasField("after"):
        return Start(marks_of(request.after), request.after.events_unix_us)
    return Start() if request.from_start else None


def marks_of(message: pb.Marks) -> dict[Life, int]:
    """Return marks as they were told. Raises `InvalidQuery` for such as nobody told."""
    runs = refs_of(message.runs)
    if any(mark.run >= len(runs) for mark in message.marks):
        raise InvalidQuery("the marks name a run that is not there", hint="begin again without")
    return {
        Life(runs[mark.run].project, runs[mark.run].run_id, mark.rank, mark.born_unix_s): mark.seq
        for mark in message.marks
    }


def marks_message(marks: Marks, events_unix_us: int) -> pb.Marks:
    """Return marks as sent."""
    message = pb.Marks(events_unix_us=events_unix_us)
    numbers: dict[tuple[str, str], int] = {}
    for life, seq in marks.items():
        number = numbers.setdefault(life[:2], len(numbers))
        message.marks.add(run=number, rank=life.rank, born_unix_s=life.born_s, seq=seq)
    message.runs.extend(runs_pb2.RunRef(project=name, run_id=run) for name, run in numbers)
    return message


def updates_of(told: Told, wants: Wants) -> Iterator[pb.Update]:
    """Yield what somebody who wants this is to be told."""
    match told:
        case Rows():
            if told.kind in wants.kinds:
                yield from _rows(told, wants)
        case Happened():
            ranks = wants.ranks
            if Kind.EVENTS in wants.kinds and (ranks is None or told.event.rank in ranks):
                event = pb.LiveEvent(run=_ref(told.run), event=event_message(told.event))
                yield pb.Update(event=event)
        case Standing():
            if Kind.STATES in wants.kinds:
                yield pb.Update(
                    state=pb.LiveState(
                        run=_ref(told.run),
                        state=told.state,
                        world_size=told.world_size,
                        ranks=told.ranks,
                    )
                )


def _rows(told: Rows, wants: Wants) -> Iterator[pb.Update]:
    table = told.table
    if wants.metrics is not None:
        table = table.filter(pc.is_in(table["metric"], pa.array(sorted(wants.metrics))))
    if wants.ranks is not None:
        table = table.filter(pc.is_in(table["rank"], pa.array(sorted(wants.ranks), pa.uint32())))
    for first in range(0, table.num_rows, _ROWS_AT_ONCE):
        some = table.slice(first, _ROWS_AT_ONCE).combine_chunks()
        if told.kind is Kind.POINTS:
            value = _numbers(some["value"], "<f8")
            yield pb.Update(points=pb.LivePoints(**_columns(told.run, some), value=value))
        else:
            values, media = some["value"].to_pylist(), some["is_media"].to_pylist()
            columns = _columns(told.run, some)
            yield pb.Update(texts=pb.LiveTexts(**columns, values=values, is_media=media))


def _columns(run: RunRef, table: pa.Table) -> dict[str, Any]:
    metric = pc.dictionary_encode(table["metric"]).combine_chunks()
    return {
        "run": _ref(run),
        "metrics": metric.dictionary.to_pylist(),
        "metric": _numbers(metric.indices, "<u4"),
        "rank": _numbers(table["rank"], "<u4"),
        "step": _numbers(table["step"], "<i8"),
        "time_unix_us": _numbers(table["time_unix_us"], "<i8"),
    }


def _numbers(column: pa.Array | pa.ChunkedArray, kind: str) -> bytes:
    content: bytes = np.ascontiguousarray(column.to_numpy(), kind).tobytes()
    return content


def _ref(run: RunRef) -> runs_pb2.RunRef:
    return runs_pb2.RunRef(project=run.project, run_id=run.run_id)
