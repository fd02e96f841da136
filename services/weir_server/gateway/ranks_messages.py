"""Questions and answers about ranks, between the wire and the store's words. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import TypeVar

import pyarrow as pa

from weir_proto.v1 import ranks_pb2, runs_pb2
from weir_server.gateway.messages import refs_of
from weir_store.errors import InvalidQuery
from weir_store.ranks.base import (
    USUAL_NAMES,
    USUAL_PATIENCE,
    DivergenceQuery,
    Finding,
    Interval,
    Names,
    Over,
    Patience,
    ReduceQuery,
    Reduction,
    StragglerBoard,
    StragglerQuery,
)
from weir_store.records import RunRef

Word = TypeVar("Word", bound=StrEnum)


def reduce_query_of(request: ranks_pb2.ReduceRequest) -> ReduceQuery:
    """Understand a question. Raises `InvalidQuery` for a word that nobody knows."""
    return ReduceQuery(
        runs=tuple(refs_of(request.runs)),
        metrics=tuple(request.metrics),
        over=_word(Over, request.over or Over.RANKS),
        by=None if request.by_default else tuple(request.by),
        reduce=_word(Reduction, request.reduce) if request.reduce else None,
        interval=_word(Interval, request.interval or Interval.T),
        quantiles=tuple(request.quantiles),
        max_points=request.max_points or None,
        ranks=tuple(request.ranks) or None,
        roles=tuple(request.roles) or None,
        x_min=request.x_min if request.HasField("x_min") else None,
        x_max=request.x_max if request.HasField("x_max") else None,
    )


def straggler_query_of(request: ranks_pb2.ReadStragglersRequest) -> StragglerQuery:
    """Understand a question."""
    (ref,) = refs_of([request.run])
    usual = StragglerQuery(ref)
    return StragglerQuery(
        ref,
        metric=request.metric,
        roles=tuple(request.roles) or None,
        half_life_steps=request.half_life_steps or usual.half_life_steps,
        max_points=request.max_points or usual.max_points,
        x_min=request.x_min if request.HasField("x_min") else None,
        x_max=request.x_max if request.HasField("x_max") else None,
        names=names_of(request.names),
    )


def divergence_query_of(request: ranks_pb2.ReadDivergenceRequest) -> DivergenceQuery:
    """Understand a question."""
    (ref,) = refs_of([request.run])
    usual = DivergenceQuery(ref)
    return DivergenceQuery(
        ref,
        metrics=tuple(request.metrics),
        window_steps=request.window_steps or usual.window_steps,
        threshold=request.threshold or usual.threshold,
        names=names_of(request.names),
    )


def names_of(names: ranks_pb2.RankNames) -> Names:
    """Return under which names to look."""
    return Names(
        tuple(names.step_time) or USUAL_NAMES.step_time,
        tuple(names.data) or USUAL_NAMES.data,
        tuple(names.compute) or USUAL_NAMES.compute,
        tuple(names.comm) or USUAL_NAMES.comm,
        tuple(names.watched) or USUAL_NAMES.watched,
    )


def patience_of(request: ranks_pb2.FindHangsRequest) -> Patience:
    """Return how long is too long."""
    times = request.times or USUAL_PATIENCE.times
    return Patience(times, request.floor_s or USUAL_PATIENCE.floor_s)


def board_message(board: StragglerBoard) -> ranks_pb2.ReadStragglersResponse:
    """Return a board as sent."""
    return ranks_pb2.ReadStragglersResponse(
        metric=board.metric,
        from_times=board.from_times,
        steps=board.steps,
        median_s=board.median_s,
        lost_s=board.lost_s,
        half_life_steps=board.half_life_steps,
        ranks=_ipc(board.ranks),
        nodes=_ipc(board.nodes),
        timeline=_ipc(board.timeline),
    )


def hang_message(finding: Finding) -> ranks_pb2.Hang:
    """Return a hang as sent."""
    return ranks_pb2.Hang(
        run=_ref_message(finding.ref),
        role=finding.role,
        title=finding.title,
        body=finding.body,
        since_unix_us=finding.since_unix_us,
        step=finding.step,
        suspects=finding.suspects,
        nodes=finding.nodes,
        last_steps=finding.last_steps,
        silent_s=finding.silent_s,
        limit_s=finding.limit_s,
    )


def _ref_message(ref: RunRef) -> runs_pb2.RunRef:
    return runs_pb2.RunRef(project=ref.project, run_id=ref.run_id)


def _word(words: type[Word], word: str) -> Word:
    try:
        return words(word)
    except ValueError:
        raise InvalidQuery(f"no such word {word!r}", hint=_one_of(list(words))) from None


def _one_of(words: Sequence[StrEnum]) -> str:
    return "one of " + ", ".join(word.value for word in words)


def _ipc(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    content: bytes = sink.getvalue().to_pybytes()
    return content
