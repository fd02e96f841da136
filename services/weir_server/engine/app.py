"""The HTTP face: `/` for queries, `/ping`, `/metrics`."""

from __future__ import annotations

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from weir_server.engine.queries import Queries


def make_app(queries: Queries) -> Starlette:
    """Return the whole HTTP application."""
    return Starlette(
        routes=[
            Route("/", endpoint=queries),
            Route("/ping", endpoint=_ping, methods=["GET", "POST"]),
            Route("/metrics", endpoint=_metrics),
        ]
    )


async def _ping(_: Request) -> Response:
    return PlainTextResponse("Ok.\n")


async def _metrics(_: Request) -> Response:
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
