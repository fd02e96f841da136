"""Where the curve of a run is a line: runs that log at different steps must not make the mean jump.

Run A logs at 0, 10, 20 …, run B at 5, 15, 25 …: each bucket holds a point of one of
them. The mean of the two curves is what lies between their lines, not A, B, A, B.

Neighbours are joined as on the wall: not across what is wider than three buckets and
than five times the usual distance of the run's buckets, and not to what is not finite.
No line goes on before a run's first bucket or behind its last.
"""

from __future__ import annotations

from typing import Final

from weir_store.thinning import SERIES

NEAREST: Final = 3
USUAL_TIMES: Final = 5


def widest(first: int, last: int, held: int) -> float:
    """Return the farthest that two neighbours of a curve may be apart to be joined, in buckets.

    Args:
        first: Its first bucket.
        last: Its last.
        held: How many of those between them have points, at least two.
    """
    return max(NEAREST, USUAL_TIMES * (last - first) / (held - 1))


_MORE: Final = ("x_first", "x_last", "y_low", "y_high", "odd")


def joined_sql(curves: str) -> str:
    """Return a SELECT of curves with the buckets between joined neighbours.

    Args:
        curves: A SELECT of project, run_id, metric, slot, y, x_first, x_last, y_low, y_high, odd.

    Returns:
        The same columns with `place` and `height` in place of slot and y, and `logged`: whether the
        bucket has points. Where it has none, the other columns are those of the bucket before.
    """
    # A curve as one array: a third of the time that window functions take for the same.
    far = f"greatest({NEAREST}., {USUAL_TIMES} * (slots[-1] - slots[1]) / (length(slots) - 1))"
    near = f"slot_next - slot <= {far} AND isFinite(y) AND isFinite(y_next)"
    more = ", ".join(f"bucket.{n} AS {name}" for n, name in enumerate(_MORE, 3))
    return f"""SELECT {SERIES}, {", ".join(_MORE)}, slot + ahead AS place, ahead = 0 AS logged,
  if(ahead = 0, y, y + (y_next - y) * (ahead / (slot_next - slot))) AS height
FROM (
  SELECT {SERIES}, slots, bucket.1 AS slot, bucket.2 AS y, {more}, slot_next, y_next
  FROM (
    SELECT {SERIES}, arraySort(each -> each.1, groupArray((slot, y, {", ".join(_MORE)}))) AS buckets,
      arrayMap(each -> each.1, buckets) AS slots, arrayMap(each -> each.2, buckets) AS heights
    FROM ({curves}) GROUP BY {SERIES})
  ARRAY JOIN buckets AS bucket,
    arrayPushBack(arrayPopFront(slots), slots[-1]) AS slot_next, arrayPushBack(arrayPopFront(heights), nan) AS y_next)
ARRAY JOIN range(toUInt64(if(slot_next > slot + 1 AND {near}, slot_next - slot, 1))) AS ahead"""


def unjoined_sql(curves: str) -> str:
    """Return the columns of `joined_sql` for curves that do not go on between their buckets."""
    return f"SELECT * EXCEPT (slot, y), slot AS place, true AS logged, y AS height FROM ({curves})"
