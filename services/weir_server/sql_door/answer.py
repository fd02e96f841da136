"""An answer as it goes out over ASGI, passed on as it comes in: memory holds a piece at a time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from starlette.types import Send

from weir_server.content_encoding import Packer, packer
from weir_server.sql_door.faults import AUTHENTICATION_FAILED, Fault

# What ClickHouse says of an answer and drivers look at.
PASSED_ON: Final = (
    "content-type",
    "x-clickhouse-format",
    "x-clickhouse-timezone",
    "x-clickhouse-query-id",
    "x-clickhouse-summary",
    "x-clickhouse-exception-tag",
)
_TEXT: Final = "text/plain; charset=UTF-8"


class Answer:
    """One HTTP answer: `begin`, pieces, `end`; or `fail` instead of them."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._packer: Packer | None = None
        self.begun = False
        self.ended = False

    async def begin(self, headers: Mapping[str, str], *, encoding: str = "") -> None:
        """Say that rows follow; nothing can be taken back after this."""
        passed = {name: headers[name] for name in PASSED_ON if name in headers}
        passed["x-clickhouse-server-display-name"] = "weir"
        if encoding:
            passed["content-encoding"] = encoding
            self._packer = packer(encoding)
        await self._start(200, passed)

    async def piece(self, content: bytes) -> None:
        """Send more; waits for a reader that is slow."""
        await self._body(self._packer.compress(content) if self._packer else content, more=True)

    async def end(self) -> None:
        """Say that this was all."""
        self.ended = True
        await self._body(self._packer.flush() if self._packer else b"", more=False)

    async def fail(self, fault: Fault) -> None:
        """Say why there are no rows."""
        headers = {"content-type": _TEXT, "x-clickhouse-exception-code": str(fault.code)}
        if fault.code == AUTHENTICATION_FAILED:
            headers["www-authenticate"] = 'Basic realm="weir: the password is a token"'
        await self._whole(fault.status, headers, fault.text.encode("utf-8", "replace"))

    async def say(self, text: str) -> None:
        """Answer with a line of text."""
        await self._whole(200, {"content-type": _TEXT}, text.encode())

    async def _whole(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        await self._start(status, {**headers, "content-length": str(len(body))})
        await self._body(body, more=False)

    async def _start(self, status: int, headers: Mapping[str, str]) -> None:
        self.begun = True
        lines = [
            (name.encode(), value.encode("latin-1", "replace")) for name, value in headers.items()
        ]
        await self._send({"type": "http.response.start", "status": status, "headers": lines})

    async def _body(self, content: bytes, *, more: bool) -> None:
        if content or not more:
            await self._send({"type": "http.response.body", "body": content, "more_body": more})
