"""The tokens file: who may come in. Written by `weir token`, read by gateways and dashboards (weir_store/tokens.py)."""

from __future__ import annotations

import os
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from weir_server.errors import StartupError
from weir_store import tokens as file
from weir_store.tokens import EVERY_PROJECT, Role, Token, UnreadableTokens, digest_of

__all__ = [
    "EVERY_PROJECT",
    "Role",
    "Token",
    "create_token",
    "digest_of",
    "read_tokens",
    "revoke_token",
]

_PREFIX: Final = "weir_"
_HEADER: Final = (
    "# Who may come in. Make an entry with: "
    "weir token create --name ci --role writer --project my-project\n"
)


def read_tokens(path: Path) -> tuple[Token, ...]:
    """Read the file; one that is not there holds no tokens.

    Raises:
        StartupError: The file cannot be read or says something that makes no sense.
    """
    try:
        return file.read_tokens(path)
    except UnreadableTokens as error:
        raise unreadable(error) from error


def unreadable(error: UnreadableTokens) -> StartupError:
    """Return the error for people who start something."""
    return StartupError(
        f"cannot read the tokens file {error}",
        hint="correct it, or make entries with `weir token create`",
    )


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
