"""Bytes on disk per point after merge, float32-sourced losses."""

from __future__ import annotations

from benchmarks import rows
from benchmarks.end_to_end import connect
from benchmarks.harness import Figure, running_weir

METRICS, STEPS = 50, 100_000


def measure() -> list[Figure]:
    """Insert 5 M points in blocks as the writer does, merge, and weigh the parts."""
    with running_weir() as weir:
        client = connect(weir)
        for first in range(0, STEPS, 5_000):
            client.insert_arrow(
                "weir_raw.points",
                rows.losses("disk", metrics=METRICS, steps=5_000, first_step=first),
            )
        for table in ("points", "points_64", "series"):
            client.command(f"OPTIMIZE TABLE weir_raw.{table} FINAL")
        weighed = client.query(
            "SELECT table, sum(bytes_on_disk) FROM system.parts WHERE database = 'weir_raw' AND active GROUP BY table"
        )
    size = dict(weighed.result_rows)
    points = METRICS * STEPS
    return [
        Figure("points table after merge", size["points"] / points, "bytes/point", "<= 7"),
        Figure("roll-up of 64 steps beside it", size["points_64"] / points, "bytes/point"),
    ]
