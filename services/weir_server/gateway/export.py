"""Rows out and in, as they lie in the tables: the store's export behind export.proto."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Final

import grpc.aio
import pyarrow as pa

from weir_proto.v1 import export_pb2 as pb
from weir_proto.v1 import export_pb2_grpc, query_pb2
from weir_server.gateway import chunks
from weir_server.gateway.auth import Auth, Principal
from weir_server.gateway.messages import refs_of
from weir_server.gateway.service import Service
from weir_server.gateway.tokens import Role
from weir_server.log import get_logger
from weir_store.base import Inserter
from weir_store.clickhouse import ClickHouse
from weir_store.errors import InvalidQuery
from weir_store.export import base, writer
from weir_store.export.reader import ExportReader

_MAX_DATA_BYTES: Final = 6 << 20
_MAX_UNPACKED_BYTES: Final = 256 << 20
_MAX_VERSIONS: Final = 10_000


class ExportService(export_pb2_grpc.ExportServicer):
    """Answers from any gateway. Reading and writing block, so they happen in threads.

    Raises `ServerError` and `StoreError`; the interceptor makes statuses of them.
    """

    def __init__(self, reader: ExportReader, inserter: Inserter, auth: Auth) -> None:
        self._reader = reader
        self._inserter = inserter
        self._auth = auth

    async def ListTables(
        self, request: pb.ListTablesRequest, context: grpc.aio.ServicerContext
    ) -> pb.ListTablesResponse:
        """Return which tables are exported, in the order of writing."""
        self._caller(context)
        names = [(name, True) for name in base.of_artifacts()]
        names += [(name, False) for name in base.of_runs()]
        tables = [pb.TableOfExport(name=name, of_artifacts=artifacts) for name, artifacts in names]
        return pb.ListTablesResponse(tables=tables)

    async def ReadRows(
        self, request: pb.ReadRowsRequest, context: grpc.aio.ServicerContext
    ) -> AsyncIterator[query_pb2.ArrowChunk]:
        """Return the rows of a table, streamed as they are read."""
        self._caller(context).require(Role.READER, request.project)
        schema, batches = await asyncio.to_thread(
            self._reader.stream_rows,
            request.table,
            request.project,
            list(request.run_ids),
            whole_project=request.whole_project,
        )
        async for chunk in chunks.send(chunks.cut(schema, batches)):
            yield chunk

    async def MeetRuns(
        self, request: pb.MeetRunsRequest, context: grpc.aio.ServicerContext
    ) -> pb.MeetRunsResponse:
        """Return which runs are there, and whether they are the same."""
        caller = self._caller(context)
        refs = refs_of(each.run for each in request.runs)
        for project in sorted({ref.project for ref in refs}):
            caller.require(Role.ADMIN, project)
        found = {met.run: met for met in await asyncio.to_thread(self._reader.meet_runs, refs)}
        met = [_met(each, found.get(ref)) for each, ref in zip(request.runs, refs, strict=True)]
        return pb.MeetRunsResponse(runs=met)

    async def MeetVersions(
        self, request: pb.MeetVersionsRequest, context: grpc.aio.ServicerContext
    ) -> pb.MeetVersionsResponse:
        """Return which versions are there with another content."""
        if len(request.versions) > _MAX_VERSIONS:
            raise InvalidQuery(
                f"{len(request.versions)} versions asked for", hint=f"at most {_MAX_VERSIONS}"
            )
        caller = self._caller(context)
        for project in sorted({each.project for each in request.versions}):
            caller.require(Role.ADMIN, project)
        versions = [
            base.VersionName(each.project, each.name, each.version, each.digest)
            for each in request.versions
        ]
        others = await asyncio.to_thread(self._reader.meet_versions, versions)
        return pb.MeetVersionsResponse(
            others=[
                pb.VersionIdentity(
                    project=each.project, name=each.name, version=each.version, digest=each.digest
                )
                for each in others
            ]
        )

    async def WriteRows(
        self, request: pb.WriteRowsRequest, context: grpc.aio.ServicerContext
    ) -> pb.WriteRowsResponse:
        """Store rows of one table."""
        caller = self._caller(context)
        rows = await asyncio.to_thread(_table_of, request.data)
        if "project" not in rows.column_names:
            raise InvalidQuery(f"rows of {request.table} have no project")
        projects = rows["project"].cast(pa.string()).unique().to_pylist()
        for project in projects:
            caller.require(Role.ADMIN, project or "")
        written = await asyncio.to_thread(writer.write_rows, self._inserter, request.table, rows)
        get_logger().info(
            "rows imported", table=request.table, rows=written, by=caller.name, projects=projects
        )
        return pb.WriteRowsResponse(rows=written)

    def _caller(self, context: grpc.aio.ServicerContext) -> Principal:
        return self._auth.principal(context.invocation_metadata())


def _table_of(data: bytes) -> pa.Table:
    """Return an Arrow IPC stream as a table, without letting it grow beyond bounds."""
    if len(data) > _MAX_DATA_BYTES:
        raise InvalidQuery(f"{len(data)} bytes of rows at once", hint=f"at most {_MAX_DATA_BYTES}")
    try:
        batches, unpacked_bytes = [], 0
        with pa.ipc.open_stream(pa.py_buffer(data)) as stream:
            for batch in stream:
                batch.validate(full=True)
                unpacked_bytes += batch.nbytes
                if unpacked_bytes > _MAX_UNPACKED_BYTES:
                    raise InvalidQuery(
                        "the rows unpack to more than they may",
                        hint=f"at most {_MAX_UNPACKED_BYTES} bytes",
                    )
                batches.append(batch)
            return pa.Table.from_batches(batches, stream.schema)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise InvalidQuery(f"that is no Arrow stream: {error}") from error


def _met(asked: pb.RunIdentity, met: base.Met | None) -> pb.MetRun:
    if met is None:
        return pb.MetRun(found=pb.MetRun.ABSENT)
    if met.is_deleted:
        found = pb.MetRun.DELETED
    elif met.created_unix_us == asked.created_unix_us:
        found = pb.MetRun.SAME
    else:
        found = pb.MetRun.OTHER
    return pb.MetRun(found=found, created_unix_us=met.created_unix_us)


def export_service(
    clickhouse: ClickHouse, database: str, inserter: Inserter, auth: Auth
) -> Service:
    """Return the service as a gateway offers it."""
    return Service(
        "weir.v1.Export",
        export_pb2_grpc.add_ExportServicer_to_server,
        ExportService(ExportReader(clickhouse, database), inserter, auth),
    )
