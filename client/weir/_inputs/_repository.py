"""Asking git, through GitPython, without touching anything: the only file that knows the package."""

import os
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any, Final

from weir._inputs._request import Request

_QUIET: Final = {
    "GIT_OPTIONAL_LOCKS": "0",  # never in the way of the user's own git
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_PAGER": "cat",
    "LC_ALL": "C",
}
# A repository's own configuration must neither run programs nor change the shape of what we read.
_PLAIN: Final = {
    "core.fsmonitor": "false",
    "color.ui": "false",
    "core.quotePath": "true",
    "diff.autoRefreshIndex": "false",  # `git diff` takes the lock whatever GIT_OPTIONAL_LOCKS says
}
EMPTY_TREE: Final = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"


class NoRepository(Exception):
    """There is no git, or no repository here."""


class Repository:
    """One repository, read-only.

    Attributes:
        root: Of the working tree; of the repository itself when it is bare.
    """

    def __init__(self, repo: Any) -> None:
        self._repo = repo
        self._git = repo.git
        self._git.update_environment(**_QUIET)
        self.root = Path(repo.working_tree_dir or repo.git_dir)

    @classmethod
    def around(cls, folder: Path) -> "Repository":
        """Return the repository that a folder lies in.

        Raises:
            NoRepository: There is none, no git, or one that git does not read.
        """
        # Without a git binary, importing GitPython fails unless it is told to be quiet about it.
        os.environ["GIT_PYTHON_REFRESH"] = "quiet"
        import git

        try:
            return cls(git.Repo(folder, search_parent_directories=True))
        except (git.exc.InvalidGitRepositoryError, git.exc.NoSuchPathError) as error:
            raise NoRepository(str(error)) from error

    @property
    def is_bare(self) -> bool:
        """Whether it has no working tree."""
        return bool(self._repo.bare)

    def ask(self, *words: str) -> str:
        """Return what `git <words>` prints.

        Raises:
            NoRepository: git is not there, or says no; its own words are the message.
        """
        import git

        try:
            return str(self._git.execute([*self._command(), *words], strip_newline_in_stdout=True))
        except git.exc.GitCommandNotFound as error:
            raise NoRepository("there is no git on this machine") from error
        except git.exc.GitCommandError as error:
            raise NoRepository(_words_of(error)) from error

    def told(self, *words: str) -> str:
        """Return what `git <words>` prints, "" when it says no."""
        try:
            return self.ask(*words)
        except NoRepository:
            return ""

    def read(self, *words: str) -> "subprocess.Popen[bytes]":
        """Start `git <words>`; its stdout is for the caller to read, and to close."""
        environ = {**os.environ, **_QUIET}
        return subprocess.Popen(
            [*self._command(), *words],
            cwd=self.root,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )

    def has_commit(self) -> bool:
        """Whether there is anything HEAD points to."""
        return bool(self.told("rev-parse", "--verify", "--quiet", "HEAD"))

    def _command(self) -> list[str]:
        options = [word for name, value in _PLAIN.items() for word in ("-c", f"{name}={value}")]
        return [str(self._git.GIT_PYTHON_GIT_EXECUTABLE or "git"), *options]


def _words_of(error: Any) -> str:
    """What git itself said; GitPython puts a name and quotes around it."""
    text = str(error.stderr or error).strip()
    return text.removeprefix("stderr:").strip(" \n'")[:500]


def repository_of(request: Request) -> Repository:
    """Return the repository of the code that runs: the main script's, else the working directory's.

    A script of an installed package tells nothing of what the user works on.

    Raises:
        NoRepository: There is none.
    """
    script = Path(request.script)
    installed = "site-packages" in script.parts or str(script).startswith(request.prefix + os.sep)
    if request.script and not installed:
        try:
            return Repository.around(script.parent)
        except NoRepository:
            pass
    return Repository.around(Path(request.directory or "/"))


def working_tree_of(request: Request) -> Repository | None:
    """Return the same where git answers for its working tree; None where there is none, or no answer."""
    try:
        repository = repository_of(request)
        if repository.is_bare:
            return None
        repository.ask("rev-parse", "--git-dir")
    except NoRepository:
        return None
    return repository


def without_spool(names: Iterable[str], root: Path, request: Request) -> Iterator[str]:
    """Iterate over names below root that are not Weir's own: the spool often lies in the project."""
    spool_root = Path(request.spool_path).parents[2]
    if not spool_root.is_relative_to(root):
        yield from names
        return
    prefix = f"{spool_root.relative_to(root).as_posix()}/"
    yield from (name for name in names if not name.startswith(prefix))


def split_nul(stream: IO[bytes], chunk_bytes: int = 1 << 16) -> Iterator[str]:
    """Iterate over names that end in NUL, as they come."""
    rest = b""
    while chunk := stream.read(chunk_bytes):
        *names, rest = (rest + chunk).split(b"\0")
        yield from (name.decode(errors="replace") for name in names if name)
