"""Comparing runs, without a page: changes, goals, seeds, columns, ranges, tables, axes, dots."""

from __future__ import annotations

import csv
import io
import json
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from weir_dashboard import (
    compare_change,
    compare_columns,
    compare_parallel,
    compare_ranges,
    compare_scatter,
    compare_seeds,
    compare_table,
    differences,
)
from weir_dashboard.compare_change import Verdict, change
from weir_dashboard.compare_columns import Column, column
from weir_store.records import Json, Run, RunRef

FINITE = st.floats(-1e12, 1e12, allow_nan=False).filter(lambda x: x == 0 or abs(x) > 1e-12)


def run(place: int, config: dict[str, Any] | None = None, **more: Any) -> Run:
    return Run(
        "p", f"r{place}", 1_000_000 * place, name=f"run {place}", config=config or {}, **more
    )


def numbers(*values: float, name: str = "config.x") -> Column:
    runs = [run(at, {"x": value}) for at, value in enumerate(values)]
    return replace(column("config.x", runs, {}), name=name)


# ── against the baseline ─────────────────────────────────────────────────────


@given(FINITE, FINITE)
def test_a_change_is_what_pandas_says(value: float, base: float) -> None:
    found = change(value, base)
    if value == base:
        assert found.verdict is Verdict.SAME
        return
    assert found.absolute == value - base
    if base:
        expected = pd.Series([base, value]).pct_change(fill_method=None).iloc[1] * (
            1 if base > 0 else -1
        )
        assert found.relative == pytest.approx(expected, rel=1e-9, abs=1e-12)
    else:
        assert found.relative is None


@pytest.mark.parametrize(
    ("value", "base", "goal", "verdict"),
    [
        (1.0, 2.0, "minimize", Verdict.BETTER),
        (3.0, 2.0, "minimize", Verdict.WORSE),
        (3.0, 2.0, "maximize", Verdict.BETTER),
        (1.0, 2.0, "maximize", Verdict.WORSE),
        (1.0, 2.0, "", Verdict.CHANGED),
        (math.nan, 2.0, "maximize", Verdict.WORSE),
        (2.0, math.nan, "minimize", Verdict.BETTER),
        (math.nan, math.nan, "minimize", Verdict.SAME),
        (math.inf, 2.0, "minimize", Verdict.WORSE),
        (math.nan, 2.0, "", Verdict.OTHER),
        ("adam", "sgd", "", Verdict.OTHER),
        (True, 1, "", Verdict.OTHER),
        (None, 1.0, "minimize", Verdict.ABSENT),
        (1.0, None, "", Verdict.ABSENT),
        (None, None, "", Verdict.SAME),
        (Json("[1, 2]"), Json("[1,2]"), "", Verdict.SAME),
    ],
)
def test_better_and_worse_follow_the_goal_and_nothing_else_does(value, base, goal, verdict):
    assert change(value, base, goal).verdict is verdict


def test_a_change_says_its_direction_in_signs_and_words_not_in_colour_alone():
    assert compare_change.text(change(0.88, 1.0, "minimize")) == "✓ −0.12 (−12.0 %)"
    assert compare_change.text(change(1.5, 1.0, "minimize")) == "✗ +0.5 (+50.0 %)"
    assert compare_change.text(change(1.5, 0.0)) == "Δ +1.5"
    assert compare_change.text(change("a", "b")) == "≠"
    assert compare_change.text(change(1.0, 1.0)) == ""
    assert set(compare_change.MARKS) == set(Verdict)


def test_a_goal_is_the_exact_rule_then_the_longest_glob_of_the_first_run_that_says_one():
    def rules(**told: str) -> Run:
        meta = {f"metric/{glob}": Json(json.dumps({"goal": goal})) for glob, goal in told.items()}
        return run(1, meta=meta)

    both = rules(**{"val/*": "maximize", "val/loss": "minimize"})
    assert compare_change.goal_of("val/loss", [run(0), both]) == "minimize"
    assert compare_change.goal_of("val/acc", [both]) == "maximize"
    assert compare_change.goal_of("train/loss", [both]) == ""
    assert compare_change.goals_of(["val/loss", "x"], [both]) == {"val/loss": "minimize"}
    broken = run(2, meta={"metric/val/loss": "{", "metric/*": Json('{"goal": "sideways"}')})
    assert compare_change.goal_of("val/loss", [broken]) == ""


# ── seeds together ───────────────────────────────────────────────────────────


@given(
    st.lists(st.none() | st.floats(-1e6, 1e6) | st.sampled_from([math.nan, math.inf]), max_size=30)
)
def test_a_mean_and_its_interval_are_those_of_scipy_over_the_finite_values(values):
    found = compare_seeds.mean_of(values)
    finite = np.array([v for v in values if v is not None and math.isfinite(v)])
    assert found.n == len(finite)
    assert found.left_out == sum(v is not None and not math.isfinite(v) for v in values)
    if not len(finite):
        assert math.isnan(found.mean)
        return
    assert found.mean == pytest.approx(finite.mean(), rel=1e-9, abs=1e-9)
    if len(finite) < 2:
        assert math.isnan(found.half)
        return
    half = stats.t.ppf(0.975, len(finite) - 1) * finite.std(ddof=1) / math.sqrt(len(finite))
    assert found.half == pytest.approx(half, rel=1e-4, abs=1e-6)


def test_runs_are_together_when_only_their_seed_differs():
    runs = [
        run(0, {"lr": 0.1, "seed": 1}), run(1, {"lr": 0.1, "seed": 2}), run(2, {"lr": 1, "seed": 1}),
        run(3, {"lr": 1.0, "seed": 2}), run(4, {"lr": True, "seed": 1}), run(5, {"seed": 1}),
    ]  # fmt: skip
    found = compare_seeds.groups(runs)
    assert [group.places for group in found] == [(0, 1), (2, 3), (4,), (5,)]
    assert [group.label for group in found[:2]] == ["lr=0.1", "lr=1"]
    assert sorted(at for group in found for at in group.places) == list(range(6))


@pytest.mark.parametrize(
    ("path", "seed"),
    [
        ("seed", True), ("train.seed", True), ("random_seed", True), ("data/seeds/0", True), ("SEED", True),
        ("seedling", False), ("lr", False), ("birdseed.size", False), ("exceeded", False),
    ],
)  # fmt: skip
def test_a_seed_is_known_by_its_name(path, seed):
    assert compare_seeds.is_seed(path) is seed


# ── columns ──────────────────────────────────────────────────────────────────


def test_nothing_is_dropped_silently_missing_and_nan_are_counted():
    runs = [
        run(0, {"x": 1.0}),
        run(1, {"x": math.nan}),
        run(2),
        run(3, {"x": -math.inf}),
        run(4, {"x": 4}),
    ]
    found = column("config.x", runs, {})
    assert (found.placed, found.missing, found.nonfinite) == (2, 1, 2)
    assert found.texts == ("1", "NaN", "", "−∞", "4")
    assert compare_scatter.lacking(found) == "1 without a value, 2 NaN or infinite"


def test_texts_booleans_and_mixtures_are_categories():
    found = column(
        "config.x", [run(0, {"x": "b"}), run(1, {"x": "a"}), run(2), run(3, {"x": True})], {}
    )
    assert found.categories == ("a", "b", "true")
    assert found.numbers.tolist()[:2] == [1.0, 0.0]
    assert math.isnan(found.numbers[2])
    assert found.missing == 1


def test_a_reduction_of_a_metric_is_read_from_what_it_came_to():
    results = {
        (RunRef("p", "r0"), "val/loss@x"): {"last": 2.0, "min": 1.0, "max": 3.0, "mean": None}
    }
    assert column("metric.val/loss@x@min", [run(0), run(1)], results).numbers[0] == 1.0
    assert column("metric.val/loss@x@mean", [run(0)], results).missing == 1
    assert column("nosuch.thing", [run(0)], results).missing == 1
    assert compare_columns.metric_of("metric.loss") is None


@pytest.mark.parametrize(
    ("values", "log"),
    [
        ((1e-4, 1e-3, 1e-2), True), ((1e-4, 3e-4, 1e-3, 3e-3), True), ((64, 128, 256), False),
        ((1.0, 2.0, 3.0), False), ((-1.0, 1e-3, 100.0), False), ((0.0, 1e-3, 1e-1), False), ((5.0, 5.0), False),
    ],
)  # fmt: skip
def test_an_axis_is_logarithmic_where_the_values_ask_for_it(values, log):
    assert numbers(*values).log is log


def test_config_that_tells_runs_apart_is_offered_first_and_names_of_runs_are_not():
    runs = [
        run(at, {"lr": 10.0**-at, "name": f"unique {at}", "depth": 12, "opt": "ab"[at % 2]})
        for at in range(20)
    ]
    assert compare_columns.telling_config(runs) == ["config.lr", "config.opt"]
    seeded = [replace(one, config={**one.config, "a_seed": at}) for at, one in enumerate(runs)]
    assert compare_columns.telling_config(seeded)[-1] == "config.a_seed"


# ── ranges ───────────────────────────────────────────────────────────────────

NAMES = st.text(min_size=1, max_size=30)
RANGES = st.dictionaries(
    NAMES.map(lambda text: f"config.{text}"),
    st.tuples(FINITE, FINITE).map(lambda ends: (min(ends), max(ends)))
    | st.lists(st.text(), max_size=4).map(tuple),
    max_size=5,
)


@given(RANGES)
def test_ranges_survive_the_address(ranges):
    assert compare_ranges.parse(compare_ranges.build(ranges)) == ranges


@given(st.lists(st.text(), max_size=5))
def test_what_an_address_says_wrongly_is_never_an_error(texts):
    compare_ranges.parse(texts)


@given(st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=40), st.floats(0, 1), st.floats(0, 1))
def test_runs_inside_are_those_that_numpy_finds_and_a_value_at_an_end_is_inside(values, a, b):
    axis = numbers(*values)
    range_ = compare_parallel.brushed(axis, a, b)
    assert compare_ranges.is_span(range_)
    low, high = range_
    kept = compare_ranges.inside([axis], {axis.name: range_}, len(values))
    array = np.array(values)
    assert kept.tolist() == ((array >= low) & (array <= high)).tolist()
    scale = compare_parallel.Scale.of(axis)
    places = scale.places(array)
    surely = (places > min(a, b) + 1e-6) & (places < max(a, b) - 1e-6)
    assert kept[surely].all()


@given(FINITE, FINITE)
def test_a_brushed_range_is_rounded_outwards_to_six_digits(a, b):
    low, high = compare_ranges.of_places(numbers(1.0, 2.0), a, b)
    assert low <= min(a, b)
    assert max(a, b) <= high
    for rounded, end in ((low, min(a, b)), (high, max(a, b))):
        assert rounded == pytest.approx(end, rel=2e-5)
        assert float(f"{rounded:.6g}") == rounded


def test_several_ranges_must_all_hold_and_runs_without_the_value_lie_outside():
    runs = [
        run(0, {"lr": 1.0, "o": "a"}),
        run(1, {"lr": 1.0, "o": "b"}),
        run(2, {"o": "a"}),
        run(3, {"lr": 9.0, "o": "a"}),
    ]
    axes = [column(f"config.{path}", runs, {}) for path in ("lr", "o")]
    kept = compare_ranges.inside(axes, {"config.lr": (0.5, 2.0), "config.o": ("a",)}, 4)
    assert kept.tolist() == [True, False, False, False]
    assert compare_ranges.inside(axes, {"config.o": ()}, 4).tolist() == [False] * 4
    assert compare_ranges.inside(axes, {}, 4).all()


# ── tables ───────────────────────────────────────────────────────────────────

A = run(0, {"lr": 1e-3}, summary={"loss": 1.0, "acc": 0.5})
B = run(1, {"lr": 3e-3}, summary={"loss": 0.5, "acc": 0.25})
GOALS = {"loss": "minimize", "acc": "maximize"}


def test_each_value_stands_against_the_baseline_which_comes_first():
    rows = differences.differences([A, B])
    table = compare_table.of_differences(rows, [A, B], [0, 1], 1, GOALS)
    assert list(table.cells.columns) == ["path", "run 1 · baseline", "run 0"]
    cells = dict(zip(table.cells["path"], table.cells["run 0"], strict=True))
    assert cells["loss ↓"] == "1  ✗ +0.5 (+100.0 %)"
    assert cells["acc ↑"] == "0.5  ✓ +0.25 (+100.0 %)"
    assert cells["lr"] == "0.001  Δ −0.002 (−66.7 %)"
    assert table.looks["run 1 · baseline"].tolist() == [""] * len(rows)
    coloured = table.looks["run 0"] != ""
    assert table.cells["run 0"][coloured].str.contains("[✓✗Δ≠–]").all()


def test_without_a_baseline_nothing_is_held_against_anything():
    rows = differences.differences([A, B])
    table = compare_table.of_differences(rows, [A, B], [0, 1], None, GOALS)
    assert not table.looks.to_numpy(dtype=bool).any()
    assert not table.cells["run 0"].str.contains("%").any()


def test_a_file_of_differences_holds_every_run_in_full():
    long = replace(B, config={"lr": 3e-3, "text": "x" * 5_000, "tuple": Json('["a,b", "c"]')})
    rows = differences.differences([A, long])
    read = list(csv.reader(io.StringIO(compare_table.csv_of_differences(rows, [A, long]))))
    assert read[0] == ["group", "path", "p/r0", "p/r1"]
    by_path = {row[1]: row for row in read[1:]}
    assert by_path["text"][2:] == ["", "x" * 5_000]
    assert by_path["tuple"][3] == '["a,b", "c"]'
    assert len(read) == len(rows) + 1


def test_names_that_are_the_same_or_are_taken_are_told_apart():
    twins = [replace(A, name="same"), replace(B, name="same")]
    assert len(set(compare_table.heads(twins))) == 2
    assert compare_table.heads([replace(A, name="path"), B])[0] != "path"
    rows = differences.differences(twins)
    assert compare_table.of_differences(rows, twins, [0, 1], None, {}).cells.shape[1] == 3


def results_of(**values: list[float | None]) -> dict[tuple[RunRef, str], dict[str, float | None]]:
    return {
        (RunRef("p", f"r{at}"), metric): {"last": value, "min": value, "max": value, "mean": value}
        for metric, column_ in values.items()
        for at, value in enumerate(column_)
        if value is not None
    }


def test_results_are_numbers_that_sort_with_the_change_beside_them():
    runs = [run(at) for at in range(4)]
    results = results_of(loss=[1.0, 0.5, None, math.nan])
    table = compare_table.of_results(runs, [("loss", "last")], results, 0, GOALS).cells
    assert table["loss last ↓"].tolist()[:2] == [1.0, 0.5]
    assert table["loss last ↓ vs baseline"].tolist() == ["", "✓ −50.0 %", "–", "✗"]
    assert table["baseline"].tolist() == ["baseline", "", "", ""]
    assert table["not finite"].tolist() == ["", "", "", "NaN loss last"]


def test_the_baseline_is_the_first_row_of_results():
    runs = [run(at) for at in range(4)]
    results = results_of(loss=[1.0, 0.5, 2.0, 4.0])
    table = compare_table.of_results(runs, [("loss", "last")], results, 2, GOALS).cells
    assert table["run"].tolist() == ["run 2", "run 0", "run 1", "run 3"]
    assert table["loss last ↓ vs baseline"].tolist() == ["", "✓ −50.0 %", "✓ −75.0 %", "✗ +100.0 %"]


def test_seeds_together_are_the_means_of_pandas_with_n_shown():
    runs = [run(at, {"lr": [0.1, 0.2][at % 2], "seed": at}) for at in range(7)]
    values = [1.0, 2.0, 3.0, 5.0, math.nan, 4.0, None]
    groups = compare_seeds.groups(runs)
    table = compare_table.of_groups(
        runs, groups, [("loss", "last")], results_of(loss=values), 0, GOALS
    ).cells
    frame = pd.DataFrame({"lr": [r.config["lr"] for r in runs], "loss": values})
    expected = frame.groupby("lr")["loss"].mean()
    assert table["loss last ↓ mean"].tolist() == pytest.approx(expected.tolist())
    assert table["runs"].tolist() == [4, 3]
    assert table["loss last ↓ n"].tolist() == ["2, 1 not finite", "3"]
    assert table["loss last ↓ vs baseline"].tolist() == ["", "✗ +83.3 %"]
    other = compare_table.of_groups(
        runs, groups, [("loss", "last")], results_of(loss=values), 1, GOALS
    ).cells
    assert other["group"].tolist() == table["group"].tolist()[::-1]
    assert other["loss last ↓ vs baseline"].tolist() == ["", "✓ −45.5 %"]


# ── pictures ─────────────────────────────────────────────────────────────────


@given(st.lists(st.floats(1e-9, 1e9), min_size=2, max_size=30))
def test_places_and_values_are_inverse_on_both_kinds_of_axes(values):
    for log in (False, True):
        scale = compare_parallel.Scale.of(
            replace(numbers(*values), log=log and len(set(values)) > 1)
        )
        places = scale.places(np.array(values))
        assert ((places >= -1e-9) & (places <= 1 + 1e-9)).all()
        back = [scale.value_at(float(place)) for place in places]
        assert back == pytest.approx(values, rel=1e-6, abs=1e-6 * max(values))


def test_ticks_are_the_values_where_they_are_few_and_lie_on_the_axis():
    few = numbers(1e-4, 3e-4, 1e-3, 3e-3)
    assert [text for _, text in compare_parallel.Scale.of(few).ticks(few)] == [
        "1e-4",
        "3e-4",
        "0.001",
        "0.003",
    ]
    many = numbers(*np.linspace(3, 77, 50))
    ticks = compare_parallel.Scale.of(many).ticks(many)
    assert [text for _, text in ticks] == ["20", "40", "60"]
    assert all(0 <= place <= 1 for place, _ in ticks)


def test_a_chart_of_axes_is_plain_json_with_a_gap_where_a_value_is_missing():
    runs = [run(0, {"x": 1.0, "o": "<b>"}), run(1, {"x": math.nan, "o": "a"}), run(2, {"o": "a"})]
    axes = [column(name, runs, {}) for name in ("config.x", "config.o")]
    spec = compare_parallel.spec(axes, axes[0], runs, {"config.o": ("a",)}, [False, True, True])
    assert json.loads(json.dumps(spec, allow_nan=False)) == json.loads(json.dumps(spec))
    assert spec["axes"][0]["places"][1:] == [None, None]
    assert spec["axes"][0]["without"] == 2
    assert spec["axes"][1]["range"] is not None
    assert spec["colors"][1] == compare_parallel.NO_COLOR
    assert [line["kept"] for line in spec["lines"]] == [False, True, True]


def test_dots_that_cannot_be_drawn_are_counted_and_each_knows_its_run():
    runs = [
        run(at, {"x": x, "o": o})
        for at, (x, o) in enumerate([(1.0, "a"), (math.nan, "b"), (3.0, None), (4.0, "a")])
    ]
    x, o = column("config.x", runs, {}), column("config.o", runs, {})
    found = compare_scatter.scatter(runs, x, x, o, None, [True, True, False, True])
    assert found.places == (0, 2, 3)
    assert found.gone == ("not drawn for x: 1 NaN or infinite", "1 dot without a colour")
    y = numbers(math.nan, 2.0, 3.0, math.inf, name="config.y")
    assert compare_scatter.scatter(runs, x, y, None, None, [True] * 4).places == (2,)
    items = found.spec["series"][0]["data"]
    assert [item["itemStyle"]["opacity"] for item in items] == [0.8, 0.2, 0.8]
    assert items[0]["name"] == "run 0\nx: 1\no: a"
    assert json.dumps(found.spec, allow_nan=False)


def test_a_box_is_two_ranges_and_over_categories_those_inside():
    runs = [run(at, {"x": float(at), "o": "abc"[at % 3]}) for at in range(6)]
    x, o = column("config.x", runs, {}), column("config.o", runs, {})
    ranges = compare_scatter.boxed(x, o, [[0.5, 3.2], [0.6, 2.4]])
    assert ranges == {"config.x": (0.5, 3.2), "config.o": ("b", "c")}
    assert compare_ranges.inside([x, o], ranges, 6).tolist() == [
        False,
        True,
        True,
        False,
        False,
        False,
    ]


def luminance(color: str) -> float:
    parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("background", ["#ffffff", "#171614"])
def test_every_colour_of_a_value_can_be_seen_in_both_themes(background):
    for place in np.linspace(0, 1, 41):
        pair = luminance(compare_parallel.mixed(float(place))), luminance(background)
        assert (max(pair) + 0.05) / (min(pair) + 0.05) >= 3
