"""The runs table as a data frame: which columns there are, which are shown, what stands in them. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote, urlencode

import pandas as pd

from weir_dashboard import columns_of, selection, words
from weir_dashboard.colors import color_index, swatch
from weir_dashboard.selection import Selection
from weir_store.metric_field import parse_metric_field
from weir_store.names.base import METRIC
from weir_store.records import Json, Run, RunRef

CONFIG: Final = "config."
SUMMARY: Final = "summary."
_NOTE_CHARS: Final = 120
_AT_FIRST_CONFIG: Final = 5
_AT_FIRST_SUMMARY: Final = 4
_SYSTEM: Final = ("system/", "sys/", "gpu/", "cpu/")


def first_columns(runs: Sequence[Run]) -> list[str]:
    """Choose columns for somebody who chose none: config that differs, and results, loss first."""
    different = [path for path in _paths(run.config for run in runs) if _tells(runs, path)]
    results = [path for path in _paths(run.summary for run in runs) if not path.startswith(_SYSTEM)]
    results.sort(key=lambda path: ("loss" not in path, path))
    return [CONFIG + path for path in different[:_AT_FIRST_CONFIG]] + [
        SUMMARY + path for path in results[:_AT_FIRST_SUMMARY]
    ]


def frame(
    runs: Sequence[Run],
    columns: Sequence[str],
    ordinals: Mapping[RunRef, int],
    now_unix_s: float,
    *,
    with_project: bool = False,
) -> pd.DataFrame:
    """Build the table, one row a run, in the order given."""
    rows: dict[str, list[Any]] = {
        "color": [swatch(color_index(run, ordinals)) for run in runs],
        "name": [link(run) for run in runs],
        **({"project": [run.project for run in runs]} if with_project else {}),
        "state": [words.state(run, now_unix_s) for run in runs],
        "created": [pd.Timestamp(run.created_unix_us, unit="us", tz="UTC") for run in runs],
        "took": [words.span(words.run_span_s(run, now_unix_s)) for run in runs],
    }
    if any(run.ranks for run in runs):
        rows["ranks"] = [run.ranks or None for run in runs]
    if any(run.tags for run in runs):
        rows["tags"] = [list(run.tags) for run in runs]
    if any(run.notes for run in runs):
        rows["notes"] = [_first_line(run.notes) for run in runs]
    alarms = [", ".join(nonfinite(run)) for run in runs]
    if any(alarms):
        rows["not finite"] = alarms
    for column in columns:
        rows[columns_of.label(column)] = [cell(run, column) for run in runs]
    return pd.DataFrame(rows)


def nonfinite(run: Run) -> list[str]:
    """List the results that are NaN or infinite, which a number column leaves blank."""
    return [
        f"{words.number(found)} {path}"
        for path, found in (*run.summary.items(), *run.metrics.items())
        if isinstance(found, float) and not math.isfinite(found)
    ]


def _paths(maps: Iterable[Mapping[str, object]]) -> list[str]:
    return list(dict.fromkeys(path for one in maps for path in one))


def _tells(runs: Sequence[Run], path: str) -> bool:
    """Does it differ, and say more than the run's name does?"""
    found = [run.config.get(path) for run in runs]
    named = all(value in (run.run_id, run.name) for value, run in zip(found, runs, strict=True))
    return len(set(map(repr, found))) > 1 and not named


def cell(run: Run, column: str) -> object:
    """Return what stands in a column of a run; None = the run does not have it."""
    space, path = columns_of.split(column)
    if space == METRIC:
        return run.metrics.get(str(parse_metric_field(path)))
    found = (run.config if space == "config" else run.summary).get(path)
    return found.text if isinstance(found, Json) else found


def _first_line(notes: str) -> str:
    line = notes.strip().partition("\n")[0]
    return line if len(line) <= _NOTE_CHARS else f"{line[: _NOTE_CHARS - 1]}…"


def link(run: Run) -> str:
    """Address of the run page; what stands after # is what the cell shows."""
    address = selection.build(Selection(project=run.project, run_id=run.run_id))
    return f"/run?{urlencode(address, doseq=True)}#{quote(run.name or run.run_id, safe='')}"
