"""Tables that hold runs against a baseline: texts, colours, and what a file of them says. Pure.

Colours never stand alone: every coloured cell begins with a mark (`compare_change.MARKS`).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import pandas as pd

from weir_dashboard import words
from weir_dashboard.compare_change import Change, Verdict, arrow, change, percent, text
from weir_dashboard.compare_columns import Results
from weir_dashboard.compare_seeds import Group, mean_of
from weir_dashboard.differences import Difference, Value
from weir_store.records import Json, Run

MOST_CHARS: Final = 400
"""Letters of a value in a cell; a file holds all of them."""

_NAME_CHARS: Final = 60
_TAKEN: Final = ("path", "none")  # other columns and choices are called so
_LOOKS: Final = {
    Verdict.BETTER: "background-color: rgba(49, 152, 61, 0.20)",
    Verdict.WORSE: "background-color: rgba(208, 64, 43, 0.20)",
    Verdict.CHANGED: "background-color: rgba(222, 160, 20, 0.17)",
    Verdict.OTHER: "background-color: rgba(222, 160, 20, 0.17)",
    Verdict.ABSENT: "background-color: rgba(128, 128, 128, 0.14)",
}


@dataclass(frozen=True, slots=True)
class Table:
    """Cells, and how they look: `looks` has CSS for every cell of `cells`, "" for most."""

    cells: pd.DataFrame
    looks: pd.DataFrame


def heads(runs: Sequence[Run]) -> list[str]:
    """Name columns of runs: by name, and by id as well where names are not enough."""
    names = [_cut(run.name or run.run_id, _NAME_CHARS) for run in runs]
    if len({*names, *_TAKEN}) == len(names) + len(_TAKEN):
        return names
    return [f"{name} · {run.project}/{run.run_id}" for name, run in zip(names, runs, strict=True)]


def of_differences(
    rows: Sequence[Difference],
    runs: Sequence[Run],
    shown: Sequence[int],
    base: int | None,
    goals: Mapping[str, str],
) -> Table:
    """Put runs side by side, a row for each path.

    Args:
        rows: Over all runs.
        runs: All of them.
        shown: Places of those that get a column, in order.
        base: Place of the baseline, which comes first; None = nothing is held against another.
        goals: Of metrics, as `compare_change.goals_of` says.
    """
    places = [*([base] if base is not None else []), *(at for at in shown if at != base)]
    names = dict(zip(range(len(runs)), heads(runs), strict=True))
    cells: dict[str, list[str]] = {
        "path": [row.path + arrow(goals.get(row.path, "")) for row in rows]
    }
    looks: dict[str, list[str]] = {"path": [""] * len(rows)}
    for place in places:
        head = f"{names[place]} · baseline" if place == base else names[place]
        changes = [_change(row, place, base, goals) for row in rows]
        cells[head] = [
            _beside(_shown(row.values[place]), found)
            for row, found in zip(rows, changes, strict=True)
        ]
        looks[head] = [_LOOKS.get(found.verdict, "") if found else "" for found in changes]
    return Table(pd.DataFrame(cells), pd.DataFrame(looks))


def csv_of_differences(rows: Sequence[Difference], runs: Sequence[Run]) -> str:
    """Write every row and every run, values in full: group, path, then a column `project/run_id` each."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["group", "path", *(f"{run.project}/{run.run_id}" for run in runs)])
    for row in rows:
        writer.writerow([row.group, row.path, *map(_in_full, row.values)])
    return file.getvalue()


def of_results(
    runs: Sequence[Run],
    chosen: Sequence[tuple[str, str]],
    results: Results,
    base: int | None,
    goals: Mapping[str, str],
) -> Table:
    """Return a row for each run: what metrics came to, and the change from the baseline.

    Args:
        runs: One row each; the baseline comes first.
        chosen: (metric, how) of each column.
        results: What they came to.
        base: Place of the baseline.
        goals: Of metrics.
    """
    if base:
        runs, base = [runs[base], *runs[:base], *runs[base + 1 :]], 0
    cells: dict[str, list[object]] = {
        "run": [*heads(runs)],
        "baseline": ["baseline" if at == base else "" for at in range(len(runs))],
    }
    if base is None:
        del cells["baseline"]
    if len({run.project for run in runs}) > 1:
        cells["project"] = [run.project for run in runs]
    looks: dict[str, list[str]] = {name: [""] * len(runs) for name in cells}
    alarms: list[list[str]] = [[] for _ in runs]
    for metric, how in chosen:
        name = f"{metric} {how}{arrow(goals.get(metric, ''))}"
        values = [results.get((run.ref, metric), {}).get(how) for run in runs]
        cells[name], looks[name] = [*values], [""] * len(runs)
        for at, value in enumerate(values):
            if value is not None and not abs(value) < float("inf"):
                alarms[at].append(f"{words.number(value)} {metric} {how}")
        if base is not None:
            found = [
                None if at == base else change(value, values[base], goals.get(metric, ""))
                for at, value in enumerate(values)
            ]
            cells[f"{name} vs baseline"] = [_relative(each) for each in found]
            looks[f"{name} vs baseline"] = [
                _LOOKS.get(each.verdict, "") if each else "" for each in found
            ]
    if any(alarms):
        cells["not finite"] = [", ".join(each) for each in alarms]
        looks["not finite"] = [""] * len(runs)
    return Table(pd.DataFrame(cells), pd.DataFrame(looks))


def of_groups(
    runs: Sequence[Run],
    groups: Sequence[Group],
    chosen: Sequence[tuple[str, str]],
    results: Results,
    base: int | None,
    goals: Mapping[str, str],
) -> Table:
    """Return a row for each group of runs: mean, half of the 95 % interval, n; and the change of the mean.

    The group of the baseline run is the baseline and comes first; arguments as of `of_results`.
    """
    based = next((at for at, each in enumerate(groups) if base in each.places), None)
    if based:
        groups, based = [groups[based], *groups[:based], *groups[based + 1 :]], 0
    cells: dict[str, list[object]] = {
        "group": [_cut(each.label, 200) for each in groups],
        "runs": [len(each.places) for each in groups],
    }
    if based is not None:
        cells["baseline"] = ["baseline" if at == based else "" for at in range(len(groups))]
    looks: dict[str, list[str]] = {name: [""] * len(groups) for name in cells}
    for metric, how in chosen:
        goal = goals.get(metric, "")
        name = f"{metric} {how}{arrow(goal)}"
        means = [
            mean_of(results.get((runs[at].ref, metric), {}).get(how) for at in each.places)
            for each in groups
        ]
        columns: dict[str, list[object]] = {
            f"{name} mean": [each.mean if each.n else None for each in means],
            f"{name} ± 95 %": [each.half if each.n > 1 else None for each in means],
            f"{name} n": [
                f"{each.n}, {each.left_out} not finite" if each.left_out else str(each.n)
                for each in means
            ],
        }
        cells |= columns
        looks |= {column: [""] * len(groups) for column in columns}
        if based is not None:
            found = [
                None
                if at == based
                else change(each.mean if each.n else None, means[based].mean if means[based].n else None, goal)
                for at, each in enumerate(means)
            ]  # fmt: skip
            cells[f"{name} vs baseline"] = [_relative(each) for each in found]
            looks[f"{name} vs baseline"] = [
                _LOOKS.get(each.verdict, "") if each else "" for each in found
            ]
    return Table(pd.DataFrame(cells), pd.DataFrame(looks))


def _change(
    row: Difference, place: int, base: int | None, goals: Mapping[str, str]
) -> Change | None:
    if base is None or place == base:
        return None
    goal = goals.get(row.path, "") if row.group == "metrics" else ""
    return change(row.values[place], row.values[base], goal)


def _beside(value: str, found: Change | None) -> str:
    told = text(found) if found else ""
    return f"{value}  {told}" if told and told != value else value


def _relative(found: Change | None) -> str:
    """Write a change as a percentage where that means something, else in full."""
    if found is None or found.relative is None:
        return text(found) if found else ""
    return f"{text(Change(found.verdict))} {percent(found.relative)}"


def _shown(value: Value) -> str:
    """Six digits of a float are enough to see the difference; what is not there is a dash."""
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:.6g}"
    return _cut(value.text if isinstance(value, Json) else words.value(value), MOST_CHARS)


def _in_full(value: Value) -> object:
    return value.text if isinstance(value, Json) else "" if value is None else value


def _cut(written: str, most: int) -> str:
    return written if len(written) <= most else f"{written[: most - 1]}…"
