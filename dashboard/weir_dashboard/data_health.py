"""Asking how this Weir fares: its processes by their /metrics, the rest from what lies at rest."""

from __future__ import annotations

import math
import threading
import time
import urllib.request
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPException
from typing import Final

from weir_dashboard import health
from weir_dashboard.health import Look, Part
from weir_dashboard.last_good import Answer, LastGood
from weir_store.errors import StoreError, StoreUnavailable
from weir_store.health.base import (
    Book,
    DeadReason,
    HealthReader,
    Loss,
    NodeHeard,
    Nonfinite,
    StoreState,
)

Fetch = Callable[[str], str]

_FRESH_S: Final = 4.0
_COSTLY_FRESH_S: Final = 20.0
_DAY_US: Final = 86_400_000_000
_TIMEOUT_S: Final = 2.0
_MOST_BYTES: Final = 4 << 20
_AT_ONCE: Final = 16
_LOOKS: Final = 240
_KEPT: Final = 32


class HealthAsked:
    """What pages may ask about this Weir. Safe from any thread.

    Args:
        reader: What lies at rest; None = this dashboard was started without it.
        pages: Where the parts show /metrics, `name=url`; None = not to be seen, nor the store as a whole.
        fetch: Returns a page's text, or raises OSError.
        clock: Unix seconds.
    """

    def __init__(
        self,
        reader: HealthReader | None,
        pages: tuple[str, ...] | None,
        fetch: Fetch | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._given = reader
        self._pages = tuple(map(health.split_page, pages or ()))
        self._fetch = fetch or _fetch
        self._clock = clock
        self._kept = LastGood(_KEPT, clock)
        self._lock = threading.Lock()  # guards _looks
        self._looks: deque[Look] = deque(maxlen=_LOOKS)
        self.whole = pages is not None

    @property
    def offered(self) -> bool:
        """Whether this dashboard was started with it."""
        return self._given is not None

    @property
    def names_parts(self) -> bool:
        """Whether anybody said where the parts show /metrics."""
        return bool(self._pages)

    def parts(self) -> list[Part]:
        """Read every page; one that cannot be read says why. Never raises."""
        return self._kept.ask("parts", _FRESH_S, self._read_parts).value

    def looks(self) -> list[Look]:
        """Look at the counters once more; return this look and those before it, oldest first.

        Looks are taken while somebody watches, at most one in four seconds.
        """
        with self._lock:
            if not self._looks or self._clock() - self._looks[-1].unix_s >= _FRESH_S:
                self._looks.append(self._look())
            return list(self._looks)

    def accepted_unix_us(self) -> Answer[int]:
        """Return when the newest committed frame was accepted; 0 = none yet."""
        return self._kept.ask(
            "accepted", _FRESH_S, lambda: self._reader.read_flow().accepted_unix_us
        )

    def books(self) -> Answer[list[Book]]:
        """Sum up the accounts of all runs."""
        return self._kept.ask("books", _COSTLY_FRESH_S, self._reader.list_books)

    def losses(self) -> Answer[list[Loss]]:
        """List runs that lost something."""
        return self._kept.ask("losses", _COSTLY_FRESH_S, self._reader.list_losses)

    def dead(self) -> Answer[list[DeadReason]]:
        """List dead letters that wait."""
        return self._kept.ask("dead", _COSTLY_FRESH_S, self._reader.list_dead)

    def nodes(self) -> Answer[list[NodeHeard]]:
        """List nodes that run something, or fell silent within a day."""
        return self._kept.ask("nodes", _FRESH_S, self._list_nodes)

    def nonfinite(self) -> Answer[list[Nonfinite]]:
        """List runs of the last day in which NaN or ±Inf was logged."""
        return self._kept.ask("nonfinite", _COSTLY_FRESH_S, self._list_nonfinite)

    def store(self) -> Answer[StoreState]:
        """Return how large the store is."""
        return self._kept.ask("store", _COSTLY_FRESH_S, self._reader.read_store)

    def _list_nodes(self) -> list[NodeHeard]:
        now_us = self._now_us()
        return self._reader.list_nodes(now_us, now_us - _DAY_US)

    def _list_nonfinite(self) -> list[Nonfinite]:
        return self._reader.list_nonfinite(self._now_us() - _DAY_US)

    def _look(self) -> Look:
        gateways = health.named(self.parts(), "gateway")
        accepted = math.fsum(
            each.total("weir_ingest_points_total", outcome="accepted") for each in gateways
        )
        try:
            stored = float(self._reader.read_flow().points) if self.whole else math.nan
        except StoreError:  # the page says so where it asks the store itself
            stored = math.nan
        return Look(self._clock(), accepted if gateways else math.nan, stored)

    def _read_parts(self) -> list[Part]:
        if not self._pages:
            return []
        with ThreadPoolExecutor(min(_AT_ONCE, len(self._pages))) as pool:
            return list(pool.map(lambda page: self._read(*page), self._pages))

    def _read(self, name: str, url: str) -> Part:
        try:
            return health.parse_page(name, url, self._fetch(url))
        except (OSError, ValueError, HTTPException) as error:
            return Part(name, url, str(getattr(error, "reason", "") or error))

    def _now_us(self) -> int:
        return int(self._clock() * 1e6)

    @property
    def _reader(self) -> HealthReader:
        if self._given is None:
            raise StoreUnavailable("this dashboard was started without its health")
        return self._given


def _fetch(url: str) -> str:
    # The addresses are settings, and no proxy stands between parts of one Weir.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url, timeout=_TIMEOUT_S) as answer:
        text: bytes = answer.read(_MOST_BYTES)
        return text.decode("utf-8", "replace")
