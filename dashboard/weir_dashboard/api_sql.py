"""Downloads of what SQL answers: every row, streamed, as CSV or Parquet.

A download that fails on its way ends without its last chunk, so that a browser says it failed: a file
is whole or it is not there.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import Final, Protocol
from urllib.parse import parse_qs

import pyarrow as pa
import pyarrow.csv as csv
import pyarrow.parquet as parquet
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from weir_dashboard import data, statement
from weir_dashboard.answer_table import flat, unique
from weir_dashboard.asking import close
from weir_store.errors import StoreError, StoreUnavailable
from weir_store.sql.base import Answer


class _Writer(Protocol):
    def write_batch(self, batch: pa.RecordBatch) -> None: ...

    def close(self) -> None: ...


class _Sink(io.RawIOBase):
    """What a writer has written since it was last asked."""

    def __init__(self) -> None:
        super().__init__()
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, part: bytes | memoryview) -> int:  # type: ignore[override]
        self._parts.append(bytes(part))
        return len(part)

    def take(self) -> bytes:
        parts, self._parts = self._parts, []
        return b"".join(parts)


_FORMATS: Final[dict[str, tuple[str, Callable[[_Sink, pa.Schema], _Writer]]]] = {
    "csv": ("text/csv; charset=utf-8", csv.CSVWriter),
    "parquet": (
        "application/vnd.apache.parquet",
        lambda sink, schema: parquet.ParquetWriter(sink, schema, compression="zstd"),
    ),
}


async def download(request: Request) -> Response:
    """Answer with every row of the statement, `?format=csv|parquet` and the keys of the SQL page."""
    query = parse_qs(request.url.query)
    format = query.get("format", ["csv"])[-1]
    text = statement.parse(query)
    if format not in _FORMATS or not text:
        wrong = f"format={'|'.join(_FORMATS)} and a statement, sql=…, are needed"
        return JSONResponse({"error": wrong}, status_code=400)
    try:
        asker = data.ask().me.by
        answer = await run_in_threadpool(data.ask().sql.whole, text, statement.values(query), asker)
    except StoreError as error:
        status = 503 if isinstance(error, StoreUnavailable) else 400
        return JSONResponse({"error": str(error)}, status_code=status)
    media_type, _ = _FORMATS[format]
    headers = {
        "Content-Disposition": f'attachment; filename="weir.{format}"',
        "Cache-Control": "no-store",
    }
    return StreamingResponse(_written(answer, format), media_type=media_type, headers=headers)


def _written(answer: Answer, format: str) -> Iterator[bytes]:
    """Write batch by batch; memory holds one."""
    sink = _Sink()
    try:
        first = _shaped(answer.schema.empty_table(), format)
        writer = _FORMATS[format][1](sink, first.schema)
        for batch in answer.batches:
            table = _shaped(pa.Table.from_batches([batch]), format)
            for part in table.to_batches():
                writer.write_batch(part)
            if written := sink.take():
                yield written
        writer.close()
        yield sink.take()
    finally:
        close(answer)


def _shaped(table: pa.Table, format: str) -> pa.Table:
    """Name columns apart; CSV knows no lists either."""
    return flat(table) if format == "csv" else table.rename_columns(unique(table.column_names))


ROUTES: Final = (Route("/api/sql", download),)
