"""Answers kept for a moment, and kept longer when the store falls silent."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar, cast

from weir_store.errors import StoreUnavailable

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """A value, when it was read (Unix seconds), and why it is not fresh (None = it is)."""

    value: T
    read_unix_s: float
    stale: StoreUnavailable | None = None


class LastGood:
    """Remembers the newest good answers; safe from any thread.

    Two threads may ask the same at once: both ask the store, the later wins.
    """

    def __init__(self, max_entries: int = 512, clock: Callable[[], float] = time.time) -> None:
        self._max_entries = max_entries
        self._clock = clock
        self._lock = threading.Lock()  # guards _answers
        self._answers: OrderedDict[Hashable, Answer[object]] = OrderedDict()
        self._renewed_unix_s = 0.0

    def renew(self) -> None:
        """Ask everything anew from now on: something was changed. Old answers stay for a silent store."""
        self._renewed_unix_s = self._clock()

    def ask(self, key: Hashable, ttl_s: float, read: Callable[[], T]) -> Answer[T]:
        """Return an answer younger than `ttl_s`, else read it; fall back to the last good one.

        Raises:
            StoreUnavailable: The store is silent and never answered this before.
        """
        known = self._known(key)
        if known is not None and self._is_fresh(known, ttl_s):
            return cast(Answer[T], known)
        try:
            fresh = Answer(read(), self._clock())
        except StoreUnavailable as silent:
            if known is None:
                raise
            return Answer(cast(T, known.value), known.read_unix_s, silent)
        self._keep(key, fresh)
        return fresh

    def _is_fresh(self, known: Answer[object], ttl_s: float) -> bool:
        is_young = self._clock() - known.read_unix_s < ttl_s
        return is_young and known.read_unix_s > self._renewed_unix_s

    def _known(self, key: Hashable) -> Answer[object] | None:
        with self._lock:
            return self._answers.get(key)

    def _keep(self, key: Hashable, answer: Answer[T]) -> None:
        with self._lock:
            self._answers[key] = cast(Answer[object], answer)
            self._answers.move_to_end(key)
            while len(self._answers) > self._max_entries:
                self._answers.popitem(last=False)
