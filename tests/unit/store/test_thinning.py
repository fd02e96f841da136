"""The laws of thinning: what lies in a bucket, where buckets begin, and where they are read from."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weir_store import plan
from weir_store.buckets import INT64, shifts, step_shift, value_width, whole_range
from weir_store.lineage import MAX_STEP, ByRank, Lineage, Piece
from weir_store.lives import lives_by_rank, unsafe_steps
from weir_store.memory_series import Point, read_points
from weir_store.parameters import Parameters
from weir_store.plan import Span, StepRange, make_plan
from weir_store.records import Reduce, RunRef, SeriesQuery
from weir_store.thinning import of_series

REF = RunRef("p", "r")
KEY = ("p", "r", "loss")
steps = st.integers(-(1 << 40), 1 << 40)
floats = st.floats(allow_nan=False, allow_infinity=False)


@given(steps, steps, st.integers(1, 10_000))
def test_steps_are_cut_into_at_most_max_points_buckets_of_the_finest_width(
    one: int, other: int, max_points: int
) -> None:
    first, last = sorted((one, other))
    shift = step_shift(first, last, max_points)
    most = max(max_points, 2 if first < 0 <= last else 1)
    assert (last >> shift) - (first >> shift) + 1 <= most
    if shift:
        assert (last >> (shift - 1)) - (first >> (shift - 1)) + 1 > most


@given(steps, steps, steps, st.integers(1, 1_000))
def test_zooming_in_only_ever_halves_buckets(a: int, b: int, c: int, max_points: int) -> None:
    first, middle, last = sorted((a, b, c))
    assert step_shift(first, middle, max_points) <= step_shift(first, last, max_points)


@given(floats, floats, st.integers(1, 10_000))
def test_values_are_cut_into_at_most_max_points_buckets_of_a_power_of_two(
    one: float, other: float, max_points: int
) -> None:
    first, last = sorted((one, other))
    width = value_width(first, last, max_points)
    assert math.frexp(width)[0] == 0.5
    most = max(max_points, 2 if first < 0 <= last else 1)
    buckets = math.floor(last / width) - math.floor(first / width) + 1
    assert buckets <= most or width == 2.0**1023


@given(st.none() | st.floats(allow_nan=False), st.none() | st.floats(allow_nan=False))
def test_a_range_in_whole_numbers_holds_the_same_numbers(
    low: float | None, high: float | None
) -> None:
    first, end = whole_range(low, high)
    assert INT64[0] <= first <= INT64[1]
    assert INT64[0] <= end <= INT64[1]
    for step in (first, end - 1, 0):
        inside = (low is None or step >= low) and (high is None or step < high)
        if -(1 << 52) < step < 1 << 52:
            assert (first <= step < end) is inside


def test_metrics_of_one_question_have_widths_of_their_own() -> None:
    reach = {"long": (0, 1_000_000), "short": (0, 99)}
    assert shifts(reach, INT64, 100) == {"long": 14, "short": 0}
    assert shifts(reach, (0, 100), 100) == {"long": 0, "short": 0}
    assert shifts(reach, INT64, None) == {"long": 0, "short": 0}


# ── the model keeps what a chart must show ──────────────────────────────────

small = st.floats(width=32)
series = st.dictionaries(st.integers(-200, 2_000), small, min_size=1, max_size=80)


@given(series, st.integers(1, 40))
def test_every_finite_point_lies_in_the_envelope_of_its_bucket(
    logged: dict[int, float], max_points: int
) -> None:
    points = [Point(KEY, 0, 0.0, step, step, value) for step, value in logged.items()]
    rows = read_points(points, {}, SeriesQuery((REF,), ("loss",), max_points), {}).to_pylist()
    assert len(rows) <= max(max_points, 2)
    for step, value in logged.items():
        row = next(row for row in rows if row["x_min"] <= step <= row["x_max"])
        if math.isfinite(value):
            assert row["min"] <= value <= row["max"]
        else:
            assert row["nonfinite"] & (1 if math.isnan(value) else 2 if value > 0 else 4)
    assert rows[-1]["step"] == max(logged)


@given(series, st.integers(1, 40))
def test_thinning_over_ranks_counts_every_rank_once_per_bucket(
    logged: dict[int, float], max_points: int
) -> None:
    points = [
        Point(KEY, rank, 0.0, step, step, value)
        for step, value in logged.items()
        for rank in (0, 3)
    ]
    query = SeriesQuery((REF,), ("loss",), max_points, reduce=Reduce.RANKS)
    for row in read_points(points, {}, query, {}).to_pylist():
        assert row["ranks"] == 2
        last = logged[row["step"]]  # both ranks logged the same
        assert row["mean"] == pytest.approx(last if math.isfinite(last) else math.nan, nan_ok=True)


# ── where buckets are read from ─────────────────────────────────────────────

ranges = st.tuples(st.integers(-300, 5_000), st.integers(-300, 5_000)).map(
    lambda pair: (min(pair), max(pair) + 1)
)


def _plan(span: Span, shift: int, asked: StepRange) -> plan.Plan:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(plan, "SMALL_ROWS", 0)
        return make_plan([span], shift, asked)


@given(
    ranges,
    ranges | st.just(INT64),
    st.lists(ranges, max_size=3),
    st.integers(6, 11),
    st.none() | st.integers(-300, 5_000),
)
def test_every_step_asked_for_is_read_exactly_once_and_never_unsafely(
    logged: StepRange,
    asked: StepRange,
    unsafe: list[StepRange],
    shift: int,
    forked_at: int | None,
) -> None:
    lineage = Lineage((Piece("r", ByRank(MAX_STEP)), Piece("parent", ByRank(forked_at or 0))))
    span = Span(
        KEY,
        logged[0],
        logged[1] - 1,
        1,
        plan.together(unsafe),
        lineage=None if forked_at is None else lineage,
    )
    found = _plan(span, shift, asked)
    for step in {logged[0], logged[1] - 1, *range(*logged, 37)}:
        points = [r for r in found.points if r[0] <= step < r[1]]
        rollup = [r for r in found.rollup if r[0] <= step >> 6 << 6 < r[1]]
        assert len(points + rollup) == (1 if asked[0] <= step < asked[1] else 0)
        if rollup:
            assert not any(low <= step < high for low, high in unsafe)
            assert forked_at is None or step >> 6 != forked_at >> 6
            slot = step >> shift << shift
            bucket = range(max(slot, logged[0]), min(slot + (1 << shift), logged[1]))
            assert all(asked[0] <= each < asked[1] for each in (bucket[0], bucket[-1]))
    begins = asked[0] >> 6 << 6
    for first, end in found.rollup:
        assert all(
            edge in INT64 or edge % (1 << shift) == 0 or edge in (begins, asked[1])
            for edge in (first, end)
        )


def test_a_short_series_is_read_from_the_points() -> None:
    found = make_plan([Span(KEY, 0, 9_999, 1)], 8, INT64)
    assert found.points == {INT64: (KEY,)}
    assert not found.rollup


def test_a_long_series_is_read_from_the_roll_up() -> None:
    found = make_plan([Span(KEY, 0, 999_999, 1)], 10, INT64)
    assert found.rollup == {INT64: (KEY,)}
    assert not found.points


def test_too_many_resumed_series_are_read_whole() -> None:
    resumed = ((64, 128),)
    spans = [Span(("p", f"r{n}", "m"), 0, 999, 1, resumed) for n in range(plan.MAX_SPLIT + 5)]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(plan, "SMALL_ROWS", 0)
        found = make_plan(spans, 6, INT64)
    assert len(found.points[INT64]) == 5


lives = st.lists(
    st.tuples(st.integers(1, 3), st.integers(0, 40), st.integers(0, 15), st.integers(0, 60)),
    min_size=1,
    max_size=5,
)


@given(lives)
def test_a_step_that_two_lives_show_is_never_taken_for_safe(
    told: list[tuple[int, int, int, int]],
) -> None:
    tops = {session: max(top, first) for session, first, _, top in told}
    rows = [
        (7, session, 0, first, first + more, tops[session], 0)
        for session, first, more, _ in told
        if first <= tops[session]
    ]
    unsafe = unsafe_steps(lives_by_rank(rows))
    for step in range(60):
        showing = {life[1] for life in rows if life[3] <= step <= min(life[4], life[5])}
        assert len(showing) < 2 or any(low <= step < high for low, high in unsafe)


def test_what_one_life_logged_after_another_is_safe() -> None:
    first, second = (0, 1, 0, 0, 100, MAX_STEP, 0), (0, 2, 0, 101, 200, MAX_STEP, 0)
    assert unsafe_steps(lives_by_rank([first, second])) == ()
    assert unsafe_steps(lives_by_rank([first, (9, *first[1:])])) == ()  # of two ranks
    assert unsafe_steps(lives_by_rank([first, (0, 2, 0, 90, 200, MAX_STEP, 0)])) == ((90, 101),)
    assert unsafe_steps(lives_by_rank([(*first[:-1], 1)])) == ((0, 101),)


def test_series_that_are_no_full_grid_are_picked_one_by_one() -> None:
    parameters = Parameters()
    grid = [("p", run, metric) for run in "ab" for metric in "xy"]
    assert "Tuple" not in of_series(grid, parameters)
    assert "Tuple" in of_series(grid[:3], parameters)
