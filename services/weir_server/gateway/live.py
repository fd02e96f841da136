"""Runs as they go: a stream of what is stored of them, behind live.proto."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import grpc
import grpc.aio

from weir_proto.v1 import live_pb2 as pb
from weir_proto.v1 import live_pb2_grpc
from weir_server.clock import Clock
from weir_server.errors import Overloaded
from weir_server.gateway.auth import Auth, Principal
from weir_server.gateway.live_feed import Feed
from weir_server.gateway.live_hub import POLL_S, Hub
from weir_server.gateway.live_messages import (
    marks_message,
    marks_of,
    scope_of,
    start_of,
    updates_of,
    wants_of,
)
from weir_server.gateway.service import Service
from weir_server.gateway.tokens import Role
from weir_server.log import get_logger
from weir_server.telemetry import LIVE_ENDED, LIVE_SUBSCRIPTIONS
from weir_store.clickhouse import ClickHouse
from weir_store.errors import UnknownRun
from weir_store.live.base import Scope, Start, Wants
from weir_store.live.reader import LiveReader
from weir_store.live.watch import Watch

MAX_SUBSCRIPTIONS: Final = 512
STALL_S: Final = 30.0
_SIGN_OF_LIFE_S: Final = 1.0
_CATCHING_UP: Final = 4  # at once


class LiveService(live_pb2_grpc.LiveServicer):
    """Subscriptions of one gateway. `start`, `drain` and `close` once each."""

    def __init__(
        self,
        reader: LiveReader,
        auth: Auth,
        clock: Clock,
        *,
        poll_s: float = POLL_S,
        stall_s: float = STALL_S,
        max_subscriptions: int = MAX_SUBSCRIPTIONS,
        max_bytes: int | None = None,
    ) -> None:
        self._reader = reader
        self._watch = Watch(reader)
        self._auth = auth
        self._clock = clock
        self._poll_s = poll_s
        self._stall_s = stall_s
        self._max_subscriptions = max_subscriptions
        self._feed_options = {} if max_bytes is None else {"max_bytes": max_bytes}
        self._open: set[_Subscription] = set()
        self._leaving = False

    async def start(self) -> None:
        """Begin to look after subscribers that stop reading."""
        self._hub = Hub(self._watch, self._clock, poll_s=self._poll_s)
        self._catching_up = asyncio.Semaphore(_CATCHING_UP)
        self._guarding = asyncio.create_task(self._guard())

    async def drain(self) -> None:
        """Ask everybody to leave."""
        self._leaving = True
        for subscription in tuple(self._open):
            subscription.feed.wake()

    async def close(self) -> None:
        """Look no more."""
        self._guarding.cancel()
        await self._hub.close()

    async def Subscribe(
        self, request: pb.SubscribeRequest, context: grpc.aio.ServicerContext
    ) -> AsyncIterator[pb.Update]:
        """Tell what is stored, from where the request says."""
        caller = self._auth.principal(context.invocation_metadata())
        scope, wants, start = scope_of(request), wants_of(request), start_of(request)
        for project in sorted({run.project for run in scope.runs} | scope.projects):
            caller.require(Role.READER, project)
        if len(self._open) >= self._max_subscriptions:
            raise Overloaded(
                f"{len(self._open)} subscriptions are open",
                retry_after_s=5.0,
                hint="subscribe to several runs at once, or try again later",
            )
        of_caller = sum(each.caller == caller for each in self._open)
        if caller.sha256 and of_caller >= max(1, self._max_subscriptions // 4):
            raise Overloaded(  # so that one token leaves room for the others
                f"token {caller.name!r} has {of_caller} subscriptions open",
                retry_after_s=5.0,
                hint="subscribe to several runs at once, or close some",
            )
        await self._check_runs(scope)
        subscription = _Subscription(Feed(scope, wants, **self._feed_options), caller)
        self._open.add(subscription)
        LIVE_SUBSCRIPTIONS.inc()
        try:
            async for update in self._updates(subscription, start):
                subscription.sending_since_s = time.monotonic()
                yield update
                subscription.sending_since_s = None
                if subscription.is_cut_off:
                    raise Overloaded(
                        f"nothing was read for {self._stall_s:g} s",
                        retry_after_s=0.0,
                        hint="subscribe again with the marks: nothing is lost",
                    )
            LIVE_ENDED.labels("server_stops").inc()
        finally:
            self._open.discard(subscription)
            self._hub.detach(subscription.feed)
            LIVE_SUBSCRIPTIONS.dec()
        await context.abort(grpc.StatusCode.UNAVAILABLE, "the gateway stops — go on elsewhere")

    async def _updates(
        self, subscription: _Subscription, start: Start | None
    ) -> AsyncIterator[pb.Update]:
        feed = subscription.feed
        while not self._leaving:
            upto, standing, now_unix_us = await self._hub.attach(feed)
            for at in standing:
                for update in updates_of(at, feed.wants):
                    yield update
            if start is not None:
                async for update in self._caught_up(start, upto, feed.wants):
                    self._confirm(subscription)
                    yield update
            told = Start(upto, now_unix_us)
            yield pb.Update(marks=marks_message(upto, now_unix_us))
            while not (feed.overflowed or self._leaving):
                news = await feed.next(_SIGN_OF_LIFE_S) or pb.Update()
                self._confirm(subscription)
                yield news
                if news.HasField("marks"):
                    marks = {**told.marks, **marks_of(news.marks)}
                    told = Start(marks, news.marks.events_unix_us)
            # Too much waited: read it from the store, as fast as the subscriber takes it.
            self._hub.detach(feed)
            start = told

    async def _caught_up(
        self, start: Start, upto: dict[Any, int], wants: Wants
    ) -> AsyncIterator[pb.Update]:
        async with self._catching_up:
            told = self._watch.catch_up(start, upto, wants)
            updates = (update for each in told for update in updates_of(each, wants))
            async for update in _drawn(updates):
                yield update

    async def _check_runs(self, scope: Scope) -> None:
        if not scope.runs:
            return
        live = set(await asyncio.to_thread(self._reader.list_live, sorted(scope.runs)))
        for run in sorted(scope.runs - live):
            raise UnknownRun.of(run.project, run.run_id)

    def _confirm(self, subscription: _Subscription) -> None:
        now_s = time.monotonic()
        if now_s - subscription.confirmed_s >= _SIGN_OF_LIFE_S:
            subscription.confirmed_s = now_s
            self._auth.confirm(subscription.caller)

    async def _guard(self) -> None:
        """Cut off those who take nothing any more."""
        while True:
            await asyncio.sleep(min(1.0, self._stall_s / 4))
            now_s = time.monotonic()
            for subscription in tuple(self._open):
                since_s = subscription.sending_since_s
                if since_s is not None and now_s - since_s > self._stall_s:
                    self._cut_off(subscription)

    def _cut_off(self, subscription: _Subscription) -> None:
        """Keep nothing for it any more. It is told when it reads again: sooner is no way to tell it."""
        subscription.is_cut_off, subscription.sending_since_s = True, None
        self._hub.detach(subscription.feed)
        LIVE_ENDED.labels("reader_stopped").inc()
        get_logger().warning("a subscriber stopped reading", token=subscription.caller.name)


class _Subscription:
    """One open stream."""

    def __init__(self, feed: Feed, caller: Principal) -> None:
        self.feed = feed
        self.caller = caller
        self.is_cut_off = False
        self.confirmed_s = time.monotonic()
        self.sending_since_s: float | None = None


async def _drawn(updates: Iterator[pb.Update]) -> AsyncIterator[pb.Update]:
    """Draw updates in a thread of their own, one at a time."""
    thread = ThreadPoolExecutor(1, thread_name_prefix="weir-live-past")
    loop = asyncio.get_running_loop()
    try:
        while (update := await loop.run_in_executor(thread, next, updates, None)) is not None:
            yield update
    finally:
        thread.submit(updates.close)  # type: ignore[attr-defined]  # a generator
        thread.shutdown(wait=False)


def live_service(
    clickhouse: ClickHouse, database: str, auth: Auth, clock: Clock, **options: Any
) -> Service:
    """Return the service as a gateway offers it; `options` as of `LiveService`."""
    reader = LiveReader(clickhouse, database, clock.unix_us)
    live = LiveService(reader, auth, clock, **options)
    return Service(
        "weir.v1.Live",
        live_pb2_grpc.add_LiveServicer_to_server,
        live,
        start=live.start,
        drain=live.drain,
        stop=live.close,
    )
