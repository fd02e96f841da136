"""Asking for system telemetry and console lines; the other half of data.py, with the same memory."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import pyarrow as pa

from weir_dashboard.last_good import Answer, LastGood
from weir_store.console.base import ConsoleReader, LinesQuery
from weir_store.errors import StoreUnavailable
from weir_store.records import RunRef
from weir_store.system.base import SystemQuery, SystemReader

_FRESH_S: Final = 2.0
_COSTLY_FRESH_S: Final = 15.0  # answers that read all rows of a run


class NodesAsked:
    """What pages may ask about nodes and their processes. Safe from any thread."""

    def __init__(
        self, kept: LastGood, system: SystemReader | None, console: ConsoleReader | None
    ) -> None:
        self._kept = kept
        self._given_system = system
        self._given_console = console

    def measured(self, ref: RunRef) -> Answer[pa.Table]:
        """List what was measured: see `SystemReader.list_system`."""
        return self._kept.ask(
            ("system", ref), _COSTLY_FRESH_S, lambda: self._system.list_system(ref)
        )

    def measurements(self, query: SystemQuery) -> Answer[pa.Table]:
        """Read measurements: see `SystemReader.read_system`."""
        return self._kept.ask(query, _FRESH_S, lambda: self._system.read_system(query))

    def usage(self, ref: RunRef) -> Answer[pa.Table]:
        """Add up hours, energy and idle time: see `SystemReader.read_usage`."""
        return self._kept.ask(("usage", ref), _COSTLY_FRESH_S, lambda: self._system.read_usage(ref))

    def lines(self, query: LinesQuery) -> Answer[pa.Table]:
        """Read lines: see `ConsoleReader.read_lines`."""
        return self._kept.ask(query, _FRESH_S, lambda: self._console.read_lines(query))

    def count_lines(self, query: LinesQuery) -> Answer[int]:
        """Count the lines that match."""
        key = ("count", replace(query, limit=1))
        return self._kept.ask(key, _COSTLY_FRESH_S, lambda: self._console.count_lines(query))

    @property
    def _system(self) -> SystemReader:
        if self._given_system is None:
            raise StoreUnavailable("this dashboard was started without system telemetry")
        return self._given_system

    @property
    def _console(self) -> ConsoleReader:
        if self._given_console is None:
            raise StoreUnavailable("this dashboard was started without console lines")
        return self._given_console
