"""The dashboard as one ASGI app: Streamlit's pages, our routes, one guard in front."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import streamlit as st
from starlette.middleware import Middleware

from weir_dashboard import (
    api,
    api_documents,
    api_groups,
    api_runs,
    api_sql,
    assets,
    data,
    navigation,
)
from weir_dashboard.access import now
from weir_dashboard.access.opening import OPEN_TO_ALL, Access
from weir_dashboard.guard import Guard
from weir_dashboard.sources import Sources

_SCRIPT: Final = Path(__file__).with_name("main.py")


def build(sources: Sources, gateway: str, access: Access = OPEN_TO_ALL) -> st.App:
    """Assemble the app. One per process: Streamlit pins the first script it sees.

    Args:
        sources: What pages and routes ask.
        gateway: `host:port` shown in the quick start.
        access: Who may come in.
    """
    now.require_sign_in(required=not access.is_open)
    data.use(replace(sources, share=access.share), gateway)
    return st.App(
        _SCRIPT,
        lifespan=_lifespan,
        routes=[
            *access.routes,
            *api.ROUTES,
            *api_groups.ROUTES,
            *api_sql.ROUTES,
            *api_runs.ROUTES,
            *api_documents.ROUTES,
        ],
        middleware=[Middleware(Guard, check=access.check, entrances=access.routes)],
    )


@asynccontextmanager
async def _lifespan(_: Any) -> AsyncIterator[dict[str, Any]]:
    """Warm up, then freeze: Streamlit walks the whole heap after every rerun, 60 ms without this."""
    assets.version()
    navigation.warm()
    gc.collect()
    gc.freeze()
    yield {}
