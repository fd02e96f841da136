"""Rewinding and forking: what the user asks for, and what the first frame then says."""

from pathlib import Path
from typing import Any

import pytest

import weir
from weir._reading import read_points
from weir._spool import list_spools
from weir.errors import UsageError
from weir.testing import Captured, capture, read_root
from weir_proto.v1 import ingest_pb2 as pb

TORCHRUN = {
    "RANK": "1",
    "WORLD_SIZE": "2",
    "LOCAL_RANK": "1",
    "TORCHELASTIC_RUN_ID": "job7",
    "TORCHELASTIC_RESTART_COUNT": "3",
}


def branches(captured: Captured) -> list[tuple[str, pb.Branch]]:
    """(run, branch) of every frame that carries one."""
    return [
        (meta.run_id, body.branch) for meta, body in captured._bodies() if body.HasField("branch")
    ]


def test_a_rewound_run_goes_on_under_its_own_id_after_the_step() -> None:
    with capture() as captured:
        run = weir.init(resume_from="abc?_step=200")
        run.log({"loss": 0.5})
        run.log({"loss": 0.4})
        assert run.id == "abc"
        run.finish()
    assert [(point.run_id, point.step) for point in captured.points] == [("abc", 201), ("abc", 202)]
    assert branches(captured) == [("abc", pb.Branch(parent_run_id="abc", step=200))]
    assert captured.branch("abc") == {"parent_run_id": "abc", "step": 200}


def test_the_branch_is_in_the_first_frame_and_in_no_other() -> None:
    with capture() as captured:
        run = weir.init(resume_from="abc?_step=3")
        for _ in range(3):
            run.log({"loss": 0.5})
            run.flush()
        run.finish()
    said = [body.HasField("branch") for _, body in captured._bodies()]
    assert said == [True, *[False] * (len(said) - 1)]
    assert len(said) > 2


def test_a_fork_is_a_run_of_its_own_with_the_other_as_parent() -> None:
    with capture() as captured:
        run = weir.init(fork_from="abc?_step=200")
        run.log({"loss": 0.5})
        named = weir.init(id="mine", fork_from="abc?_step=7")
        named.log({"loss": 0.5})
        assert (named.id, run.id != "abc") == ("mine", True)
    assert branches(captured) == [
        (run.id, pb.Branch(parent_run_id="abc", step=200)),
        ("mine", pb.Branch(parent_run_id="abc", step=7)),
    ]
    assert {(point.run_id, point.step) for point in captured.points} == {(run.id, 201), ("mine", 8)}


def test_fork_run_id_and_fork_step_mean_fork_from() -> None:
    with capture() as captured:
        weir.init(fork_run_id="abc", fork_step=200).log({"loss": 0.5})
    assert [branch.step for _, branch in branches(captured)] == [200]


def test_the_environment_can_ask_for_it_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEIR_RESUME_FROM", "abc?_step=4")
    with capture() as captured:
        assert weir.init().id == "abc"
    monkeypatch.delenv("WEIR_RESUME_FROM")
    monkeypatch.setenv("WEIR_FORK_FROM", "abc?_step=4")
    with capture() as forked:
        assert weir.init().id != "abc"
    assert len(branches(captured)) == len(branches(forked)) == 1


def test_a_run_is_rewound_any_number_of_times_and_each_is_newer_than_the_last() -> None:
    with capture() as captured:
        first = weir.init(id="abc")
        first.log({"loss": 1.0})
        first.finish()
        for step in (50, 20, 20):
            run = weir.init(resume_from=f"abc?_step={step}")
            run.log({"loss": 0.5})
            run.finish()
    assert [branch.step for _, branch in branches(captured)] == [50, 20, 20]
    births_s = [int(meta.producer[:12], 16) // 1000 for meta in captured.producers()]
    assert births_s == sorted(set(births_s)), "rows are versioned by the second of birth"


def test_steps_may_be_negative() -> None:
    with capture() as captured:
        run = weir.init(resume_from="abc?_step=-5")
        run.log({"loss": 0.5})
    assert [point.step for point in captured.points] == [-4]


def test_an_id_may_hold_the_letters_of_the_syntax() -> None:
    with capture() as captured:
        assert weir.init(resume_from="a?_step=1?_step=2").id == "a?_step=1"
    assert captured.branch() == {"parent_run_id": "a?_step=1", "step": 2}


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ({"resume_from": "abc"}, "names no step"),
        ({"resume_from": "abc?_step="}, "names no step"),
        ({"resume_from": "?_step=3"}, "names no step"),
        ({"resume_from": "abc?_step=1.5"}, "names no step"),
        ({"fork_from": "abc?step=3"}, "fork_from.*names no step"),
        ({"fork_from": "abc?_step=9007199254740993"}, "names no step"),
        ({"fork_from": "a\nb?_step=3"}, "control characters"),
        ({"resume_from": "a?_step=3", "fork_from": "a?_step=3"}, "exclude each other"),
        ({"resume_from": "a?_step=3", "resume": "allow"}, "exclude each other"),
        ({"fork_from": "a?_step=3", "resume": True}, "exclude each other"),
        ({"resume_from": "a?_step=3", "id": "b"}, "rewinds run a, the id is b"),
        ({"fork_from": "a?_step=3", "id": "a"}, "fork of itself.*resume_from"),
        ({"fork_run_id": "a"}, "go together"),
        ({"fork_step": 3}, "go together"),
        ({"fork_run_id": "a", "fork_step": "x"}, "names no step"),
        ({"fork_run_id": "a", "fork_step": 3, "fork_from": "a?_step=3"}, "says already"),
    ],
)
def test_what_cannot_be_followed_is_told_at_once(asked: dict[str, Any], reason: str) -> None:
    with capture() as captured:
        with pytest.raises(UsageError, match=reason) as error:
            weir.init(**asked)
        assert error.value.hint or "control" in reason
        assert weir.run is None
    assert captured.producers() == []


def test_the_same_id_beside_resume_from_is_no_contradiction() -> None:
    with capture():
        assert weir.init(id="a", resume_from="a?_step=3").id == "a"


def test_all_ranks_of_a_launch_say_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in TORCHRUN.items():
        monkeypatch.setenv(name, value)
    with capture() as captured:
        for rank in ("0", "1"):
            monkeypatch.setenv("RANK", rank)
            monkeypatch.setattr("weir._init._branches", {})  # each rank is a process
            weir.init(resume_from="abc?_step=9").finish()
        weir.init(resume_from="abc?_step=9").finish()
    said = [
        (meta.rank, body.branch.launch) for meta, body in captured._bodies() if body.branch.launch
    ]
    assert sorted(said) == [
        (0, "torchrun/job7/3/0"),
        (1, "torchrun/job7/3/0"),
        (1, "torchrun/job7/3/1"),  # a second rewind of the same processes is another one
    ]


def test_the_ranks_of_a_job_fork_to_one_run(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in TORCHRUN.items():
        monkeypatch.setenv(name, value)
    ids = set()
    with capture():
        for rank in ("0", "1"):
            monkeypatch.setenv("RANK", rank)
            monkeypatch.setattr("weir._init._derived_ids", {})
            ids.add(weir.init("p", fork_from="abc?_step=9").id)
    assert len(ids) == 1
    assert "abc" not in ids


def test_ranks_that_nothing_names_must_be_told_which_run_they_fork_to() -> None:
    with capture() as captured:
        with pytest.raises(UsageError, match="WEIR_RUN_ID"):
            weir.init(fork_from="abc?_step=9", rank=1, world_size=2)
        weir.init(id="x", fork_from="abc?_step=9", rank=1, world_size=2)
    assert [run_id for run_id, _ in branches(captured)] == ["x"]


def test_ranks_that_rewind_know_their_run(caplog: pytest.LogCaptureFixture) -> None:
    with capture():
        weir.init(resume_from="abc?_step=9", rank=1, world_size=2)
    assert "cannot tell which run" not in caplog.text


def test_a_disabled_run_counts_on_and_writes_nothing(tmp_path: Path) -> None:
    run = weir.init(mode="disabled", dir=tmp_path, resume_from="abc?_step=9")
    run.log({"loss": 0.5})
    assert run.id == "abc"
    assert list(tmp_path.iterdir()) == []


def test_a_forked_child_does_not_rewind_the_run_again(run_script: Any, tmp_path: Path) -> None:
    done = run_script(
        """
import os, weir
run = weir.init(resume_from="abc?_step=9")
run.log({"parent": 1.0})
child = os.fork()
if child == 0:
    run.log({"child": 1.0})
    run.finish()
    os._exit(0)
os.waitpid(child, 0)
run.finish()
"""
    )
    assert done.returncode == 0, done.stderr
    frames = list(read_root(tmp_path / "spool"))
    assert len(list(list_spools(tmp_path / "spool"))) == 2
    assert sum(body.HasField("branch") for _, body in frames) == 1
    steps = {
        point.metric: point.step
        for _, body in frames
        for point in read_points(body, run_id="", rank=0)
    }
    assert steps == {"parent": 10, "child": 11}
