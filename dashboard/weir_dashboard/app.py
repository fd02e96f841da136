"""The dashboard as one ASGI app: Streamlit's pages, our routes, one guard in front."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import streamlit as st
from starlette.middleware import Middleware

from weir_dashboard import assets, data, main, settings_shown
from weir_dashboard.api import ROUTES
from weir_dashboard.config import DashboardConfig
from weir_dashboard.guard import Check, Guard, open_to_all
from weir_store.base import Reader

SCRIPT: Final = Path(__file__).with_name("script.py")


def build(config: DashboardConfig, reader: Reader, check: Check = open_to_all) -> st.App:
    """Assemble the app. One per process: Streamlit pins the first script it sees."""
    data.use(reader)
    settings_shown.use(config)
    return st.App(
        SCRIPT,
        lifespan=_lifespan,
        routes=list(ROUTES),
        middleware=[Middleware(Guard, check=check)],
    )


@asynccontextmanager
async def _lifespan(_: Any) -> AsyncIterator[dict[str, Any]]:
    """Warm up, then freeze: Streamlit collects all garbage after each rerun, 60 ms per walk of the heap."""
    assets.version()
    main.pages()
    gc.collect()
    gc.freeze()
    yield {}
