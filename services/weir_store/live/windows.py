"""The SQL of what lies between two marks of each life."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from weir_store.console.cursor import Life, Marks
from weir_store.parameters import Parameters
from weir_store.records import RunRef

# A life as one number, looked up: many times as fast as asking for each.
_KEY = "bitOr(bitShiftLeft(toUInt64(rank), 32), bitShiftRight(ver, 32))"
MAX_VER = (1 << 64) - 1


def beyond_sql(
    runs: Mapping[RunRef, Marks], parameters: Parameters, *, others: str = "toUInt64(0)"
) -> str:
    """Return the condition that a row's frame is of these runs and lies beyond the run's marks.

    Args:
        runs: Marks of each run.
        parameters: Where values are bound.
        others: SQL of the version beyond which rows of lives without a mark lie.
    """
    parts = []
    for run, marks in runs.items():
        of_run = (
            f"project = {parameters.text(run.project)} AND run_id = {parameters.text(run.run_id)}"
        )
        parts.append(f"({of_run} AND ver > {reach_sql(marks, parameters, others=others)})")
    return f"({' OR '.join(parts) or 'false'})"


def reached_sql(runs: Mapping[RunRef, Marks], parameters: Parameters) -> str:
    """Return the condition that a row's frame lies within its run's marks."""
    if len(runs) == 1:
        return f"ver <= {reach_sql(next(iter(runs.values())), parameters)}"
    return f"NOT {beyond_sql(runs, parameters)}"


def reach_sql(marks: Marks, parameters: Parameters, *, others: str = "toUInt64(0)") -> str:
    """Return the version of the last row within the mark of the row's life."""
    if not marks:
        return others
    keys = _numbers([life.rank << 32 | life.born_s for life in marks], parameters)
    vers = _numbers([life.born_s << 32 | seq for life, seq in marks.items()], parameters)
    return f"transform({_KEY}, {keys}, {vers}, {others})"


def packs(
    runs: Sequence[RunRef], marks: Mapping[RunRef, Mapping[Life, int]], *, size: int = 50
) -> list[dict[RunRef, Mapping[Life, int]]]:
    """Cut runs into packs, so that no statement grows without bound."""
    return [
        {run: marks.get(run, {}) for run in runs[first : first + size]}
        for first in range(0, len(runs), size)
    ]


def _numbers(values: Sequence[int], parameters: Parameters) -> str:
    return (
        f"arrayMap(row -> row.1, {parameters.rows([(each,) for each in values], 'Tuple(UInt64)')})"
    )
