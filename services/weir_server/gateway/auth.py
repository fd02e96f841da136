"""Who calls, and what they may do. Without a tokens file everybody may do everything."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from weir_server.clock import Clock, SystemClock
from weir_server.errors import Forbidden, StartupError, Unauthenticated
from weir_server.gateway.tokens import EVERY_PROJECT, Role, Token, digest_of, read_tokens
from weir_server.log import get_logger

RELOAD_S: Final = 2.0
_HEADER: Final = "authorization"
_SCHEME: Final = "bearer "
# The same words whether the token is missing, wrong or revoked: nothing to learn by trying.
_TURNED_AWAY: Final = "no valid token"
_HINT: Final = "set WEIR_TOKEN to a token made by `weir token create`"

Metadata = Iterable[tuple[str, str | bytes]]


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody who was let in.

    Attributes:
        name: Of the token; `anonymous` where no tokens are asked for.
        role: What it is good for.
        projects: Where; `("*",)` = everywhere.
        sha256: Of the token, to see whether it still counts.
    """

    name: str
    role: Role
    projects: tuple[str, ...]
    sha256: str = ""

    @property
    def projects_allowed(self) -> tuple[str, ...] | None:
        """The projects it may see; None = every project."""
        return None if EVERY_PROJECT in self.projects else self.projects

    def may(self, wanted: Role, project: str) -> bool:
        """Return whether it may act as `wanted` in this project."""
        allowed = self.projects_allowed
        return self.role.includes(wanted) and (allowed is None or project in allowed)

    def require(self, wanted: Role, project: str) -> None:
        """Raise `Forbidden` unless it may act as `wanted` in this project."""
        if not self.may(wanted, project):
            raise Forbidden(
                f"token {self.name!r} may not act as {wanted} in project {project!r}",
                hint="ask for a token with this role and project (`weir token create`)",
            )


ANYBODY: Final = Principal("anonymous", Role.ADMIN, (EVERY_PROJECT,))


class Auth:
    """Looks up tokens; reads the file again when it has changed, at most every 2 s."""

    def __init__(self, path: Path | None, *, clock: Clock | None = None) -> None:
        """Read the tokens.

        Raises:
            StartupError: The file is not there or cannot be read.
        """
        self._path = path
        self._clock = clock or SystemClock()
        self._checked_at_s = self._clock.monotonic_s()
        self._seen = _Version.of(path)
        self._tokens: dict[str, Token] = {}
        if path is not None:
            if self._seen is None:
                raise StartupError(
                    f"there is no tokens file {path}", hint="make it with `weir token create`"
                )
            self._tokens = _by_digest(read_tokens(path))

    def principal(self, metadata: Metadata | None) -> Principal:
        """Return who calls. Raises `Unauthenticated`."""
        if self._path is None:
            return ANYBODY
        self._reload()
        secret = _bearer(metadata or ())
        token = self._tokens.get(digest_of(secret)) if secret else None
        if token is None:
            raise Unauthenticated(_TURNED_AWAY, hint=_HINT)
        return Principal(token.name, token.role, token.projects, token.sha256)

    def confirm(self, principal: Principal) -> None:
        """Raise `Unauthenticated` when the token no longer counts, or counts for something else."""
        if self._path is None:
            return
        self._reload()
        token = self._tokens.get(principal.sha256)
        if token is None or (token.role, token.projects) != (principal.role, principal.projects):
            raise Unauthenticated(_TURNED_AWAY, hint=_HINT)

    def _reload(self) -> None:
        now_s = self._clock.monotonic_s()
        if self._path is None or now_s - self._checked_at_s < RELOAD_S:
            return
        self._checked_at_s = now_s
        version = _Version.of(self._path)
        if version == self._seen:
            return
        try:
            # A file that is gone lets nobody in: it is how one revokes everything.
            self._tokens = _by_digest(read_tokens(self._path))
            self._seen = version
        except StartupError as error:
            get_logger().error("tokens file is wrong, the old tokens stay", problem=str(error))


@dataclass(frozen=True, slots=True)
class _Version:
    """What changes when a file is written or replaced."""

    inode: int
    size_bytes: int
    written_ns: int

    @classmethod
    def of(cls, path: Path | None) -> _Version | None:
        try:
            found = path.stat() if path is not None else None
        except OSError:
            return None
        return cls(found.st_ino, found.st_size, found.st_mtime_ns) if found else None


def _by_digest(tokens: Iterable[Token]) -> dict[str, Token]:
    return {token.sha256: token for token in tokens}


def _bearer(metadata: Metadata) -> str:
    for key, value in metadata:
        if key.lower() == _HEADER and isinstance(value, str) and value.lower().startswith(_SCHEME):
            return value[len(_SCHEME) :].strip()
    return ""
