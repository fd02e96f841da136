"""The SQL of bands: buckets of ranks → curves of runs → one row per group, metric and bucket. Pure text."""

from __future__ import annotations

from collections.abc import Sequence

from weir_store.groups import joining
from weir_store.groups.base import Group
from weir_store.parameters import Parameters
from weir_store.thinning import SERIES


def curves_sql(buckets: Sequence[str]) -> str:
    """Return the runs' curves: what `thinning.over_ranks` says, by bucket."""
    union = "\nUNION ALL\n".join(buckets)
    return f"""SELECT {SERIES}, slot, min(x_low) AS x_first, max(x_high) AS x_last,
  ifNull(avgOrNullIf(last_value, isFinite(last_value)), nan) AS y,
  min(low) AS y_low, max(high) AS y_high, groupBitOr(flags) AS odd
FROM ({union})
GROUP BY {SERIES}, slot"""


def bands_sql(
    buckets: Sequence[str],
    groups: Sequence[Group],
    parameters: Parameters,
    *,
    joined: bool,
    whole: bool,
) -> str:
    """Return what one pack of series adds to the bands, for merging.py.

    Args:
        buckets: SELECTs of buckets as thinning.py makes them.
        groups: Whose bands, by number.
        parameters: Where values are bound.
        joined: Whether buckets are whole numbers, and neighbours joined.
        whole: Whether this is the only pack: buckets in which no run logged are left out then.
    """
    curves = curves_sql(buckets)
    lines = joining.joined_sql(curves) if joined else joining.unjoined_sql(curves)
    rows = [(run.project, run.run_id, n) for n, each in enumerate(groups) for run in each.runs]
    told = parameters.rows(rows, "Tuple(String, String, UInt32)")
    return f"""SELECT band, toString(metric) AS metric, place,
  countIf(isFinite(height)) AS n, avgIf(height, isFinite(height)) AS centre,
  varPopStableIf(height, isFinite(height)) AS variance,
  min(if(logged, x_first, inf)) AS x_min, max(if(logged, x_last, -inf)) AS x_max,
  min(if(logged, y_low, inf)) AS lowest, max(if(logged, y_high, -inf)) AS highest,
  groupBitOrIf(odd, logged) AS nonfinite, countIf(logged AND odd != 0) AS bad, countIf(logged) AS present
FROM ({lines}) AS lines
INNER JOIN (
  SELECT member.1 AS of_project, member.2 AS of_run, member.3 AS band FROM (SELECT arrayJoin({told}) AS member)
) AS members ON toString(lines.project) = members.of_project AND toString(lines.run_id) = members.of_run
GROUP BY band, metric, place{" HAVING present > 0" if whole else ""}"""
