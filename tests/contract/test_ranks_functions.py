"""The functions that SQL may call: made by migrate, kept by the engine, and the same as the readers' own."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.integration.fixtures_engine import start_engine
from weir_store import clickhouse
from weir_store.functions import FUNCTIONS
from weir_store.migrate import migrate
from weir_store.ranks import figures
from weir_store.ranks.base import Interval, Reduction
from weir_store.ranks.student import t95
from weir_store.sql.functions import is_allowed

DATABASE = "rank_functions"

numbers = st.lists(
    st.floats(-1e6, 1e6) | st.sampled_from((math.nan, math.inf, -math.inf)), max_size=20
)


def ask(connection: clickhouse.ClickHouse, sql: str, **told: Any) -> Any:
    return connection.query_rows(f"SELECT {sql}", told)[0][0]


def ask_of(connection: clickhouse.ClickHouse, sql: str, values: list[float]) -> Any:
    text = ", ".join("nan" if v != v else repr(v) for v in values)
    return ask(connection, sql.format(f"[{text}]::Array(Float64)"))


def near(one: float, other: float) -> bool:
    return (one != one and other != other) or math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-6)


def test_sql_may_call_every_one_of_them(connection: clickhouse.ClickHouse) -> None:
    known = connection.query_rows(
        "SELECT name FROM system.functions WHERE origin = 'SQLUserDefined'"
    )
    assert {name for (name,) in known} >= set(FUNCTIONS)
    assert all(is_allowed(name) for name in FUNCTIONS)


def test_the_engine_keeps_them_over_a_restart(tmp_path: Path) -> None:
    engine = start_engine(tmp_path / "clickhouse")
    migrate(clickhouse.connect(engine.url), DATABASE)
    engine.stop()
    engine = start_engine(tmp_path / "clickhouse")
    try:
        assert ask(clickhouse.connect(engine.url), "weir_iqm([1, 2, 3, 100])") == 2.5
    finally:
        engine.stop()


@pytest.mark.parametrize(
    ("step", "width", "bucket"),
    [(7, 4, 4), (8, 4, 8), (-1, 4, -4), (-4, 4, -4), (5, 0, 5), (0, 64, 0)],
)
def test_buckets_are_aligned_at_0(
    connection: clickhouse.ClickHouse, step: int, width: int, bucket: int
) -> None:
    assert ask(connection, f"weir_bucket({step}, {width})") == bucket


@pytest.mark.parametrize("freedom", [0, 1, 2, 10, 11, 30, 1_000])
def test_t_is_the_same_in_sql_and_in_python(
    connection: clickhouse.ClickHouse, freedom: int
) -> None:
    assert near(ask(connection, f"weir_t95({freedom})"), t95(freedom))


@pytest.mark.parametrize(
    ("freedom", "table"),
    [(1, 12.706), (5, 2.571), (11, 2.201), (20, 2.086), (60, 2.000), (120, 1.980)],
)
def test_t_is_what_the_tables_say(freedom: int, table: float) -> None:
    assert round(t95(freedom), 3) == table


@settings(max_examples=40, deadline=None)
@given(values=numbers)
def test_figures_of_an_array_are_those_of_the_readers(
    connection: clickhouse.ClickHouse, values: list[float]
) -> None:
    finite = sorted(v for v in values if math.isfinite(v))
    assert near(ask_of(connection, "weir_iqm({})", values), figures.figure(Reduction.IQM, finite))
    low, high = figures.interval(Interval.T, Reduction.MEAN, finite)
    assert near(ask_of(connection, "weir_ci_low({})", values), low)
    assert near(ask_of(connection, "weir_ci_high({})", values), high)


@settings(max_examples=5, deadline=None)
@given(values=numbers)
def test_a_bootstrap_is_the_same_whoever_draws_it(
    connection: clickhouse.ClickHouse, values: list[float]
) -> None:
    finite = sorted(v for v in values if math.isfinite(v))
    for function, of in (("weir_bootstrap", Reduction.MEAN), ("weir_bootstrap_iqm", Reduction.IQM)):
        told = ask_of(connection, function + "({})", values)
        assert all(map(near, told, figures.interval(Interval.BOOTSTRAP, of, finite)))


def test_a_bootstrap_of_many_seeds_is_about_as_wide_as_t() -> None:
    values = sorted(math.sin(17 * n) for n in range(200))
    t, drawn = (figures.interval(kind, Reduction.MEAN, values) for kind in Interval)
    assert math.isclose(t[1] - t[0], drawn[1] - drawn[0], rel_tol=0.15)


@settings(max_examples=20, deadline=None)
@given(values=numbers, weight=st.sampled_from((0.0, 0.5, 0.99)))
def test_smoothing_is_the_debiased_exponential_mean(
    connection: clickhouse.ClickHouse, values: list[float], weight: float
) -> None:
    told = ask_of(connection, "weir_smooth({}, " + repr(weight) + ")", values)
    smoothed, mass, last = 0.0, 0.0, math.nan
    for value, shown in zip(values, told, strict=True):
        if math.isfinite(value):
            smoothed, mass = smoothed * weight + value * (1 - weight), mass * weight + 1 - weight
            last = smoothed / mass
        assert near(shown, last)


def test_the_one_that_left_the_others_has_a_large_robust_z(
    connection: clickhouse.ClickHouse,
) -> None:
    told = ask(connection, "weir_robust_z([1.0, 1.1, 0.9, 1.05, 5.0, nan])")
    assert [abs(z) > 8 for z in told] == [False, False, False, False, True, False]
    assert math.isnan(told[5])
