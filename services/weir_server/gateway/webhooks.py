"""Tells others of changes: a signed POST each, three tries, and an event when nobody took it."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from tenacity import AsyncRetrying, RetryError, retry_if_exception_type, stop_after_attempt
from tenacity.wait import wait_exponential

from weir_server.clock import Clock
from weir_server.gateway.artifact_threads import Threads
from weir_server.gateway.webhook_address import Address, address_of
from weir_server.gateway.webhook_send import post
from weir_server.log import get_logger
from weir_store.artifacts.base import ArtifactReader
from weir_store.artifacts.editor import ArtifactEditor
from weir_store.artifacts.records import Webhook
from weir_store.errors import InvalidQuery, StoreError

KINDS: Final = ("artifact.committed", "model.registered", "model.changed")
FAILED: Final = "webhook_failed"
SIGNATURE: Final = "X-Weir-Signature-256"
_TRIES: Final = 3
_TIMEOUT_S: Final = 5.0
_WAITING: Final = 1_000
_AT_ONCE: Final = 4


class _NotTaken(Exception):
    """Nobody took it this time."""


@dataclass(frozen=True, slots=True)
class _Change:
    project: str
    kind: str
    about: Mapping[str, Any]
    at_unix_us: int
    change_id: str


class Webhooks:
    """A task beside the services; `start`, `announce`, `stop`. Belongs to one event loop."""

    def __init__(
        self,
        reader: ArtifactReader,
        editor: ArtifactEditor,
        threads: Threads,
        clock: Clock,
        *,
        anywhere: bool,
        pause_s: float = 1.0,
    ) -> None:
        self._reader = reader
        self._editor = editor
        self._threads = threads
        self._clock = clock
        self._anywhere = anywhere
        self._pause_s = pause_s
        self._waiting: asyncio.Queue[_Change] = asyncio.Queue(_WAITING)
        self._workers: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to deliver."""
        self._workers = [asyncio.create_task(self._work()) for _ in range(_AT_ONCE)]

    def announce(self, project: str, kind: str, about: Mapping[str, Any]) -> None:
        """Tell a project's webhooks of a change; returns at once."""
        change = _Change(project, kind, about, self._clock.unix_us(), uuid.uuid4().hex)
        try:
            self._waiting.put_nowait(change)
        except asyncio.QueueFull:
            get_logger().warning("too many webhooks wait, one is not sent", project=project)

    async def check(self, url: str) -> None:
        """Raise `InvalidQuery` for an address that webhooks must not go to; unknown names may come to be."""
        try:
            await self._threads.call(address_of, url, anywhere=self._anywhere)
        except OSError as error:
            get_logger().info("the host of a webhook is not known yet", problem=str(error))

    async def idle(self) -> None:
        """Wait until everything announced so far was delivered or given up."""
        await self._waiting.join()

    async def stop(self, patience_s: float) -> None:
        """Deliver what waits, for a while; what is left is noted as failed."""
        if not self._workers:
            return
        try:
            await asyncio.wait_for(self._waiting.join(), patience_s)
        except TimeoutError:
            get_logger().warning("webhooks were not delivered", waiting=self._waiting.qsize())
        for worker in self._workers:
            worker.cancel()
        await asyncio.gather(*self._workers, return_exceptions=True)
        while not self._waiting.empty():
            await self._give_up(self._waiting.get_nowait())
        self._threads.close()

    # ── below ─────────────────────────────────────────────────────────────

    async def _work(self) -> None:
        while True:
            change = await self._waiting.get()
            try:
                await self._tell_all(change)
            except asyncio.CancelledError:
                await asyncio.shield(self._give_up(change))
                raise
            except StoreError as error:
                get_logger().warning("webhooks cannot be looked up", problem=str(error))
            finally:
                self._waiting.task_done()

    async def _tell_all(self, change: _Change) -> None:
        hooks = await self._threads.call(self._reader.list_webhooks, change.project)
        for hook in hooks:
            if not hook.kinds or change.kind in hook.kinds:
                await self._tell(hook, change)

    async def _tell(self, hook: Webhook, change: _Change) -> None:
        retrying = AsyncRetrying(
            stop=stop_after_attempt(_TRIES),
            wait=wait_exponential(multiplier=self._pause_s),
            retry=retry_if_exception_type(_NotTaken),
        )
        try:
            await retrying(self._post, hook, change)
        except RetryError as error:
            await self._note(hook.url, change, str(error.last_attempt.exception()))
        except InvalidQuery as error:
            await self._note(hook.url, change, str(error))

    async def _post(self, hook: Webhook, change: _Change) -> None:
        try:
            address = await self._threads.call(address_of, hook.url, anywhere=self._anywhere)
            status = await self._threads.call(_send, address, hook.secret, change)
        except OSError as error:
            raise _NotTaken(str(error)) from error
        if not 200 <= status < 300:
            raise _NotTaken(f"answered with status {status}")

    async def _give_up(self, change: _Change) -> None:
        await self._note("", change, "the gateway stopped before it was delivered")

    async def _note(self, url: str, change: _Change, problem: str) -> None:
        """Leave an event that says what did not arrive where."""
        get_logger().warning("webhook not delivered", project=change.project, problem=problem)
        try:
            await self._threads.call(
                self._editor.add_notice,
                change.project,
                FAILED,
                f"{change.kind} was not delivered" + (f" to {url}" if url else ""),
                self._clock.unix_us(),
                severity="warn",
                body=problem,
                attrs={"url": url, "kind": change.kind, "id": change.change_id},
            )
        except (StoreError, RuntimeError) as error:
            get_logger().error("no event tells of a webhook", problem=str(error))


def body_of(change: _Change) -> bytes:
    """Return what is sent: JSON with id, kind, project, time, and what changed."""
    fields = {
        "id": change.change_id,
        "kind": change.kind,
        "project": change.project,
        "at_unix_us": change.at_unix_us,
        **change.about,
    }
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()


def signature_of(secret: str, body: bytes) -> str:
    """Return what the signature header says: HMAC-SHA256 of the body, in hex."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def _send(address: Address, secret: str, change: _Change) -> int:
    body = body_of(change)
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "weir",
        "X-Weir-Event": change.kind,
        "X-Weir-Delivery": change.change_id,
    }
    if secret:
        headers[SIGNATURE] = signature_of(secret, body)
    return post(address, body, headers, within_s=_TIMEOUT_S)
