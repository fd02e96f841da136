"""Pages, routes and the websocket go through one door."""

from __future__ import annotations

import asyncio

from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from tests.unit.dashboard.asking import ask
from weir_dashboard.guard import Guard


async def whoami(request):
    return PlainTextResponse(request.scope.get("user_name", "nobody"))


INNER = Starlette(routes=[Route("/{path:path}", whoami)])


def test_everyone_is_let_in_by_default():
    assert ask(Guard(INNER), "/api/series").body == b"anonymous"


def test_a_check_that_knows_nobody_turns_everybody_away():
    guard = Guard(INNER, check=lambda scope: None)
    assert ask(guard, "/").status == 401
    assert ask(guard, "/api/series").status == 401


def test_health_needs_no_name():
    assert ask(Guard(INNER, check=lambda scope: None), "/healthz").status == 200


def test_a_check_names_the_caller():
    assert ask(Guard(INNER, check=lambda scope: "ada"), "/").body == b"ada"


def test_a_websocket_without_a_name_is_closed_before_it_opens():
    sent = []

    async def send(message):
        sent.append(message)

    async def receive():
        return {"type": "websocket.connect"}

    scope = {"type": "websocket", "path": "/_stcore/stream", "headers": []}
    asyncio.run(Guard(INNER, check=lambda scope: None)(scope, receive, send))
    assert [message["type"] for message in sent] == ["websocket.close"]
