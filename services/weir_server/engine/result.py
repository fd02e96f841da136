"""A result on its way from the engine to the client, through a pipe."""

from __future__ import annotations

import asyncio
import fcntl
import os
import uuid
from collections.abc import Callable
from concurrent.futures import Executor

from weir_server.engine.outcome import Outcome

# What the marker of every query begins with.
MARKER = "weir-query-"

_PIPE_BYTES = 1 << 20
_READ_BYTES = 1 << 20
_F_SETPIPE_SZ = getattr(fcntl, "F_SETPIPE_SZ", 1031)
_KILL_AGAIN_S = 0.1
_SETTLE_S = 0.01


class Result:
    """The bytes of a running query.

    A thread of `workers` runs the query and writes into the pipe; the event loop reads. A full
    pipe makes the query wait, so a slow client costs the pipe's 1 MiB and no more.
    """

    def __init__(
        self,
        run: Callable[[int, str], Outcome],
        kill: Callable[[str], None],
        *,
        workers: Executor,
        control: Executor,
    ) -> None:
        """Start the query.

        Args:
            run: Called in a worker with the file descriptor to write to and the query's marker.
            kill: Called in `control` with the marker, to stop the query.
            workers: Where queries run.
            control: Where queries are stopped from; must have a thread to spare.
        """
        self._loop = asyncio.get_running_loop()
        self._marker = f"{MARKER}{uuid.uuid4().hex}"
        self._kill = kill
        self._control = control
        self._source, sink = os.pipe()
        os.set_blocking(self._source, False)
        _widen(sink)
        self._ended = self._loop.run_in_executor(workers, _run_into, run, sink, self._marker)

    async def settle(self) -> None:
        """Wait a moment for the end: a small result then lies in the pipe, and is one read away."""
        await asyncio.wait({self._ended}, timeout=_SETTLE_S)

    async def read(self) -> bytes:
        """Return the next bytes, b"" at the end; `outcome` says how it ended."""
        while True:
            try:
                return os.read(self._source, _READ_BYTES)
            except BlockingIOError:
                await self._readable()

    async def outcome(self) -> Outcome:
        """Wait for the end of the query and return what it did.

        Raises:
            QueryFailed: It did not end well; bytes read so far are part of an answer only.
        """
        return await asyncio.shield(self._ended)

    async def stop(self) -> None:
        """End the query, however far it is, and free the pipe. To be called in any case, once."""
        os.close(self._source)
        while not self._ended.done():
            # A query that is only about to start cannot be found yet: ask again.
            await self._loop.run_in_executor(self._control, self._kill, self._marker)
            await asyncio.wait({self._ended}, timeout=_KILL_AGAIN_S)
        self._ended.exception()

    async def _readable(self) -> None:
        ready = self._loop.create_future()
        self._loop.add_reader(self._source, _settle, ready)
        try:
            await ready
        finally:
            self._loop.remove_reader(self._source)


def _settle(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_result(None)


def _run_into(run: Callable[[int, str], Outcome], sink: int, marker: str) -> Outcome:
    try:
        return run(sink, marker)
    finally:
        os.close(sink)


def _widen(sink: int) -> None:
    """Make the pipe as large as an unprivileged process may; the usual 64 KiB do as well."""
    try:
        fcntl.fcntl(sink, _F_SETPIPE_SZ, _PIPE_BYTES)
    except OSError:
        return
