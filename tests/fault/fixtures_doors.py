"""A TCP door in front of a server: tests may shut it, lead it elsewhere, and let it break half way."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

_READ_BYTES = 64 << 10
_ANSWER_S = 20.0

Side: TypeAlias = Literal["request", "answer"]
Target: TypeAlias = tuple[str, int] | str
"""Host and port, or the path of a unix socket."""


@dataclass
class Break:
    """Where a connection is to break.

    Attributes:
        side: Whose bytes are counted.
        after_bytes: How many of them still come through.
        marker: Only connections break that say this first; counting begins there.
        hold: Swallow everything from there on instead of closing, as a network does.
        left: How many connections are still to break.
        done: How many have.
    """

    side: Side
    after_bytes: int = 0
    marker: bytes = b""
    hold: bool = False
    left: int = 1
    done: int = 0


class _Connection:
    def __init__(self, *writers: asyncio.StreamWriter) -> None:
        self.writers = writers
        self.broken = asyncio.Event()
        self.left: dict[int, int] = {}  # id of a Break → bytes that may still pass

    def close(self) -> None:
        self.broken.set()
        for writer in self.writers:
            # No goodbye: what lies in buffers is lost with it, as when a machine dies.
            writer.transport.abort()


class Door:
    """Forwards to one target at a time. Lives on a thread of its own."""

    def __init__(self, target: Target = "") -> None:
        self._target = target
        self._breaks: list[Break] = []
        self._connections: set[_Connection] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.port: int = self._run(self._open())

    async def _open(self) -> int:
        self._passing = asyncio.Event()
        self._passing.set()
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    # ── what tests do with it ──────────────────────────────────────────────

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def lead_to(self, target: Target) -> None:
        """Lead new connections there; those that are open break. "" refuses everybody."""

        async def lead() -> None:
            self._target = target
            self._cut()

        self._run(lead())

    def cut(self) -> None:
        """Break every open connection."""
        self.lead_to(self._target)

    def hold(self) -> None:
        """Let nothing through any more, and say so to nobody."""
        self._loop.call_soon_threadsafe(self._passing.clear)

    def let_go(self) -> None:
        """Let everything through again, what was held first."""
        self._loop.call_soon_threadsafe(self._passing.set)

    def break_next(self, side: Side, after_bytes: int = 0, **more: Any) -> Break:
        """Plan a break; look at its `done` afterwards."""
        planned = Break(side, after_bytes, **more)

        async def plan() -> None:
            self._breaks.append(planned)

        self._run(plan())
        return planned

    def mend(self) -> None:
        """Break nothing from now on."""

        async def forget() -> None:
            self._breaks.clear()

        self._run(forget())

    def close(self) -> None:
        async def end() -> None:
            self._server.close()
            self._cut()

        self._run(end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_ANSWER_S)
        self._loop.close()

    def _run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(_ANSWER_S)

    # ── inside the loop ────────────────────────────────────────────────────

    def _cut(self) -> None:
        for connection in list(self._connections):
            connection.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there_reader, there_writer = await self._connect()
        except OSError:
            writer.transport.abort()
            return
        connection = _Connection(writer, there_writer)
        self._connections.add(connection)
        pumps = [
            asyncio.create_task(self._pump(connection, "request", reader, there_writer)),
            asyncio.create_task(self._pump(connection, "answer", there_reader, writer)),
        ]
        await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        connection.close()
        for pump in pumps:
            pump.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)
        self._connections.discard(connection)

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if not self._target:
            raise ConnectionRefusedError
        if isinstance(self._target, str):
            return await asyncio.open_unix_connection(self._target)
        return await asyncio.open_connection(*self._target)

    async def _pump(
        self,
        connection: _Connection,
        side: Side,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        with suppress(OSError):
            while data := await reader.read(_READ_BYTES):
                await self._passing.wait()
                broken = self._judge(connection, side, data)
                writer.write(data[: broken[1]] if broken else data)
                await writer.drain()
                if broken:
                    if broken[0].hold:
                        await connection.broken.wait()
                    return

    def _judge(self, connection: _Connection, side: Side, data: bytes) -> tuple[Break, int] | None:
        """Whether the connection breaks in these bytes, and after how many of them."""
        for planned in self._breaks:
            known = id(planned) in connection.left
            if not known and side == "request" and planned.left and planned.marker in data:
                connection.left[id(planned)] = planned.after_bytes
                planned.left -= 1
                known = True
            if known and planned.side == side:
                passing = connection.left[id(planned)]
                if len(data) > passing or (side == "answer" and len(data) >= passing):
                    planned.done += 1
                    return planned, passing
                connection.left[id(planned)] -= len(data)
        return None
