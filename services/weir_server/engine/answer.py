"""An answer as it goes out over ASGI: begun once, whole or piece by piece, packed if asked for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO

from starlette.types import Send

from weir_server import fault
from weir_server.content_encoding import Packer, packer
from weir_server.engine.reply import Headers

_PIECE_BYTES = 1 << 20
_WORTH_PACKING_BYTES = 4 << 10


class Answer:
    """One HTTP answer."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._packer: Packer | None = None
        self.begun = False

    async def begin(self, status: int, headers: Headers, *, encoding: str = "") -> None:
        """Send status and headers; nothing can be taken back after this."""
        if encoding:
            headers = headers | {"Content-Encoding": encoding}
            self._packer = packer(encoding)
        self.begun = True
        raw = [(name.lower().encode(), _header(value)) for name, value in headers.items()]
        await self._send({"type": "http.response.start", "status": status, "headers": raw})
        fault.hit("engine.mid_answer")

    async def piece(self, data: bytes) -> None:
        """Send some of the body."""
        packed = self._packer.compress(data) if self._packer else data
        if packed:
            await self._body(packed, more=True)

    async def end(self) -> None:
        """Send the end of the body."""
        await self._body(self._packer.flush() if self._packer else b"", more=False)

    async def break_off(self, last_words: bytes) -> None:
        """Send `last_words` and no end: the connection closes, which no client takes for success."""
        await self.piece(last_words)
        if self._packer:
            await self._body(self._packer.flush(), more=True)

    async def whole(self, status: int, headers: Headers, body: bytes) -> None:
        """Send an answer that is all there."""
        await self.begin(status, headers | {"Content-Length": str(len(body))})
        await self._body(body, more=False)

    async def file(self, headers: Headers, held: IO[bytes], *, encoding: str) -> None:
        """Send a result that has ended well and lies in `held`."""
        size = held.tell()
        held.seek(0)
        if size < _WORTH_PACKING_BYTES or not encoding:
            await self.begin(200, headers | {"Content-Length": str(size)})
        else:
            await self.begin(200, headers, encoding=encoding)
        for data in _pieces(held):
            await self.piece(data)
        await self.end()

    async def _body(self, data: bytes, *, more: bool) -> None:
        await self._send({"type": "http.response.body", "body": data, "more_body": more})


def _header(value: str) -> bytes:
    """Return a value as ClickHouse sends it; some, as a query's id, are the client's own words."""
    return value.encode("utf-8", "backslashreplace")


def _pieces(held: IO[bytes]) -> Iterator[bytes]:
    while data := held.read(_PIECE_BYTES):
        yield data
