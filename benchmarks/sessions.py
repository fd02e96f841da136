"""Visitors of the dashboard without browsers: sessions over Streamlit's own websocket."""

from __future__ import annotations

import asyncio
import statistics
import time
from contextlib import AsyncExitStack

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect


def rerun_ms(address: str, page: str, query: str, *, idle: int, times: int = 15) -> float:
    """Return how long one visitor's script run takes, in the middle, while others only look.

    Args:
        address: Of the dashboard, `http://…`.
        page: The path, without a slash.
        query: What stands behind the question mark.
        idle: How many others have a page open.
        times: How often it is measured.
    """
    return asyncio.run(_rerun_ms(address, page, query, idle, times))


async def _rerun_ms(address: str, page: str, query: str, idle: int, times: int) -> float:
    async with AsyncExitStack() as stack:
        sessions = [
            await stack.enter_async_context(
                connect(
                    address.replace("http", "ws", 1) + "/_stcore/stream",
                    subprotocols=["streamlit"],  # type: ignore[list-item]
                    max_size=None,
                )
            )
            for _ in range(idle + 1)
        ]
        for session in sessions:
            await _run(session, page, query)
        taken = []
        for _ in range(times):
            began_s = time.perf_counter()
            await _run(sessions[0], page, query)
            taken.append(1_000 * (time.perf_counter() - began_s))
        return statistics.median(taken)


async def _run(session: ClientConnection, page: str, query: str) -> None:
    """Ask for a run of the page's script, and wait until it has finished."""
    ask = BackMsg()
    ask.rerun_script.query_string = query
    ask.rerun_script.page_name = page
    await session.send(ask.SerializeToString())
    while True:
        said = ForwardMsg()
        message = await session.recv()
        said.ParseFromString(message if isinstance(message, bytes) else message.encode())
        if said.WhichOneof("type") == "script_finished":
            return
