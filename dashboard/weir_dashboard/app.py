"""The dashboard as one ASGI app: Streamlit's pages, our routes, one guard in front."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import streamlit as st
from starlette.middleware import Middleware

from weir_dashboard import api, api_sql, assets, data, navigation
from weir_dashboard.guard import Check, Guard, open_to_all
from weir_dashboard.sources import Sources

_SCRIPT: Final = Path(__file__).with_name("main.py")


def build(sources: Sources, gateway: str, check: Check = open_to_all) -> st.App:
    """Assemble the app. One per process: Streamlit pins the first script it sees.

    Args:
        sources: What pages and routes ask.
        gateway: `host:port` shown in the quick start.
        check: Who may come in.
    """
    data.use(sources, gateway)
    return st.App(
        _SCRIPT,
        lifespan=_lifespan,
        routes=[*api.ROUTES, *api_sql.ROUTES],
        middleware=[Middleware(Guard, check=check)],
    )


@asynccontextmanager
async def _lifespan(_: Any) -> AsyncIterator[dict[str, Any]]:
    """Warm up, then freeze: Streamlit walks the whole heap after every rerun, 60 ms without this."""
    assets.version()
    navigation.warm()
    gc.collect()
    gc.freeze()
    yield {}
