"""Projects and runs, and the few edits people make to them: the Reader behind runs.proto."""

from __future__ import annotations

import asyncio
from typing import Any, Final

import grpc.aio

from weir_proto.v1 import runs_pb2, runs_pb2_grpc
from weir_server.clock import Clock, SystemClock
from weir_server.gateway.auth import Auth, Principal
from weir_server.gateway.ledger import Ledgers
from weir_server.gateway.messages import (
    event_message,
    project_message,
    run_message,
    session_message,
)
from weir_server.gateway.tokens import Role
from weir_server.log import get_logger
from weir_server.stream.base import Appender, StopRequest
from weir_store.base import Reader
from weir_store.editor import Editor
from weir_store.edits import LABELS, MAX_NAME_BYTES, Edits, check, check_bytes
from weir_store.errors import StoreError
from weir_store.records import RunQuery, RunRef

_RUNS_LIMIT: Final = 100
_EVENTS_LIMIT: Final = 1_000
_MILDEST: Final = "debug"
_NEWEST_FIRST: Final = "-created"


class RunsService(runs_pb2_grpc.RunsServicer):
    """Answers from any gateway. Reading and editing block, so they happen in threads.

    Raises `ServerError` and `StoreError`; the interceptor makes statuses of them.
    """

    def __init__(
        self,
        reader: Reader,
        editor: Editor,
        appender: Appender,
        auth: Auth,
        clock: Clock | None = None,
        *,
        shards: int = 1,
    ) -> None:
        self._reader = reader
        self._ledgers = Ledgers(reader, appender, shards)
        self._editor = editor
        self._appender = appender
        self._auth = auth
        self._clock = clock or SystemClock()

    async def ListProjects(
        self, request: runs_pb2.ListProjectsRequest, context: grpc.aio.ServicerContext
    ) -> runs_pb2.ListProjectsResponse:
        """Return the projects the caller may see."""
        caller = self._caller(context)
        projects = await asyncio.to_thread(self._reader.list_projects)
        seen = [project_message(each) for each in projects if caller.may(Role.READER, each.name)]
        return runs_pb2.ListProjectsResponse(projects=seen)

    async def ListRuns(
        self, request: runs_pb2.ListRunsRequest, context: grpc.aio.ServicerContext
    ) -> runs_pb2.ListRunsResponse:
        """Return one page of runs that match."""
        caller = self._caller(context)
        if request.project:
            caller.require(Role.READER, request.project)
        query = RunQuery(
            project=request.project,
            where=request.where,
            order_by=request.order_by or _NEWEST_FIRST,
            limit=request.limit or _RUNS_LIMIT,
            offset=request.offset,
            columns=tuple(request.columns) or None,
            projects_allowed=caller.projects_allowed,
        )
        page = await asyncio.to_thread(self._reader.list_runs, query)
        runs = [run_message(run) for run in page.runs]
        return runs_pb2.ListRunsResponse(runs=runs, total=page.total)

    async def GetRun(
        self, request: runs_pb2.GetRunRequest, context: grpc.aio.ServicerContext
    ) -> runs_pb2.GetRunResponse:
        """Return one run and its process lives."""
        ref = self._allowed(request, context, Role.READER)
        run = await asyncio.to_thread(self._reader.get_run, ref)
        sessions = await asyncio.to_thread(self._reader.list_sessions, ref)
        return runs_pb2.GetRunResponse(
            run=run_message(run), sessions=[session_message(each) for each in sessions]
        )

    async def UpdateRun(
        self, request: runs_pb2.UpdateRunRequest, context: grpc.aio.ServicerContext
    ) -> runs_pb2.UpdateRunResponse:
        """Change what people call a run that exists; who changed what from what stays as an event."""
        ref = self._allowed(request, context, Role.WRITER)
        edits = edits_of(request)
        before = await asyncio.to_thread(self._reader.get_run, ref)
        await asyncio.to_thread(
            self._editor.edit_run,
            before,
            edits,
            by=self._caller(context).name,
            at_unix_us=self._clock.unix_us(),
        )
        run = await asyncio.to_thread(self._reader.get_run, ref)
        return runs_pb2.UpdateRunResponse(run=run_message(run))

    async def StopRun(
        self, request: runs_pb2.StopRunRequest, context: grpc.aio.ServicerContext
    ) -> runs_pb2.StopRunResponse:
        """Leave a note for the run's processes, also of a run so new that nothing is stored yet."""
        ref = self._allowed(request, context, Role.WRITER)
        check_bytes("reason", request.reason, MAX_NAME_BYTES)
        if await self._appender.read_registered(ref.project, ref.run_id) is None:
            await asyncio.to_thread(self._reader.get_run, ref)
        stop = StopRequest(request.reason, self._caller(context).name, self._clock.unix_us())
        await self._appender.request_stop(ref.project, ref.run_id, stop)
        await asyncio.to_thread(self._tell_of_stop, ref, stop)
        return runs_pb2.StopRunResponse()

    def _tell_of_stop(self, ref: RunRef, stop: StopRequest) -> None:
        """Leave an event on the run; the stop stands without it when the store is away."""
        try:
            self._editor.note_stop(
                ref, by=stop.by, reason=stop.reason, at_unix_us=stop.asked_unix_us
            )
        except StoreError as error:
            get_logger().warning(
                "no event tells who asked a run to stop",
                project=ref.project,
                run_id=ref.run_id,
                by=stop.by,
                problem=str(error),
            )

    async def ListEvents(
        self, request: runs_pb2.ListEventsRequest, context: grpc.aio.ServicerContext
    ) -> runs_pb2.ListEventsResponse:
        """Return what happened to a run, newest first."""
        ref = self._allowed(request, context, Role.READER)
        page = await asyncio.to_thread(
            self._reader.list_events,
            ref,
            kinds=tuple(request.kinds),
            min_severity=request.min_severity or _MILDEST,
            limit=request.limit or _EVENTS_LIMIT,
        )
        events = [event_message(event) for event in page.events]
        return runs_pb2.ListEventsResponse(events=events, total=page.total)

    async def GetLedger(
        self, request: runs_pb2.GetLedgerRequest, context: grpc.aio.ServicerContext
    ) -> runs_pb2.GetLedgerResponse:
        """Return whether everything the run's producers sent is stored, once and unchanged."""
        return await self._ledgers.answer(self._allowed(request, context, Role.READER))

    def _caller(self, context: Any) -> Principal:
        return self._auth.principal(context.invocation_metadata())

    def _allowed(self, request: Any, context: Any, role: Role) -> RunRef:
        self._caller(context).require(role, request.project)
        return RunRef(request.project, request.run_id)


def edits_of(request: runs_pb2.UpdateRunRequest) -> Edits:
    """Return what a request wants changed. Raises as `weir_store.edits.check` does."""
    told = {label: getattr(request, label) if request.HasField(label) else None for label in LABELS}
    edits = Edits(**told, add_tags=tuple(request.add_tags), remove_tags=tuple(request.remove_tags))
    check(edits)
    return edits
