"""Who calls, and what they may do. Without a tokens file everybody may do everything."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from weir_server.clock import Clock, SystemClock
from weir_server.errors import Forbidden, StartupError, Unauthenticated
from weir_server.gateway.tokens import EVERY_PROJECT, Role, unreadable
from weir_server.log import get_logger
from weir_store.tokens import KnownTokens, UnreadableTokens

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
        self._tokens: KnownTokens | None = None
        if path is None:
            return
        if not path.exists():
            raise StartupError(
                f"there is no tokens file {path}", hint="make it with `weir token create`"
            )
        clock = clock or SystemClock()
        try:
            self._tokens = KnownTokens(path, monotonic_s=clock.monotonic_s, complain=_complain)
        except UnreadableTokens as error:
            raise unreadable(error) from error

    def principal(self, metadata: Metadata | None) -> Principal:
        """Return who calls. Raises `Unauthenticated`."""
        if self._tokens is None:
            return ANYBODY
        token = self._tokens.of_secret(_bearer(metadata or ()))
        if token is None:
            raise Unauthenticated(_TURNED_AWAY, hint=_HINT)
        return Principal(token.name, token.role, token.projects, token.sha256)

    def confirm(self, principal: Principal) -> None:
        """Raise `Unauthenticated` when the token no longer counts, or counts for something else."""
        if self._tokens is None:
            return
        token = self._tokens.of_digest(principal.sha256)
        if token is None or (token.role, token.projects) != (principal.role, principal.projects):
            raise Unauthenticated(_TURNED_AWAY, hint=_HINT)


def _complain(problem: str) -> None:
    get_logger().error("tokens file is wrong, the old tokens stay", problem=problem)


def _bearer(metadata: Metadata) -> str:
    for key, value in metadata:
        if key.lower() == _HEADER and isinstance(value, str) and value.lower().startswith(_SCHEME):
            return value[len(_SCHEME) :].strip()
    return ""
