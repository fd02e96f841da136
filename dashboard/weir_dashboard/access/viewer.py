"""Somebody who looks at the dashboard, and what they may. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from weir_store.records import RunRef
from weir_store.tokens import EVERY_PROJECT, Role

_UNSIGNED: Final = "dashboard"


class Via(StrEnum):
    """How somebody came in."""

    OPEN = "open"  # nobody is asked
    TOKEN = "token"
    OIDC = "oidc"
    PROXY = "proxy"
    LINK = "link"  # a share link: read-only, and only what it names


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who asks, as a Weir token would say it.

    Attributes:
        name: For people and for audits.
        role: What they may do where they may do anything.
        projects: Names of projects; `("*",)` = every project.
        runs: Only these runs of the projects, and nothing that is about a project as a whole; None = all.
        via: How they came in.
        sha256: Of their token, and
        groups: as their provider says: to ask again what they may, for what they leave behind.
    """

    name: str
    role: Role = Role.READER
    projects: tuple[str, ...] = ()
    runs: frozenset[RunRef] | None = None
    via: Via = Via.OPEN
    sha256: str = field(default="", repr=False)
    groups: tuple[str, ...] = field(default=(), repr=False)

    @property
    def allowed(self) -> tuple[str, ...] | None:
        """The projects they may see; None = every project."""
        return None if EVERY_PROJECT in self.projects else self.projects

    @property
    def by(self) -> str:
        """What audits call them: their name, or `dashboard` where nobody is asked for one."""
        return _UNSIGNED if self.via is Via.OPEN else self.name

    def may_see(self, project: str) -> bool:
        """Whether anything of this project is theirs to see."""
        return self.allowed is None or project in self.allowed

    def may_see_all(self, project: str) -> bool:
        """Whether the project as a whole is theirs to see, not only some runs of it."""
        return self.runs is None and self.may_see(project)

    def may_see_run(self, ref: RunRef) -> bool:
        """Whether this run is theirs to see; says nothing about whether it exists."""
        return self.may_see(ref.project) and (self.runs is None or ref in self.runs)

    def may_edit(self, project: str) -> bool:
        """Whether they may change things of this project: writers and admins may."""
        return self.role.includes(Role.WRITER) and self.may_see_all(project)

    @property
    def may_edit_anything(self) -> bool:
        """Whether there may be a project where they change things."""
        return self.role.includes(Role.WRITER) and self.runs is None

    def may_administer(self, project: str) -> bool:
        """Whether they may take back what others gave out in this project."""
        return self.role is Role.ADMIN and self.may_see_all(project)

    @property
    def sees_everything(self) -> bool:
        """Whether nothing is kept from them, neither seeing nor changing."""
        return self.role is Role.ADMIN and self.allowed is None and self.runs is None


ANYBODY: Final = Viewer("anonymous", Role.ADMIN, (EVERY_PROJECT,))
"""Everybody, where nobody is asked who they are."""

NOBODY: Final = Viewer("nobody", Role.READER, ())
"""Whoever is not known any more: sees nothing."""
