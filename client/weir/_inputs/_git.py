"""Which code: commit, branch, remote, what is changed, what git does not know, submodules."""

from typing import Any, Final
from urllib.parse import urlsplit

from weir._inputs._report import Findings
from weir._inputs._repository import (
    NoRepository,
    Repository,
    repository_of,
    split_nul,
    without_spool,
    working_tree_of,
)
from weir._inputs._request import Request
from weir._redact import Redactor

_MAX_UNTRACKED: Final = 10_000
_MAX_SUBMODULES: Final = 200
_MAX_CHANGED: Final = 1_000


def collect_git(request: Request, redactor: Redactor) -> Findings:
    """Return `git/…`. No repository is no problem; one that cannot be read is said so."""
    findings = Findings()
    try:
        repository = repository_of(request)
    except NoRepository:
        return findings
    try:
        findings.facts |= _where(repository, request, redactor)
        if not repository.is_bare:
            findings.facts |= _changes(repository)
            findings.facts |= _submodules(repository)
    except NoRepository as refusal:  # another user's, damaged, or no git to ask
        findings.facts["git/root"] = str(repository.root)
        findings.problem("git", redactor.text(str(refusal)))
    return findings


def collect_untracked(request: Request, redactor: Redactor) -> Findings:
    """Return the names of untracked files, at most 10 000, as run file `code/untracked.txt`."""
    findings = Findings()
    repository = working_tree_of(request)
    if repository is None:
        return findings
    names: list[str] = []
    count = 0
    process = repository.read("ls-files", "--others", "--exclude-standard", "-z")
    with process:
        assert process.stdout is not None
        for name in without_spool(split_nul(process.stdout), repository.root, request):
            count += 1
            if len(names) < _MAX_UNTRACKED:
                names.append(name)
    findings.facts["git/untracked"] = count
    if names:
        listed = "".join(f"{redactor.text(name)}\n" for name in names)
        findings.files["code/untracked.txt"] = listed.encode(errors="replace")
    if count > len(names):
        findings.problem("untracked", f"{count} untracked files, the first {len(names)} are named")
    return findings


def _where(repository: Repository, request: Request, redactor: Redactor) -> dict[str, Any]:
    repository.ask("rev-parse", "--git-dir")  # says why, when git does not want to
    commit = repository.told("rev-parse", "--verify", "--quiet", "HEAD")
    branch = repository.told("symbolic-ref", "--quiet", "--short", "HEAD")
    remote = _remote(repository, branch)
    common = repository.told("rev-parse", "--path-format=absolute", "--git-common-dir")
    own = repository.told("rev-parse", "--path-format=absolute", "--git-dir")
    found = {
        "git/commit": commit,
        "git/branch": branch,
        "git/remote": redactor.text(without_credentials(remote)),
        "git/root": str(repository.root),
        "git/directory": repository.told(
            "-C", request.directory or "/", "rev-parse", "--show-prefix"
        ),
        "git/message": redactor.text(repository.told("log", "-1", "--format=%s")[:500]),
        "git/committed": repository.told("log", "-1", "--format=%cI"),
        "git/describe": repository.told("describe", "--tags", "--always"),
        "git/detached": bool(commit) and not branch,
        "git/shallow": repository.told("rev-parse", "--is-shallow-repository") == "true",
        "git/bare": repository.is_bare,
        "git/worktree": bool(common) and common != own,
        "git/pushed": bool(commit and repository.told("branch", "-r", "--contains", commit)),
    }
    kept_false = {"git/pushed"} if commit and remote else set()
    return {path: value for path, value in found.items() if value or path in kept_false}


def _remote(repository: Repository, branch: str) -> str:
    """The URL that the branch follows, else origin's, else the first one's."""
    names = repository.told("remote").split()
    followed = repository.told("config", f"branch.{branch}.remote") if branch else ""
    name = next((each for each in (followed, "origin", *names) if each in names), "")
    return repository.told("remote", "get-url", name) if name else ""


def without_credentials(url: str) -> str:
    """Return a remote's URL without user and password; `git@host:path` stays as it is."""
    try:
        parts = urlsplit(url)
        host = f"{parts.hostname or ''}{f':{parts.port}' if parts.port else ''}"
    except ValueError:
        return ""
    if parts.scheme in {"http", "https", "ftp", "ftps"} and "@" in parts.netloc:
        return parts._replace(netloc=host, query="", fragment="").geturl()
    return url


def _changes(repository: Repository) -> dict[str, Any]:
    """Whether anything tracked is changed, and what (at most 1 000 names)."""
    status = repository.ask("status", "--porcelain", "-z", "--untracked-files=no")
    changed = [entry[3:] for entry in status.split("\0") if len(entry) > 3 and entry[2] == " "]
    found: dict[str, Any] = {"git/dirty": bool(changed)}
    if changed:
        found["git/changed"] = changed[:_MAX_CHANGED]
    return found


def _submodules(repository: Repository) -> dict[str, Any]:
    """Each submodule's path, commit, and whether it is changed; only those that are checked out."""
    if not (repository.root / ".gitmodules").exists():
        return {}
    found = []
    for line in repository.told("submodule", "status", "--recursive").splitlines()[
        :_MAX_SUBMODULES
    ]:
        mark, words = line[:1], line[1:].split()
        if len(words) < 2:
            continue
        path = words[1]
        dirty = mark != "-" and bool(repository.told("-C", path, "status", "--porcelain"))
        found.append(
            {
                "path": path,
                "commit": words[0],
                "dirty": dirty,
                **({"missing": True} if mark == "-" else {}),
                **({"moved": True} if mark == "+" else {}),
            }
        )
    return {"git/submodules": found} if found else {}
