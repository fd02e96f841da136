"""`weir.plot`: what scikit-learn computes, and specifications that Vega-Lite takes."""

from typing import Any

import altair
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

import weir
from weir._media.curves import confusion, one_against_all, precision_recall, roc
from weir.testing import capture

GENERATOR = np.random.default_rng(11)


def spec_of(value: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    with capture(strict=True) as captured, weir.init() as run:
        run.log({"m": value})
    view = captured.media("m")[0]
    return view.value(), view.facts


def samples(draw: Any) -> tuple[np.ndarray, np.ndarray]:
    pairs = draw(
        st.lists(st.tuples(st.booleans(), st.integers(-5, 5)), min_size=2, max_size=60).filter(
            lambda found: len({positive for positive, _ in found}) == 2
        )
    )
    return np.array([p for p, _ in pairs]), np.array([s / 4 for _, s in pairs])


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_the_roc_curve_is_scikit_learns_ties_and_all(data: Any) -> None:
    positive, score = samples(data.draw)
    curve = roc(positive, score)
    x, y, _ = metrics.roc_curve(positive, score, drop_intermediate=False)
    assert np.allclose(curve.x, x)
    assert np.allclose(curve.y, y)
    assert curve.area == pytest.approx(metrics.roc_auc_score(positive, score))


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_precision_and_recall_are_scikit_learns_ties_and_all(data: Any) -> None:
    positive, score = samples(data.draw)
    curve = precision_recall(positive, score)
    precision, recall, _ = metrics.precision_recall_curve(positive, score)
    assert np.allclose(curve.x, recall[::-1])
    assert np.allclose(curve.y, precision[::-1])
    assert curve.area == pytest.approx(metrics.average_precision_score(positive, score))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=1, max_size=60))
def test_the_confusion_matrix_is_scikit_learns(pairs: list[tuple[int, int]]) -> None:
    true, predicted = np.array(pairs).T
    classes = np.union1d(true, predicted)
    found = confusion(true, predicted, classes)
    assert np.array_equal(found, metrics.confusion_matrix(true, predicted, labels=classes))


def test_every_class_has_its_curve_and_its_area() -> None:
    true = GENERATOR.integers(0, 3, 400)
    score = GENERATOR.dirichlet([1, 1, 1], 400)
    for plot, key, area_of in (
        (weir.plot.roc_curve, "auc", metrics.roc_auc_score),
        (weir.plot.pr_curve, "ap", metrics.average_precision_score),
    ):
        spec, facts = spec_of(plot(true, score, ["cat", "dog", "cow"]))
        for at, name in enumerate(("cat", "dog", "cow")):
            assert facts[key][name] == pytest.approx(area_of(true == at, score[:, at]))
        assert len({row["class"] for row in spec["data"]["values"]}) == 3
        altair.Chart.from_dict(spec)  # raises on what Vega-Lite does not know


def test_long_curves_are_thinned_but_their_area_is_of_all() -> None:
    true, score = GENERATOR.integers(0, 2, 50_000), GENERATOR.uniform(size=50_000)
    spec, facts = spec_of(weir.plot.roc_curve(true, score))
    rows = spec["data"]["values"]
    assert len(rows) == 1_000
    assert [rows[0]["false positive rate"], rows[-1]["true positive rate"]] == [0, 1]
    assert facts["auc"]["1"] == pytest.approx(metrics.roc_auc_score(true, score))


def test_chosen_classes_only() -> None:
    true, score = np.array([0, 1, 2, 0]), np.eye(3)[[0, 1, 2, 1]]
    _, facts = spec_of(weir.plot.roc_curve(true, score, ["a", "b", "c"], classes_to_plot=["b"]))
    assert list(facts["auc"]) == ["b"]


def test_labels_may_be_words_and_a_class_may_never_occur() -> None:
    pairs = one_against_all(np.array(["no", "yes", "no"]), np.array([0.1, 0.9, 0.2]))
    assert list(pairs) == ["yes"]
    _, facts = spec_of(weir.plot.roc_curve([0, 1, 0], np.ones((3, 3)) / 3))
    assert facts["auc"]["2"] is None, "a class without a sample has no area"


def test_a_matrix_counts_every_pair_in_every_form_of_prediction() -> None:
    true = [0, 1, 2, 2]
    score = np.eye(3)[[0, 2, 2, 1]]
    for plot in (
        weir.plot.confusion_matrix(true, [0, 2, 2, 1], ["a", "b", "c"]),
        weir.plot.confusion_matrix(true, preds=[0, 2, 2, 1], class_names=["a", "b", "c"]),
        weir.plot.confusion_matrix(true, probs=score, class_names=["a", "b", "c"]),
    ):
        spec, facts = spec_of(plot)
        counts = {(row["true"], row["predicted"]): row["count"] for row in spec["data"]["values"]}
        assert counts["b", "c"] == counts["c", "b"] == counts["c", "c"] == counts["a", "a"] == 1
        assert sum(counts.values()) == 4
        assert len(counts) == 9
        assert facts["accuracy"] == 0.5
        altair.LayerChart.from_dict(spec)


COLUMNS = {"step.no": [1, 2, 3], "loss": [0.5, None, 0.1], "who": ["a", "a", "b"]}


@pytest.mark.parametrize(
    "table",
    [
        COLUMNS,
        pd.DataFrame(COLUMNS),
        pl.DataFrame(COLUMNS),
        pa.table(COLUMNS),
        weir.Table(pd.DataFrame(COLUMNS)),
        weir.Table(list(COLUMNS), list(zip(*COLUMNS.values(), strict=True))),
    ],
    ids=["columns", "pandas", "polars", "Arrow", "Table of pandas", "Table of rows"],
)
def test_lines_dots_bars_and_spreads_come_from_any_table(table: Any) -> None:
    plots = {
        "line": weir.plot.line(table, "step.no", "loss", stroke="who", title="t"),
        "scatter": weir.plot.scatter(table, "step.no", "loss", color="who"),
        "bar": weir.plot.bar(table, "who", "step.no"),
        "histogram": weir.plot.histogram(table, "loss"),
    }
    for name, plot in plots.items():
        spec, facts = spec_of(plot)
        assert facts["plot"] == name
        altair.Chart.from_dict(spec)
    spec, _ = spec_of(plots["line"])
    assert spec["title"] == "t"
    assert [row["step.no"] for row in spec["data"]["values"]] == [1, 2, 3]
    assert spec["data"]["values"][1]["loss"] is None
    assert spec["encoding"]["x"]["field"] == "step\\.no", "a dot would be read as a path"


def test_a_chart_of_too_many_rows_says_what_to_do(caplog: pytest.LogCaptureFixture) -> None:
    with capture() as captured, weir.init() as run:
        run.log({"m": weir.plot.line({"x": range(10_001), "y": range(10_001)}, "x", "y")})
    assert captured.points == []
    assert "at most 10,000" in caplog.text


def test_a_chart_is_of_what_was_there_when_it_was_logged() -> None:
    true, score = np.array([0, 1]), np.array([0.2, 0.8])
    with capture() as captured, weir.init() as run:
        run.log({"m": weir.plot.roc_curve(true, score)})
        score[:] = [0.8, 0.2]
    assert captured.media("m")[0].facts["auc"] == {"1": 1.0}
