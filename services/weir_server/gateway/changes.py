"""Edits and deletions of what is stored, holds, retention and receipts: behind changes.proto."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Final, TypeVar
from uuid import UUID

import grpc.aio

from weir_proto.v1 import changes_pb2 as pb
from weir_proto.v1 import changes_pb2_grpc, query_pb2
from weir_server.clock import Clock
from weir_server.gateway import chunks
from weir_server.gateway.artifact_checks import check_project
from weir_server.gateway.auth import Auth, Principal
from weir_server.gateway.changes_messages import (
    corrections_of,
    hold_message,
    policy_message,
    policy_of,
    receipt_message,
    step_message,
    steps_of,
)
from weir_server.gateway.service import Service
from weir_server.gateway.tokens import Role
from weir_server.stream.lease import Lease
from weir_server.sweeper.sweeper import PERIOD_S, Sweeper
from weir_store.base import Reader
from weir_store.changes.base import Change, Hold, Refusal
from weir_store.changes.retention import check
from weir_store.changes.sweep import Changes
from weir_store.errors import InvalidQuery
from weir_store.records import RunQuery, RunRef, RunState

T = TypeVar("T")

_THREADS: Final = 4
_VERSIONS_LIMIT: Final = 1_000_000
_RECEIPTS_LIMIT: Final = 100
_PREVIEWED: Final = 10_000
_STOP_S: Final = 10.0
_MAX_REASON_BYTES: Final = 4_096


class ChangesService(changes_pb2_grpc.ChangesServicer):
    """Changes of one gateway.

    Writers edit, delete and merge runs of their projects; moving takes a writer of both. Whole projects,
    holds and policies are an admin's. Readers see versions, receipts, holds and policies.
    """

    def __init__(
        self, changes: Changes, reader: Reader, sweeper: Sweeper, auth: Auth, clock: Clock
    ) -> None:
        self._changes = changes
        self._reader = reader
        self._sweeper = sweeper
        self._auth = auth
        self._clock = clock
        # What blocks here holds nobody else up.
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="changes")

    async def start(self) -> None:
        """Begin to sweep."""
        self._sweeper.start()

    async def stop(self) -> None:
        """End within seconds; what was not done is gone on with by whoever sweeps next."""
        await asyncio.to_thread(self._sweeper.stop, _STOP_S)
        self._threads.shutdown(wait=False, cancel_futures=True)

    # ── points ─────────────────────────────────────────────────────────────

    async def CorrectPoints(
        self, request: pb.CorrectPointsRequest, context: grpc.aio.ServicerContext
    ) -> pb.Receipt:
        """Give points new values."""
        caller = self._caller(context, Role.WRITER, request)
        run = await self._call(self._reader.get_run, RunRef(request.project, request.run_id))
        await self._call(self._changes.warm, run.ref, by=caller.name)
        change = await self._call(
            self._changes.points.ask_correct,
            run,
            request.metric,
            corrections_of(request.points),
            **self._said(caller, request),
        )
        return await self._do(change)

    async def DeletePoints(
        self, request: pb.DeletePointsRequest, context: grpc.aio.ServicerContext
    ) -> pb.Receipt:
        """Take points out of every answer."""
        caller = self._caller(context, Role.WRITER, request)
        run = await self._call(self._reader.get_run, RunRef(request.project, request.run_id))
        await self._call(self._changes.warm, run.ref, by=caller.name)
        change = await self._call(
            self._changes.points.ask_delete,
            run,
            request.metric,
            steps_of(request.steps),
            list(request.ranks),
            **self._said(caller, request),
        )
        return await self._do(change)

    async def ReadVersions(
        self, request: pb.ReadVersionsRequest, context: grpc.aio.ServicerContext
    ) -> AsyncIterator[query_pb2.ArrowChunk]:
        """Return every version of points."""
        self._caller(context, Role.READER, request)
        ref = RunRef(request.project, request.run_id)
        await self._call(self._reader.get_run, ref)
        table = await self._call(
            self._changes.versions.read_versions,
            ref,
            request.metric,
            steps_of(request.steps),
            list(request.ranks),
            limit=request.limit or _VERSIONS_LIMIT,
        )
        async for chunk in chunks.send_table(table):
            yield chunk

    # ── runs and projects ──────────────────────────────────────────────────

    async def Delete(
        self, request: pb.DeleteRequest, context: grpc.aio.ServicerContext
    ) -> pb.Receipt:
        """Hide a run or a project now, and free it soon."""
        caller = self._caller(context, Role.WRITER if request.run_id else Role.ADMIN, request)
        said = self._said(caller, request)
        if request.run_id:
            ref = RunRef(request.project, request.run_id)
            change = await self._call(self._changes.removal.ask_run, ref, **said)
        else:
            change = await self._call(self._changes.removal.ask_project, request.project, **said)
        change = await self._call(self._changes.begin, change)
        await self._call(self._changes.hide, change)
        self._sweeper.submit(change)
        return receipt_message(change)

    async def Move(self, request: pb.MoveRequest, context: grpc.aio.ServicerContext) -> pb.Receipt:
        """Move runs that have ended to another project, or all a project has."""
        role = Role.WRITER if request.run_ids else Role.ADMIN
        caller = self._caller(context, role, request)
        caller.require(role, request.target)
        check_project(request.target)
        runs = list(request.run_ids)
        await self._call(self._refuse_live, request.project, runs)
        change = await self._call(
            self._changes.moving.ask,
            request.project,
            runs,
            request.target,
            **self._said(caller, request),
        )
        change = await self._call(self._changes.begin, change)
        self._sweeper.submit(change)
        return receipt_message(change)

    async def Merge(
        self, request: pb.MergeRequest, context: grpc.aio.ServicerContext
    ) -> pb.Receipt:
        """Make one run of several that have ended."""
        caller = self._caller(context, Role.WRITER, request)
        runs = list(request.run_ids)
        await self._call(self._refuse_live, request.project, runs or [""])
        change = await self._call(
            self._changes.merging.ask,
            request.project,
            runs,
            list(request.at_steps),
            **self._said(caller, request),
        )
        return await self._do(change)

    # ── receipts ───────────────────────────────────────────────────────────

    async def GetReceipt(
        self, request: pb.GetReceiptRequest, context: grpc.aio.ServicerContext
    ) -> pb.Receipt:
        """Return what came of a change so far."""
        caller = self._auth.principal(context.invocation_metadata())
        try:
            change_id = UUID(request.change_id)
        except ValueError:
            raise InvalidQuery(f"no receipt {request.change_id!r}") from None
        change = await self._call(self._changes.book.get, change_id)
        caller.require(Role.READER, change.project)
        return receipt_message(change)

    async def ListReceipts(
        self, request: pb.ListReceiptsRequest, context: grpc.aio.ServicerContext
    ) -> pb.ListReceiptsResponse:
        """Return the newest changes."""
        self._caller(context, Role.READER, request)
        found = await self._call(
            self._changes.book.list_changes,
            request.project,
            run_id=request.run_id,
            limit=request.limit or _RECEIPTS_LIMIT,
        )
        return pb.ListReceiptsResponse(receipts=map(receipt_message, found))

    # ── holds and policies ─────────────────────────────────────────────────

    async def SetHold(
        self, request: pb.SetHoldRequest, context: grpc.aio.ServicerContext
    ) -> pb.ListHoldsResponse:
        """Put a legal hold on a run or a project, or lift it; return the project's holds."""
        caller = self._caller(context, Role.ADMIN, request)
        _check_reason(request.reason)
        if not request.reason:
            raise InvalidQuery("a hold needs a reason", hint="say why, for whoever meets it")
        hold = Hold(
            request.project, request.run_id, request.reason, caller.name, self._clock.unix_us()
        )
        if request.run_id and not request.lift:
            await self._call(self._reader.get_run, RunRef(request.project, request.run_id))
        await self._call(self._changes.book.hold, hold, lifted=request.lift)
        found = await self._call(self._changes.book.list_holds, request.project)
        return pb.ListHoldsResponse(holds=map(hold_message, found))

    async def ListHolds(
        self, request: pb.ListHoldsRequest, context: grpc.aio.ServicerContext
    ) -> pb.ListHoldsResponse:
        """Return holds of the projects that the caller may read."""
        caller = self._auth.principal(context.invocation_metadata())
        found = await self._call(self._changes.book.list_holds, request.project)
        seen = [hold_message(each) for each in found if caller.may(Role.READER, each.project)]
        return pb.ListHoldsResponse(holds=seen)

    async def SetPolicy(
        self, request: pb.SetPolicyRequest, context: grpc.aio.ServicerContext
    ) -> pb.ListPoliciesResponse:
        """Make a policy of retention count, or take it away; return the project's policies."""
        caller = self._caller(context, Role.ADMIN, request.policy)
        policy = policy_of(request.policy, by=caller.name, at_unix_us=self._clock.unix_us())
        if not request.remove:
            check(policy)
        await self._call(self._changes.book.set_policy, policy, removed=request.remove)
        found = await self._call(self._changes.book.list_policies, policy.project)
        return pb.ListPoliciesResponse(policies=map(policy_message, found))

    async def ListPolicies(
        self, request: pb.ListPoliciesRequest, context: grpc.aio.ServicerContext
    ) -> pb.ListPoliciesResponse:
        """Return policies of the projects that the caller may read."""
        caller = self._auth.principal(context.invocation_metadata())
        found = await self._call(self._changes.book.list_policies, request.project)
        seen = [policy_message(each) for each in found if caller.may(Role.READER, each.project)]
        return pb.ListPoliciesResponse(policies=seen)

    async def PreviewRetention(
        self, request: pb.PreviewRetentionRequest, context: grpc.aio.ServicerContext
    ) -> pb.PreviewRetentionResponse:
        """Return what the policies of a project would delete and thin now."""
        self._caller(context, Role.READER, request)
        if not request.project:
            raise InvalidQuery("retention of which project?")
        plan = partial(self._changes.retention.plan, self._clock.unix_us(), request.project)
        steps = await self._call(lambda: [each for each, _ in zip(plan(), range(_PREVIEWED))])  # noqa: B905
        return pb.PreviewRetentionResponse(steps=map(step_message, steps))

    # ── how ────────────────────────────────────────────────────────────────

    async def _do(self, change: Change) -> pb.Receipt:
        """Write a change down and carry it out; a caller that goes away does not stop it."""
        change = await self._call(self._changes.begin, change)
        done = await asyncio.shield(self._call(self._changes.carry_out, change))
        return receipt_message(done)

    def _call(self, what: Callable[..., T], *args: Any, **named: Any) -> asyncio.Future[T]:
        loop = asyncio.get_running_loop()
        return loop.run_in_executor(self._threads, partial(what, *args, **named))

    def _refuse_live(self, project: str, runs: list[str]) -> None:
        """Raise `Refusal` when one of the runs, or with none any of the project's, still writes."""
        if runs:
            live = [
                run
                for run in runs
                if self._reader.get_run(RunRef(project, run)).state is RunState.RUNNING
            ]
        else:
            query = RunQuery(project=project, where="state = 'running'", limit=1)
            live = [run.run_id for run in self._reader.list_runs(query).runs]
        if live:
            raise Refusal(
                f"run {live[0]!r} is running", hint=f"stop it first: weir stop {project}/{live[0]}"
            )

    def _caller(self, context: Any, role: Role, request: Any) -> Principal:
        caller = self._auth.principal(context.invocation_metadata())
        caller.require(role, request.project)
        return caller

    def _said(self, caller: Principal, request: Any) -> dict[str, Any]:
        _check_reason(request.reason)
        return {"by": caller.name, "at_unix_us": self._clock.unix_us(), "reason": request.reason}


def changes_service(
    changes: Changes,
    reader: Reader,
    auth: Auth,
    clock: Clock,
    *,
    lease: Lease | None = None,
    period_s: float = PERIOD_S,
) -> Service:
    """Return the service as a gateway offers it; see `Sweeper` for lease and period."""
    sweeper = Sweeper(changes, clock, lease=lease, period_s=period_s)
    servicer = ChangesService(changes, reader, sweeper, auth, clock)
    return Service(
        "weir.v1.Changes",
        changes_pb2_grpc.add_ChangesServicer_to_server,
        servicer,
        start=servicer.start,
        stop=servicer.stop,
    )


def _check_reason(reason: str) -> None:
    size = len(reason.encode())
    if size > _MAX_REASON_BYTES:
        raise InvalidQuery(f"reason has {size} bytes", hint=f"at most {_MAX_REASON_BYTES}")
