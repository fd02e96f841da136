"""Routes of the runs table: names found as somebody types, and every matching row as a file."""

from __future__ import annotations

import io
import time
from typing import Final
from urllib.parse import parse_qs, quote

import pyarrow.csv as csv
import pyarrow.parquet as parquet
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from weir_dashboard import columns_of, data, run_rows, selection
from weir_dashboard.answer_table import flat
from weir_store.errors import InvalidQuery, StoreError, StoreUnavailable
from weir_store.names.base import SPACES
from weir_store.records import RunQuery

_SUGGESTED: Final = 12
_FORMATS: Final = {
    "csv": "text/csv; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
}


async def names(request: Request) -> Response:
    """Answer with names that fit what is typed: `?project=…&search=…`, with `space=…` only some of them."""
    query = parse_qs(request.url.query)
    project, search = _last(query, "project"), _last(query, "search")
    spaces = tuple(query.get("space", SPACES))
    try:
        found = await run_in_threadpool(data.ask().names.find, project, search, spaces, _SUGGESTED)
    except StoreError as error:
        return _refusal(error)
    told = [{"space": name.space, "name": name.name} for name in found.value.names]
    return JSONResponse({"names": told, "total": found.value.total})


async def runs(request: Request) -> Response:
    """Answer with every run that matches as a file, `?format=csv|parquet` and the keys of the table."""
    query = parse_qs(request.url.query)
    format = _last(query, "format") or "csv"
    try:
        if format not in _FORMATS:
            raise InvalidQuery(f"no format {format!r}", hint=f"one of {', '.join(_FORMATS)}")
        written = await run_in_threadpool(_written, _asked(query), format)
    except StoreError as error:
        return _refusal(error)
    name = quote(f"runs of {_last(query, 'project')}"[:80], safe="")
    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{name}.{format}",
        "Cache-Control": "no-store",
    }
    return Response(written, media_type=_FORMATS[format], headers=headers)


def _asked(query: selection.Query) -> RunQuery:
    asked = selection.parse(query)
    if not asked.project:
        raise InvalidQuery("runs of which project?", hint="project=…")
    columns = tuple(columns_of.known(asked.columns))
    return RunQuery(asked.project, asked.where, asked.order_by, columns=columns)


def _written(query: RunQuery, format: str) -> bytes:
    table = run_rows.table(data.ask().all_runs(query), query.columns or (), time.time())
    sink = io.BytesIO()
    if format == "csv":
        csv.write_csv(flat(table), sink)
    else:
        parquet.write_table(table, sink, compression="zstd")
    return sink.getvalue()


def _last(query: selection.Query, key: str) -> str:
    texts = query.get(key, ())
    return texts[-1] if texts else ""


def _refusal(error: StoreError) -> Response:
    status = 503 if isinstance(error, StoreUnavailable) else 400
    return JSONResponse({"error": str(error)}, status_code=status)


ROUTES: Final = (Route("/api/names", names), Route("/api/runs", runs))
