"""What `log()` keeps, refuses and counts."""

import logging
import math
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import weir
from weir.errors import InvalidPoint, RunFinished, UsageError
from weir.testing import capture, read_root


def steps(captured: Any, metric: str) -> list[int]:
    return [point.step for point in captured.points if point.metric == metric]


def test_what_is_logged_is_read_back() -> None:
    with capture() as captured, weir.init("p") as run:
        for i in range(1000):
            run.log({"loss": 1 / (i + 1), "val": {"acc": i, "ok": True}, "word": f"w{i}"})
    assert captured.values("loss") == [1 / (i + 1) for i in range(1000)]
    assert captured.values("val/acc") == list(range(1000))
    assert captured.values("val/ok") == [1.0] * 1000
    assert captured.values("word") == [f"w{i}" for i in range(1000)]
    assert run.stats == weir.Stats(logged=4000, spooled=4000, dropped=0, rejected=0)


def test_without_a_step_calls_are_counted() -> None:
    with capture() as captured, weir.init() as run:
        for _ in range(3):
            run.log({"a": 1.0})
        run.log({"a": np.float32(1)})
        run.log({"a": "text"})
    assert sorted(steps(captured, "a")) == [0, 1, 2, 3, 4]


def test_a_row_without_a_number_leaves_no_empty_block(tmp_path: Path) -> None:
    with weir.init("p", mode="offline", dir=tmp_path) as run:
        run.log({"a": "text"})
        run.log({})
        run.log({"a": None})
    blocks = [block for _, body in read_root(tmp_path) for block in body.points]
    assert blocks == []


def test_a_given_step_moves_the_count_on_but_never_back() -> None:
    with capture() as captured, weir.init() as run:
        run.log({"a": 1}, step=10)
        run.log({"a": 1})
        run.log({"a": 1}, step=3)
        run.log({"a": 1})
    assert sorted(steps(captured, "a")) == [3, 10, 11, 12]


def test_commit_false_stays_at_the_step() -> None:
    with capture() as captured, weir.init() as run:
        run.log({"a": 1}, commit=False)
        run.log({"b": np.float64(1)}, commit=False)
        run.log({"c": 1})
        run.log({"a": 1})
    assert {(p.metric, p.step) for p in captured.points} == {
        ("a", 0),
        ("b", 0),
        ("c", 0),
        ("a", 1),
    }


def test_a_step_logged_again_is_a_correction() -> None:
    with capture() as captured, weir.init() as run:
        run.log({"a": 1}, step=5)
        run.log({"a": 2}, step=5)
    assert captured.values("a") == [2.0]


def test_a_timestamp_is_kept_to_the_microsecond() -> None:
    moment = datetime(2024, 5, 6, 7, 8, 9, 123456, tzinfo=UTC)
    with capture() as captured, weir.init() as run:
        run.log({"a": 1}, timestamp=moment)
        run.log({"a": 1}, timestamp=12.5)
        run.log({"a": 1}, timestamp=0)
    assert [p.time_unix_us for p in captured.points] == [
        round(moment.timestamp() * 1e6),
        12_500_000,
        0,
    ]


def test_nan_and_infinity_survive() -> None:
    with capture() as captured, weir.init() as run:
        for value in (math.nan, math.inf, -math.inf):
            run.log({"a": value})
    nan, high, low = captured.values("a")
    assert math.isnan(float(nan))
    assert (high, low) == (math.inf, -math.inf)


def test_a_bad_value_is_dropped_counted_and_named_once(caplog: pytest.LogCaptureFixture) -> None:
    with capture() as captured, weir.init() as run, caplog.at_level(logging.WARNING, "weir"):
        for _ in range(5):
            run.log({"good": 1, "bad": object(), "huge": 10**400})
        run.log({"": 1, "a\nb": 2, 3: 4})
    assert captured.values("good") == [1.0] * 5
    assert run.stats == weir.Stats(logged=18, spooled=5, dropped=0, rejected=13)
    assert len(caplog.records) == 5
    assert captured.losses() == {"bad_value": 13}
    events = captured.events()
    assert [event["kind"] for event in events] == ["rejected"] * 5
    assert "neither a number nor a text" in events[0]["title"]


@pytest.mark.parametrize("step", [1.5, "x", 2**53 + 1, -(2**60), math.nan])
def test_a_bad_step_rejects_the_row_and_training_goes_on(step: Any) -> None:
    with capture() as captured, weir.init() as run:
        run.log({"a": 1, "b": 2}, step=0)
        run.log({"a": 1, "b": 2}, step=step)
        run.log({"a": 1, "b": 2})
    assert run.stats.rejected == 2
    assert steps(captured, "a") == [0, 1]


def test_a_bad_timestamp_rejects_the_row() -> None:
    with capture() as captured, weir.init() as run:
        run.log({"a": 1}, timestamp="yesterday")  # type: ignore[arg-type]
    assert (run.stats.rejected, captured.points) == (1, [])


@pytest.mark.parametrize(
    ("data", "step"), [({"a": object()}, None), ({"": 1}, None), ({"a": 1}, 1.5)]
)
def test_strict_raises_instead(data: dict[str, Any], step: Any) -> None:
    with capture(strict=True), weir.init() as run, pytest.raises(InvalidPoint):
        run.log(data, step=step)


@pytest.mark.parametrize("data", [None, [("a", 1)], "a", 5, {"a"}])
def test_log_takes_only_a_mapping(data: Any) -> None:
    with capture(), weir.init() as run, pytest.raises(UsageError, match="mapping"):
        run.log(data)


def test_log_after_finish_is_refused() -> None:
    with capture(), weir.init() as run:
        run.log({"a": 1})
        run.finish()
        for data in ({"a": 1}, {"new": 1}):
            with pytest.raises(RunFinished):
                run.log(data)
        with pytest.raises(RunFinished):
            run.config["a"] = 1


def test_many_different_rows_are_all_kept() -> None:
    with capture() as captured, weir.init() as run:
        for i in range(3000):
            run.log({f"m{i % 997}": i, "always": i}, step=i)
    assert len(captured.points) == 6000
    assert captured.values("always") == list(range(3000))


def test_a_very_wide_row_is_kept_whole() -> None:
    with capture() as captured, weir.init() as run:
        for _ in range(2):
            run.log({f"layer.{i}/weights/gradient/norm": i for i in range(20_000)})
    assert len(captured.points) == 40_000
    assert {p.step for p in captured.points} == {0, 1}


def test_a_step_logged_again_in_a_flood_does_not_wedge_the_spool() -> None:
    row = {f"a rather long metric name/{i}": float(i) for i in range(100)}
    with capture() as captured, weir.init() as run:
        for i in range(2_000):
            run.log(row, step=i)
            run.log({"a rather long metric name/7": -1.0}, step=i)
        assert run.flush(timeout=30)
    points = captured.points  # where a frame ends between the two, both are spooled: the later wins
    newest = {p.step: p.value for p in points if p.metric == "a rather long metric name/7"}
    assert newest == dict.fromkeys(range(2_000), -1.0)
    assert len(points) >= 200_000


def test_threads_that_log_at_once_lose_nothing_and_share_no_step() -> None:
    import threading

    with capture() as captured, weir.init() as run:
        threads = [
            threading.Thread(target=lambda: [run.log({"a": 1.0}) for _ in range(500)])
            for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(steps(captured, "a")) == list(range(2000))


@pytest.mark.parametrize("key", ["", "a\nb", "x" * 600, 3])
def test_a_key_or_tag_that_cannot_be_recorded_does_not_end_training(
    key: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with capture() as captured, weir.init() as run:
        for _ in range(2):
            run.config[key] = 1
            run.config["deep"] = {f"{key}\n": 1, "good": 2}
            run.summary[key] = 1
            run.tags.add(key)
            run.tags += (key, "good")
        assert run.stats.rejected >= 8
        assert len(run.config) <= 1
    assert captured.tags() == {"good"}
    assert captured.config() == {"deep.good": 2}
    assert captured.summary() == {}
    assert captured.losses()["bad_value"] == run.stats.rejected
    warned = [record.getMessage() for record in caplog.records]
    assert len(warned) == len(set(warned)), "said once"
    assert warned


def test_strict_raises_for_a_key_that_cannot_be_recorded() -> None:
    with capture(strict=True), weir.init() as run:
        with pytest.raises(InvalidPoint):
            run.config["a\nb"] = 1
        with pytest.raises(InvalidPoint):
            run.tags.add("")


@pytest.mark.parametrize("given", [{"config": {"a\nb": 1}}, {"tags": ["a\nb"]}])
def test_init_itself_raises_for_a_key_that_cannot_be_recorded(given: dict[str, Any]) -> None:
    with capture(), pytest.raises(UsageError, match="cannot be recorded"):
        weir.init(**given)


def test_a_mapping_that_holds_itself_is_refused_and_the_rest_of_it_is_kept() -> None:
    circle: dict[str, object] = {"loss": 0.5, "deep": {"x": 1.0}}
    circle["again"] = circle
    innermost: dict[str, Any] = {}
    bottomless = innermost
    for _ in range(5_000):
        innermost["a"] = innermost = {}
    with capture() as captured:
        run = weir.init("p")
        run.log(circle)
        run.log(bottomless)
        run.log({1: {"x": 2.0}})
        run.finish()
    assert {point.metric for point in captured.points} == {"loss", "deep/x"}
    assert run.stats.rejected == 3
