"""The body of a request: bounded in bytes and in time, whatever it is packed with."""

from __future__ import annotations

import asyncio
from typing import Final

from starlette.requests import Request as HttpRequest

from weir_server.content_encoding import UnknownEncoding, WrongEncoding, unpack
from weir_server.sql_door.faults import (
    INCORRECT_DATA,
    QUERY_IS_TOO_LARGE,
    TIMEOUT_EXCEEDED,
    UNKNOWN_COMPRESSION_METHOD,
    Fault,
)

_PATIENCE_S: Final = 10.0


async def read_body(request: HttpRequest, most_bytes: int) -> bytes:
    """Return the body, unpacked.

    Raises:
        Fault: It is too long, too slow, or not what it says it is.
        ClientDisconnect: Nobody waits any more.
    """
    try:
        async with asyncio.timeout(_PATIENCE_S):
            packed = await _read(request, most_bytes)
    except TimeoutError:
        raise Fault(
            TIMEOUT_EXCEEDED, f"the request did not end within {_PATIENCE_S:g} s", status=408
        ) from None
    return _unpacked(packed, request.headers.get("content-encoding", ""), most_bytes)


async def _read(request: HttpRequest, most_bytes: int) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        _check(len(body), most_bytes)
    return bytes(body)


def _unpacked(packed: bytes, encoding: str, most_bytes: int) -> bytes:
    body = bytearray()
    try:
        for piece in unpack(encoding, iter([packed])) if packed else ():
            body += piece
            _check(len(body), most_bytes)
    except UnknownEncoding as error:
        raise Fault(UNKNOWN_COMPRESSION_METHOD, str(error)) from error
    except WrongEncoding as error:
        raise Fault(INCORRECT_DATA, str(error)) from error
    return bytes(body)


def _check(size: int, most_bytes: int) -> None:
    if size > most_bytes:
        raise Fault(
            QUERY_IS_TOO_LARGE,
            f"the statement has more than {most_bytes} bytes; the limit is gateway.sql_text_bytes",
            status=413,
        )
