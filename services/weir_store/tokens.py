"""The tokens file, as everybody reads it who lets people in: gateways and dashboards.

[[token]]
name = "ci"
sha256 = "9f86d0…"              # of the token; the token itself is shown once and kept nowhere
role = "writer"                 # reader, writer or admin
projects = ["vision", "nlp"]    # ["*"] = all
"""

from __future__ import annotations

import hashlib
import time
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

EVERY_PROJECT: Final = "*"
RELOAD_S: Final = 2.0


class Role(StrEnum):
    """What a token is good for; each includes the ones before."""

    READER = "reader"
    WRITER = "writer"
    ADMIN = "admin"

    def includes(self, wanted: Role) -> bool:
        """Return whether this role may do what `wanted` may."""
        order = list(Role)
        return order.index(self) >= order.index(wanted)


@dataclass(frozen=True, slots=True)
class Token:
    """One entry of the file; `sha256` is 64 lower-case hex digits."""

    name: str
    sha256: str
    role: Role
    projects: tuple[str, ...]


class UnreadableTokens(Exception):
    """The file cannot be read, or says something that makes no sense."""


def digest_of(secret: str) -> str:
    """Return what the file holds of a token."""
    return hashlib.sha256(secret.encode()).hexdigest()


def read_tokens(path: Path) -> tuple[Token, ...]:
    """Read the file; one that is not there holds no tokens. Raises `UnreadableTokens`."""
    try:
        entries = tomllib.loads(path.read_text(encoding="utf-8")).get("token", [])
    except FileNotFoundError:
        return ()
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UnreadableTokens(f"{path}: {error}") from error
    if not isinstance(entries, list):
        raise UnreadableTokens(f"{path}: 'token' is no list, write [[token]]")
    tokens = tuple(_token(path, entry) for entry in entries)
    names = [token.name for token in tokens]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise UnreadableTokens(f"{path}: two tokens are named {min(twice)!r}")
    return tokens


class WatchedFile:
    """A file that is read again when it was written, replaced or taken away; looked at every 2 s at most."""

    def __init__(self, path: Path, monotonic_s: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._monotonic_s = monotonic_s
        self._looked_at_s = monotonic_s()
        self._read = self._found()

    def reread(self, read: Callable[[Path], None]) -> None:
        """Call `read` when there is something new; when it raises, the next look calls it again."""
        now_s = self._monotonic_s()
        if now_s - self._looked_at_s < RELOAD_S:
            return
        self._looked_at_s = now_s
        found = self._found()
        if found != self._read:
            read(self._path)
            self._read = found

    def _found(self) -> tuple[int, int, int] | None:
        """Return what changes when a file is written or replaced; None = it is gone."""
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_ino, found.st_size, found.st_mtime_ns


class KnownTokens:
    """The tokens of a file by digest; the file is read again when it has changed, at most every 2 s."""

    def __init__(
        self,
        path: Path,
        *,
        monotonic_s: Callable[[], float] = time.monotonic,
        complain: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Read the tokens.

        Args:
            path: The file.
            monotonic_s: A clock.
            complain: Told why a changed file cannot be read; the tokens known before stay.

        Raises:
            UnreadableTokens: The file cannot be read.
        """
        self._complain = complain
        self._watched = WatchedFile(path, monotonic_s)
        self._read(path)

    def of_secret(self, secret: str) -> Token | None:
        """Return the token with this secret. It is looked up by its digest, so time tells nothing of it."""
        return self.of_digest(digest_of(secret)) if secret else None

    def of_digest(self, sha256: str) -> Token | None:
        """Return the token with this digest, None when it does not count (any more)."""
        try:
            # A file that is gone lets nobody in: it is how one revokes everything.
            self._watched.reread(self._read)
        except UnreadableTokens as wrong:
            self._complain(str(wrong))
        return self._tokens.get(sha256)

    def _read(self, path: Path) -> None:
        self._tokens = {token.sha256: token for token in read_tokens(path)}


def _token(path: Path, entry: Any) -> Token:
    if not isinstance(entry, dict):
        raise UnreadableTokens(f"{path}: a token is no table, write [[token]]")
    name, sha256 = entry.get("name"), entry.get("sha256")
    if not isinstance(name, str) or not name:
        raise UnreadableTokens(f"{path}: a token has no name")
    if not isinstance(sha256, str) or len(sha256) != 64 or set(sha256) - set("0123456789abcdef"):
        raise UnreadableTokens(f"{path}: sha256 of token {name!r} is not 64 lower-case hex digits")
    role, projects = role_and_projects(entry, f"{path}: token {name!r}")
    return Token(name, sha256, role, projects)


def role_and_projects(entry: dict[str, Any], where: str) -> tuple[Role, tuple[str, ...]]:
    """Read what an entry grants. Raises `UnreadableTokens`, which begins with `where`."""
    try:
        role = Role(str(entry.get("role")))
    except ValueError as error:
        raise UnreadableTokens(f"{where}: role is not reader, writer or admin") from error
    projects = entry.get("projects")
    if not isinstance(projects, list) or not all(isinstance(p, str) and p for p in projects):
        raise UnreadableTokens(f"{where}: projects is not a list of names")
    return role, tuple(projects)
