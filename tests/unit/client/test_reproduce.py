"""What brings a run back: every part, and a warning for each that cannot be."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.unit.client.repositories import Repository, request_in
from weir._data_fingerprint import fingerprint
from weir._inputs._git import collect_git
from weir._inputs._patch import collect_patch
from weir._redact import Redactor
from weir._reproduce import data_of, nested, recipe_for
from weir._run_record import PATCH_PATH, REQUIREMENTS_PATH, UNTRACKED_PATH, RunRecord


def record(meta: dict[str, Any] | None = None, **rest: Any) -> RunRecord:
    contents = {path: text.encode() for path, text in rest.pop("contents", {}).items()}
    files = {path: {"sha256": "0", "size": len(data)} for path, data in contents.items()}
    return RunRecord("p/r1", meta=meta or {}, files=files, contents=contents, **rest)


def sh(folder: Path, script: str, **environ: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["sh", script],
        cwd=folder,
        capture_output=True,
        text=True,
        env={
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            **environ,
        },
        check=False,
    )


def written(recipe: Any, folder: Path) -> Path:
    folder.mkdir(parents=True)
    for name, content in recipe.files.items():
        (folder / name).write_bytes(content.encode(errors="surrogateescape"))
    return folder


def test_the_scripts_bring_code_command_seed_and_data_back(tmp_path: Path) -> None:
    repository = Repository(tmp_path / "origin code")
    repository.commit("sub/train.py", "print('old')\n")
    repository.write(
        "sub/train.py",
        "import os, sys\nprint('new', sys.argv[1:], os.environ['PYTHONHASHSEED'], 'ü')\n",
    )
    request = request_in(repository.path / "sub", tmp_path / "s")
    git, patch = collect_git(request, Redactor()), collect_patch(request, Redactor())
    data = tmp_path / "my data.csv"
    data.write_text("1,2\n")
    meta = {
        **git.facts,
        **patch.facts,
        "command/argv": [
            "/env/bin/python",
            f"{repository.path}/sub/train.py",
            "--name",
            "a b; echo $HOME",
        ],
        "command/directory": f"{repository.path}/sub",
        "seed/PYTHONHASHSEED": "7",
        "data/my/set/kind": "file",
        "data/my/set/source": str(data),
        "data/my/set/fingerprint": fingerprint(data).digest,
        "environment/python": "3.11.7 (main)",
    }
    run = record(
        meta,
        contents={
            REQUIREMENTS_PATH: "# Python 3.11.7\n",
            PATCH_PATH: patch.files[PATCH_PATH].decode(),
        },
    )
    folder = written(recipe_for(run), tmp_path / "again")

    code = sh(folder, "code.sh")
    assert code.returncode == 0, code.stderr
    assert (folder / "code" / "sub" / "train.py").read_text() == (
        repository.path / "sub" / "train.py"
    ).read_text()
    assert sh(folder, "data.sh").returncode == 0, sh(folder, "data.sh").stderr
    data.write_text("changed\n")
    assert sh(folder, "data.sh").returncode == 1
    environment = sh(folder, "environment.sh")
    assert environment.returncode == 0, environment.stderr
    ran = sh(folder, "run.sh")
    assert ran.stdout == "new ['--name', 'a b; echo $HOME'] 7 ü\n", ran.stderr


@pytest.mark.parametrize(
    ("meta", "warning"),
    [
        ({}, "the code is not known"),
        ({}, "no data was named"),
        ({}, "the packages are not known"),
        ({}, "the command is not known"),
        ({}, "no seed is known"),
        ({"git/commit": "abc1234"}, "has no remote"),
        ({"git/commit": "abc1234", "git/remote": "u", "git/pushed": False}, "may not be there"),
        (
            {"git/commit": "abc1234", "git/diff/binary": ["a.bin"]},
            "binary files are not in the patch: a.bin",
        ),
        ({"git/commit": "abc1234", "git/diff/masked": ["a.py"]}, "secrets are masked in the patch"),
        ({"git/commit": "abc1234", "git/diff/omitted": ["b"]}, "too large"),
        ({"git/commit": "abc1234", "git/diff/withheld": [".env"]}, "hold secrets"),
        (
            {"git/commit": "abc1234", "git/dirty": True, "git/changed": ["a"]},
            "changes were not recorded: a",
        ),
        ({"git/commit": "abc1234", "git/untracked": 3}, "3 untracked files are only named"),
        (
            {"git/commit": "abc1234", "git/submodules": [{"path": "lib", "dirty": True}]},
            "submodules with changes of their own: lib",
        ),
        ({"command/argv": ["python", "t.py", "--token", "***"]}, "secrets in the command"),
        ({"command/notebook": "a.ipynb"}, "it was a notebook: a.ipynb"),
        (
            {"data/x/kind": "reference", "data/x/source": "s3://b"},
            "data x (reference, s3://b) has no",
        ),
        ({"seed/PYTHONHASHSEED": "random"}, "hashes were random"),
        ({"machine/gpu": "NVIDIA H200", "environment/packages": {"a": "1"}}, "NVIDIA H200"),
    ],
)
def test_what_cannot_be_brought_back_is_said(meta: dict[str, Any], warning: str) -> None:
    warnings = recipe_for(record(meta)).warnings
    assert any(warning in each for each in warnings), warnings


def test_local_packages_and_many_processes_are_warned_of() -> None:
    requirements = "# Python 3.11.7\n# editable: mine==1 from file:///src\nother==2\n"
    run = record(contents={REQUIREMENTS_PATH: requirements}, about={"world_size": 8})
    warnings = recipe_for(run).warnings
    assert any("mine==1" in each for each in warnings)
    assert not any("other" in each for each in warnings)
    run = record({"command/argv": ["python", "t.py"]}, about={"world_size": 8})
    assert any("8 processes" in each for each in recipe_for(run).warnings)


def test_a_patch_that_could_not_be_fetched_is_warned_of() -> None:
    run = RunRecord(
        "p/r", meta={"git/commit": "abc1234"}, files={PATCH_PATH: {"sha256": "0", "size": 1}}
    )
    assert any("could not be fetched" in each for each in recipe_for(run).warnings)


def test_everything_recorded_is_there_to_read() -> None:
    run = record(
        {"git/commit": "abc1234", "git/remote": "u", "seed/given": 5},
        config={"optimizer.lr": 0.1, "optimizer": 5, "seed": 1},
        contents={UNTRACKED_PATH: "junk.py\n"},
    )
    recipe = recipe_for(run)
    assert {
        "README.md",
        "code.sh",
        "config.json",
        "record.json",
        "seeds.json",
        "untracked.txt",
    } <= set(recipe.files)
    assert '"given"' not in recipe.files["config.json"]
    for warning in recipe.warnings:
        assert warning in recipe.files["README.md"]


@pytest.mark.parametrize(
    ("config", "whole"),
    [
        ({"a.b.c": 1, "a.b.d": 2, "x": 3}, {"a": {"b": {"c": 1, "d": 2}}, "x": 3}),
        ({"a": 1, "a.b": 2}, {"a": 1, "a.b": 2}),
        ({}, {}),
    ],
)
def test_config_becomes_sections_again(config: dict[str, Any], whole: dict[str, Any]) -> None:
    assert nested(config) == whole


def test_data_facts_are_found_under_names_with_slashes() -> None:
    assert data_of(
        {"data/a/b/kind": "file", "data/a/b/dvc/md5": "1", "data/c/source": "s", "git/x": 1}
    ) == {
        "a/b": {"kind": "file", "dvc/md5": "1"},
        "c": {"source": "s"},
    }


_HOSTILE: list[Callable[[str], dict[str, Any]]] = [
    lambda bad: {"git/commit": "abc1234", "git/remote": bad},
    lambda bad: {"git/commit": bad, "git/remote": "u"},
    lambda bad: {"command/argv": ["python", bad], "command/directory": bad},
    lambda bad: {"git/directory": bad, "command/argv": ["python", "x"]},
    lambda bad: {"data/x/kind": "file", "data/x/source": bad, "data/x/fingerprint": bad},
    lambda bad: {f"variables/NCCL_{bad}": "1", "command/argv": ["python", "x"]},
    lambda bad: {"variables/NCCL_DEBUG": bad, "command/argv": ["python", "x"]},
    lambda bad: {"environment/python": bad, "environment/packages": {"a": "1"}},
    lambda bad: {"code/artifact": bad},
]


_BAD = (
    "$(touch pwned)",
    "`touch pwned`",
    "'; touch pwned; '",
    "\ntouch pwned\n",
    '"; touch pwned #',
)


@pytest.mark.parametrize("bad", _BAD)
@pytest.mark.parametrize("hostile", _HOSTILE)
def test_nothing_of_a_record_runs_in_a_shell(
    tmp_path_factory: pytest.TempPathFactory, hostile: Callable[[str], dict[str, Any]], bad: str
) -> None:
    recipe = recipe_for(record(hostile(bad)))
    folder = written(recipe, tmp_path_factory.mktemp("hostile") / "x")
    tools = folder.parent / "bin"
    tools.mkdir()
    for name in ("git", "weir", "python", "python3", "env"):
        (tools / name).write_text("#!/bin/sh\nmkdir -p code\n")
        (tools / name).chmod(0o755)
    for name in recipe.files:
        if name.endswith(".sh"):
            sh(folder, name, PATH=f"{tools}:/usr/bin:/bin")
    assert not list(folder.parent.rglob("pwned"))
