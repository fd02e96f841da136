"""What the store knows of a run when a producer of it greets: its birth, its steps, its project."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeVar

import numpy as np

from weir_server.clock import Clock
from weir_store.base import Reader
from weir_store.errors import UnknownRun
from weir_store.records import RunRef

T = TypeVar("T")

_KEPT_S: Final = 5.0
_MOST_KEPT: Final = 1_000
_THREADS: Final = 4
_METRICS_AT_ONCE: Final = 100_000


class RunHistory:
    """Asks the reader in threads; the thousand ranks of a run that greet together ask once.

    Every method may raise `StoreUnavailable`.
    """

    def __init__(self, reader: Reader, clock: Clock) -> None:
        self._reader = reader
        self._clock = clock
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="weir-history")
        self._answers: dict[Hashable, tuple[float, asyncio.Future[Any]]] = {}
        self._asking: dict[Hashable, asyncio.Task[Any]] = {}
        self._next: dict[Hashable, asyncio.Task[Any]] = {}

    async def birth_unix_us(self, ref: RunRef) -> int | None:
        """Return when the run was made, or None when the store has no such run."""
        return await self._once(("birth", ref), lambda: self._read_birth(ref))

    async def last_step(self, ref: RunRef, rank: int) -> int | None:
        """Return the highest step of the rank over all its metrics, or None without points.

        Knows every point that was stored when it was called: who resumes counts on from it.
        """
        steps = await self._from_now(("steps", ref), lambda: self._read_last_steps(ref))
        return steps.get(rank)

    async def has_project(self, project: str) -> bool:
        """Return whether any run was ever stored in the project."""
        return project in await self._once("projects", self._read_projects)

    async def metric_names(self, ref: RunRef, most: int) -> frozenset[str]:
        """Return the names of the run's metrics, about `most` of them where there are more."""
        # Not kept: the names of one run may take many megabytes, and `MetricSeeds` asks once.
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._read_metrics, ref, most)

    def close(self) -> None:
        """Let go of the threads."""
        self._threads.shutdown(cancel_futures=True)

    async def _once(self, question: Hashable, ask: Callable[[], T]) -> T:
        """Return the answer of a few seconds ago, or ask now; a failure is not kept."""
        now_s = self._clock.monotonic_s()
        kept = self._answers.get(question)
        if kept is not None and now_s - kept[0] < _KEPT_S:
            future = kept[1]
        else:
            self._forget_old(now_s)
            future = asyncio.get_running_loop().run_in_executor(self._threads, ask)
            self._answers[question] = (now_s, future)
        try:
            answer: T = await asyncio.shield(future)
        except Exception:
            self._answers.pop(question, None)
            raise
        return answer

    async def _from_now(self, question: Hashable, ask: Callable[[], T]) -> T:
        """Return an answer that was asked for after this call began; those who wait share it."""
        waiting = self._next.get(question)
        if waiting is None:
            waiting = asyncio.ensure_future(self._ask_next(question, ask))
            self._next[question] = waiting
        answer: T = await asyncio.shield(waiting)
        return answer

    async def _ask_next(self, question: Hashable, ask: Callable[[], T]) -> T:
        before = self._asking.get(question)
        if before is not None:
            await asyncio.wait([before])
        task = self._next.pop(question)  # from here on it may be too old for those who come
        self._asking[question] = task
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, ask)
        finally:
            if self._asking.get(question) is task:
                del self._asking[question]

    def _forget_old(self, now_s: float) -> None:
        if len(self._answers) < _MOST_KEPT:
            return
        self._answers = {
            question: kept for question, kept in self._answers.items() if now_s - kept[0] < _KEPT_S
        }

    def _read_birth(self, ref: RunRef) -> int | None:
        try:
            return self._reader.get_run(ref).created_unix_us
        except UnknownRun:
            return None

    def _read_last_steps(self, ref: RunRef) -> dict[int, int]:
        try:
            latest = self._reader.read_latest([ref])
        except UnknownRun:
            return {}
        ranks, steps = latest["rank"].to_numpy(), latest["step"].to_numpy()
        return {int(rank): int(steps[ranks == rank].max()) for rank in np.unique(ranks)}

    def _read_metrics(self, ref: RunRef, most: int) -> frozenset[str]:
        names: list[str] = []
        while len(names) < most:
            after = names[-1] if names else ""
            try:
                page = self._reader.list_metrics([ref], limit=_METRICS_AT_ONCE, after=after)
            except UnknownRun:
                break
            names += (metric.name for metric in page.metrics)
            if len(page.metrics) < _METRICS_AT_ONCE:
                break
        return frozenset(names)

    def _read_projects(self) -> frozenset[str]:
        return frozenset(project.name for project in self._reader.list_projects())
