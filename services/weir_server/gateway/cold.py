"""Cold runs of one gateway: behind cold.proto."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import Any, Final, TypeVar

import grpc.aio

from weir_proto.v1 import changes_pb2, cold_pb2_grpc
from weir_proto.v1 import cold_pb2 as pb
from weir_server.clock import Clock
from weir_server.gateway.artifact_checks import check_project
from weir_server.gateway.auth import Auth, Principal
from weir_server.gateway.changes_messages import receipt_message
from weir_server.gateway.service import Service
from weir_server.gateway.tokens import Role
from weir_server.log import get_logger
from weir_store.changes.base import Change, ChangeState
from weir_store.changes.book import ChangeBook
from weir_store.cold.base import ColdRule, ColdRun
from weir_store.cold.cold import ColdRuns
from weir_store.errors import InvalidQuery, StoreError
from weir_store.records import RunRef

T = TypeVar("T")

_THREADS: Final = 2
_MAX_REASON_BYTES: Final = 4_096
_LEAST_AFTER_S: Final = 60


class ColdService(cold_pb2_grpc.ColdServicer):
    """Writers roll and thaw runs of their projects, admins make rules, readers see what is cold.

    What is asked is written down; the sweeper of a gateway takes it up within seconds.
    """

    def __init__(self, cold: ColdRuns, book: ChangeBook, auth: Auth, clock: Clock) -> None:
        self._cold = cold
        self._book = book
        self._auth = auth
        self._clock = clock
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="cold")

    async def start(self) -> None:
        """Show ClickHouse where the files lie now; a store that is away sees them as they lay before."""
        try:
            await self._call(self._cold.open)
        except StoreError as error:
            get_logger().warning("cold runs may not be found", problem=str(error))

    async def stop(self) -> None:
        """End."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def RollRun(
        self, request: pb.RollRunRequest, context: grpc.aio.ServicerContext
    ) -> changes_pb2.Receipt:
        """Write down that a run is to be rolled."""
        return await self._asked(self._cold.rolling.ask, request, context)

    async def ThawRun(
        self, request: pb.ThawRunRequest, context: grpc.aio.ServicerContext
    ) -> changes_pb2.Receipt:
        """Write down that a run is to be brought back."""
        return await self._asked(self._cold.thawing.ask, request, context)

    async def ListColdRuns(
        self, request: pb.ListColdRunsRequest, context: grpc.aio.ServicerContext
    ) -> pb.ListColdRunsResponse:
        """Return cold runs of the projects that the caller may read."""
        caller = self._caller(context)
        found = await self._call(self._cold.book.list_cold, request.project)
        seen = [_run(each) for each in found if caller.may(Role.READER, each.ref.project)]
        return pb.ListColdRunsResponse(runs=seen)

    async def SetColdRule(
        self, request: pb.SetColdRuleRequest, context: grpc.aio.ServicerContext
    ) -> pb.ListColdRulesResponse:
        """Make a rule count, or take it away; return the project's."""
        caller = self._caller(context)
        caller.require(Role.ADMIN, request.rule.project)
        check_project(request.rule.project)
        if not request.remove and request.rule.after_s < _LEAST_AFTER_S:
            raise InvalidQuery(
                f"after_s is {request.rule.after_s}", hint=f"at least {_LEAST_AFTER_S}"
            )
        rule = ColdRule(
            request.rule.project, request.rule.after_s, caller.name, self._clock.unix_us()
        )
        await self._call(self._cold.book.put_rule, rule, removed=request.remove)
        found = await self._call(self._cold.book.list_rules, rule.project)
        return pb.ListColdRulesResponse(rules=map(_rule, found))

    async def ListColdRules(
        self, request: pb.ListColdRulesRequest, context: grpc.aio.ServicerContext
    ) -> pb.ListColdRulesResponse:
        """Return the rules of the projects that the caller may read."""
        caller = self._caller(context)
        found = await self._call(self._cold.book.list_rules, request.project)
        seen = [_rule(each) for each in found if caller.may(Role.READER, each.project)]
        return pb.ListColdRulesResponse(rules=seen)

    async def _asked(
        self, ask: Callable[..., Change], request: Any, context: grpc.aio.ServicerContext
    ) -> changes_pb2.Receipt:
        caller = self._caller(context)
        caller.require(Role.WRITER, request.project)
        size = len(request.reason.encode())
        if size > _MAX_REASON_BYTES:
            raise InvalidQuery(f"reason has {size} bytes", hint=f"at most {_MAX_REASON_BYTES}")
        ref, now = RunRef(request.project, request.run_id), self._clock.unix_us()
        change = await self._call(ask, ref, by=caller.name, at_unix_us=now, reason=request.reason)
        if not change.version:  # else it is under way already
            asked = replace(change, state=ChangeState.ASKED)
            change = await self._call(self._book.put, asked, now)
        return receipt_message(change)

    def _caller(self, context: grpc.aio.ServicerContext) -> Principal:
        return self._auth.principal(context.invocation_metadata())

    def _call(self, what: Callable[..., T], *args: Any, **named: Any) -> asyncio.Future[T]:
        loop = asyncio.get_running_loop()
        return loop.run_in_executor(self._threads, partial(what, *args, **named))


def cold_service(cold: ColdRuns, book: ChangeBook, auth: Auth, clock: Clock) -> Service:
    """Return the service as a gateway offers it."""
    servicer = ColdService(cold, book, auth, clock)
    return Service(
        "weir.v1.Cold",
        cold_pb2_grpc.add_ColdServicer_to_server,
        servicer,
        start=servicer.start,
        stop=servicer.stop,
    )


def _run(cold: ColdRun) -> pb.ColdRun:
    files = [
        pb.ColdFile(
            table=file.table,
            key=file.key,
            rows=file.rows,
            size_bytes=file.size_bytes,
            sha256=file.sha256,
        )
        for file in cold.files
    ]
    ref = cold.ref
    return pb.ColdRun(
        project=ref.project, run_id=ref.run_id, files=files, by=cold.by, at_unix_us=cold.at_unix_us
    )


def _rule(rule: ColdRule) -> pb.ColdRule:
    return pb.ColdRule(
        project=rule.project, after_s=rule.after_s, by=rule.by, at_unix_us=rule.at_unix_us
    )
