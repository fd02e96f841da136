"""Routes of the chart wall: binary series, the list of metrics, the component's own files.

Parameters are repeated, not joined (metric names may hold commas), and come as
a query string or, when that would be too long, as a form body. Errors are JSON:
`{"error": …}` with 400 (fix the question) or 503 (ask again).
"""

from __future__ import annotations

import math
from hashlib import blake2b
from typing import Final
from urllib.parse import parse_qs

import pyarrow as pa
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from weir_dashboard import assets, data
from weir_dashboard.packing import pack
from weir_dashboard.selection import Query, parse_ref
from weir_store.errors import InvalidQuery, StoreError, StoreUnavailable
from weir_store.records import Reduce, RunRef, SeriesQuery, XAxis

MOST_BUCKETS: Final = 16_384
_LONGEST_BODY_BYTES: Final = 1 << 20
ALWAYS_ASK: Final = {"Cache-Control": "no-cache"}
_FOREVER: Final = {"Cache-Control": "public, max-age=31536000, immutable"}


def series_query(query: Query) -> SeriesQuery:
    """Read the parameters of /api/series.

    Raises:
        InvalidQuery: One of them is missing or makes no sense.
    """
    axis = one(query, "x") or XAxis.STEP
    if axis not in set(XAxis):
        raise InvalidQuery(f"no such axis {axis!r}", hint=f"one of {', '.join(XAxis)}")
    return SeriesQuery(
        runs=run_refs(query),
        metrics=tuple(query.get("metric", ())),
        max_points=int(_number(query, "buckets", 1, MOST_BUCKETS) or 512),
        x=XAxis(axis),
        x_metric=one(query, "xm"),
        reduce=Reduce.NONE if one(query, "ranks") == "each" else Reduce.RANKS,
        x_min=_number(query, "lo"),
        x_max=_number(query, "hi"),
        log_x=one(query, "log") == "1",
    )


def run_refs(query: Query) -> tuple[RunRef, ...]:
    """Read the runs asked for. Raises `InvalidQuery` for a malformed one."""
    refs = []
    for text in query.get("run", ()):
        ref = parse_ref(text)
        if ref is None:
            raise InvalidQuery(f"not a run {text!r}", hint="write project/run_id")
        refs.append(ref)
    return tuple(refs)


async def series(request: Request) -> Response:
    """Answer with packed series, or 304 when nothing has come since the ETag."""
    try:
        question = series_query(await parameters(request))
        return await run_in_threadpool(_answer, question, request.headers.get("if-none-match"))
    except StoreError as error:
        return refusal(error)


async def metrics(request: Request) -> Response:
    """Answer with the metrics of the runs, as many as a page can hold, and how many there are."""
    try:
        query = await parameters(request)
        page = await run_in_threadpool(data.ask().metrics, run_refs(query), one(query, "search"))
        if page.stale is not None:
            raise page.stale
    except StoreError as error:
        return refusal(error)
    listed = [{"name": metric.name} for metric in page.value.metrics]
    return JSONResponse({"metrics": listed, "total": page.value.total}, headers=ALWAYS_ASK)


async def asset(request: Request) -> Response:
    """Serve a file of the component; its address holds its version, so it never changes."""
    found = assets.read(request.path_params["name"])
    if found is None:
        return JSONResponse({"error": "no such file"}, status_code=404)
    return Response(found.body, media_type=found.media_type, headers=_FOREVER)


async def healthz(_: Request) -> Response:
    """Answer while the process lives."""
    return JSONResponse({"status": "ok"})


def telemetry(_: Request) -> Response:
    """Answer with what this process measures of itself, in Prometheus' format."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


ROUTES: Final = (
    Route("/metrics", telemetry),
    Route("/api/series", series, methods=["GET", "POST"]),
    Route("/api/metrics", metrics, methods=["GET", "POST"]),
    Route("/weir-assets/{version}/{name}", asset),
    Route("/healthz", healthz),
)


def _answer(question: SeriesQuery, known: str | None) -> Response:
    """Name the state only for those who follow it: that costs as much as half the points.

    A first question carries no If-None-Match and gets its curves at once; a poll
    sends the ETag it has, or any other text for want of one.
    """
    headers = dict(ALWAYS_ASK)
    if known is not None:
        etag = _etag(question)  # before the points: a name may be too old, never too new
        if known == etag:
            return Response(status_code=304, headers={"ETag": etag})
        headers["ETag"] = etag
    return Response(_read(question), media_type="application/octet-stream", headers=headers)


def _etag(question: SeriesQuery) -> str:
    state = data.ask().token(question.runs, question.metrics)
    return f'"{blake2b(f"{state}{question}".encode(), digest_size=12).hexdigest()}"'


def _read(question: SeriesQuery) -> bytes:
    table: pa.Table = data.ask().series(question)
    return pack(table, question.x, log_x=question.log_x)


async def parameters(request: Request) -> Query:
    """Read the parameters of a query string or a form. Raises `InvalidQuery` for a form that is too long."""
    if request.method == "GET":
        return parse_qs(request.url.query)
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LONGEST_BODY_BYTES:
            raise InvalidQuery(
                f"question over {_LONGEST_BODY_BYTES} bytes", hint="ask for fewer runs"
            )
    return parse_qs(body.decode("utf-8", "replace"))


def refusal(error: StoreError) -> Response:
    """Answer with what the store refused, and why."""
    status = 503 if isinstance(error, StoreUnavailable) else 400
    return JSONResponse({"error": str(error)}, status_code=status)


def one(query: Query, key: str) -> str:
    """Return the last value of a key, empty when it is not there."""
    texts = query.get(key, ())
    return texts[-1] if texts else ""


def _number(query: Query, key: str, low: float = -math.inf, high: float = math.inf) -> float | None:
    text = one(query, key)
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or not low <= value <= high:
        raise InvalidQuery(f"{key} is {text!r}", hint=f"a number from {low:g} to {high:g}")
    return value
