"""The one door: pages, websocket and routes pass the same check before anything else runs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final
from urllib.parse import urlencode

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketClose

from weir_dashboard.access import now
from weir_dashboard.access.cookies import asked_address
from weir_dashboard.access.viewer import NOBODY, Via, Viewer
from weir_dashboard.access.visits import Check, Visit, open_to_all

OPEN_PATHS: Final = frozenset({"/healthz", "/_stcore/health"})
"""Answered to everybody: that the process lives, and nothing else."""

SIGN_IN: Final = "/sign-in"
_NOT_FOR_LINKS: Final = ("/metrics", "/_stcore/metrics", "/_stcore/upload_file", "/_stcore/agent")
_FOR_PROGRAMS: Final = ("/api/", "/_stcore/", "/media/", "/metrics", "/weir-assets/")
_TICKET: Final = now.HEADER.encode()
_POLICY_VIOLATION: Final = 1008


class Guard:
    """Pure ASGI middleware: names who asks, or turns them away.

    A websocket is checked when it opens, and again whenever its browser says something: what was ended
    meanwhile (signed out, revoked, expired) closes it.
    """

    def __init__(
        self, app: ASGIApp, check: Check = open_to_all, entrances: Iterable[BaseRoute] = ()
    ) -> None:
        """Stand in front of `app`.

        Args:
            app: What is guarded.
            check: Who is let in.
            entrances: Routes of `app` that everybody may reach: to sign in, and share links.
        """
        self._app = app
        self._check = check
        self._entrances = tuple(entrances)
        self._signs_in = any(getattr(each, "path", "") == SIGN_IN for each in self._entrances)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on who is known; health checks, the sign-in and start-up need no name."""
        if scope["type"] not in {"http", "websocket"}:
            return await self._app(scope, receive, send)
        scope = {**scope, "headers": [each for each in scope["headers"] if each[0] != _TICKET]}
        visit = self._check(scope)
        if scope["type"] == "http" and self._is_open(scope):
            now.set_for_request(visit.viewer if visit else NOBODY)
            return await self._app(scope, receive, send)
        if visit is None:
            return await _turned_away(scope, signs_in=self._signs_in)(scope, receive, send)
        if visit.viewer.via is Via.LINK and _is_below(scope["path"], _NOT_FOR_LINKS):
            return await JSONResponse({"error": "not found"}, status_code=404)(scope, receive, send)
        scope["user_name"] = visit.viewer.by
        if scope["type"] == "websocket":
            return await self._websocket(visit, scope, receive, send)
        now.set_for_request(visit.viewer)
        answer = send if visit.viewer.via is Via.OPEN else _private(send)
        return await self._app(scope, receive, answer)

    def _is_open(self, scope: Scope) -> bool:
        return scope["path"] in OPEN_PATHS or any(
            route.matches(scope)[0] is Match.FULL for route in self._entrances
        )

    async def _websocket(self, visit: Visit, scope: Scope, receive: Receive, send: Send) -> None:
        if visit.viewer.via is Via.OPEN:
            await self._app(scope, receive, send)
            return

        def still() -> Visit | None:
            found = self._check(scope)
            return found if found and found.shown == visit.shown else None

        def viewer() -> Viewer | None:
            found = still()
            return found.viewer if found else None

        async def hear() -> Message:
            message = await receive()
            if message["type"] == "websocket.receive" and still() is None:
                await send({"type": "websocket.close", "code": _POLICY_VIOLATION})
                return {"type": "websocket.disconnect", "code": _POLICY_VIOLATION}
            return message

        with now.ticket(visit.shown, viewer) as ticket:
            scope["headers"].append((_TICKET, ticket.encode()))
            await self._app(scope, hear, send)


def _turned_away(scope: Scope, *, signs_in: bool) -> ASGIApp:
    """Lead people to the sign-in; programs hear 401, whatever they asked for."""
    if scope["type"] == "websocket":
        return WebSocketClose(_POLICY_VIOLATION)
    wants_page = "text/html" in Headers(scope=scope).get("accept", "")
    if (
        signs_in
        and wants_page
        and scope["method"] == "GET"
        and not _is_below(scope["path"], _FOR_PROGRAMS)
    ):
        return _to_sign_in(asked_address(scope))
    return JSONResponse({"error": "sign in first"}, status_code=401)


def _to_sign_in(wanted: str) -> Response:
    to = SIGN_IN if wanted == "/" else f"{SIGN_IN}?{urlencode({'next': wanted})}"
    return RedirectResponse(to, status_code=303, headers={"Cache-Control": "no-store"})


def _private(send: Send) -> Send:
    """Let no cache keep for others what one viewer was answered, and no other site frame it."""

    async def answer(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            kept = headers.get("cache-control", "no-cache")
            if "immutable" not in kept:
                headers["Cache-Control"] = "private, " + kept.replace("public", "").strip(", ")
            headers.setdefault("X-Frame-Options", "SAMEORIGIN")
            headers.setdefault("Referrer-Policy", "same-origin")
        await send(message)

    return answer


def _is_below(path: str, places: tuple[str, ...]) -> bool:
    return any(
        path == each.rstrip("/") or path.startswith(each.rstrip("/") + "/") for each in places
    )
