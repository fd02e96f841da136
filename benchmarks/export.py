"""`weir export` and `weir import`: points per second out to Parquet and back, every column of the tables."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import weir as sdk
from benchmarks.harness import Figure, running_weir
from benchmarks.reading import METRICS, POINTS, fill
from weir._export import export
from weir._export_manifest import total_bytes
from weir._export_place import place_of
from weir._import import import_export

RUNS = 2


def measure() -> list[Figure]:
    """Fill the tables through their views, then write them and bring them back under another name."""
    points = RUNS * METRICS * POINTS
    with running_weir() as weir, tempfile.TemporaryDirectory() as folder:
        for number in range(RUNS):
            fill(weir, f"run{number}", 1 + 63 * number)
        place = place_of(str(Path(folder) / "out"))
        with sdk.Api(weir.gateway, timeout_s=300) as api:
            begun_s = time.perf_counter()
            made = export(api, ["reading"], place)
            exported_s = time.perf_counter() - begun_s
            begun_s = time.perf_counter()
            import_export(api, place, project="back")
            imported_s = time.perf_counter() - begun_s
        if made.rows()["points"] != points:
            raise SystemExit(f"{made.rows()['points']} of {points} points were written")
    return [
        Figure(
            f"export of {points // 1_000_000} M points",
            points / exported_s / 1e6,
            "M points/s",
            ">= 1",
        ),
        Figure("import of them", points / imported_s / 1e6, "M points/s"),
        Figure("bytes of Parquet per point", total_bytes(made.files) / points, "bytes"),
    ]
