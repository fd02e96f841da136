"""PUT and GET of objects in the local directory, for whoever holds a signed address.

Speaks just so much of S3's HTTP that clients need not know the difference:
PUT answers an ETag, GET and HEAD take ranges.
"""

from __future__ import annotations

import asyncio
from typing import Final
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route

from weir_server.clock import Clock
from weir_store.errors import InvalidQuery, StoreError, StoreRejected, UnknownObject
from weir_store.objects.local import LocalObjects

_BATCH_BYTES: Final = 1 << 20  # written to disk at once, away from the loop


class Door:
    """Starlette endpoints over one `LocalObjects`."""

    def __init__(self, objects: LocalObjects, clock: Clock) -> None:
        self._objects = objects
        self._clock = clock

    def app(self) -> Starlette:
        """Return the whole HTTP application."""
        return Starlette(
            routes=[
                Route("/{key:path}", self._put, methods=["PUT"]),
                Route("/{key:path}", self._get, methods=["GET", "HEAD"]),
            ]
        )

    async def _put(self, request: Request) -> Response:
        key = request.path_params["key"]
        if fault := self._fault("PUT", request):
            return PlainTextResponse(fault, 403)
        try:
            tag = await self._take(key, request)
        except ClientDisconnect:
            return Response(status_code=400)  # nobody is left to read it
        except StoreError as error:
            return PlainTextResponse(str(error), _status(error))
        except OSError as error:
            return PlainTextResponse(f"the object directory: {error.strerror}", 503)
        return Response(headers={"ETag": f'"{tag}"'})

    async def _take(self, key: str, request: Request) -> str:
        query = request.query_params
        arrival = await asyncio.to_thread(
            self._objects.arrive, key, query["upload"], int(query["part"])
        )
        try:
            waiting = bytearray()
            async for chunk in request.stream():
                waiting += chunk
                if len(waiting) >= _BATCH_BYTES:
                    await asyncio.to_thread(arrival.write, bytes(waiting))
                    waiting.clear()
            await asyncio.to_thread(arrival.write, bytes(waiting))
            if arrival.size_bytes != int(request.headers.get("content-length", arrival.size_bytes)):
                raise StoreRejected("the body ended early")
            await asyncio.to_thread(arrival.keep)
            return arrival.etag
        finally:
            arrival.drop()

    async def _get(self, request: Request) -> Response:
        key = request.path_params["key"]
        if fault := self._fault("GET", request):
            return PlainTextResponse(fault, 403)
        try:
            found = await asyncio.to_thread(self._objects.stat, key)
            if found is None:
                raise UnknownObject(f"no object {key}")
            with self._objects.open_object(key) as file:
                path = file.name
        except StoreError as error:
            return PlainTextResponse(str(error), _status(error))
        headers = {"ETag": f'"{found.etag}"'}
        if filename := request.query_params.get("filename"):
            disposition = f"attachment; filename*=UTF-8''{quote(filename, safe='')}"
            headers["Content-Disposition"] = disposition
        return FileResponse(path, headers=headers, media_type="application/octet-stream")

    def _fault(self, method: str, request: Request) -> str:
        """Return why the address is not good; "" when it is."""
        now_unix_s = self._clock.unix_us() / 1e6
        key, query = request.path_params["key"], request.query_params
        return self._objects.signer.fault(method, key, query, now_unix_s)


def _status(error: StoreError) -> int:
    if isinstance(error, InvalidQuery):
        return 404
    return 400 if isinstance(error, StoreRejected) else 503
