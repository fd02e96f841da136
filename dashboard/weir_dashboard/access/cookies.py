"""Cookies and addresses of a request: what is read off them, and what is believed. Pure."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Scope

HOME: Final = "/"


def cookie(scope: Scope, name: str) -> str:
    """Return a cookie; "" when there is none, or two of one name, of which one must be planted."""
    found = []
    for key, value in scope.get("headers", ()):
        if key == b"cookie":
            for part in value.decode("latin-1").split(";"):
                said, _, text = part.strip().partition("=")
                if said == name:
                    found.append(text)
    return found[0] if len(found) == 1 else ""


def set_cookie(
    response: Response, name: str, value: str, *, secure: bool, lasts_s: int, strict: bool = False
) -> None:
    """Give a cookie that no script can read and no other site can send along; "" takes it away."""
    response.set_cookie(
        name,
        value,
        max_age=lasts_s if value else 0,
        path="/",
        secure=secure,
        httponly=True,
        samesite="strict" if strict else "lax",
    )


def is_same_origin(scope: Scope) -> bool:
    """Whether a form was sent by a page of this very dashboard, as far as the browser says."""
    headers = Headers(scope=scope)
    origin = headers.get("origin")
    if origin is not None:
        return bool(origin != "null" and urlsplit(origin).netloc == headers.get("host"))
    return headers.get("sec-fetch-site", "same-origin") in {"same-origin", "none"}


def local_address(text: str) -> str:
    """Return a path and query of this dashboard to go on to; the first page for anything else.

    Browsers drop control characters and take a backslash for a slash: nothing that holds one is believed.
    """
    if not text.startswith("/") or any(letter <= " " or letter in "\\\x7f" for letter in text):
        return HOME
    parts = urlsplit(text)
    if parts.scheme or parts.netloc or text.startswith("//"):
        return HOME
    return text


def asked_address(scope: Scope) -> str:
    """Return the path and query that a request asks for."""
    query = scope.get("query_string", b"").decode("latin-1")
    path = scope.get("raw_path", scope["path"].encode()).decode("latin-1").partition("?")[0]
    return f"{path}?{query}" if query else path
