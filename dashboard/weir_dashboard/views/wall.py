"""From runs to a mounted chart wall."""

from __future__ import annotations

import time
from collections.abc import Sequence

from weir_dashboard import charts, data
from weir_dashboard.component import chart_wall
from weir_dashboard.views import states
from weir_store.records import Run, RunRef


def show(runs: Sequence[Run], total: int, *, drawn: int, key: str, rail: bool = True) -> None:
    """Mount the wall over these runs; `drawn` of them are drawn until the user says otherwise."""
    refs = [run.ref for run in runs]
    metrics = states.value(data.ask().metrics(refs))
    ordinals = data.ask().ordinals(refs)
    offered = {"sql": data.ask().sql.offered, "rules": data.ask().rules.may_edit}
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
    chart_wall(spec, key=key)


def runs_of(refs: Sequence[RunRef]) -> list[Run]:
    """Read chosen runs one by one. Raises `UnknownRun` for one that does not exist."""
    return [states.value(data.ask().run(ref)) for ref in refs]
