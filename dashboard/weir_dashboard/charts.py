"""What the chart wall is told: runs with colour and state, metrics, where to ask. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlencode

from weir_dashboard import selection, words
from weir_dashboard.colors import PALETTE, color_index
from weir_dashboard.selection import Selection
from weir_store.records import MetricPage, Run, RunRef

DRAWN_AT_FIRST: Final = 10
"""Of a filter's runs, this many of the newest are drawn until somebody asks for more."""

LISTED: Final = 1_000
"""Runs of a filter that the rail lists; it says when there are more."""


def wall_spec(
    runs: Sequence[Run],
    total: int,
    metrics: MetricPage,
    ordinals: Mapping[RunRef, int],
    *,
    drawn: int,
    now_unix_s: float,
    rail: bool = True,
    links: Sequence[str] = (),
) -> dict[str, Any]:
    """Describe a wall as JSON values.

    Args:
        runs: Runs of the rail, in order.
        total: How many match in all.
        metrics: Metrics of these runs.
        ordinals: Each run's place by creation in its project.
        drawn: How many of `runs` are drawn unless the address says otherwise.
        now_unix_s: Tells silent runs from live ones.
        rail: Show the list of runs.
        links: Pages that a chart leads to, of `sql` and `rules`.
    """
    return {
        "api": "/api",
        "rail": rail,
        "links": list(links),
        "palette": list(PALETTE),
        "runs": [_run(run, ordinals, now_unix_s) for run in runs],
        "total": total,
        "drawn": drawn,
        "manyProjects": len({run.project for run in runs}) > 1,
        "metrics": [{"name": metric.name} for metric in metrics.metrics],
        "metricsTotal": metrics.total,
    }


def run_address(ref: RunRef) -> str:
    """Return the address of the page of a run."""
    address = selection.build(Selection(project=ref.project, run_id=ref.run_id))
    return f"/run?{urlencode(address, doseq=True)}"


def _run(run: Run, ordinals: Mapping[RunRef, int], now_unix_s: float) -> dict[str, Any]:
    return {
        "id": selection.format_ref(run.ref),
        "name": run.name or run.run_id,
        "project": run.project,
        "title": f"{run.project}/{run.run_id}",
        "href": run_address(run.ref),
        "color": color_index(run, ordinals),
        "ranks": run.ranks,
        "state": str(run.state),
        "stateText": words.state(run, now_unix_s).split(" ", 1)[1],
    }
