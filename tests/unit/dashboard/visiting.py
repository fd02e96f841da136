"""A dashboard behind its door, and browsers that keep cookies, without a server."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import JSONResponse
from starlette.routing import Route

from tests.unit.dashboard.recorded import Recorded
from tests.unit.dashboard.synthetic import two_projects
from weir_dashboard import api, api_sql, data
from weir_dashboard.access import now
from weir_dashboard.access.config import AccessConfig, Mode
from weir_dashboard.access.opening import Access, open_access
from weir_dashboard.guard import Guard
from weir_dashboard.sources import Sources
from weir_server.gateway.tokens import Role, create_token

HOST = "weir.example.org"


@cache
def _sources() -> Sources:
    return Recorded(two_projects(6)).sources


async def whoami(request: Any) -> JSONResponse:
    me = data.ask().me
    seen = [project.name for project in data.ask().projects().value]
    return JSONResponse({"name": me.name, "role": me.role, "via": me.via, "projects": seen})


@dataclass
class House:
    """Two projects, `gpt-small` and `ddp`; ada writes in the first, bob reads the second, root runs it all."""

    dir: Path
    mode: Mode = Mode.TOKEN
    more: dict[str, Any] = field(default_factory=dict)
    access: Access = field(init=False)
    app: Starlette = field(init=False)
    secrets: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self.tokens = self.dir / "tokens.toml"
        who = {
            "ada": (Role.WRITER, "gpt-small"),
            "bob": (Role.READER, "ddp"),
            "root": (Role.ADMIN, "*"),
        }
        self.secrets = {
            name: create_token(self.tokens, name=name, role=role, projects=[project])
            for name, (role, project) in who.items()
        }
        given = {"tokens_file": self.tokens, **self.more}
        self.access = open_access(AccessConfig(self.mode, dir=self.dir / "access", **given))
        now.require_sign_in(required=True)
        data.use(_sources(), "gateway:7700")
        self.app = Starlette(
            routes=[
                *self.access.routes,
                *api.ROUTES,
                *api_sql.ROUTES,
                Route("/{path:path}", whoami, methods=["GET", "POST"]),
            ],
            middleware=[Middleware(Guard, check=self.access.check, entrances=self.access.routes)],
        )

    def browser(self, **more: Any) -> Browser:
        return Browser(self.app, **more)

    def signed_in(self, name: str) -> Browser:
        browser = self.browser()
        assert browser.sign_in(self.secrets[name]).status == 303
        return browser


@dataclass
class Answer:
    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str:
        return ", ".join(value for key, value in self.headers if key == name)

    @property
    def text(self) -> str:
        return self.body.decode()


@dataclass
class Browser:
    """Keeps cookies as browsers do; follows no redirect, so that tests see each."""

    app: Any
    address: str = "10.1.2.3"
    cookies: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)

    def get(self, path: str, **headers: str) -> Answer:
        return self.send("GET", path, b"", headers)

    def post(self, path: str, fields: dict[str, str], **headers: str) -> Answer:
        said = {"origin": f"http://{HOST}", **headers}
        return self.send("POST", path, urlencode(fields).encode(), said)

    def sign_in(self, token: str, next: str = "/", **headers: str) -> Answer:
        return self.post(
            "/sign-in", {"form": self.proof(next), "token": token, "next": next}, **headers
        )

    def proof(self, next: str = "/", page: str = "/sign-in") -> str:
        shown = self.get(f"{page}?{urlencode({'next': next})}").text
        return re.search('name="form" value="([^"]+)"', shown)[1]  # type: ignore[index]

    def send(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> Answer:
        parts = urlsplit(path)
        sent = {"host": HOST, "accept": "text/html", **self.headers, **headers}
        if self.cookies:
            sent["cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        answer = asyncio.run(
            _exchange(self.app, self._scope(method, parts.path, parts.query, sent), body)
        )
        for key, value in answer.headers:
            if key == "set-cookie":
                self._keep(value)
        return answer

    def _scope(self, method: str, path: str, query: str, headers: dict[str, str]) -> dict[str, Any]:
        return {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http",
            "path": path, "raw_path": path.encode(), "root_path": "", "query_string": query.encode(),
            "headers": [(k.lower().replace("_", "-").encode(), v.encode("latin-1")) for k, v in headers.items()],
            "client": (self.address, 1), "server": (HOST, 80),
        }  # fmt: skip

    def _keep(self, said: str) -> None:
        name, _, value = said.split(";")[0].partition("=")
        if "Max-Age=0" in said:
            self.cookies.pop(name, None)
        else:
            self.cookies[name] = value


async def _exchange(app: Any, scope: dict[str, Any], body: bytes) -> Answer:
    sent: list[dict[str, Any]] = []
    asked = asyncio.Event()

    async def receive() -> dict[str, Any]:
        if asked.is_set():
            await asyncio.sleep(3600)
        asked.set()
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await app(scope, receive, send)
    head = next(m for m in sent if m["type"] == "http.response.start")
    whole = b"".join(m.get("body", b"") for m in sent if m["type"] == "http.response.body")
    return Answer(head["status"], [(k.decode(), v.decode()) for k, v in head["headers"]], whole)
