"""Putting the packs of a large question together, and from variance to what people read. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from weir_store.groups.base import BANDS, Group
from weir_store.ranks.student import t95

Column: TypeAlias = npt.NDArray[Any]


def merged(parts: Sequence[pa.Table], groups: Sequence[Group]) -> pa.Table:
    """Return BANDS from the answers to `bands_sql`, whose packs share no series.

    Source: Chan, Golub and LeVeque, "Updating Formulae and a Pairwise Algorithm for Computing
    Sample Variances", 1979.
    """
    table = pa.concat_tables(parts) if parts else None
    if table is None or table.num_rows == 0:
        return BANDS.empty_table()
    metrics = table.column("metric").combine_chunks().dictionary_encode()
    names = np.array(metrics.dictionary.to_pylist(), dtype=object)
    place_of = np.argsort(np.argsort(names))  # by name, not by first appearance
    metric = place_of[metrics.indices.to_numpy(zero_copy_only=False)]
    band, place = _column(table, "band"), _column(table, "place")
    order = np.lexsort((place, metric, band))
    band, metric, place = band[order], metric[order], place[order]
    changes = (np.diff(band) != 0) | (np.diff(metric) != 0) | (np.diff(place) != 0)
    starts = np.flatnonzero(np.concatenate(([True], changes)))
    of_row = np.cumsum(np.concatenate(([0], changes)))

    def put(name: str, how: np.ufunc) -> Column:
        found: Column = how.reduceat(_column(table, name)[order], starts)
        return found

    n, mean, std = _moments(table, order, starts, of_row)
    x = put("x_max", np.maximum)
    lowest, highest = put("lowest", np.minimum), put("highest", np.maximum)
    columns = {
        "group": np.array([group.name for group in groups], dtype=object)[band[starts]],
        "metric": np.sort(names)[metric[starts]],
        "x": x,
        "x_min": put("x_min", np.minimum),
        "x_max": x,
        "mean": mean,
        "std": std,
        "ci": half_interval(std, n),
        "n": n,
        "min": np.where(np.isfinite(lowest), lowest, np.nan),
        "max": np.where(np.isfinite(highest), highest, np.nan),
        "nonfinite": put("nonfinite", np.bitwise_or),
        "bad": put("bad", np.add),
    }
    found = pa.table({field.name: pa.array(columns[field.name], field.type) for field in BANDS})
    return found.filter(pa.array(put("present", np.add) > 0))


def half_interval(std: Column, n: Column) -> Column:
    """Return half of the 95 % interval of the mean of `n` values; NaN of fewer than two."""
    sizes, which = np.unique(n, return_inverse=True)
    factors = np.array([t95(int(size) - 1) / np.sqrt(max(int(size), 1)) for size in sizes])
    interval: Column = std * factors[which]
    return interval


def _moments(
    table: pa.Table, order: Column, starts: Column, of_row: Column
) -> tuple[Column, Column, Column]:
    """Return how many values there are of each row of the answer, their mean and deviation."""
    n = _column(table, "n")[order].astype(np.int64)
    centre = np.where(n > 0, _column(table, "centre")[order], 0.0)
    variance = np.where(n > 0, _column(table, "variance")[order], 0.0)
    count = np.add.reduceat(n, starts)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        mean = np.add.reduceat(centre * (n / count[of_row]), starts)
        squares = np.add.reduceat(n * (variance + (centre - mean[of_row]) ** 2), starts)
        std = np.sqrt(squares / (count - 1))
    told = (count > 1) & np.isfinite(std)
    return count, np.where(count > 0, mean, np.nan), np.where(told, std, np.nan)


def _column(table: pa.Table, name: str) -> Column:
    column: Column = table.column(name).to_numpy()
    return column
