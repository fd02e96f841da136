"""What questions about ranks may ask for. Pure."""

from __future__ import annotations

import math
from typing import Final

from weir_store.errors import InvalidQuery
from weir_store.ranks.base import BY_SEAT, DivergenceQuery, ReduceQuery, StragglerQuery

MAX_RUNS: Final = 1_000
MAX_METRICS: Final = 1_000
MAX_BUCKETS: Final = 1_000_000
MAX_QUANTILES: Final = 20
MAX_RESAMPLED: Final = 20_000
"""Values that a bootstrap may be asked over: buckets × units. Each takes about 100 kB while it runs."""
MAX_ROWS: Final = 2_000_000
"""Rows of one answer."""
RUN_KEYS: Final = ("run", "group", "job_type")
CONFIG: Final = "config."


def check_reduce(query: ReduceQuery) -> None:
    """Raise `InvalidQuery` for a question that breaks a limit."""
    if not 1 <= len(query.runs) <= MAX_RUNS:
        raise InvalidQuery(f"{len(query.runs)} runs asked for", hint=f"1 … {MAX_RUNS}")
    if not 1 <= len(query.metrics) <= MAX_METRICS:
        raise InvalidQuery(f"{len(query.metrics)} metrics asked for", hint=f"1 … {MAX_METRICS}")
    for key in query.by or ():
        if key not in (*RUN_KEYS, *BY_SEAT) and key.removeprefix(CONFIG) in (key, ""):
            hint = ", ".join((*RUN_KEYS, *BY_SEAT, "config.PATH"))
            raise InvalidQuery(f"nothing is told apart by {key!r}", hint=hint)
    if len(query.quantiles) > MAX_QUANTILES or len(set(query.quantiles)) < len(query.quantiles):
        raise InvalidQuery("too many quantiles", hint=f"{MAX_QUANTILES} at most, each once")
    if any(not 0 <= q <= 1 for q in query.quantiles):
        raise InvalidQuery("a quantile lies outside 0 … 1", hint="e.g. 0.5 and 0.99")
    _check_buckets(query.max_points)


def check_stragglers(query: StragglerQuery) -> None:
    """Raise `InvalidQuery` for a question that breaks a limit."""
    if not (math.isfinite(query.half_life_steps) and query.half_life_steps > 0):
        raise InvalidQuery(f"half_life_steps is {query.half_life_steps}", hint="more than 0")
    _check_buckets(query.max_points)


def check_divergence(query: DivergenceQuery) -> None:
    """Raise `InvalidQuery` for a question that breaks a limit."""
    if not 1 <= query.window_steps <= MAX_BUCKETS:
        raise InvalidQuery(f"window_steps is {query.window_steps}", hint=f"1 … {MAX_BUCKETS}")
    if not (math.isfinite(query.threshold) and query.threshold > 0):
        raise InvalidQuery(f"threshold is {query.threshold}", hint="more than 0")
    if len(query.metrics) > MAX_METRICS:
        raise InvalidQuery(f"{len(query.metrics)} metrics asked for", hint=f"{MAX_METRICS} at most")


def check_rows(rows: int) -> None:
    """Raise `InvalidQuery` when an answer has more rows than anybody looks at."""
    if rows > MAX_ROWS:
        raise InvalidQuery(
            f"the answer has more than {MAX_ROWS} rows",
            hint="fewer buckets (max_points), runs, metrics or lines",
        )


def check_resampled(values: int) -> None:
    """Raise `InvalidQuery` when a bootstrap over so many values would take too long."""
    if values > MAX_RESAMPLED:
        raise InvalidQuery(
            f"a bootstrap over {values} values takes too long",
            hint=f"at most {MAX_RESAMPLED} buckets × units: fewer buckets (max_points), or interval t",
        )


def _check_buckets(max_points: int | None) -> None:
    if max_points is not None and not 1 <= max_points <= MAX_BUCKETS:
        raise InvalidQuery(f"max_points is {max_points}", hint=f"1 … {MAX_BUCKETS}")
