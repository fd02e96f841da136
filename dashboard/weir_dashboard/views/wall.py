"""From runs to a mounted chart wall."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from urllib.parse import urlencode

from weir_dashboard import charts, data
from weir_dashboard.component import chart_wall
from weir_dashboard.data_groups import Whose
from weir_dashboard.selection import ChartView, format_ref, parse_ref
from weir_dashboard.views import pick, states
from weir_store.errors import UnknownRun
from weir_store.records import Run, RunRef


def show(
    runs: Sequence[Run],
    total: int,
    *,
    drawn: int,
    key: str,
    rail: bool = True,
    follow: bool = False,
    whose: Whose | None = None,
) -> None:
    """Mount the wall over these runs; `drawn` of them are drawn until the user says otherwise.

    What is put into groups is `whose`, else the runs themselves. With `follow` the fragment that
    calls this runs again every few seconds while it is seen.
    """
    refs = [run.ref for run in runs]
    metrics = states.value(data.ask().metrics(refs))
    ordinals = data.ask().ordinals(refs)
    offered = {
        "sql": data.ask().sql.offered,
        "rules": data.ask().rules.may_edit,
        "reports": _may_write(refs),
    }
    spec = charts.wall_spec(
        runs,
        total,
        metrics,
        ordinals,
        drawn=drawn,
        now_unix_s=time.time(),
        rail=rail,
        links=[name for name, there in offered.items() if there],
    )
    grouping = _grouping(whose or Whose(runs=tuple(refs))) if rail else None
    more = {"grouping": grouping, "address": _address(refs) if rail else {}, "follow": follow}
    chart_wall(spec | more, key=key)


def _grouping(whose: Whose) -> dict[str, object] | None:
    """Say how the browser asks for groups (api_groups.py); None where none are offered."""
    if not data.ask().groups.offered:
        return None
    runs = [["run", format_ref(ref)] for ref in whose.runs]
    told = runs or [["project", whose.project], *([["q", whose.where]] if whose.where else [])]
    return {"whose": told}


def _may_write(refs: Sequence[RunRef]) -> bool:
    """Whether the viewer may write reports about these runs."""
    return bool(refs) and data.ask().documents.may_edit and data.ask().me.may_edit(refs[0].project)


def _address(refs: Sequence[RunRef]) -> dict[str, object]:
    """Say what the `v` of the address stands for, and where a long address is made short (address.js)."""
    shorten = {"api": "/api", "project": refs[0].project} if _may_write(refs) else None
    return {"held": urlencode(pick.held(), doseq=True), "shorten": shorten}


def with_named(runs: Sequence[Run], chart: ChartView) -> list[Run]:
    """Return the runs, and behind them those that the view names and the list has not.

    A run of an old link that is there no longer is left out.
    """
    listed = {run.ref for run in runs}
    named = dict.fromkeys(map(parse_ref, sorted(chart.pins | chart.show | {chart.baseline})))
    found = []
    for ref in named:
        if ref is not None and ref not in listed:
            with contextlib.suppress(UnknownRun):
                found.append(states.value(data.ask().run(ref)))
    return [*runs, *found]


def runs_of(refs: Sequence[RunRef]) -> list[Run]:
    """Read chosen runs one by one. Raises `UnknownRun` for one that does not exist."""
    return [states.value(data.ask().run(ref)) for ref in refs]
