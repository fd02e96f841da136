"""The grants file: what people whom a provider or a proxy has signed in may do. Written by hand.

[[grant]]                        # the first grant that fits counts; whom none fits may not come in
group = "ml-platform"            # a group they are in, or name = "ada@example.org", or neither = everybody
role = "admin"                   # reader, writer or admin
projects = ["*"]                 # ["vision", "nlp"]; ["*"] = all
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from weir_store.tokens import Role, UnreadableTokens, WatchedFile, role_and_projects


@dataclass(frozen=True, slots=True)
class Grant:
    """One entry; an empty `name` and `group` fit everybody."""

    role: Role
    projects: tuple[str, ...]
    name: str = ""
    group: str = ""

    def fits(self, name: str, groups: tuple[str, ...]) -> bool:
        """Whether it is about somebody of this name and these groups."""
        return self.name in ("", name) and (not self.group or self.group in groups)


def read_grants(path: Path) -> tuple[Grant, ...]:
    """Read the file; one that is gone grants nothing. Raises `UnreadableTokens`."""
    try:
        entries = tomllib.loads(path.read_text(encoding="utf-8")).get("grant", [])
    except FileNotFoundError:
        return ()
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UnreadableTokens(f"{path}: {error}") from error
    if not isinstance(entries, list):
        raise UnreadableTokens(f"{path}: 'grant' is no list, write [[grant]]")
    return tuple(_grant(path, entry) for entry in entries)


class KnownGrants:
    """The grants of a file, read again when it has changed, at most every 2 s."""

    def __init__(self, path: Path, complain: Callable[[str], None]) -> None:
        """Read the grants. Raises `UnreadableTokens`."""
        self._complain = complain
        self._watched = WatchedFile(path)
        self._read(path)

    def of(self, name: str, groups: tuple[str, ...]) -> Grant | None:
        """Return the first grant that fits, None when nothing is granted (any more)."""
        try:
            self._watched.reread(self._read)
        except UnreadableTokens as wrong:
            self._complain(str(wrong))
        return next((grant for grant in self._grants if grant.fits(name, groups)), None)

    def _read(self, path: Path) -> None:
        self._grants = read_grants(path)


def _grant(path: Path, entry: Any) -> Grant:
    if not isinstance(entry, dict):
        raise UnreadableTokens(f"{path}: a grant is no table, write [[grant]]")
    strange = set(entry) - {"name", "group", "role", "projects"}
    if strange:
        raise UnreadableTokens(f"{path}: a grant says {min(strange)!r}")
    name, group = entry.get("name", ""), entry.get("group", "")
    if not isinstance(name, str) or not isinstance(group, str):
        raise UnreadableTokens(f"{path}: name and group of a grant are texts")
    role, projects = role_and_projects(
        entry, f"{path}: the grant of {name or group or 'everybody'!r}"
    )
    return Grant(role, projects, name, group)
