"""Share links: made by those who may change things, read-only, of one thing, for a while."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterable
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from weir_dashboard.access import pages
from weir_dashboard.access.cookies import local_address, set_cookie
from weir_dashboard.access.records import Link, Person
from weir_dashboard.access.register import Register
from weir_dashboard.access.viewer import Viewer
from weir_dashboard.access.visits import Door, Rights
from weir_store.errors import InvalidQuery
from weir_store.records import RunRef

MOST_RUNS: Final = 1_000
_DAY_S: Final = 86_400.0
_GONE: Final = "This link is not valid: it was revoked, has expired, or was copied in part."


class Share:
    """Makes, lists, ends and opens share links."""

    def __init__(
        self,
        door: Door,
        rights: Rights,
        register: Register,
        *,
        most_days: int,
        secure: bool,
        url: str = "",
        unix_s: Callable[[], float] = time.time,
    ) -> None:
        """Take what it stands on.

        Args:
            door: Knows who is there.
            rights: Knows what makers of links may.
            register: Keeps links.
            most_days: The longest life of a link.
            secure: Whether browsers come by https.
            url: Where people reach the dashboard; "" = as their browsers say.
            unix_s: A clock.
        """
        self.most_days = most_days
        self.url = url.rstrip("/")
        self._door = door
        self._rights = rights
        self._register = register
        self._secure = secure
        self._unix_s = unix_s

    @property
    def routes(self) -> list[Route]:
        """What browsers ask for."""
        return [Route("/s/{secret}", self.open, methods=["GET"])]

    def make(
        self,
        viewer: Viewer,
        *,
        title: str,
        address: str,
        days: float,
        projects: Iterable[str] = (),
        runs: Iterable[RunRef] = (),
    ) -> str:
        """Return the path of a new link; it is kept nowhere.

        Args:
            viewer: Who makes it.
            title: What it shows.
            address: Path and query that it opens.
            days: How long it is good for.
            projects: What it lets see as a whole.
            runs: Or these runs alone.

        Raises:
            InvalidQuery: They may not share this, or not for so long.
        """
        chosen = frozenset(runs)
        named = tuple(sorted({ref.project for ref in chosen} or set(projects)))
        if not named or not all(viewer.may_edit(project) for project in named):
            raise InvalidQuery("you may not share this", hint="writers and admins may")
        if not 0 < days <= self.most_days or len(chosen) > MOST_RUNS:
            raise InvalidQuery(
                f"a link for {days:g} days", hint=f"at most {self.most_days} (dashboard.link_days)"
            )
        now_s = self._unix_s()
        maker = Person(viewer.name, viewer.via, viewer.sha256, viewer.groups)
        link_id = secrets.token_hex(4)
        local = local_address(address)
        link = Link(link_id, title, local, named, chosen, maker, now_s, now_s + days * _DAY_S)
        return f"/s/{self._register.make_link(link)}"

    def listed(self, viewer: Viewer) -> list[Link]:
        """List the links that a viewer made, and all into projects they administer; the newest first."""
        return [link for link in self._register.list_links() if _theirs(viewer, link)]

    def works(self, link: Link) -> bool:
        """Whether a link still opens: not when its maker may not see any more what it names."""
        return self._rights.of_link(link) is not None

    def revoke(self, viewer: Viewer, link_id: str) -> None:
        """End a link. Raises `InvalidQuery` for one that is not theirs to end."""
        if not any(link.link_id == link_id for link in self.listed(viewer)):
            raise InvalidQuery("there is no such link")
        self._register.revoke_link(link_id)

    async def open(self, request: Request) -> Response:
        """Open what a link names. Whoever may see it anyway comes as themselves."""
        secret = request.path_params["secret"]
        link = await run_in_threadpool(self._register.link, secret)
        viewer = self._rights.of_link(link) if link else None
        if link is None or viewer is None:
            return pages.say("Nothing here", _GONE, 404)
        mine = self._door.person(request.scope)
        if mine and not all(mine.viewer.may_see_all(project) for project in link.projects):
            return pages.say(
                "A shared page",
                f"You are signed in as {mine.viewer.name}, who may not see this. Open the link in a private"
                " window, or sign out first.",
                403,
                link=("Sign out", "/sign-out"),
            )
        response = RedirectResponse(
            link.address,
            303,
            headers={"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"},
        )
        if mine is None:
            lasts_s = max(1, round(link.expires_unix_s - self._unix_s()))
            set_cookie(
                response, self._door.link_cookie, secret, secure=self._secure, lasts_s=lasts_s
            )
        return response


def _theirs(viewer: Viewer, link: Link) -> bool:
    mine = (link.by.name, link.by.via) == (viewer.name, viewer.via)
    return mine or all(viewer.may_administer(project) for project in link.projects)
