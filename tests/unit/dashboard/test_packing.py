"""What Python packs is what the browser unpacks."""

from __future__ import annotations

import base64
import json
import os
import shutil
import struct
import subprocess
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.dashboard.synthetic import two_projects
from weir_dashboard.packing import bucket_width, pack, part_of_x
from weir_store.records import Reduce, RunRef, SeriesQuery, XAxis

NUMPY = {"f64": "<f8", "f32": "<f4", "u8": "u1"}
REFS = (RunRef("gpt-small", "r0004"), RunRef("ddp", "ddp16"))


def unpack(raw: bytes) -> tuple[dict, dict[str, np.ndarray]]:
    (size,) = struct.unpack_from("<I", raw)
    header = json.loads(raw[4 : 4 + size])
    start = -(-(4 + size) // 8) * 8
    columns = {
        column["name"]: np.frombuffer(
            raw, NUMPY[column["type"]], column["length"], start + column["offset"]
        )
        for column in header["columns"]
    }
    return header, columns


def table(**query) -> pa.Table:
    question = SeriesQuery(REFS, ("train/loss", "val/loss"), 256, **query)
    return two_projects(12).read_series(question)


@pytest.mark.parametrize("reduce", Reduce)
def test_every_row_is_in_the_bytes_and_belongs_to_its_series(reduce):
    rows = table(reduce=reduce)
    header, columns = unpack(pack(rows, XAxis.STEP))
    assert sum(one["points"] for one in header["series"]) == rows.num_rows
    assert columns["x"].tolist() == rows.column("x").to_pylist()
    ends = np.cumsum([one["points"] for one in header["series"]])
    for one, end in zip(header["series"], ends, strict=True):
        row = rows.slice(int(end) - 1, 1).to_pylist()[0]
        assert one["run"] == f"{row['project']}/{row['run_id']}"
        assert (one["metric"], one["rank"]) == (row["metric"], row.get("rank", 0))


def test_columns_lie_on_multiples_of_eight():
    raw = pack(table(), XAxis.STEP)
    header, _ = unpack(raw)
    assert len(raw) % 8 == 0
    assert all(column["offset"] % 8 == 0 for column in header["columns"])


def test_no_rows_are_a_valid_answer():
    header, columns = unpack(pack(table().slice(0, 0), XAxis.STEP))
    assert header["series"] == []
    assert header["widths"] == {}
    assert all(len(column) == 0 for column in columns.values())


@pytest.mark.parametrize("value", [1e300, -1e-300])
def test_values_that_float32_would_lose_stay_float64(value):
    rows = table().slice(0, 3)
    rows = rows.set_column(rows.column_names.index("last"), "last", pa.array([value, np.nan, 1.0]))
    header, columns = unpack(pack(rows, XAxis.STEP))
    assert columns["y"][0] == value
    assert {c["name"]: c["type"] for c in header["columns"]}["y"] == "f64"


@given(st.integers(0, 12), st.lists(st.integers(0, 1 << 40), min_size=2, max_size=200, unique=True))
def test_the_printed_width_is_a_power_of_two_no_wider_than_the_buckets(shift, steps):
    x = np.sort(np.array(steps, dtype=np.int64))
    starts = np.flatnonzero(np.diff(x >> shift, prepend=-1))
    ends = np.append(starts[1:], len(x)) - 1
    width = bucket_width(x[starts].astype(float), x[ends].astype(float), XAxis.STEP)
    assert width == 0 or (width <= 1 << shift and np.log2(width) % 1 == 0)
    assert (width == 0) == bool(np.all(starts == ends))


def test_on_a_logarithmic_axis_the_printed_width_is_a_part_of_x():
    low, high = np.array([0.0, 1.0, 2.0, 100.0]), np.array([0.0, 1.0, 3.0, 110.0])
    assert part_of_x(low, high) == 0.5
    assert part_of_x(low[:2], high[:2]) == 0.0


def test_the_browser_half_keeps_its_promises(tmp_path: Path):
    node = shutil.which("node")
    if node is None:
        if os.environ.get("CI"):
            pytest.fail("no node: CI must run the browser half")
        pytest.skip("no node on PATH")
    raw = pack(table(), XAxis.STEP)
    header, columns = unpack(raw)
    ends = np.cumsum([one["points"] for one in header["series"]])
    expected = [
        {
            "run": one["run"],
            "x": columns["x"][end - one["points"] : end].tolist(),
            "bad": columns["bad"][end - one["points"] : end].tolist(),
            "y": [
                None if np.isnan(v) else float(v) for v in columns["y"][end - one["points"] : end]
            ],
        }
        for one, end in zip(header["series"], ends, strict=True)
    ]
    packed = tmp_path / "packed.json"
    packed.write_text(
        json.dumps(
            {
                "bytes": base64.b64encode(raw).decode(),
                "series": expected,
                "widths": header["widths"],
            }
        )
    )
    done = subprocess.run(
        [node, "--test", str(Path(__file__).with_name("wall.test.mjs"))],
        env={**os.environ, "WEIR_PACKED": str(packed)}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
