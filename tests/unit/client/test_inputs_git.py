"""Which code: commit, branch, remote, patch, untracked files — in repositories of every kind."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.unit.client.repositories import Repository, request_in
from weir._inputs import _patch
from weir._inputs._code import collect_code
from weir._inputs._git import collect_git, collect_untracked, without_credentials
from weir._inputs._patch import PATCH_PATH, build_patch, collect_patch, is_withheld
from weir._inputs._report import Findings
from weir._inputs._request import Request
from weir._redact import Redactor
from weir._spool import Outbox, SpoolDir


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "code")


@pytest.fixture
def request_here(repository: Repository, tmp_path: Path) -> Request:
    return request_in(repository.path, tmp_path / "spool")


def patch_of(request: Request) -> Findings:
    return collect_patch(request, Redactor())


def applied(repository: Repository, patch: bytes, into: Path) -> Repository:
    """A clone of the commit with the patch applied."""
    subprocess.run(["git", "clone", "-q", str(repository.path), str(into)], check=True)
    clone = Repository(into)
    (into.parent / "x.patch").write_bytes(patch)
    clone.git("apply", "--whitespace=nowarn", str(into.parent / "x.patch"))
    return clone


def test_commit_branch_and_remote_are_told_without_credentials(
    repository: Repository, request_here: Request
) -> None:
    commit = repository.commit()
    repository.git("remote", "add", "origin", "https://me:hunter22@example.org/team/code.git")
    facts = collect_git(request_here, Redactor()).facts
    assert facts["git/commit"] == commit
    assert facts["git/branch"] == "main"
    assert facts["git/remote"] == "https://example.org/team/code.git"
    assert facts["git/dirty"] is False
    assert facts["git/pushed"] is False
    assert facts["git/message"] == "change a.py"
    assert "git/detached" not in facts


def test_a_clone_knows_that_its_commit_is_pushed(repository: Repository, tmp_path: Path) -> None:
    repository.commit()
    subprocess.run(
        ["git", "clone", "-q", str(repository.path), str(tmp_path / "clone")], check=True
    )
    facts = collect_git(request_in(tmp_path / "clone", tmp_path / "s"), Redactor()).facts
    assert facts["git/pushed"] is True


def test_the_patch_brings_staged_and_unstaged_changes_back(
    repository: Repository, request_here: Request, tmp_path: Path
) -> None:
    repository.commit("a.py", "x = 1\ny = 2\n")
    repository.commit("gone.py", "z = 3\n")
    repository.commit("naïve – name.py", "ü = 1\n")
    repository.commit("latin.txt", "caf\u00e9\n".encode("latin-1"))
    repository.write("a.py", "x = 10\ny = 2\n")
    repository.git("add", "a.py")  # staged
    repository.write("a.py", "x = 10\ny = 20\n")  # and changed again
    repository.write("new.py", "n = 1\n")
    repository.git("add", "new.py")
    repository.write("naïve – name.py", "ü = 2\n")
    repository.write("latin.txt", "caf\u00e9 au lait\n".encode("latin-1"))
    (repository.path / "gone.py").unlink()
    findings = patch_of(request_here)
    clone = applied(repository, findings.files[PATCH_PATH], tmp_path / "clone")
    for name in ("a.py", "new.py", "naïve – name.py", "latin.txt"):
        assert (clone.path / name).read_bytes() == (repository.path / name).read_bytes(), name
    assert not (clone.path / "gone.py").exists()
    assert collect_git(request_here, Redactor()).facts["git/dirty"] is True


def test_the_users_own_configuration_does_not_change_the_patch(
    repository: Repository, request_here: Request, tmp_path: Path
) -> None:
    repository.commit()
    for name, value in {
        "diff.noprefix": "true",
        "diff.mnemonicPrefix": "true",
        "color.ui": "always",
        "color.diff": "always",
        "diff.external": "false",
        "diff.relative": "true",
        "core.fsmonitor": "/bin/false",
        "diff.renames": "copies",
    }.items():
        repository.git("config", name, value)
    repository.write("a.py", "x = 5\n")
    clone = applied(repository, patch_of(request_here).files[PATCH_PATH], tmp_path / "clone")
    assert (clone.path / "a.py").read_text() == "x = 5\n"


def test_nothing_in_the_repository_is_touched(
    repository: Repository, request_here: Request
) -> None:
    repository.commit()
    path = repository.commit("b.py") and repository.path / "b.py"
    os.utime(path, (1_000_000_000, 1_000_000_000))  # tempts `git status` to refresh the index
    index = repository.path / ".git" / "index"
    before = index.read_bytes()
    assert collect_git(request_here, Redactor()).facts["git/dirty"] is False
    assert PATCH_PATH not in patch_of(request_here).files
    assert index.read_bytes() == before


def test_the_users_own_git_may_be_at_work(repository: Repository, request_here: Request) -> None:
    repository.commit()
    repository.write("a.py", "x = 2\n")
    (repository.path / ".git" / "index.lock").touch()
    assert collect_git(request_here, Redactor()).facts["git/dirty"] is True
    assert PATCH_PATH in patch_of(request_here).files


def test_binary_and_secret_files_are_only_named(
    repository: Repository, request_here: Request, tmp_path: Path
) -> None:
    for name in ("a.py", "weights.bin", ".env", "deploy.pem"):
        repository.commit(name, b"\0one" if name == "weights.bin" else "one\n")
    for name in ("a.py", "weights.bin", ".env", "deploy.pem"):
        repository.write(name, b"\0two" if name == "weights.bin" else "two-very-secret\n")
    findings = patch_of(request_here)
    assert findings.facts["git/diff/binary"] == ["weights.bin"]
    assert findings.facts["git/diff/withheld"] == [".env", "deploy.pem"]
    assert findings.facts["git/diff/files"] == 1
    clone = applied(repository, findings.files[PATCH_PATH], tmp_path / "clone")
    assert (clone.path / "a.py").read_text() == "two-very-secret\n"


def test_secrets_in_a_patch_are_masked_and_it_still_applies(
    repository: Repository, request_here: Request, tmp_path: Path
) -> None:
    repository.commit("a.py", "x = 1\n")
    repository.write(
        "a.py",
        'x = 1\nAPI_KEY = "abcd-1234-efgh"\n-----BEGIN PRIVATE KEY-----\nMIIEow\n-----END PRIVATE KEY-----\n',
    )
    findings = collect_patch(request_here, Redactor(["other-known-secret"]))
    patch = findings.files[PATCH_PATH]
    assert b"abcd-1234" not in patch
    assert b"MIIEow" not in patch
    assert findings.facts["git/diff/masked"] == ["a.py"]
    clone = applied(repository, patch, tmp_path / "clone")
    assert 'API_KEY = "***"' in (clone.path / "a.py").read_text()


def test_a_patch_is_capped_and_what_is_left_out_is_counted(
    repository: Repository, request_here: Request, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.commit("a.py", "")
    repository.commit("big.txt", "")
    repository.write("a.py", "x = 1\n")
    repository.write("big.txt", "line of text\n" * 500_000)
    findings = patch_of(request_here)
    assert len(findings.files[PATCH_PATH]) <= _patch.MAX_PATCH_BYTES
    assert b"x = 1" in findings.files[PATCH_PATH]
    assert findings.facts["git/diff/omitted"] == ["big.txt"]
    assert findings.facts["git/diff/omitted_bytes"] > _patch.MAX_PATCH_BYTES


def test_parts_that_come_after_a_large_one_are_kept() -> None:
    part = b"diff --git a/%s b/%s\n+%s\n"
    parts = [
        part % (name, name, b"y" * size) for name, size in ((b"a", 10), (b"b", 900), (b"c", 10))
    ]
    patch = build_patch(parts, Redactor(), max_bytes=500)
    assert b"".join(patch.parts) == parts[0] + parts[2]
    assert patch.omitted == ["b"]


def test_untracked_files_are_listed_without_what_is_ignored_and_without_our_spool(
    repository: Repository, tmp_path: Path
) -> None:
    repository.commit(".gitignore", "*.log\n")
    for name in ("new.py", "deep/er.txt", "skip.log", "spool/p/r/x/meta.json", "odd\nname"):
        repository.write(name, "1")
    request = request_in(repository.path, repository.path / "spool")
    findings = collect_untracked(request, Redactor())
    assert findings.facts["git/untracked"] == 3
    listed = findings.files["code/untracked.txt"].decode()
    assert "new.py\n" in listed
    assert "deep/er.txt\n" in listed
    assert "skip.log" not in listed
    assert "spool" not in listed


def test_the_list_of_untracked_files_is_capped_and_the_count_is_not(
    repository: Repository, request_here: Request, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("weir._inputs._git._MAX_UNTRACKED", 10)
    repository.commit()
    for number in range(25):
        repository.write(f"junk{number}", "1")
    findings = collect_untracked(request_here, Redactor())
    assert findings.facts["git/untracked"] == 25
    assert findings.files["code/untracked.txt"].count(b"\n") == 10
    assert "inputs/problem/untracked" in findings.facts


def test_a_repository_without_a_commit(repository: Repository, request_here: Request) -> None:
    repository.write("a.py", "x = 1\n")
    repository.git("add", "a.py")
    facts = collect_git(request_here, Redactor()).facts
    assert "git/commit" not in facts
    assert facts["git/branch"] == "main"
    assert facts["git/dirty"] is True
    assert b"+x = 1" in patch_of(request_here).files[PATCH_PATH]


def test_a_detached_head(repository: Repository, request_here: Request) -> None:
    first = repository.commit()
    repository.commit("b.py")
    repository.git("checkout", "-q", "--detach", first)
    facts = collect_git(request_here, Redactor()).facts
    assert facts["git/commit"] == first
    assert facts["git/detached"] is True
    assert "git/branch" not in facts


def test_a_worktree_and_a_shallow_clone(repository: Repository, tmp_path: Path) -> None:
    repository.commit()
    repository.commit("b.py")
    repository.git("worktree", "add", "-q", str(tmp_path / "tree"), "-b", "side")
    facts = collect_git(request_in(tmp_path / "tree", tmp_path / "s"), Redactor()).facts
    assert facts["git/worktree"] is True
    assert facts["git/branch"] == "side"
    clone = [
        "git",
        "clone",
        "-q",
        "--depth=1",
        f"file://{repository.path}",
        str(tmp_path / "shallow"),
    ]
    subprocess.run(clone, check=True)
    facts = collect_git(request_in(tmp_path / "shallow", tmp_path / "s"), Redactor()).facts
    assert facts["git/shallow"] is True


def test_submodules_are_told_with_commit_and_dirtiness(
    repository: Repository, request_here: Request, tmp_path: Path
) -> None:
    inner = Repository(tmp_path / "inner")
    commit = inner.commit("lib.py")
    repository.commit()
    repository.git("submodule", "add", "-q", str(inner.path), "lib")
    repository.git("commit", "-q", "-m", "with a submodule")
    assert collect_git(request_here, Redactor()).facts["git/submodules"] == [
        {"path": "lib", "commit": commit, "dirty": False}
    ]
    repository.write("lib/lib.py", "changed = 1\n")
    assert collect_git(request_here, Redactor()).facts["git/submodules"][0]["dirty"] is True
    assert PATCH_PATH not in patch_of(request_here).files  # its own repository's business


def test_a_bare_repository(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", "--bare", str(tmp_path / "bare.git")], check=True)
    request = request_in(tmp_path / "bare.git", tmp_path / "s")
    assert collect_git(request, Redactor()).facts["git/bare"] is True
    assert not patch_of(request).files
    assert not collect_untracked(request, Redactor()).facts


def test_no_repository_is_no_problem(tmp_path: Path) -> None:
    request = request_in(tmp_path, tmp_path / "s")
    for collect in (collect_git, collect_patch, collect_untracked):
        assert not collect(request, Redactor()).facts


def test_a_damaged_repository_is_told_and_stops_nothing(
    repository: Repository, request_here: Request
) -> None:
    repository.commit()
    (repository.path / ".git" / "HEAD").write_text("garbage")
    findings = collect_git(request_here, Redactor())
    assert "git/commit" not in findings.facts
    patch_of(request_here)
    (repository.path / ".git" / "HEAD").write_text("ref: refs/heads/main\n")
    for path in (repository.path / ".git" / "objects").rglob("*"):
        if path.is_file():
            path.chmod(0o600)
            path.write_bytes(b"rot")
    collect_git(request_here, Redactor())
    findings = patch_of(request_here)
    assert "inputs/problem/patch" in findings.facts


def test_a_repository_of_another_user_is_told_as_git_tells_it(
    repository: Repository, request_here: Request, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.commit()
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")  # git's own way to test it
    findings = collect_git(request_here, Redactor())
    assert "dubious ownership" in findings.facts["inputs/problem/git"]
    assert findings.facts["git/root"] == str(repository.path)
    assert not patch_of(request_here).files


def test_a_machine_without_git(
    repository: Repository, request_here: Request, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.commit()
    import git

    monkeypatch.setattr(git.Git, "GIT_PYTHON_GIT_EXECUTABLE", "no-such-git")
    findings = collect_git(request_here, Redactor())
    assert "no git" in findings.facts["inputs/problem/git"]
    assert not patch_of(request_here).files


def test_the_script_decides_which_repository_unless_it_is_installed(
    repository: Repository, tmp_path: Path
) -> None:
    commit = repository.commit("train.py")
    elsewhere = Repository(tmp_path / "elsewhere")
    other = elsewhere.commit()
    script = str(repository.path / "train.py")
    request = request_in(elsewhere.path, tmp_path / "s", script=script)
    assert collect_git(request, Redactor()).facts["git/commit"] == commit
    installed = str(repository.path / "site-packages" / "tool" / "cli.py")
    request = request_in(elsewhere.path, tmp_path / "s", script=installed)
    assert collect_git(request, Redactor()).facts["git/commit"] == other


@pytest.mark.parametrize(
    ("url", "clean"),
    [
        ("https://u:p@h.org/x.git", "https://h.org/x.git"),
        ("https://token@h.org:8443/x.git", "https://h.org:8443/x.git"),
        ("git@github.com:a/b.git", "git@github.com:a/b.git"),
        ("ssh://git@h.org/x", "ssh://git@h.org/x"),
        ("/srv/code.git", "/srv/code.git"),
        ("https://h.org:bad/x", ""),
        ("", ""),
    ],
)
def test_a_remote_keeps_no_credentials(url: str, clean: str) -> None:
    assert without_credentials(url) == clean


def test_which_files_are_withheld() -> None:
    for name in (".env", "a/.env.local", "x/id_rsa", "deploy.key", "secrets.yaml", ".netrc"):
        assert is_withheld(name), name
    for name in ("env.py", "a/model.py", "keyboard.py", "tokens.txt"):
        assert not is_withheld(name), name


# ── code snapshot ─────────────────────────────────────────────────────────


def test_a_copy_of_the_code_is_ordered_as_an_artifact(
    repository: Repository, tmp_path: Path
) -> None:
    repository.commit(".gitignore", "ignored.py\n")
    repository.commit("train.py", "TOKEN = 'abc-123-def-456'\n")
    for name in ("ignored.py", "untracked.py", "data.bin", ".env", "sub/conf.yaml"):
        repository.write(name, "x: 1\n")
    script = str(repository.path / "train.py")
    request = request_in(repository.path, tmp_path / "spool", script=script)
    findings = collect_code(request, Redactor())
    (order,) = findings.orders
    assert (order["order"], order["type"], order["name"]) == ("artifact", "code", "code-train")
    assert sorted(each["path"] for each in order["files"]) == [
        "sub/conf.yaml",
        "train.py",
        "untracked.py",
    ]
    outbox = Outbox(SpoolDir(Path(request.spool_path)))
    copied = {
        each["path"]: outbox.source_path(each["source"]).read_text() for each in order["files"]
    }
    assert copied["train.py"] == "TOKEN = '***'\n"
    assert copied["untracked.py"] == "x: 1\n"
    assert findings.facts["code/files"] == 3


def test_a_copy_of_code_that_is_in_no_repository_and_with_patterns(tmp_path: Path) -> None:
    folder = tmp_path / "plain"
    for name in ("a.py", "b.txt", "__pycache__/a.pyc", ".venv/x.py", "old/c.py"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("1")
    options = {"include": ["*.py", "*.txt"], "exclude": ["old/*"], "name": "mine"}
    request = request_in(folder, tmp_path / "spool", options=options)
    (order,) = collect_code(request, Redactor()).orders
    assert order["name"] == "mine"
    assert sorted(each["path"] for each in order["files"]) == ["a.py", "b.txt"]
