"""What Home says of runs: which metric stands for a run, how far it is, what failed. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

import pandas as pd

from weir_dashboard import run_table, words
from weir_dashboard.colors import color_index, swatch
from weir_dashboard.data_home import Spark
from weir_store.records import Run, RunRef

RUNNING: Final = "state = 'running'"
_ENDED_BADLY: Final = "state IN ('failed', 'crashed')"
_DAY_S: Final = 86_400
_TOTALS: Final = frozenset(
    {"max_steps", "total_steps", "num_steps", "n_steps", "num_training_steps", "max_iters", "train_steps"}
)  # fmt: skip
# What a run is about, first of all; then whatever else it logged that is not about the machine.
_MAIN: Final = ("train/loss", "loss", "train_loss")
_MACHINE: Final = ("system/", "sys/", "gpu/", "cpu/")


def of(user: str, where: str) -> str:
    """Return a filter for the runs of one user, of everybody when it is empty."""
    quoted = user.replace("'", "''")
    return f"{where} AND user = '{quoted}'" if user else where


def failed_since(unix_s: float) -> str:
    """Return a filter for what failed or crashed since then."""
    return f"{_ENDED_BADLY} AND finished >= {int(unix_s)}"


def created_since(unix_s: float) -> str:
    """Return a filter for what was begun since then."""
    return f"created >= {int(unix_s)}"


def midnight_unix_s(now_unix_s: float) -> float:
    """Return when today began, in UTC as all times of the dashboard."""
    return now_unix_s - now_unix_s % _DAY_S


def main_metric(run: Run) -> str:
    """Choose the metric that stands for a run: its training loss, any loss, else the first; "" = none."""
    names = [
        name
        for name, value in run.summary.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    ]
    first = next((name for name in _MAIN if name in names), "")
    return first or min(names, key=_place, default="")


def total_steps(run: Run) -> int:
    """Return how many steps its config says it will make; 0 when it does not say."""
    for path, value in run.config.items():
        name = path.replace("/", ".").rpartition(".")[2].lower()
        if name in _TOTALS and isinstance(value, int | float) and 0 < value < 2**53:
            return int(value)
    return 0


def running_frame(
    runs: Sequence[Run],
    sparks: Mapping[RunRef, Spark],
    ordinals: Mapping[RunRef, int],
    now_unix_s: float,
) -> pd.DataFrame:
    """Build the table of runs that run, one row each, in the order given."""
    metrics = [main_metric(run) for run in runs]
    found = [sparks.get(run.ref) for run in runs]
    rows: dict[str, list[Any]] = {
        "color": [swatch(color_index(run, ordinals)) for run in runs],
        "name": [run_table.link(run) for run in runs],
        "state": [words.state(run, now_unix_s) for run in runs],
        "curve": [list(spark.values) if spark else [] for spark in found],
        "metric": metrics,
        "value": [words.number(spark.last) if spark else "" for spark in found],
        "step": [spark.step if spark else None for spark in found],
    }
    done = [_share(run, spark) for run, spark in zip(runs, found, strict=True)]
    if any(share is not None for share in done):
        rows["progress"] = done
    rows["project"] = [run.project for run in runs]
    rows["running for"] = [words.span(words.run_span_s(run, now_unix_s)) for run in runs]
    rows["left"] = [_left(run, share, now_unix_s) for run, share in zip(runs, done, strict=True)]
    if not any(rows["left"]):
        del rows["left"]
    rows["ranks"] = [run.ranks or None for run in runs]
    if any(run.user for run in runs):
        rows["user"] = [run.user for run in runs]
    return pd.DataFrame(rows)


def failed_frame(
    runs: Sequence[Run], ordinals: Mapping[RunRef, int], now_unix_s: float
) -> pd.DataFrame:
    """Build the table of runs that failed or crashed."""
    table = pd.DataFrame(
        {
            "color": [swatch(color_index(run, ordinals)) for run in runs],
            "name": [run_table.link(run) for run in runs],
            "project": [run.project for run in runs],
            "state": [words.state(run, now_unix_s) for run in runs],
            "ended": [words.ago(run.finished_unix_us, now_unix_s) for run in runs],
            "took": [words.span(words.run_span_s(run, now_unix_s)) for run in runs],
            "not finite": [", ".join(run_table.nonfinite(run)) for run in runs],
            "user": [run.user for run in runs],
        }
    )
    empty = [name for name in ("not finite", "user") if not any(table[name])]
    return table.drop(columns=empty)


def by_project(runs: Sequence[Run]) -> Counter[str]:
    """Count runs by project."""
    return Counter(run.project for run in runs)


def users(runs: Sequence[Run]) -> list[str]:
    """List who began these runs, by name."""
    return sorted({run.user for run in runs if run.user})


def _place(name: str) -> tuple[bool, bool, str]:
    return name.startswith(_MACHINE), "loss" not in name, name


def _share(run: Run, spark: Spark | None) -> float | None:
    total = total_steps(run)
    return min(1.0, max(0, spark.step) / total) if spark and total else None


def _left(run: Run, share: float | None, now_unix_s: float) -> str:
    """Say how long it will still take, if it goes on as it went so far."""
    if share is None or not 0.01 <= share < 1:
        return ""
    return f"~ {words.span(words.run_span_s(run, now_unix_s) * (1 - share) / share)}"
