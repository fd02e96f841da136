"""Two runs side by side: only what differs, in groups, with relative changes."""

import json
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from weir import _diff_command, _reproduce_command
from weir._diff import GROUPS, differences, grouped, is_same, patch_difference, relative_change
from weir._run_record import PATCH_PATH, RunRecord


def run(path: str = "p/a", patch: str = "", **rest: Any) -> RunRecord:
    contents = {PATCH_PATH: patch.encode()} if patch else {}
    files = {PATCH_PATH: {"sha256": str(hash(patch))}} if patch else {}
    return RunRecord(path, contents=contents, files=files, **rest)


ONE = run(
    config={"lr": 0.1, "same": 1, "gone": True},
    summary={"loss": 2.0, "acc": 0.0, "nan": float("nan")},
    meta={
        "git/commit": "abc",
        "environment/packages": {"torch": "2.1", "numpy": "1.26"},
        "machine/gpu": "A100",
        "variables/SLURM_JOB_ID": "1",
        "data/x/fingerprint": "sha256:1",
        "seed/given": 1,
        "command/line": "python t.py",
        "library/torch": "2.1",
        "python": "3.11",
        "metric/loss": {"goal": "min"},
    },
    about={"tags": ("a",), "notes": ""},
)
TWO = run(
    "p/b",
    config={"lr": 0.2, "same": 1},
    summary={"loss": 1.0, "acc": 0.5, "nan": float("nan")},
    meta={
        **ONE.meta,
        "git/commit": "def",
        "environment/packages": {"torch": "2.2", "numpy": "1.26"},
        "machine/gpu": "H200",
        "seed/given": 2,
    },
    about={"tags": ("a", "b"), "notes": ""},
)


def test_only_what_differs_is_told_in_groups() -> None:
    found = {(each.group, each.path): (each.a, each.b) for each in differences(ONE, TWO)}
    assert found == {
        ("metrics", "acc"): (0.0, 0.5),
        ("metrics", "loss"): (2.0, 1.0),
        ("config", "gone"): (True, None),
        ("config", "lr"): (0.1, 0.2),
        ("code", "git/commit"): ("abc", "def"),
        ("seeds", "seed/given"): (1, 2),
        ("packages", "torch"): ("2.1", "2.2"),
        ("machine", "machine/gpu"): ("A100", "H200"),
        ("metadata", "tags"): (("a",), ("a", "b")),
    }
    assert [each.group for each in differences(ONE, TWO)] == sorted(
        [each.group for each in differences(ONE, TWO)], key=GROUPS.index
    )


def test_everything_is_told_when_asked() -> None:
    found = differences(ONE, TWO, everything=True)
    assert {"same", "numpy", "nan"} <= {each.path for each in found if each.same}
    assert len(found) == len({(each.group, each.path) for each in found})


def test_metrics_tell_their_relative_change() -> None:
    changes = {each.path: each.change for each in differences(ONE, TWO)}
    assert changes["loss"] == -0.5
    assert changes["acc"] is None  # of nothing
    assert changes["git/commit"] is None


_VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=3),
    st.lists(st.integers(), max_size=2),
)
_RECORDS = st.dictionaries(st.sampled_from(["a", "b", "git/c", "seed/d"]), _VALUES)


@given(_RECORDS)
def test_a_run_does_not_differ_from_itself(values: dict[str, Any]) -> None:
    assert not differences(run(config=values, meta=values), run(config=values, meta=values))


@given(_RECORDS, _RECORDS)
def test_a_difference_has_two_sides(one: dict[str, Any], two: dict[str, Any]) -> None:
    there = [(d.path, d.a, d.b) for d in differences(run(meta=one), run(meta=two))]
    back = [(d.path, d.b, d.a) for d in differences(run(meta=two), run(meta=one))]
    assert repr(there) == repr(back)


@given(_RECORDS)
def test_no_fact_is_left_out_of_the_groups(values: dict[str, Any]) -> None:
    assert sum(map(len, grouped(run(meta=values)).values())) == len(values)


def test_equality_is_strict_about_kinds_and_lenient_about_nan() -> None:
    assert is_same(float("nan"), float("nan"))
    assert is_same(1, 1.0)
    assert not is_same(1, True)
    assert is_same({"a": 1, "b": 2}, {"b": 2, "a": 1})
    assert relative_change(-2, -1) == 0.5
    assert relative_change(1, float("inf")) is None
    assert relative_change(True, 2) is None


def test_uncommitted_changes_are_compared_as_text() -> None:
    lines = patch_difference(run(patch="+x = 1\n+y\n"), run("p/b", patch="+x = 2\n+y\n"))
    assert "-+x = 1" in lines
    assert "++x = 2" in lines
    assert patch_difference(run(patch="+x\n"), run("p/b", patch="+x\n")) == []


# ── the commands ──────────────────────────────────────────────────────────


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    class Api:
        def __enter__(self) -> Any:
            return self

        def __exit__(self, *_: object) -> None: ...

        def run(self, path: str) -> str:
            return path

    records = {"p/a": ONE, "p/b": TWO}
    for module in (_diff_command, _reproduce_command):
        monkeypatch.setattr(module, "open_api", lambda _: Api())
        monkeypatch.setattr(module, "record_of", lambda path, **_: records[path])
    return CliRunner()


def test_diff_prints_groups_and_exits_with_one_only_when_asked(asked: CliRunner) -> None:
    done = asked.invoke(_diff_command.diff, ["p/a", "p/b"])
    assert done.exit_code == 0, done.output
    assert "-50.00%" in done.output
    assert "torch" in done.output
    assert "numpy" not in done.output
    assert asked.invoke(_diff_command.diff, ["p/a", "p/b", "--exit-code"]).exit_code == 1
    same = asked.invoke(_diff_command.diff, ["p/a", "p/a", "--exit-code"])
    assert same.exit_code == 0
    assert "do not differ" in same.output


def test_diff_as_json_and_by_group(asked: CliRunner) -> None:
    done = asked.invoke(_diff_command.diff, ["p/a", "p/b", "--json", "--group", "packages"])
    told = json.loads(done.output)
    assert told["differences"] == [
        {
            "group": "packages",
            "path": "torch",
            "a": "2.1",
            "b": "2.2",
            "same": False,
            "change": None,
        }
    ]


def test_reproduce_prints_or_writes_and_never_over_what_is_there(
    asked: CliRunner, tmp_path: Any
) -> None:
    printed = asked.invoke(_reproduce_command.reproduce, ["p/a", "--print"])
    assert "environment.sh" in printed.output
    assert "warning: " in printed.output
    folder = tmp_path / "again"
    done = asked.invoke(_reproduce_command.reproduce, ["p/a", "--into", str(folder)])
    assert done.exit_code == 0, done.output
    assert (folder / "requirements.txt").read_text() == "torch==2.1\nnumpy==1.26\n"
    assert (folder / "environment.sh").stat().st_mode & 0o111
    again = asked.invoke(_reproduce_command.reproduce, ["p/a", "--into", str(folder)])
    assert again.exit_code == 1
    assert "not empty" in again.output


def test_fingerprint_judges_what_was_expected(tmp_path: Any) -> None:
    (tmp_path / "a").write_bytes(b"x")
    command = _reproduce_command.fingerprint
    digest = CliRunner().invoke(command, [str(tmp_path / "a")]).output.split()[0]
    assert CliRunner().invoke(command, [str(tmp_path / "a"), "--expect", digest]).exit_code == 0
    assert CliRunner().invoke(command, [str(tmp_path / "a"), "--expect", "sha256:0"]).exit_code == 1
