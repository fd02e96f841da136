"""Forms that only our own pages can send: a cookie that no other site gets sent along, beside what the page holds."""

from __future__ import annotations

import secrets
from typing import Final
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import Response

from weir_dashboard.access.cookies import cookie, is_same_origin, set_cookie

_LONGEST_BYTES: Final = 16 << 10
_LASTS_S: Final = 12 * 3_600


class Forged(Exception):
    """The form was not sent by a page of ours, or by one that is too old."""


class Forms:
    """Makes and checks the proof in a form. Holds nothing."""

    def __init__(self, cookie_name: str, *, secure: bool) -> None:
        self._cookie = cookie_name
        self._secure = secure

    def proof(self, request: Request) -> str:
        """Return what a page's forms hold; the browser's own, when it has one already."""
        return cookie(request.scope, self._cookie) or secrets.token_urlsafe(24)

    def give(self, response: Response, proof: str) -> Response:
        """Give the browser the other half."""
        set_cookie(
            response, self._cookie, proof, secure=self._secure, lasts_s=_LASTS_S, strict=True
        )
        return response

    async def read(self, request: Request) -> dict[str, str]:
        """Return the fields of a form. Raises `Forged`."""
        body = b""
        async for chunk in request.stream():
            body += chunk
            if len(body) > _LONGEST_BYTES:
                raise Forged
        said = {key: texts[-1] for key, texts in parse_qs(body.decode("utf-8", "replace")).items()}
        mine = cookie(request.scope, self._cookie)
        same = secrets.compare_digest(mine.encode(), said.get("form", "").encode())
        if not (mine and same and is_same_origin(request.scope)):
            raise Forged
        return said
