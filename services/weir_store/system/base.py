"""The door to system telemetry: `SystemReader`, and the words it speaks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import pyarrow as pa

from weir_store.records import RunRef


@dataclass(frozen=True, slots=True)
class SystemQuery:
    """Which measurements, and how many of them.

    Attributes:
        ref: The run.
        metrics: Exact names, e.g. `gpu.utilization`; empty reads all.
        nodes: Empty reads all.
        devices: `gpu0`, `cpu3`, `eth0`, "" for the node as a whole; empty reads all.
        max_points: Buckets per series; `None` reads every measurement.
        from_unix_us: Inclusive; `None` = from the start.
        to_unix_us: Exclusive; `None` = to the end.
    """

    ref: RunRef
    metrics: tuple[str, ...] = ()
    nodes: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()
    max_points: int | None = None
    from_unix_us: int | None = None
    to_unix_us: int | None = None


class SystemReader(Protocol):
    """Asks for system telemetry. Safe from any thread.

    Raises `InvalidQuery` for a wrong question and `StoreUnavailable` when no
    answer comes in time, as `base.Reader` does. A run that does not exist has
    no telemetry.
    """

    def list_system(self, ref: RunRef) -> pa.Table:
        """Return one row per series, by metric, node, device.

        Columns: metric, node, device string, samples uint64, first_unix_us,
        last_unix_us int64, last, min, max, mean float64 (over the finite
        values, NaN where there is none).
        """
        ...

    def read_system(self, query: SystemQuery) -> pa.Table:
        """Read measurements by metric, node, device, time.

        full: metric, node, device string, time_unix_us int64, value float64.
        thinned, one row per bucket that holds some: metric, node, device,
        time_unix_us (of the last in it), first, last, min, max, mean float64.
        Buckets are powers of two wide (µs), aligned at 0 and share a width, so
        they stay put when one zooms; `min`, `max` and `mean` are over the
        finite values, NaN where there is none. A moment that was told twice
        shows its newest version. Over 2 million rows are `InvalidQuery`.
        """
        ...

    def read_usage(self, ref: RunRef) -> pa.Table:
        """Add up what the run took, by node and device.

        Columns: node, device string, hours float64 (measured time; gaps over
        a minute are not counted, here and below), energy_wh float64 (from the
        card's own counter where it has one, else from power over time; NaN
        when neither was measured), idle_share float64 (of the measured time,
        utilization under 5 %; NaN without utilization), mean_utilization
        float64 (0…100, by time). Devices are GPUs and other accelerators as a
        whole; parts of a card (`gpu0/mig1`) are not counted beside it.
        `usage.totals` adds the rows up.
        """
        ...
