"""The door in a real browser and over real sockets: every route, the websocket, signing in and out, share links."""

from __future__ import annotations

import http.client
import json
import re
import secrets
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest

from tests.e2e.fixtures_dashboard import PROBES
from weir_server.gateway.tokens import Role, create_token, revoke_token

SERVER = Path(__file__).with_name("access_server.py")

# Everything the dashboard answers: a route that is not here has not been thought about.
OPEN = {"/healthz", "/_stcore/health"}
ENTRANCES = {"/sign-in", "/sign-out", "/s/{secret}"}
NOT_FOR_LINKS = {
    "/metrics",
    "/_stcore/metrics",
    "/_stcore/upload_file/{session_id}/{file_id}",
    "/_stcore/agent/interact",
    "/_stcore/agent/openapi.json",
    "/_stcore/agent/mcp",
}
WITHOUT_PROJECTS = {
    "/weir-assets/{version}/{name}",
    "/_stcore/host-config",
    "/_stcore/stream",  # pages: what they show comes through data.ask()
    "/media/{file_id:path}",  # named by the digest of its content
    "/component/{path:path}",
    "/_stcore/bidi-components/{path:path}",
    "/auth/login",
    "/auth/logout",
    "/oauth2callback",
    "",  # Streamlit's own files
}
RUNS = "ddp/ddp16"  # bob's; asked for by ada
BY_ADA = 'user="ada"'
# route → queries that name what is not theirs; answered as for what does not exist
ASKED = {
    "/api/series": [{"run": RUNS, "metric": "train/loss"}],
    "/api/metrics": [{"run": RUNS}],
    "/api/sql": [{"sql": "SELECT 1"}],
    "/api/groups": [
        {"project": "ddp", "g": "user", "group": BY_ADA, "metric": "train/loss", "run": RUNS}
    ],
    "/api/groups/list": [{"project": "ddp", "g": "user"}, {"run": RUNS, "g": "user"}],
    "/api/groups/runs": [{"project": "ddp", "g": "user", "group": BY_ADA}],
    "/api/groups/keys": [{"project": "ddp"}, {"run": RUNS}],
    "/api/names": [{"project": "ddp"}],
    "/api/runs": [{"project": "ddp"}],
    "/api/report": [{"project": "ddp", "id": "nosuch"}],
    "/api/view": [{"page": "runs", "project": "ddp", "search": "?q=x"}],
}


@dataclass
class Guarded:
    """A running dashboard that asks for tokens."""

    address: str
    process: subprocess.Popen[str]
    tokens: Path
    secrets: dict[str, str]
    routes: list[str]

    def ask(self, path: str, method: str = "GET", **headers: str) -> tuple[int, str, str]:
        """Return status, location and body."""
        line = http.client.HTTPConnection(urlsplit(self.address).netloc, timeout=20)
        try:
            line.request(method, path, headers={k.replace("_", "-"): v for k, v in headers.items()})
            answer = line.getresponse()
            location = answer.getheader("location") or ""
            return answer.status, location, answer.read().decode("utf-8", "replace")
        finally:
            line.close()

    def bearer(self, name: str) -> dict[str, str]:
        return {"authorization": f"Bearer {self.secrets[name]}"}

    def handshake(self, **headers: str) -> int:
        """Open a websocket; return the status of the answer, 101 = it is open."""
        line = http.client.HTTPConnection(urlsplit(self.address).netloc, timeout=20)
        upgrade = {"upgrade": "websocket", "connection": "Upgrade", "sec-websocket-version": "13",
                   "sec-websocket-key": "x3JJHMbDL1EzLkh9GBhXDw==", "sec-websocket-protocol": "streamlit"}  # fmt: skip
        try:
            more = {key.replace("_", "-"): value for key, value in headers.items()}
            line.request("GET", "/_stcore/stream", headers={**upgrade, **more})
            return line.getresponse().status
        finally:
            line.close()


def start(folder: Path, *arguments: str) -> tuple[subprocess.Popen[str], str, list[str]]:
    process = subprocess.Popen(
        [sys.executable, str(SERVER), "--access-dir", str(folder / "access"), *arguments],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    routes = json.loads(process.stdout.readline())
    ready = process.stdout.readline()
    assert "dashboard ready on " in ready
    return process, ready.split()[-1], routes


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    folder = tmp_path_factory.mktemp("door")
    tokens = folder / "tokens.toml"
    who = {
        "ada": (Role.WRITER, "gpt-small"),
        "bob": (Role.READER, "ddp"),
        "root": (Role.ADMIN, "*"),
        "eve": (Role.READER, "ddp"),
    }
    made = {
        name: create_token(tokens, name=name, role=role, projects=[project])
        for name, (role, project) in who.items()
    }
    process, address, routes = start(folder, "--auth", "token", "--tokens-file", str(tokens))
    try:
        yield Guarded(address, process, tokens, made, routes)
    finally:
        process.terminate()
        process.wait(timeout=20)


@pytest.fixture
def context(browser):
    context = browser.new_context(viewport={"width": 1500, "height": 900})
    context.set_default_timeout(30_000)
    yield context
    context.close()


def sign_in(page, guarded: Guarded, name: str, path: str = "/") -> None:
    page.goto(guarded.address + path)
    page.get_by_label("Weir token").fill(guarded.secrets[name])
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name=name, exact=True).wait_for()


def filled(path: str) -> str:
    return re.sub(r"{\w+(:path)?}", "x", path) or "/static/x.js"


def test_every_route_has_been_thought_about(guarded):
    assert set(guarded.routes) == OPEN | ENTRANCES | NOT_FOR_LINKS | WITHOUT_PROJECTS | set(ASKED)


def test_no_route_answers_whoever_is_not_signed_in(guarded):
    for route in set(guarded.routes) - OPEN - ENTRANCES:
        for method in ("GET", "POST", "PUT", "DELETE", "OPTIONS"):
            status, _, body = guarded.ask(filled(route), method)
            assert status == 401, (method, route)
            assert json.loads(body) == {"error": "sign in first"}


@pytest.mark.parametrize(
    "path",
    [
        "/", "/run", "/workspace?project=gpt-small", "/index.html", "//run", "/sign-in/..", "/sign-in/../run", "/s",
        "/healthz/", "/healthz/../api/sql", "/%68ealthz/../run", "/S/x", "/_stcore/health/x", "/run/_stcore/health",
    ],
)  # fmt: skip
def test_no_page_is_shown_to_whoever_is_not_signed_in(guarded, path):
    status, location, _ = guarded.ask(path, accept="text/html")
    assert (status, location.split("?")[0]) in ((303, "/sign-in"), (401, ""), (404, ""), (400, ""))


@pytest.mark.parametrize("route", ASKED)
def test_no_route_tells_of_what_is_not_theirs(guarded, route):
    """A route answers for another's project as for one that never was: the same status, the same words."""
    method = "POST" if route == "/api/view" else "GET"
    never = f"p{secrets.token_hex(3)}"
    for query in ASKED[route]:
        unknown = {
            key: value.replace("ddp16", "r-none").replace("ddp", never)
            for key, value in query.items()
        }
        told = guarded.ask(f"{route}?{urlencode(query)}", method, **guarded.bearer("ada"))
        never_was = guarded.ask(f"{route}?{urlencode(unknown)}", method, **guarded.bearer("ada"))
        assert told[0] != 401
        same = never_was[2].replace("r-none", "ddp16").replace(never, "ddp")
        assert (told[0], told[2]) == (never_was[0], same), query


@pytest.mark.parametrize("route", sorted(set(ASKED) - {"/api/sql", "/api/report", "/api/view"}))
def test_every_route_tells_its_owner(guarded, route):
    """Else the test above would prove nothing."""
    differs = [
        guarded.ask(f"{route}?{urlencode(query)}", **guarded.bearer("bob"))
        != guarded.ask(f"{route}?{urlencode(query)}", **guarded.bearer("ada"))
        for query in ASKED[route]
    ]
    assert any(differs)


def test_a_websocket_opens_for_whom_is_known_and_nobody_else(guarded):
    netloc = urlsplit(guarded.address).netloc
    assert guarded.handshake() == 403
    assert guarded.handshake(cookie="weir_session_00000000=forged") == 403
    assert guarded.handshake(weir_viewer="forged", x_forwarded_user="root") == 403
    assert guarded.handshake(authorization="Bearer weir_forged") == 403
    assert guarded.handshake(**guarded.bearer("ada"), origin="https://evil.example") == 403
    assert guarded.handshake(**guarded.bearer("ada"), origin=f"http://{netloc}") == 101


def test_somebody_signs_in_sees_their_projects_alone_and_signs_out(guarded, context):
    page = context.new_page()
    sign_in(page, guarded, "bob")
    page.get_by_text("1 project · 1 run").wait_for()
    assert page.get_by_text("gpt-small").count() == 0
    page.goto(f"{guarded.address}/run?project=gpt-small&id=r0001")
    page.get_by_text("no run 'r0001' in project 'gpt-small'").wait_for()
    page.get_by_role("button", name="bob", exact=True).click()
    page.get_by_text("reader in ddp").wait_for()
    page.get_by_text("Writers and admins may share").or_(
        page.get_by_text("Open a run")
    ).first.wait_for()
    page.get_by_role("link", name="Sign out").click()
    page.get_by_role("button", name="Sign out").click()
    page.get_by_label("Weir token").wait_for()
    page.goto(guarded.address)
    page.get_by_label("Weir token").wait_for()


def test_signing_in_leads_back_to_the_page_that_was_asked_for(guarded, context):
    page = context.new_page()
    sign_in(page, guarded, "ada", "/run?project=gpt-small&id=r0001&tab=Overview")
    assert page.url.endswith("/run?project=gpt-small&id=r0001&tab=Overview")
    page.get_by_text("Config").first.wait_for()


def test_the_page_to_sign_in_works_without_scripts(guarded, browser):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(guarded.address)
    page.get_by_label("Weir token").fill("weir_wrong")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_text("This is no valid token.").wait_for()
    page.get_by_label("Weir token").fill(guarded.secrets["ada"])
    page.get_by_role("button", name="Sign in").click()
    assert [cookie for cookie in context.cookies() if "session" in cookie["name"]]
    context.close()


def test_a_revoked_token_ends_an_open_page_within_seconds(guarded, context):
    page = context.new_page()
    lines: list = []
    page.on("websocket", lambda line: lines.append(line))
    sign_in(page, guarded, "eve")
    with lines[-1].expect_event("close", timeout=30_000):  # Home says something every few seconds
        revoke_token(guarded.tokens, "eve")
    assert guarded.ask("/api/metrics", **guarded.bearer("eve"))[0] == 401
    page.goto(guarded.address)
    page.get_by_label("Weir token").wait_for()


def test_a_shared_run_is_shown_to_a_stranger_and_nothing_beside_it(guarded, browser, context):
    mine = context.new_page()
    sign_in(mine, guarded, "ada", "/run?project=gpt-small&id=r0001")
    mine.get_by_role("button", name="ada", exact=True).click()
    mine.get_by_role("button", name="Make a share link").click()
    link = mine.get_by_test_id("stCode").get_by_text("/s/").inner_text().strip()

    other = browser.new_context(viewport={"width": 1500, "height": 900})
    page = other.new_page()
    page.set_default_timeout(30_000)
    refused: list[str] = []
    page.on("response", lambda said: refused.append(said.url) if said.status >= 400 else None)
    page.goto(link)
    assert "/run?project=gpt-small&id=r0001" in page.url
    page.get_by_text("shared with you, read-only").wait_for()
    page.locator("canvas").first.wait_for()
    assert [url for url in refused if not PROBES.search(url)] == []
    page.goto(f"{guarded.address}/run?project=gpt-small&id=r0002")
    page.get_by_text("no run 'r0002' in project 'gpt-small'").wait_for()
    other_run = page.request.get(f"{guarded.address}/api/metrics?run=gpt-small/r0002")
    assert other_run.status == 400

    mine.goto(f"{guarded.address}/links")
    mine.get_by_text("1 link", exact=True).wait_for()
    box = mine.get_by_test_id("stDataFrame").bounding_box()
    mine.mouse.click(box["x"] + 16, box["y"] + 38 + 15)
    mine.get_by_role("button", name="Revoke 1 link").click()
    mine.get_by_text("Nothing is shared.").wait_for()
    page.goto(link)
    page.get_by_text("This link is not valid").wait_for()
    assert page.request.get(f"{guarded.address}/api/metrics?run=gpt-small/r0001").status == 401
    other.close()


def test_one_tab_does_not_take_up_the_session_of_who_was_there_before(guarded, context):
    page = context.new_page()
    sign_in(page, guarded, "ada")
    page.get_by_text("1 project · 12 runs").wait_for()
    second = context.new_page()
    second.goto(f"{guarded.address}/sign-out")
    second.get_by_role("button", name="Sign out").click()
    sign_in(second, guarded, "bob")
    page.get_by_role("link", name="Runs").first.click()
    page.reload()
    page.get_by_role("button", name="bob", exact=True).wait_for()
    assert page.get_by_text("gpt-small").count() == 0
