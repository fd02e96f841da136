"""The one door: pages, websocket and routes ask the same check before anything else runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocketClose

Check: TypeAlias = Callable[[Scope], str | None]
"""Names the caller of an HTTP or websocket scope; None turns them away. Must not block."""

EVERYONE: Final = "anonymous"
_OPEN_PATHS: Final = frozenset({"/healthz", "/_stcore/health"})
_POLICY_VIOLATION: Final = 1008


def open_to_all(_: Scope) -> str | None:
    """Let everyone in: right on a loopback address, or behind a proxy that signs people in."""
    return EVERYONE


class Guard:
    """Pure ASGI middleware: sets `scope["user_name"]`, or answers 401 / closes the websocket."""

    def __init__(self, app: ASGIApp, check: Check = open_to_all) -> None:
        self._app = app
        self._check = check

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on who is known; health checks and start-up need no name."""
        if scope["type"] not in {"http", "websocket"} or scope["path"] in _OPEN_PATHS:
            return await self._app(scope, receive, send)
        user = self._check(scope)
        if user is not None:
            return await self._app({**scope, "user_name": user}, receive, send)
        if scope["type"] == "websocket":
            return await WebSocketClose(_POLICY_VIOLATION)(scope, receive, send)
        return await JSONResponse({"error": "sign in first"}, status_code=401)(scope, receive, send)
