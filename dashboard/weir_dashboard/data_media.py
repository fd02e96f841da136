"""Asking for media: which names there are, and what was logged under one; part of data.py, with the same memory."""

from __future__ import annotations

from typing import Final

import pyarrow as pa

from weir_dashboard.last_good import Answer, LastGood
from weir_store.base import Reader
from weir_store.records import RunRef

_FRESH_S: Final = 2.0
_LISTED_METRICS: Final = 10_000
LISTED_POINTS: Final = 10_000


class MediaAsked:
    """What pages may ask about media. Safe from any thread."""

    def __init__(self, kept: LastGood, reader: Reader) -> None:
        self._kept = kept
        self._reader = reader

    def names(self, ref: RunRef) -> Answer[list[str]]:
        """List the metrics of a run that hold media, by name."""
        return self._kept.ask(("media names", ref), _FRESH_S, lambda: self._list_names(ref))

    def points(self, ref: RunRef, name: str) -> Answer[pa.Table]:
        """Read the first `LISTED_POINTS` points of a name: rank, step, time_unix_us, value (JSON)."""
        return self._kept.ask(
            ("media", ref, name),
            _FRESH_S,
            lambda: self._reader.read_media(ref, name, limit=LISTED_POINTS),
        )

    def _list_names(self, ref: RunRef) -> list[str]:
        page = self._reader.list_metrics([ref], limit=_LISTED_METRICS)
        return [metric.name for metric in page.metrics if metric.is_media]
