"""The two routes of signing in with a provider: away to it, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from weir_dashboard.access.cookies import HOME, cookie, local_address, set_cookie
from weir_dashboard.access.forms import Forged
from weir_dashboard.access.register import Register
from weir_dashboard.access.sign_in import SignIn
from weir_dashboard.access.visits import Rights

if TYPE_CHECKING:
    from weir_dashboard.access.oidc import Oidc

BACK: Final = "/sign-in/oidc/back"
_LASTS_S: Final = 600.0
_STALE: Final = "This sign-in took too long, or was begun in another browser. Try again."
_NO_GRANT: Final = "You are known, and nothing was granted to you here. Ask who runs this Weir."


class SignInOidc:
    """Begins sign-ins in the browser they have to end in: a cookie that is taken once ties both ends together."""

    def __init__(
        self,
        provider: Oidc,
        sign_in: SignIn,
        rights: Rights,
        register: Register,
        *,
        url: str,
        cookie_name: str,
        secure: bool,
    ) -> None:
        """Take what it stands on.

        Args:
            provider: Whom to ask.
            sign_in: Begins sessions.
            rights: Knows what people may.
            register: Keeps sign-ins under way.
            url: Where people reach the dashboard.
            cookie_name: Of a sign-in under way.
            secure: Whether browsers come by https.
        """
        self._provider = provider
        self._sign_in = sign_in
        self._rights = rights
        self._register = register
        self._back = url.rstrip("/") + BACK
        self._cookie = cookie_name
        self._secure = secure

    @property
    def routes(self) -> list[Route]:
        """What browsers ask for."""
        return [
            Route("/sign-in/oidc", self.away, methods=["POST"]),
            Route(BACK, self.back, methods=["GET"]),
        ]

    async def away(self, request: Request) -> Response:
        """Send somebody to the provider."""
        from weir_dashboard.access.oidc import NotSignedIn

        try:
            said = await self._sign_in.forms.read(request)
            wanted = local_address(said.get("next", HOME))
            url, pending = await run_in_threadpool(self._provider.begin, self._back, wanted)
        except Forged:
            return self._sign_in.ask(request, HOME, _STALE, 403)
        except NotSignedIn as why:
            return self._sign_in.ask(request, HOME, str(why), 502)
        secret = await run_in_threadpool(self._register.begin_pending, pending, _LASTS_S)
        response = RedirectResponse(url, 303, headers={"Cache-Control": "no-store"})
        set_cookie(response, self._cookie, secret, secure=self._secure, lasts_s=round(_LASTS_S))
        return response

    async def back(self, request: Request) -> Response:
        """Let in whom the provider vouches for, and to whom something is granted."""
        from weir_dashboard.access.oidc import NotSignedIn

        mine = cookie(request.scope, self._cookie)
        pending = await run_in_threadpool(self._register.take_pending, mine)
        if pending is None:
            return self._sign_in.ask(request, HOME, _STALE, 400)
        said = dict(request.query_params)
        try:
            person = await run_in_threadpool(self._provider.finish, self._back, pending, said)
        except NotSignedIn as why:
            return self._sign_in.ask(request, pending.next, str(why), 401)
        if self._rights.of(person) is None:
            return self._sign_in.ask(request, pending.next, _NO_GRANT, 403)
        response = await run_in_threadpool(self._sign_in.let_in, request, person, pending.next)
        set_cookie(response, self._cookie, "", secure=self._secure, lasts_s=0)
        return response
