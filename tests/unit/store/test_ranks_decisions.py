"""What is decided about ranks before any store is asked."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from weir_store.ranks import hangs
from weir_store.ranks.base import DECLARABLE, Over, Patience, ReduceQuery, Reduction
from weir_store.ranks.board import Share, blame, node_table, rank_table
from weir_store.ranks.declared import read_declared
from weir_store.ranks.hangs import Progress
from weir_store.ranks.lines import Labels, is_seed, run_lines
from weir_store.ranks.names import find_all, find_metric, seconds_in
from weir_store.records import RunRef

RUN = RunRef("p", "r")
NOW_US = 1_000_000_000
PATIENCE = Patience(times=10, floor_s=60)


def rank(number: int, step: int, silent_s: float, usual_s: float = 1.0, **more: object) -> Progress:
    last_us = NOW_US - round(silent_s * 1e6)
    told = Progress(RUN, "trainer", number, f"n{number}", step, last_us, usual_s)
    return replace(told, **more)  # type: ignore[arg-type]


# ── hangs ───────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("ranks", "suspects"),
    [
        ([rank(0, 9, 61), rank(1, 9, 61)], ()),  # all at the same step: nobody is behind
        ([rank(0, 9, 61), rank(1, 8, 62)], (1,)),
        ([rank(0, 9, 61), rank(1, 7, 70), rank(2, 8, 62)], (1, 2)),
        ([rank(0, 50, 1), rank(1, 8, 61)], (1,)),  # the others go on
        ([rank(0, 9, 61)], ()),
    ],
)
def test_who_is_behind_is_suspected(ranks: list[Progress], suspects: tuple[int, ...]) -> None:
    found = hangs.judge(ranks, NOW_US, PATIENCE)
    assert found is not None
    assert found.suspects == suspects


@pytest.mark.parametrize(
    "ranks",
    [
        [rank(0, 9, 59), rank(1, 8, 59)],  # not long enough
        [rank(0, 9, 61), rank(1, 8, 59)],  # one still moves, the quiet one is ahead
        [rank(0, 9, 90, usual_s=10), rank(1, 9, 90)],  # a step usually takes 10 s
    ],
)
def test_patience_is_ten_usual_steps_and_the_floor(ranks: list[Progress]) -> None:
    assert hangs.judge(ranks, NOW_US, PATIENCE) is None


def test_a_single_point_says_nothing_of_the_pace() -> None:
    assert hangs.allowed_s([rank(0, 1, 0, usual_s=math.nan)], PATIENCE) == 60


def test_each_role_of_each_run_hangs_by_itself() -> None:
    other = replace(rank(0, 3, 100), role="rollout")
    found = hangs.find([rank(0, 9, 1), other, rank(1, 9, 1)], NOW_US, PATIENCE)
    assert [(each.role, each.step) for each in found] == [("rollout", 3)]


def test_the_same_hang_keeps_its_key_and_a_later_one_has_another() -> None:
    first = hangs.judge([rank(0, 9, 61)], NOW_US, PATIENCE)
    still = hangs.judge([rank(0, 9, 400)], NOW_US, PATIENCE)
    later = hangs.judge([rank(0, 12, 61)], NOW_US, PATIENCE)
    assert first
    assert still
    assert later
    assert first.key == still.key != later.key


def test_many_suspects_are_counted_not_listed() -> None:
    found = hangs.judge([rank(99, 9, 61), *(rank(n, 1, 61) for n in range(40))], NOW_US, PATIENCE)
    assert found
    assert len(found.suspects) == 40
    assert "and 32 more" in found.body


# ── names ───────────────────────────────────────────────────────────────────


def test_a_metric_is_found_by_its_whole_name_or_its_last_part() -> None:
    wanted = ("step_time_s", "step_time")
    assert find_metric(["perf/step_time", "loss"], wanted) == "perf/step_time"
    assert find_metric(["a/step_time", "b/c/step_time_s"], wanted) == "b/c/step_time_s"
    assert find_metric(["x/step_time_s", "step_time_s"], wanted) == "step_time_s"
    assert find_metric(["my_step_time", "step_time_s/max"], wanted) == ""
    assert find_all(["train/loss", "val/loss", "losses"], ("loss",)) == ["train/loss", "val/loss"]
    assert [seconds_in(name) for name in ("a/step_time_ms", "step_time_s")] == [1e-3, 1.0]


# ── declarations ────────────────────────────────────────────────────────────


def test_the_newest_declaration_that_matches_decides_and_mean_is_the_default() -> None:
    declared = read_declared(
        [
            ("metric/*", '{"reduce": "max"}', 1),
            ("metric/tok*", '{"reduce": "sum"}', 2),
            ("metric/val/*", '{"summary": "min"}', 3),
            ("metric/x", "no json", 4),
            ("metric/y", '{"reduce": "iqm"}', 5),
            ("other", '{"reduce": "min"}', 6),
            ("metric/z", "[1]", 7),
        ]
    )
    assert declared.of("tokens") is Reduction.SUM
    assert {declared.of(name) for name in ("loss", "x", "y", "z", "val/a")} == {Reduction.MAX}
    assert read_declared([]).of("loss") is Reduction.MEAN


def test_the_client_declares_what_the_store_understands() -> None:
    from typing import get_args

    from weir._summary import MetricDefinition
    from weir._summary import Reduction as Declared

    assert set(get_args(Declared)) == {each.value for each in DECLARABLE}
    for word in get_args(Declared):
        text = MetricDefinition("a*", reduce=word).to_json()
        assert read_declared([("metric/a*", text, 1)]).of("ab").value == word


# ── lines ───────────────────────────────────────────────────────────────────


def test_runs_share_a_line_by_what_they_are_told_apart_by() -> None:
    labels = {
        RunRef("p", name): Labels(
            group, "train", {"lr": lr, "seed": number, "data": {"a": 1}.get(name)}
        )
        for number, (name, group, lr) in enumerate(
            [("a", "g", 0.1), ("b", "g", 0.1), ("c", "h", 1.0)]
        )
    }
    runs = tuple(labels)

    def lines(**asked: object) -> list[str]:
        return list(run_lines(ReduceQuery(runs, ("m",), **asked), labels).values())  # type: ignore[arg-type]

    assert lines() == ["a", "b", "c"]
    assert lines(over=Over.RUNS) == ["", "", ""]
    assert lines(over=Over.RUNS, by=("group",)) == ["g", "g", "h"]
    assert lines(over=Over.RUNS, by=("config.lr", "job_type")) == ["lr=0.1 · train"] * 2 + [
        "lr=1 · train"
    ]
    assert lines(over=Over.SEEDS) == ["data=1 · lr=0.1", "data=null · lr=0.1", "data=null · lr=1"]


@pytest.mark.parametrize(
    ("path", "is_one"),
    [
        ("seed", True),
        ("train.seed", True),
        ("random_seed", True),
        ("env/SEED", True),
        ("seeds", False),
    ],
)
def test_a_seed_is_known_by_its_name(path: str, is_one: bool) -> None:
    assert is_seed(path) is is_one


# ── the board ───────────────────────────────────────────────────────────────


def test_a_rank_that_moved_counts_for_each_node_it_ran_on() -> None:
    nan = math.nan
    shares = [
        Share("t", 3, "old", 10, 30.0, 20.0, 8, 16.0, 0.1, (1.0, nan, nan)),
        Share("t", 3, "new", 30, 30.0, 30.0, 0, 0.0, 0.0, (0.5, nan, nan)),
        Share("t", 4, "new", 40, 40.0, 40.0, 1, 0.5, 0.2, (nan, nan, nan)),
    ]
    first, second = rank_table(shares).to_pylist()
    assert (first["rank"], first["node"], first["steps"], first["mean_s"]) == (3, "new", 40, 1.5)
    assert (first["data_s"], first["blame"], second["blame"]) == (1.5, "data", "")
    nodes = {row["node"]: row for row in node_table(shares, 40).to_pylist()}
    assert (nodes["old"]["ranks"], nodes["new"]["ranks"]) == (1, 2)
    assert nodes["old"]["lost_s"] == 16.0


def test_nobody_is_blamed_for_what_lost_nothing() -> None:
    assert blame({"data": -1.0, "compute": math.nan, "comm": 0.0}) == ""
    assert blame({"data": 0.1, "compute": math.nan, "comm": 0.2}) == "comm"
