"""Routes of views and reports: a long address made short, a report as a file."""

from __future__ import annotations

from typing import Final
from urllib.parse import parse_qs, urlencode

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from weir_dashboard import data, documents, report_export
from weir_dashboard.documents import View
from weir_store.documents.records import Kind
from weir_store.errors import InvalidQuery, StoreError, StoreUnavailable

_LONGEST_BODY_BYTES: Final = documents.LONGEST_QUERY + 4_096


async def shorten(request: Request) -> Response:
    """Answer `{page, project, search}` with `{v}`: the id that stands for the long keys of `search`.

    Only JSON is taken: a page of another site cannot send that without being asked.
    """
    try:
        said = await _said(request)
        v = await run_in_threadpool(_shortened, said["page"], said["project"], said["search"])
    except StoreError as error:
        status = 503 if isinstance(error, StoreUnavailable) else 400
        return JSONResponse({"error": str(error)}, status_code=status)
    return JSONResponse({"v": v}, headers={"Cache-Control": "no-store"})


async def _said(request: Request) -> dict[str, str]:
    if request.headers.get("content-type", "").split(";")[0] != "application/json":
        raise InvalidQuery("not JSON", hint="send application/json")
    if int(request.headers.get("content-length") or 0) > _LONGEST_BODY_BYTES:
        raise InvalidQuery("the address is too long")
    try:
        said = await request.json()
        return {key: str(said[key]) for key in ("page", "project", "search")}
    except (ValueError, KeyError, TypeError) as wrong:
        raise InvalidQuery("page, project and search are needed") from wrong


def _shortened(page: str, project: str, search: str) -> str:
    asked = data.ask()
    if not project or not asked.documents.may_edit or not asked.me.may_edit(project):
        raise InvalidQuery("this dashboard may not save views", hint="dashboard.edit_documents")
    if not any(known.name == project for known in asked.projects().value):
        raise InvalidQuery(f"no project {project!r}")
    long = documents.long_part(parse_qs(search))
    checked = documents.view_of(page, long)
    return asked.documents.shorten(
        project, View(checked.page, urlencode(long, doseq=True)), asked.me.by
    )


async def export(request: Request) -> Response:
    """Answer with a report as one HTML file, `?id=`."""
    document_id = request.query_params.get("id", "")
    try:
        made = await run_in_threadpool(_exported, document_id)
    except StoreError as error:
        status = 503 if isinstance(error, StoreUnavailable) else 400
        return JSONResponse({"error": str(error)}, status_code=status)
    if made is None:
        return JSONResponse({"error": "no such report"}, status_code=404)
    headers = {
        "Content-Disposition": f'attachment; filename="report-{document_id}.html"',
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
    }
    return Response(made, media_type="text/html; charset=utf-8", headers=headers)


def _exported(document_id: str) -> bytes | None:
    if not documents.is_id(document_id):
        return None
    found = data.ask().documents.get(Kind.REPORT, document_id).value
    if found is None or found.is_deleted:
        return None
    return report_export.export(found).html


ROUTES: Final = (
    Route("/api/report", export, methods=["GET"]),
    Route("/api/view", shorten, methods=["POST"]),
)
