"""Pages, routes and the websocket go through one door."""

from __future__ import annotations

import asyncio
import json

import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route

from tests.unit.dashboard.asking import ask
from weir_dashboard.access import now
from weir_dashboard.access.viewer import NOBODY, Via, Viewer
from weir_dashboard.access.visits import Visit
from weir_dashboard.guard import Guard
from weir_store.records import RunRef
from weir_store.tokens import Role

ADA = Viewer("ada", Role.WRITER, ("vision",), via=Via.TOKEN)
LINK = Viewer(
    "link 1", projects=("vision",), runs=frozenset({RunRef("vision", "r1")}), via=Via.LINK
)


async def whoami(request):
    return PlainTextResponse(request.scope.get("user_name", "nobody"))


async def echo(request):
    return JSONResponse({"tickets": request.headers.getlist(now.HEADER), "me": now.viewer().name})


INNER = Starlette(
    routes=[Route("/echo", echo), Route("/sign-in", whoami), Route("/{path:path}", whoami)]
)


def known(viewer: Viewer):
    return lambda scope: Visit(viewer, viewer.name)


def nobody(_):
    return None


@pytest.fixture(autouse=True)
def asked_for_a_name():
    now.require_sign_in(required=True)
    yield
    now.require_sign_in(required=False)


def test_everyone_is_let_in_by_default():
    now.require_sign_in(required=False)
    assert ask(Guard(INNER), "/api/series").body == b"dashboard"


def test_a_check_that_knows_nobody_turns_everybody_away():
    guard = Guard(INNER, check=nobody)
    assert ask(guard, "/").status == 401
    assert ask(guard, "/api/series").status == 401


def test_health_needs_no_name():
    assert ask(Guard(INNER, check=nobody), "/healthz").status == 200


def test_a_check_names_the_caller():
    assert ask(Guard(INNER, check=known(ADA)), "/").body == b"ada"


def test_an_entrance_is_open_for_its_method_alone_and_shows_nothing_of_anybody():
    entrances = [Route("/sign-in", whoami, methods=["GET"])]
    guard = Guard(INNER, check=nobody, entrances=entrances)
    assert ask(guard, "/sign-in").body == b"nobody"
    assert ask(guard, "/sign-in", body=b"x").status == 401
    assert ask(guard, "/sign-in/else").status == 401
    assert ask(guard, "/sign-in/../echo").status == 401


def test_what_an_entrance_asks_it_asks_as_nobody():
    guard = Guard(INNER, check=nobody, entrances=[Route("/echo", echo)])
    assert json.loads(ask(guard, "/echo").body)["me"] == NOBODY.name


def test_a_ticket_from_outside_is_thrown_away():
    for check in (known(ADA), known(LINK)):
        said = ask(Guard(INNER, check=check), "/echo", headers={now.HEADER: "stolen"})
        assert json.loads(said.body)["tickets"] == []


@pytest.mark.parametrize(
    "path", ["/metrics", "/_stcore/metrics", "/_stcore/upload_file/a/b", "/_stcore/agent/mcp"]
)
def test_a_share_link_does_not_reach_what_is_about_no_page(path):
    assert ask(Guard(INNER, check=known(LINK)), path).status == 404
    assert ask(Guard(INNER, check=known(ADA)), path).status == 200


class Line:
    """A websocket that says `words` and then hangs up; notes what it is told."""

    def __init__(self, *words: str) -> None:
        self.words = list(words)
        self.told: list[dict] = []

    async def receive(self):
        if self.words:
            return {"type": "websocket.receive", "text": self.words.pop(0)}
        return {"type": "websocket.disconnect", "code": 1000}

    async def send(self, message):
        self.told.append(message)

    def call(self, guard: Guard, headers=()) -> None:
        scope = {"type": "websocket", "path": "/_stcore/stream", "headers": list(headers)}
        asyncio.run(guard(scope, self.receive, self.send))


def test_a_websocket_without_a_name_is_closed_before_it_opens():
    line = Line()
    line.call(Guard(INNER, check=nobody))
    assert [message["type"] for message in line.told] == ["websocket.close"]


def listening(heard: list, tickets: list):
    async def app(scope, receive, send):
        tickets.extend(value.decode() for key, value in scope["headers"] if key == b"weir-viewer")
        while (message := await receive())["type"] != "websocket.disconnect":
            heard.append((message["text"], now._of_ticket(tickets[-1]).name))

    return app


def test_a_script_knows_its_viewer_by_a_ticket_that_the_guard_put_there():
    heard: list = []
    tickets: list = []
    line = Line("rerun")
    line.call(Guard(listening(heard, tickets), check=known(ADA)), [(b"weir-viewer", b"forged")])
    assert heard == [("rerun", "ada")]
    assert len(tickets) == 1
    assert tickets[0] != "forged"
    assert now._of_ticket(tickets[0]) == NOBODY  # it ended with the websocket


def test_a_websocket_closes_when_its_viewer_is_not_let_in_any_more():
    answers = [Visit(ADA, "1"), Visit(ADA, "1"), Visit(ADA, "1"), None]
    heard: list = []
    line = Line("one", "two", "three")
    line.call(Guard(listening(heard, []), check=lambda scope: answers.pop(0) if answers else None))
    assert heard == [("one", "ada")]
    assert line.told == [{"type": "websocket.close", "code": 1008}]


def test_a_websocket_does_not_go_on_as_somebody_else():
    answers = [Visit(ADA, "1"), Visit(LINK, "2")]
    heard: list = []
    line = Line("one")
    line.call(Guard(listening(heard, []), check=lambda scope: answers.pop(0) if answers else None))
    assert heard == []


def test_viewers_of_different_sessions_have_different_tickets():
    with now.ticket("a", lambda: ADA) as one, now.ticket("b", lambda: ADA) as other:
        assert one != other
    with now.ticket("a", lambda: ADA) as again:
        assert again == one


def test_streamlit_takes_the_viewer_from_the_guards_header_and_no_other():
    from pathlib import Path

    from streamlit import config

    import weir_dashboard

    config._main_script_path = str(Path(weir_dashboard.__file__).with_name("main.py"))
    config.get_config_options(force_reparse=True)
    assert config.get_option("server.trustedUserHeaders") == {now.HEADER: now.USER_KEY}
    assert not config.get_option("server.enableAgentApi")
