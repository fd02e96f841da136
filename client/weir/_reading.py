"""Frames back into plain points and facts: the mirror of `_columns` and `_body`. Pure."""

import json
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from weir._columns import read_column
from weir._config import DELETED
from weir_proto.v1 import ingest_pb2 as pb


@dataclass(frozen=True, slots=True)
class Point:
    """One value that was logged.

    Attributes:
        run_id: The run.
        rank: Index of the process in the run.
        metric: Its name.
        step: As given, or counted.
        time_unix_us: When, Unix µs.
        value: A number, or a text.
    """

    run_id: str
    rank: int
    metric: str
    step: int
    time_unix_us: int
    value: float | str


def read_points(body: pb.Body, *, run_id: str, rank: int) -> Iterator[Point]:
    """Iterate over the points of a frame: rows in order, then texts, media among them."""
    for block in body.points:
        metrics, steps, times, values = _columns(block)
        for index, value in enumerate(values):
            metric = body.names[metrics[index]]
            yield Point(run_id, rank, metric, steps[index], times[index], value)
    for texts in body.texts:
        yield from _texts_of(texts, body.names, run_id, rank)


def read_media(body: pb.Body, *, run_id: str, rank: int) -> Iterator[Point]:
    """Iterate over those whose value is JSON that names files (docs/formats/media.md)."""
    for texts in body.texts:
        if texts.kind == pb.TextBlock.MEDIA:
            yield from _texts_of(texts, body.names, run_id, rank)


def _texts_of(texts: pb.TextBlock, names: Sequence[str], run_id: str, rank: int) -> Iterator[Point]:
    ids, steps = read_column("I", texts.metric), read_column("q", texts.step)
    times = read_column("q", texts.time_unix_us)
    for index, text in enumerate(texts.value):
        yield Point(run_id, rank, names[ids[index]], steps[index], times[index], text)


def _columns(block: pb.PointBlock) -> "tuple[list[int], list[int], list[int], array[float]]":
    """A block's columns with one entry per point, whichever its layout."""
    metrics, steps = list(read_column("I", block.metric)), list(read_column("q", block.step))
    times, values = list(read_column("q", block.time_unix_us)), read_column("d", block.value)
    if block.width:
        rows = len(steps)
        metrics *= rows
        steps = [step for step in steps for _ in range(block.width)]
        times = [time for time in times for _ in range(block.width)]
    return metrics, steps, times, values


def read_attr(attr: pb.Attr) -> Any:
    """Return an attribute's value; `DELETED` when it says that there is none any more."""
    kind = attr.WhichOneof("value")
    if kind == "deleted":
        return DELETED
    if kind in {None, "null"}:
        return None
    value = getattr(attr, str(kind))
    return json.loads(value) if kind == "json" else value
