"""What the ranks of examples/02_digits_ddp.py logged, beside what can be read back."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path

from weir_store.base import Reader
from weir_store.records import RunRef, SeriesQuery

Points = dict[tuple[str, int], list[tuple[int, float]]]
"""(metric, rank) → (step, value), by step."""


def read_recorded(folder: Path, ranks: int) -> Points:
    """Return what every rank wrote down."""
    points: Points = {}
    for rank in range(ranks):
        logged = json.loads((folder / f"rank-{rank}.json").read_text())
        for metric, pairs in logged.items():
            points[metric, rank] = [(step, value) for step, value in pairs]
    return points


def read_stored(reader: Reader, ref: RunRef) -> Points:
    """Return every point of a run; one that is stored twice is here twice."""
    names = tuple(metric.name for metric in reader.list_metrics([ref]).metrics)
    if not names:
        return {}
    table = reader.read_series(SeriesQuery((ref,), names))
    points: Points = defaultdict(list)
    columns = ("metric", "rank", "step", "value")
    for metric, rank, step, value in zip(
        *(table[name].to_pylist() for name in columns), strict=True
    ):
        points[metric, rank].append((step, value))
    return dict(points)
