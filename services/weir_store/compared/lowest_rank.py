"""From the newest points of every rank to one row for each metric of a run. Pure."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from weir_store.compared.base import RESULTS
from weir_store.plan import SeriesKey

_SERIES = ("project", "run_id", "metric")


def results(latest: pa.Table, means: Mapping[SeriesKey, float | None] | None) -> pa.Table:
    """Return `RESULTS` from `answers.LATEST`, which is ordered by project, run_id, metric, rank.

    Args:
        latest: One row a series.
        means: By series, of the lowest rank; None = not asked for.
    """
    keys = [latest.column(name).to_numpy(zero_copy_only=False) for name in _SERIES]
    first = np.ones(latest.num_rows, dtype=bool)
    for values in keys:
        first[1:] &= values[1:] == values[:-1]
    first[1:] = ~first[1:]
    kept = latest.filter(pa.array(first))
    columns = {name: kept.column(name) for name in RESULTS.names if name != "mean"}
    columns["mean"] = pa.array(_means(kept, means), pa.float64())
    return pa.table({name: columns[name] for name in RESULTS.names}).cast(RESULTS)


def _means(kept: pa.Table, means: Mapping[SeriesKey, float | None] | None) -> list[float | None]:
    if means is None:
        return [None] * kept.num_rows
    names = zip(*(kept.column(name).to_pylist() for name in _SERIES), strict=True)
    return [means.get(key) for key in names]
