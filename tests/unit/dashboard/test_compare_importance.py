"""Which parameters matter: known truths, a random forest on the same runs, and when nothing may be said."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats
from sklearn.ensemble import RandomForestRegressor
from sklearn.inspection import permutation_importance

from weir_dashboard.compare_columns import Column
from weir_dashboard.compare_importance import (
    FEWEST_RUNS,
    MOST_RUNS,
    importance,
    spearman,
)


def numbers(name: str, values) -> Column:
    array = np.asarray(values, np.float64)
    placed = np.where(np.isfinite(array), array, math.nan)
    return Column(name, placed, (), tuple(map(str, values)), 0, 0, False)


def categories(name: str, values) -> Column:
    known = tuple(sorted(set(values)))
    places = np.array([known.index(value) for value in values], np.float64)
    return Column(name, places, known, tuple(values), 0, 0, False)


def sweep(n: int, seed: int = 1):
    """lr matters most and not monotonically, the optimizer matters, depth a little, noise never."""
    random = np.random.default_rng(seed)
    lr = 10 ** random.uniform(-5, -1, n)
    optimizer = random.choice(["adamw", "lion", "sgd"], n)
    depth = random.integers(2, 24, n)
    nothing = random.uniform(0, 1, n)
    loss = (
        (np.log10(lr) + 3) ** 2
        + 1.2 * (optimizer == "sgd")
        + 0.02 * depth
        + random.normal(0, 0.1, n)
    )
    columns = [
        numbers("lr", lr),
        categories("optimizer", list(optimizer)),
        numbers("depth", depth),
        numbers("nothing", nothing),
    ]
    return columns, numbers("loss", loss)


@pytest.mark.parametrize("n", [40, 120, 400])
def test_what_matters_most_comes_first_and_noise_counts_for_next_to_nothing(n):
    columns, loss = sweep(n)
    found = importance(columns, loss)
    assert [weight.name for weight in found.weights][:2] == ["lr", "optimizer"]
    shares = {weight.name: weight.share for weight in found.weights}
    assert sum(shares.values()) == pytest.approx(1)
    assert shares["nothing"] < 0.08
    assert found.explained > 0.6
    assert not found.reason


def test_a_random_forest_orders_the_same_runs_the_same_way():
    columns, loss = sweep(300, seed=3)
    features = np.stack([column.numbers for column in columns], axis=1)
    half = 150
    forest = RandomForestRegressor(200, random_state=0).fit(features[:half], loss.numbers[:half])
    judged = permutation_importance(
        forest, features[half:], loss.numbers[half:], n_repeats=10, random_state=0
    )
    theirs = dict(zip((c.name for c in columns), judged.importances_mean, strict=True))
    ours = {weight.name: weight.loss for weight in importance(columns, loss).weights}
    order = ["lr", "optimizer", "depth"]
    assert sorted(order, key=theirs.get, reverse=True) == order
    assert sorted(order, key=ours.get, reverse=True) == order
    shares = [theirs[name] / sum(theirs[each] for each in order) for name in order]
    mine = [ours[name] / sum(ours[each] for each in order) for name in order]
    assert mine == pytest.approx(shares, abs=0.2)


def test_a_parameter_that_matters_only_together_with_another_is_found():
    random = np.random.default_rng(5)
    a, b, c = (random.choice([0.0, 1.0], 160) for _ in range(3))
    metric = numbers("m", (a != b) + random.normal(0, 0.05, 160))
    found = importance([numbers("a", a), numbers("b", b), numbers("c", c)], metric)
    shares = {weight.name: weight.share for weight in found.weights}
    assert shares["a"] > 0.35
    assert shares["b"] > 0.35
    assert shares["c"] < 0.1


def test_each_run_is_predicted_by_a_process_that_never_saw_it():
    """The closed form equals refitting without the run, one by one."""
    from weir_dashboard import compare_importance as under_test

    columns, loss = sweep(30)
    drawn = np.arange(30)
    target = under_test._standard(under_test._ranks(loss.numbers))
    model = under_test._Model.fitted([under_test._distances(c, drawn) for c in columns], target)
    kernel = under_test._together(model.kernels, model.pairs)
    noise = np.linalg.inv(model.inverse)[0, 0] - kernel[0, 0]
    predicted = np.einsum("ij,ji->i", kernel, model._left_out())
    for run in range(30):
        others = drawn != run
        weights = np.linalg.solve(
            kernel[np.ix_(others, others)] + noise * np.eye(29), target[others]
        )
        assert predicted[run] == pytest.approx(kernel[run, others] @ weights, abs=1e-6)


def test_the_same_question_has_the_same_answer_also_of_many_runs():
    columns, loss = sweep(MOST_RUNS + 200)
    one, other = importance(columns, loss), importance(columns, loss)
    assert one == other
    assert (one.runs, one.of) == (MOST_RUNS, MOST_RUNS + 200)


def test_pure_noise_is_not_explained_and_shares_nothing_out():
    random = np.random.default_rng(11)
    columns = [numbers(name, random.uniform(0, 1, 80)) for name in "abcdef"]
    found = importance(columns, numbers("m", random.normal(0, 1, 80)))
    assert "too little" in found.reason
    assert {weight.share for weight in found.weights} == {0.0}
    assert len(found.weights) == 6  # their correlations are still told


@pytest.mark.parametrize(
    ("columns", "metric", "reason"),
    [
        ([numbers("a", range(5))], numbers("m", range(5)), f"at least {FEWEST_RUNS}"),
        ([numbers("a", [1.0] * 20)], numbers("m", range(20)), "no parameter"),
        ([], numbers("m", range(20)), "no parameter"),
        ([numbers("a", range(20))], numbers("m", [2.0] * 20), "the same in all"),
        ([numbers("a", range(20))], categories("m", ["x", "y"] * 10), "no number"),
        ([numbers("a", range(20))], numbers("m", [math.nan] * 20), "0 runs"),
    ],
)
def test_too_little_data_says_why_instead_of_guessing(columns, metric, reason):
    found = importance(columns, metric)
    assert reason in found.reason
    assert found.weights == ()


def test_few_runs_for_many_parameters_are_called_a_guess():
    columns, loss = sweep(14)
    assert importance(columns, loss).guess
    columns, loss = sweep(60)
    assert not importance(columns, loss).guess


def test_runs_without_a_parameter_or_metric_do_not_break_it():
    columns, loss = sweep(80)
    holes = columns[0].numbers.copy()
    holes[::5] = math.nan
    gone = loss.numbers.copy()
    gone[::7] = math.nan
    found = importance([numbers("lr", holes), *columns[1:]], numbers("loss", gone))
    assert found.weights[0].name == "lr"
    assert found.of == int(np.isfinite(gone).sum())


def test_the_correlation_is_spearmans_ties_and_all():
    random = np.random.default_rng(2)
    a, b = random.integers(0, 9, 200), random.normal(0, 1, 200)
    b[3] = math.nan
    both = np.isfinite(b)
    expected = stats.spearmanr(a[both], b[both]).statistic
    assert spearman(numbers("a", a), numbers("b", b)) == pytest.approx(expected)
    assert math.isnan(spearman(categories("c", ["x", "y"] * 100), numbers("b", b)))
    assert math.isnan(spearman(numbers("a", [1.0] * 200), numbers("b", b)))
