"""Signing in with a token, signing out: the routes of both."""

from __future__ import annotations

from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from weir_dashboard.access import pages
from weir_dashboard.access.attempts import Attempts
from weir_dashboard.access.cookies import HOME, cookie, local_address, set_cookie
from weir_dashboard.access.forms import Forged, Forms
from weir_dashboard.access.records import Person
from weir_dashboard.access.register import Register
from weir_dashboard.access.visits import Door, Rights

_FORGED: Final = "This page was open for too long. Try again."
# The same words whether a token is wrong, revoked or of another Weir: nothing to learn by trying.
_UNKNOWN: Final = "This is no valid token."


class SignIn:
    """Begins and ends sessions. Every session has a secret of its own, made when somebody was let in."""

    def __init__(
        self,
        door: Door,
        rights: Rights,
        register: Register,
        *,
        provider: str,
        secure: bool,
        session_s: float,
        attempts: Attempts | None = None,
    ) -> None:
        """Take what it stands on.

        Args:
            door: Knows who is there.
            rights: Knows tokens.
            register: Keeps sessions.
            provider: The host of the provider that signs people in; "" = none.
            secure: Whether browsers come by https.
            session_s: How long a session lasts.
            attempts: Counts failures.
        """
        self._door = door
        self._rights = rights
        self._register = register
        self._provider = provider
        self._secure = secure
        self._session_s = session_s
        self._attempts = attempts or Attempts()
        self.forms = Forms(f"{door.session_cookie.replace('_session_', '_form_')}", secure=secure)

    @property
    def routes(self) -> list[Route]:
        """What browsers ask for."""
        return [
            Route("/sign-in", self.page, methods=["GET"]),
            Route("/sign-in", self.with_token, methods=["POST"]),
            Route("/sign-out", self.leave_page, methods=["GET"]),
            Route("/sign-out", self.leave, methods=["POST"]),
        ]

    async def page(self, request: Request) -> Response:
        """Ask who somebody is; whoever is known goes on."""
        wanted = local_address(request.query_params.get("next", HOME))
        if self._door.person(request.scope):
            return _go(wanted)
        return self.ask(request, wanted)

    def ask(self, request: Request, next: str, wrong: str = "", status: int = 200) -> Response:
        """Return the page that asks."""
        proof = self.forms.proof(request)
        page = pages.sign_in(
            form=proof,
            next=next,
            tokens=self._rights.tokens is not None,
            provider=self._provider,
            wrong=wrong,
            status=status,
        )
        return self.forms.give(page, proof)

    async def with_token(self, request: Request) -> Response:
        """Let in whoever shows a token."""
        try:
            said = await self.forms.read(request)
        except Forged:
            return self.ask(request, HOME, _FORGED, 403)
        wanted = local_address(said.get("next", HOME))
        address = self._door.peer(request.scope)
        if (wait_s := self._attempts.wait_s(address)) > 0:
            page = self.ask(request, wanted, f"Too many tries. Wait {wait_s:.0f} s.", 429)
            page.headers["Retry-After"] = f"{wait_s:.0f}"
            return page
        person = await run_in_threadpool(self._rights.of_secret, said.get("token", "").strip())
        if person is None:
            self._attempts.note_failure(address)
            return self.ask(request, wanted, _UNKNOWN, 401)
        return await run_in_threadpool(self.let_in, request, person, wanted)

    def let_in(self, request: Request, person: Person, next: str) -> Response:
        """Begin a session; one that the browser had before ends, so that nobody else can have planted it."""
        self._register.end_session(cookie(request.scope, self._door.session_cookie))
        secret = self._register.begin_session(person, self._session_s)
        response = _go(next)
        set_cookie(
            response,
            self._door.session_cookie,
            secret,
            secure=self._secure,
            lasts_s=round(self._session_s),
        )
        return response

    async def leave_page(self, request: Request) -> Response:
        """Say who somebody is, and offer to sign out: a mere link must not do it."""
        visit = self._door.check(request.scope)
        if visit is None:
            return _go("/sign-in")
        proof, viewer = self.forms.proof(request), visit.viewer
        where = "every project" if viewer.allowed is None else ", ".join(viewer.projects)
        page = pages.sign_out(form=proof, name=viewer.by, role=viewer.role.value, projects=where)
        return self.forms.give(page, proof)

    async def leave(self, request: Request) -> Response:
        """End the session, here and in the register; a copied cookie is worth nothing afterwards."""
        try:
            await self.forms.read(request)
        except Forged:
            return pages.say("Sign out", _FORGED, 403, link=("Again", "/sign-out"))
        secret = cookie(request.scope, self._door.session_cookie)
        await run_in_threadpool(self._register.end_session, secret)
        response = _go("/sign-in")
        for name in (self._door.session_cookie, self._door.link_cookie):
            set_cookie(response, name, "", secure=self._secure, lasts_s=0)
        return response


def _go(to: str) -> Response:
    return RedirectResponse(to, status_code=303, headers={"Cache-Control": "no-store"})
