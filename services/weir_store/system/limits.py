"""What a question about telemetry may ask: the same for both readers."""

from __future__ import annotations

from typing import Final

import pyarrow as pa

from weir_store.errors import InvalidQuery
from weir_store.system.base import SystemQuery

MOST_ROWS = 2_000_000
"""Rows of one answer."""
_MOST_NAMES: Final = 10_000
_MOST_POINTS: Final = 100_000


def check(query: SystemQuery) -> None:
    """Raise `InvalidQuery` for a question that breaks a limit."""
    if query.max_points is not None and not 1 <= query.max_points <= _MOST_POINTS:
        raise InvalidQuery(f"max_points is {query.max_points}", hint=f"1 … {_MOST_POINTS}")
    for what in ("metrics", "nodes", "devices"):
        named = len(getattr(query, what))
        if named > _MOST_NAMES:
            raise InvalidQuery(f"{named} {what} are named", hint=f"at most {_MOST_NAMES}")


def check_size(table: pa.Table) -> pa.Table:
    """Return the answer; raise `InvalidQuery` when it is too large to be given out at once."""
    if table.num_rows > MOST_ROWS:
        raise InvalidQuery(
            f"more than {MOST_ROWS} measurements match",
            hint="ask with max_points, or for fewer metrics, nodes or hours",
        )
    return table
