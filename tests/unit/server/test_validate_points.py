"""Columns of points: whatever comes in, what is good of it goes on, and the counts add up."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from weir_proto.v1 import ingest_pb2 as pb
from weir_server.gateway.limits import MAX_CLOCK_ERROR_US, MAX_STEP, Limits
from weir_server.gateway.validate import Verdict, validate
from weir_server.settings import GatewaySettings

NOW = 1_800_000_000_000_000
LIMITS = Limits.of(GatewaySettings())


def check(body: pb.Body, limits: Limits = LIMITS, refused=()) -> Verdict:
    return validate(
        body.SerializeToString(), limits, now_unix_us=NOW, admit=lambda names: set(refused)
    )


def codes(verdict: Verdict) -> dict[str, int]:
    return {r.code: r.count for r in verdict.findings.rejects(1)}


def grid(values, *, steps=None, times=None, metrics=None) -> pb.PointBlock:
    values = np.array(values, "<f8")
    rows, width = values.shape
    steps = np.arange(rows) if steps is None else np.array(steps)
    times = np.full(rows, NOW) if times is None else np.array(times)
    metrics = np.arange(width) if metrics is None else np.array(metrics)
    return pb.PointBlock(
        width=width,
        metric=metrics.astype("<u4").tobytes(),
        step=steps.astype("<i8").tobytes(),
        time_unix_us=times.astype("<i8").tobytes(),
        value=values.tobytes(),
    )


def columns(metrics, steps, times, values, *, rewrites=False) -> pb.PointBlock:
    return pb.PointBlock(
        metric=np.array(metrics, "<u4").tobytes(),
        step=np.array(steps, "<i8").tobytes(),
        time_unix_us=np.array(times, "<i8").tobytes(),
        value=np.array(values, "<f8").tobytes(),
        rewrites=rewrites,
    )


def points_of(body: pb.Body) -> list[tuple[str, int, int, float]]:
    """Expand blocks point by point, the slow and obvious way."""
    points = []
    for block in body.points:
        metric = np.frombuffer(block.metric, "<u4").tolist()
        step = np.frombuffer(block.step, "<i8").tolist()
        time = np.frombuffer(block.time_unix_us, "<i8").tolist()
        value = np.frombuffer(block.value, "<f8").tolist()
        if block.width:
            points += [
                (body.names[m], step[r], time[r], value[r * block.width + c])
                for r in range(len(step))
                for c, m in enumerate(metric)
            ]
        else:
            points += [
                (body.names[m], s, t, v)
                for m, s, t, v in zip(metric, step, time, value, strict=True)
            ]
    return points


def test_a_good_body_is_taken_as_it_came():
    body = pb.Body(schema=1, names=["a", "b"], points=[grid([[1, 2], [float("nan"), 4]])])
    verdict = check(body)
    assert verdict.rest is None
    assert verdict.points == 4
    assert not verdict.findings


def test_nan_and_infinities_are_no_fault():
    values = [[float("nan"), float("inf"), float("-inf"), -0.0]]
    assert check(pb.Body(schema=1, names=list("abcd"), points=[grid(values)])).rest is None


def test_a_bad_name_costs_its_column_and_nothing_else():
    body = pb.Body(schema=1, names=["a", "b\x00", "c"], points=[grid([[1, 2, 3], [4, 5, 6]])])
    verdict = check(body)
    assert [(p[0], p[3]) for p in points_of(verdict.rest)] == [
        ("a", 1.0),
        ("c", 3.0),
        ("a", 4.0),
        ("c", 6.0),
    ]
    assert codes(verdict) == {"METRIC_NAME_CONTROL": 2}
    assert (verdict.points, verdict.findings.points) == (4, 2)


def test_a_bad_step_costs_its_row_and_nothing_else():
    body = pb.Body(
        schema=1, names=["a", "b"], points=[grid([[1, 2], [3, 4]], steps=[MAX_STEP + 1, 7])]
    )
    verdict = check(body)
    assert [(p[0], p[1], p[3]) for p in points_of(verdict.rest)] == [("a", 7, 3.0), ("b", 7, 4.0)]
    assert codes(verdict) == {"STEP_OUT_OF_RANGE": 2}


@pytest.mark.parametrize("step", [MAX_STEP, -MAX_STEP, 0])
def test_steps_up_to_the_limit_are_taken(step):
    assert check(pb.Body(schema=1, names=["a"], points=[grid([[1]], steps=[step])])).rest is None


@pytest.mark.parametrize("off", [MAX_CLOCK_ERROR_US + 1, -MAX_CLOCK_ERROR_US - 1, 2**62, -(2**62)])
def test_a_time_ten_years_off_costs_its_row(off):
    block = grid([[1], [2]], times=[NOW + off, NOW])
    verdict = check(pb.Body(schema=1, names=["a"], points=[block]))
    assert [p[3] for p in points_of(verdict.rest)] == [2.0]
    assert codes(verdict) == {"TIME_OUT_OF_RANGE": 1}


def test_one_metric_too_many_is_refused_and_the_others_stay():
    body = pb.Body(schema=1, names=["old", "new"], points=[grid([[1, 2]])])
    verdict = check(body, refused=["new"])
    assert [p[0] for p in points_of(verdict.rest)] == ["old"]
    assert codes(verdict) == {"TOO_MANY_METRICS": 1}


def test_an_index_beyond_the_names_costs_its_points():
    verdict = check(pb.Body(schema=1, names=["a"], points=[grid([[1, 2]], metrics=[0, 9])]))
    assert [p[3] for p in points_of(verdict.rest)] == [1.0]
    assert codes(verdict) == {"INDEX_OUT_OF_RANGE": 1}


def test_blocks_that_do_not_fit_are_dropped_and_others_kept():
    bad = grid([[1, 2]])
    bad.step = b"123"
    verdict = check(pb.Body(schema=1, names=["a", "b"], points=[bad, grid([[3, 4]])]))
    assert [p[3] for p in points_of(verdict.rest)] == [3.0, 4.0]
    assert codes(verdict) == {"COLUMNS_MISMATCH": 2}


def test_a_name_no_point_uses_is_blanked_and_not_reported():
    body = pb.Body(schema=1, names=["a", "x" * 600], points=[grid([[1]])])
    verdict = check(body)
    assert verdict.rest is None or list(verdict.rest.names) == ["a", ""]
    assert verdict.points == 1


def test_names_are_measured_in_bytes():
    name = "é" * 256
    body = pb.Body(schema=1, names=[name], points=[grid([[1]])])
    assert check(body).rest is None
    body.names[0] = name + "é"
    assert codes(check(body)) == {"METRIC_NAME_TOO_LONG": 1}


def test_rewrites_is_kept():
    block = columns([0, 0], [1, MAX_STEP + 1], [NOW] * 2, [1.0, 2.0], rewrites=True)
    verdict = check(pb.Body(schema=1, names=["a"], points=[block]))
    assert verdict.rest.points[0].rewrites


def test_a_text_too_long_is_taken_out_with_its_step():
    texts = pb.TextBlock(
        metric=np.array([0, 1], "<u4").tobytes(),
        step=np.array([1, 2], "<i8").tobytes(),
        time_unix_us=np.array([NOW] * 2, "<i8").tobytes(),
        value=["x" * (LIMITS.max_text_bytes + 1), "fine"],
    )
    verdict = check(pb.Body(schema=1, names=["a", "b"], texts=[texts]))
    (rest,) = verdict.rest.texts
    assert list(rest.value) == ["fine"]
    assert np.frombuffer(rest.metric, "<u4").tolist() == [1]
    assert np.frombuffer(rest.step, "<i8").tolist() == [2]
    assert codes(verdict) == {"TEXT_TOO_LONG": 1}
    assert verdict.points == 1


NAMES = st.lists(
    st.sampled_from(["a", "b", "", "x\x1f", "y" * 600, "refused", "ünïcode/ok"]),
    min_size=1,
    max_size=6,
)
STEPS = st.sampled_from([0, 1, -5, MAX_STEP, MAX_STEP + 1, -MAX_STEP - 1, 2**62])
TIMES = st.sampled_from([NOW, NOW - 1, NOW + MAX_CLOCK_ERROR_US, NOW - MAX_CLOCK_ERROR_US - 1, 0])
INDICES = st.integers(0, 8)


def good(point: tuple[str, int, int, float]) -> bool:
    name, step, time, _ = point
    return (
        name in ("a", "b", "ünïcode/ok")
        and abs(step) <= MAX_STEP
        and abs(time - NOW) <= MAX_CLOCK_ERROR_US
    )


@st.composite
def blocks(draw) -> pb.PointBlock:
    rows, width = draw(st.integers(0, 4)), draw(st.integers(0, 4))
    steps = draw(st.lists(STEPS, min_size=rows, max_size=rows))
    times = draw(st.lists(TIMES, min_size=rows, max_size=rows))
    if width:
        metrics = draw(st.lists(INDICES, min_size=width, max_size=width))
        values = np.arange(rows * width, dtype="<f8").reshape(rows, width)
        return grid(values, steps=steps, times=times, metrics=metrics)
    metrics = draw(st.lists(INDICES, min_size=rows, max_size=rows))
    return columns(metrics, steps, times, np.arange(rows))


@settings(max_examples=300, deadline=None)
@given(NAMES, st.lists(blocks(), max_size=3))
def test_what_is_kept_is_exactly_what_is_good(names, some_blocks):
    body = pb.Body(schema=1, names=names, points=some_blocks)
    padded = pb.Body(names=[*names, *(["\x00"] * 9)], points=some_blocks)  # for indices beyond
    expected = [point for point in points_of(padded) if good(point)]
    verdict = check(body, refused=["refused"])
    kept = points_of(body if verdict.rest is None else verdict.rest)
    assert sorted(kept) == sorted(expected)
    assert verdict.points == len(expected)
    assert verdict.points + verdict.findings.points == len(points_of(padded))
    if verdict.rest is not None:  # what was made good is good
        again = check(verdict.rest, refused=["refused"])
        assert again.points == verdict.points
        assert not again.findings
