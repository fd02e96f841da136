"""The columns of every answer about ranks: both readers conform to them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import pyarrow as pa

_TEXT, _F64, _I64, _U32, _U64 = pa.string(), pa.float64(), pa.int64(), pa.uint32(), pa.uint64()

_BUCKET: Final = {"metric": _TEXT, "project": _TEXT, "line": _TEXT}


def quantile_name(q: float) -> str:
    """Return the column of a quantile: `q50`, `q99.9`."""
    return f"q{q * 100:.10g}"


def reduced(quantiles: Sequence[float] = ()) -> pa.Schema:
    """Return the columns of `read_reduced`; NaN where there is nothing to say."""
    return pa.schema(
        {
            **_BUCKET,
            "step": _I64,  # the last in the bucket; step_min … step is what it holds
            "step_min": _I64,
            "count": _U32,  # units whose value is finite: what the figures are over
            "value": _F64,  # what was asked for, or declared
            "mean": _F64,
            "std": _F64,  # of the sample; NaN below two
            "ci_low": _F64,  # of 95 %; NaN below two
            "ci_high": _F64,
            "iqm": _F64,
            "min": _F64,
            "min_run_id": _TEXT,
            "min_rank": _U32,
            "max": _F64,
            "max_run_id": _TEXT,
            "max_rank": _U32,
            "nans": _U32,  # ranks that logged a NaN there
            "infs": _U32,  # … or ±Inf
            **{quantile_name(q): _F64 for q in quantiles},
        }
    )


RANKS: Final = pa.schema(
    {
        "role": _TEXT,
        "rank": _U32,
        "local_rank": _U32,
        "node": _TEXT,
        "attempt": _U32,  # of the newest life
        "lives": _U32,  # how many processes it was so far
        "world_size": _U32,
        "state": _TEXT,
        "started_unix_us": _I64,  # of the newest life
        "last_seen_unix_us": _I64,
        "step": _I64,  # the highest it logged, of any metric; -1 = none
        "behind": _I64,  # steps behind the first of its role
        "last_point_unix_us": _I64,  # 0 = none
    }
)

STRAGGLERS: Final = pa.schema(
    {
        "role": _TEXT,
        "rank": _U32,
        "node": _TEXT,
        "steps": _U32,  # that it and another rank logged
        "mean_s": _F64,
        "slowdown": _F64,  # mean of its time by the ranks' median of that step
        "slowest": _U32,  # steps at which it was the slowest
        "slowest_share": _F64,  # of its steps
        "lost_s": _F64,  # at these, its time minus the median, summed
        "persistence": _F64,  # 0 … 1: how often it was slowest lately, exponentially weighted
        "data_s": _F64,  # of lost_s: its part minus the part's median, summed; NaN = not logged
        "compute_s": _F64,
        "comm_s": _F64,
        "blame": _TEXT,  # data, compute, comm: the largest of these; "" = none is known
    }
)

STRAGGLER_NODES: Final = pa.schema(
    {
        "node": _TEXT,
        "ranks": _U32,
        "slowdown": _F64,  # mean over its ranks' steps
        "slowest": _U32,
        "slowest_share": _F64,  # of all steps
        "lost_s": _F64,
        "persistence": _F64,  # summed over its ranks
    }
)

STRAGGLER_STEPS: Final = pa.schema(
    {
        "role": _TEXT,
        "step": _I64,  # the last in the bucket
        "median_s": _F64,  # mean over its steps
        "slowest_s": _F64,  # highest
        "rank": _U32,  # of the highest
        "lost_s": _F64,  # sum
        "steps": _U32,
    }
)

NODES: Final = pa.schema(
    {
        "node": _TEXT,
        "runs": _U32,
        "ranks": _U32,  # (run, rank) pairs
        "steps": _U64,  # (run, rank, step) that were compared
        "slowdown": _F64,  # mean of its ranks' time by the median of that step
        "slowest": _U64,
        "slowest_share": _F64,  # of its steps
        "expected_share": _F64,  # if every rank were as fast
        "lost_s": _F64,
        "worst_runs": _U32,  # runs in which it lost most
    }
)

DIVERGENCE: Final = pa.schema(
    {
        "kind": _TEXT,  # diverged, nan, inf, -inf
        "metric": _TEXT,
        "role": _TEXT,
        "rank": _U32,
        "node": _TEXT,
        "step": _I64,  # where it began: of a window its first; of NaN and Inf the first one
        "last_step": _I64,  # where it was last so
        "z": _F64,  # of the worst window, signed; NaN for NaN and Inf
        "value": _F64,  # the rank's median in that window
        "others": _F64,  # the ranks' median in it
        "ranks": _U32,  # of nan, inf, -inf: how many ranks have any; else how many were compared
        "over": pa.bool_(),  # whether the rank has been back with the others since
    }
)
