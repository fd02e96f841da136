"""The rows of `shown`: what lineage.py decides of each bent run, written down so that any SQL can join it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa

from weir_store import columns, tables
from weir_store.lineage import ByRank, Cut, Lineage
from weir_store.records import RunRef


def shown_table(bent: Mapping[RunRef, Lineage], seen: Mapping[str, int]) -> pa.Table:
    """Return one row of `shown` for each bent run.

    Args:
        bent: What the runs show.
        seen: By project: how many branches were known. Branches are only ever added, so of two
            rows the one that knew more is right.
    """
    rows = [_row(run, lineage, seen[run.project]) for run, lineage in sorted(bent.items())]
    return pa.Table.from_pylist(rows, schema=columns.BY_TABLE[tables.SHOWN])


def concerned(bent: Mapping[RunRef, Lineage], told: Iterable[RunRef]) -> dict[RunRef, Lineage]:
    """Return those of which a piece is one of the runs `told`: these, and all forked from them."""
    named = set(told)
    return {
        run: lineage
        for run, lineage in bent.items()
        if any(RunRef(run.project, piece.run_id) in named for piece in lineage.pieces)
    }


def _row(run: RunRef, lineage: Lineage, seen: int) -> dict[str, Any]:
    pieces = lineage.pieces
    return {
        "project": run.project,
        "run_id": run.run_id,
        "parent_run_id": lineage.parent_run_id,
        "fork_step": lineage.fork_step,
        "rewinds": list(lineage.rewinds),
        "sources": [piece.run_id for piece in pieces],
        "upto": [piece.upto.others for piece in pieces],
        "upto_ranks": [_ranks(piece.upto) for piece in pieces],
        "upto_own": [_own(piece.upto) for piece in pieces],
        "cuts": [_cuts(piece.cuts) for piece in pieces],
        "seen": seen,
    }


def _cuts(cuts: Sequence[Cut]) -> list[dict[str, Any]]:
    return [
        {
            "1": cut.step,
            "2": int(cut.later),
            "3": cut.since.others,
            "4": _ranks(cut.since),
            "5": _own(cut.since),
        }
        for cut in cuts
    ]


def _ranks(number: ByRank) -> list[int]:
    return [rank for rank, _ in number.own]


def _own(number: ByRank) -> list[int]:
    return [value for _, value in number.own]
