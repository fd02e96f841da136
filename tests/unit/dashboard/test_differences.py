"""Everything in which runs differ: grouped, searched, with relative change; and the diff of their files."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest

from tests.unit.dashboard.synthetic import many_runs
from weir_dashboard import differences
from weir_dashboard.differences import differences as differ
from weir_store.records import Json, Run

A = Run(
    "p", "a", 0,
    config={"lr": 1e-3, "layers": 12},
    summary={"loss": 2.0, "acc": math.nan},
    meta={
        "git/commit": "aaa", "seed/given": 1, "data/c4/fingerprint": "sha256:1", "machine/gpu": "H100",
        "environment/packages": Json('{"torch": "2.9.1", "numpy": "2.0"}'), "variables/CUDA": "0",
        "command/line": "python t.py", "note": "x", "container/kind": "docker", "library/cuda": "12",
    },
    files={"code/diff.patch": json.dumps({"sha256": "1" * 64}), "same.txt": json.dumps({"sha256": "2" * 64})},
)  # fmt: skip


def found(a: Run, b: Run, **options) -> dict[str, list[str]]:
    rows: dict[str, list[str]] = {}
    for row in differ([a, b], **options):
        rows.setdefault(row.group, []).append(row.path)
    return rows


def test_runs_that_are_equal_do_not_differ_and_nan_is_equal_to_nan():
    assert differ([A, replace(A, run_id="b", config=dict(A.config))]) == []


def test_every_fact_lands_in_the_group_that_weir_diff_names():
    rows = found(A, replace(Run("p", "b", 0), state=A.state))
    assert rows == {
        "metrics": ["acc", "loss"],
        "config": ["layers", "lr"],
        "code": ["git/commit"],
        "data": ["data/c4/fingerprint"],
        "seeds": ["seed/given"],
        "command": ["command/line"],
        "packages": ["numpy", "torch"],
        "environment": ["library/cuda"],
        "machine": ["container/kind", "machine/gpu"],
        "variables": ["variables/CUDA"],
        "files": ["code/diff.patch", "same.txt"],
        "metadata": ["note"],
    }
    assert list(rows) == [group for group in differences.GROUPS if group in rows]


def test_the_change_of_a_result_is_relative_to_the_first_run():
    (row,) = differ([A, replace(A, summary={"loss": 1.5, "acc": math.nan})])
    assert (row.path, row.values, row.change) == ("loss", (2.0, 1.5), -0.25)


@pytest.mark.parametrize(
    ("a", "b"), [(0.0, 1.0), (1.0, math.inf), (True, 2), ("x", 1), (None, 1.0), (math.nan, 1.0)]
)
def test_a_change_that_means_nothing_is_not_said(a, b):
    assert differences.relative_change(a, b) is None


def test_true_is_not_one_and_json_is_compared_by_what_it_says():
    assert not differences.is_same(True, 1)
    assert differences.is_same(Json('{"a":1,"b":2}'), Json('{"b": 2, "a": 1}'))
    assert differences.is_same(1, 1.0)


def test_equal_rows_come_when_they_are_asked_for_and_a_search_needs_every_word():
    b = replace(A, config={"lr": 3e-3, "layers": 12})
    assert found(A, b) == {"config": ["lr"]}
    assert found(A, b, everything=True)["config"] == ["layers", "lr"]
    assert found(A, b, everything=True, search="H100 machine") == {"machine": ["machine/gpu"]}
    assert found(A, b, search="nothing-like-it") == {}


def test_three_runs_stand_side_by_side_without_a_change():
    runs = many_runs("p", 3)
    row = next(row for row in differ(runs) if row.path == "optimizer")
    assert row.values == ("adamw", "lion", "muon")
    assert all(row.change is None for row in differ(runs))


def test_files_that_both_have_and_that_differ_are_offered():
    b = replace(
        A, files={**A.files, "code/diff.patch": json.dumps({"sha256": "3" * 64}), "c": "{}"}
    )
    assert differences.shared_files(A, b) == ["code/diff.patch"]
    assert differences.digest_of(b, "code/diff.patch") == "3" * 64
    assert differences.digest_of(replace(A, files={"x": "no json"}), "x") == ""


def test_a_diff_of_files_is_unified_and_names_both():
    assert differences.file_diff(b"a\nb\n", b"a\nc\n", ("one", "two")) == [
        "--- one", "+++ two", "@@ -1,2 +1,2 @@", " a", "-b", "+c",
    ]  # fmt: skip
    assert differences.file_diff(b"a", b"a", ("one", "two")) == []


def test_a_long_diff_says_how_much_is_left_out():
    many = b"".join(b"%d\n" % i for i in range(differences.MOST_COMPARED_LINES + 5))
    lines = differences.file_diff(many, b"", ("one", "two"))
    assert len(lines) == differences.MOST_DIFF_LINES + 2
    assert lines[-2].endswith("more lines")
    assert f"{differences.MOST_COMPARED_LINES:,}" in lines[-1]
