"""Columns, edits and rows of the runs table: pure."""

from __future__ import annotations

import math
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weir_dashboard import bulk, columns_of, run_rows
from weir_store.edits import Edits, new_tags
from weir_store.filter import parse_field
from weir_store.records import Json, Run, RunRef

RUN = Run("p", "r", 1_000_000, name="n", tags=("a", "b"), notes="why")
NAMES = st.text(min_size=1).filter(lambda name: "\0" not in name)


@given(NAMES)
def test_a_column_of_any_name_is_one_the_filter_language_sorts_by(name):
    for column in (f"config.{name}", columns_of.begun("metric", name)):
        field = parse_field(columns_of.field(column))
        assert f"{field.space}.{field.name}" == column


@given(NAMES, st.sampled_from(columns_of.KINDS), st.integers(0, 1 << 62))
def test_a_metric_keeps_its_name_whatever_number_of_it_is_shown(name, kind, step):
    column = columns_of.of_kind(columns_of.begun("metric", name), kind, step)
    assert columns_of.known([column]) == [column]
    assert columns_of.kind_of(column) == kind
    assert columns_of.of_kind(column, "last") == columns_of.begun("metric", name)


def test_what_is_no_column_is_left_out_and_each_is_there_once():
    asked = ["config.lr", "nonsense", "config.", "metric.loss", "metric.loss@last", "files.a"]
    assert columns_of.known(asked) == ["config.lr", "metric.loss@last"]


@given(st.lists(st.integers(), min_size=1, unique=True), st.data())
def test_moving_a_column_keeps_all_of_them(numbers, draw):
    columns = [str(number) for number in numbers]
    at, by = draw.draw(st.integers(0, len(columns) - 1)), draw.draw(st.integers(-20, 20))
    moved = columns_of.moved(columns, at, by)
    assert sorted(moved) == sorted(columns)
    assert moved.index(columns[at]) == min(max(0, at + by), len(columns) - 1)


def test_the_last_value_needs_no_suffix_for_people():
    assert columns_of.label("metric.loss@last") == "metric.loss"
    assert columns_of.label("metric.map@50@last") == "metric.map@50"
    assert columns_of.order_label("-metric.loss@min") == "metric.loss@min ↓"


def test_what_was_typed_becomes_edits_of_what_is_different():
    rows = {0: {"tags": ["b", " c ", ""], "notes": None}, 1: {"name": "n"}}
    ((ref, edits),) = bulk.typed([RUN, RUN], rows)
    assert ref == RunRef("p", "r")
    assert edits == Edits(notes="", add_tags=("c",), remove_tags=("a",))


@given(st.lists(st.text()))
def test_typed_tags_are_what_the_run_has_then(tags):
    edits = bulk.edits_of(RUN, {"tags": tags})
    turned = new_tags(RUN, edits)
    after = (set(RUN.tags) | {t for t, on in turned.items() if on}) - {
        t for t, on in turned.items() if not on
    }
    assert after == set(bulk.clean_tags(tags))


def test_an_untouched_cell_changes_nothing():
    assert bulk.typed([RUN], {0: {}}) == []
    assert bulk.typed([RUN], {0: {"tags": ["b", "a"]}}) == []


# ── rows of a file ──────────────────────────────────────────────────────────


def _column(*values):
    runs = [
        Run("p", str(n), 1, config={} if value is None else {"x": value})
        for n, value in enumerate(values)
    ]
    return run_rows.table(runs, ["config.x"], 2.0)["config.x"]


@pytest.mark.parametrize(
    ("values", "kind", "held"),
    [
        ((1, None, 3), "int64", [1, None, 3]),
        ((1, 0.5), "double", [1.0, 0.5]),
        ((True, None), "bool", [True, None]),
        ((1, "adam", True), "string", ["1", "adam", "true"]),
        ((Json("[1]"),), "string", ["[1]"]),
        ((1 << 70,), "double", [float(1 << 70)]),
    ],
)
def test_a_column_of_a_file_has_the_type_that_holds_all_of_it(values, kind, held):
    column = _column(*values)
    assert str(column.type) == kind
    assert column.to_pylist() == held


def test_nan_and_infinity_reach_the_file():
    held = _column(math.nan, math.inf).to_pylist()
    assert math.isnan(held[0])
    assert held[1] == math.inf


def test_no_run_is_a_table_without_rows():
    assert run_rows.table([], ["config.x"], 2.0).num_rows == 0


def test_the_browser_half_of_the_filter_passes_its_tests():
    node = shutil.which("node")
    if node is None:
        if os.environ.get("CI"):
            pytest.fail("no node: CI must run the browser half")
        pytest.skip("no node on PATH")
    script = str(Path(__file__).with_name("filter.test.mjs"))
    done = subprocess.run([node, "--test", script], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
