"""Routes of groups on the chart wall: their lines, the list of them, their runs, and what there is to group by.

All take `project` and `q`, or `run` repeated; and but for the keys `g`, the key. Errors as in api.py.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b
from typing import Any, Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from weir_dashboard import api, data, groups, selection
from weir_dashboard.charts import run_address
from weir_dashboard.data_groups import Whose
from weir_dashboard.packing_bands import pack_bands
from weir_dashboard.selection import Query
from weir_store.errors import StoreError
from weir_store.groups.base import BandQuery, Group
from weir_store.records import Run

KEYS: Final = 200
RUNS: Final = 200
"""So many runs of a group are told; their number is told, too."""


async def lines(request: Request) -> Response:
    """Answer with packed bands, or 304 when nothing has come since the ETag."""
    known = request.headers.get("if-none-match")
    return await _answered(request, lambda query: _lines(query, known))


async def listed(request: Request) -> Response:
    """Answer with the groups, in order, with colour and number of runs."""
    return await _answered(request, _listed)


async def members(request: Request) -> Response:
    """Answer with the newest runs of one group, and how many it has."""
    return await _answered(request, _members)


async def keys(request: Request) -> Response:
    """Answer with what there is to group by: labels, and config paths that fit the search."""
    return await _answered(request, _keys)


ROUTES: Final = (
    Route("/api/groups", lines, methods=["GET", "POST"]),
    Route("/api/groups/list", listed, methods=["GET", "POST"]),
    Route("/api/groups/runs", members, methods=["GET", "POST"]),
    Route("/api/groups/keys", keys, methods=["GET", "POST"]),
)


async def _answered(request: Request, answer: Callable[[Query], Response]) -> Response:
    try:
        query = await api.parameters(request)
        return await run_in_threadpool(answer, query)
    except StoreError as error:
        return api.refusal(error)


def _lines(query: Query, known: str | None) -> Response:
    """As `api.series`: the state is named only for those who follow it."""
    asked = data.ask().groups
    question = api.series_query(query)
    found = asked.list_groups(_whose(query), api.one(query, "g"))
    bands = BandQuery(
        tuple(Group(group.name, group.refs) for group in found),
        question.metrics,
        question.max_points or 1,
        tuple(query.get("group", ())),
        question.x,
        question.x_metric,
        question.x_min,
        question.x_max,
        question.log_x,
    )
    headers = dict(api.ALWAYS_ASK)
    if known is not None:
        state = asked.token(bands.runs, bands.metrics)
        etag = f'"{blake2b(f"{state}{bands}".encode(), digest_size=12).hexdigest()}"'
        if known == etag:
            return Response(status_code=304, headers={"ETag": etag})
        headers["ETag"] = etag
    packed = pack_bands(asked.bands(bands), bands.x, log_x=bands.log_x)
    return Response(packed, media_type="application/octet-stream", headers=headers)


def _listed(query: Query) -> Response:
    asked, whose, key = data.ask().groups, _whose(query), api.one(query, "g")
    found = asked.list_groups(whose, key)
    places = groups.colors(found, asked.places(whose, key), key)
    told = [
        {
            "id": group.name,
            "label": group.label,
            "color": places[group.name],
            "runs": len(group.runs),
            "running": group.running,
        }
        for group in found
    ]
    runs = len({ref for group in found for ref in group.refs})
    return _json({"groups": told, "runs": runs, "drawn": groups.DRAWN_AT_FIRST})


def _members(query: Query) -> Response:
    found = data.ask().groups.list_groups(_whose(query), api.one(query, "g"))
    name = api.one(query, "group")
    runs = next((group.runs for group in found if group.name == name), ())
    return _json({"runs": [_told(run) for run in runs[:RUNS]], "total": len(runs)})


def _told(run: Run) -> dict[str, str]:
    name = run.name or run.run_id
    return {"id": selection.format_ref(run.ref), "name": name, "href": run_address(run.ref)}


def _keys(query: Query) -> Response:
    search = api.one(query, "search")
    answer = data.ask().groups.keys(_whose(query), search, KEYS)
    if answer.stale is not None:
        raise answer.stale
    words = search.lower().split()
    labels: list[dict[str, Any]] = [
        {"key": key, "label": label}
        for key, label in groups.LABELS.items()
        if all(word in label for word in words)
    ]
    paths = [
        {
            "key": f"{groups.CONFIG}{key.path}",
            "label": key.path,
            "values": key.values,
            "runs": key.runs,
        }
        for key in answer.value.keys
    ]
    return _json({"keys": [*labels, *paths], "total": len(labels) + answer.value.total})


def _whose(query: Query) -> Whose:
    return Whose(api.one(query, "project"), api.one(query, "q"), api.run_refs(query))


def _json(told: dict[str, Any]) -> Response:
    return JSONResponse(told, headers=dict(api.ALWAYS_ASK))
