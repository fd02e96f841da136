"""Asking runs to stop from a thread: the gateway's way, in a loop that lives as long as the call."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from weir_server.settings import StreamSettings
from weir_server.stream.base import StopRequest
from weir_server.stream.redis import RedisAppender
from weir_store.records import RunRef


@dataclass(frozen=True, slots=True)
class Stopping:
    """Callable as `actions.runs.AskToStop`; safe from any thread. Stops are rare, so each connects anew."""

    settings: StreamSettings

    def __call__(self, ref: RunRef, stop: StopRequest) -> None:
        """Leave the request. Raises `StreamUnavailable`."""
        asyncio.run(self._ask(ref, stop))

    async def _ask(self, ref: RunRef, stop: StopRequest) -> None:
        appender = RedisAppender(self.settings)
        try:
            await appender.request_stop(ref.project, ref.run_id, stop)
        finally:
            await appender.close()
