"""Rows of the points table as a bare Arrow insert would bring them: no Weir in between."""

from __future__ import annotations

import time

import numpy as np
import pyarrow as pa


def losses(
    run_id: str, *, metrics: int, steps: int, first_step: int = 0, rank: int = 0
) -> pa.Table:
    """Return metrics × steps rows of float32-sourced losses: a decay with noise, 10 steps a second."""
    rng = np.random.default_rng(first_step)
    step = np.repeat(np.arange(first_step, first_step + steps, dtype=np.int64), metrics)
    column = np.tile(np.arange(metrics, dtype=np.int32), steps)
    decay = 2.0 * np.exp(-step / 20_000) + 0.1
    value = (decay + rng.normal(0, 0.02, step.size)).astype(np.float32).astype(np.float64)
    begin_us = 1_760_000_000_000_000
    jitter_us = np.repeat(rng.integers(0, 3_000, steps), metrics)
    ts = pa.array(begin_us + step * 100_000 + jitter_us, pa.int64()).cast(pa.timestamp("us", "UTC"))
    names = pa.array([f"train/metric_{index:02d}" for index in range(metrics)])
    count = step.size

    def constant(word: str) -> pa.DictionaryArray:
        return pa.DictionaryArray.from_arrays(np.zeros(count, np.int32), pa.array([word]))

    return pa.table(
        {
            "project": constant("bare"),
            "run_id": constant(run_id),
            "metric": pa.DictionaryArray.from_arrays(column, names),
            "step": step,
            "rank": np.full(count, rank, np.uint32),
            "value": value,
            "ts": ts,
            "ver": np.uint64(int(time.time()) << 32) + (step // 100).astype(np.uint64),
            "rewrite": np.zeros(count, np.uint8),
            "run_date": pa.array(np.full(count, np.datetime64("2026-11-01", "D"))),
        }
    )
