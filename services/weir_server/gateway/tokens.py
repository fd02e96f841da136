"""The tokens file: who may come in. Written by `weir token`, read by the gateway.

[[token]]
name = "ci"
sha256 = "9f86d0…"              # of the token; the token itself is shown once and kept nowhere
role = "writer"                 # reader, writer or admin
projects = ["vision", "nlp"]    # ["*"] = all
"""

from __future__ import annotations

import hashlib
import os
import secrets
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from weir_server.errors import StartupError

EVERY_PROJECT: Final = "*"
_PREFIX: Final = "weir_"
_HEADER: Final = (
    "# Who may come in. Make an entry with: "
    "weir token create --name ci --role writer --project my-project\n"
)


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


def digest_of(secret: str) -> str:
    """Return what the file holds of a token."""
    return hashlib.sha256(secret.encode()).hexdigest()


def read_tokens(path: Path) -> tuple[Token, ...]:
    """Read the file; one that is not there holds no tokens.

    Raises:
        StartupError: The file cannot be read or says something that makes no sense.
    """
    try:
        entries = tomllib.loads(path.read_text(encoding="utf-8")).get("token", [])
    except FileNotFoundError:
        return ()
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise _unreadable(path, str(error)) from error
    if not isinstance(entries, list):
        raise _unreadable(path, "'token' is no list, write [[token]]")
    tokens = tuple(_token(path, entry) for entry in entries)
    names = [token.name for token in tokens]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise _unreadable(path, f"two tokens are named {min(twice)!r}")
    return tokens


def create_token(path: Path, *, name: str, role: Role, projects: Sequence[str]) -> str:
    """Add a token and return its secret, which is not kept anywhere.

    Raises:
        StartupError: The name is taken, empty, or there is no project.
    """
    tokens = read_tokens(path)
    if not name or any(token.name == name for token in tokens):
        raise StartupError(
            f"a token cannot be named {name!r}", hint="choose a name not in `weir token list`"
        )
    if not projects:
        raise StartupError(
            "a token needs a project", hint="--project NAME, or --project '*' for all"
        )
    secret = _PREFIX + secrets.token_urlsafe(32)
    _write(path, (*tokens, Token(name, digest_of(secret), role, tuple(projects))))
    return secret


def revoke_token(path: Path, name: str) -> Token:
    """Take a token out of the file; gateways close its streams within 30 s.

    Raises:
        StartupError: There is none of that name.
    """
    tokens = read_tokens(path)
    for token in tokens:
        if token.name == name:
            _write(path, tuple(other for other in tokens if other is not token))
            return token
    raise StartupError(f"no token is named {name!r}", hint="see `weir token list`")


def _token(path: Path, entry: Any) -> Token:
    if not isinstance(entry, dict):
        raise _unreadable(path, "a token is no table, write [[token]]")
    name, sha256 = entry.get("name"), entry.get("sha256")
    if not isinstance(name, str) or not name:
        raise _unreadable(path, "a token has no name")
    if not isinstance(sha256, str) or len(sha256) != 64 or set(sha256) - set("0123456789abcdef"):
        raise _unreadable(path, f"sha256 of token {name!r} is not 64 lower-case hex digits")
    try:
        role = Role(str(entry.get("role")))
    except ValueError as error:
        raise _unreadable(path, f"role of token {name!r} is not reader, writer or admin") from error
    projects = entry.get("projects")
    if not isinstance(projects, list) or not all(isinstance(p, str) and p for p in projects):
        raise _unreadable(path, f"projects of token {name!r} is not a list of names")
    return Token(name, sha256, role, tuple(projects))


def _unreadable(path: Path, why: str) -> StartupError:
    return StartupError(
        f"cannot read the tokens file {path}: {why}",
        hint="correct it, or make entries with `weir token create`",
    )


def _write(path: Path, tokens: Sequence[Token]) -> None:
    """Replace the file in one step: a gateway never reads half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    text = _HEADER + "".join(_toml(token) for token in tokens)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _mode_of(path))
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def _mode_of(path: Path) -> int:
    return path.stat().st_mode & 0o777 if path.exists() else 0o600


def _toml(token: Token) -> str:
    projects = ", ".join(_quoted(project) for project in token.projects)
    return (
        f"\n[[token]]\nname = {_quoted(token.name)}\nsha256 = {_quoted(token.sha256)}\n"
        f"role = {_quoted(token.role)}\nprojects = [{projects}]\n"
    )


def _quoted(text: str) -> str:
    """Return a TOML basic string."""
    plain = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in plain) + '"'
