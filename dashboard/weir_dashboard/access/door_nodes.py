"""What nodes measured and processes printed, as far as a viewer may see their runs."""

from __future__ import annotations

import pyarrow as pa

from weir_dashboard.access.door_reader import check
from weir_dashboard.access.viewer import Viewer
from weir_store.console.base import ConsoleReader, LinesQuery
from weir_store.records import RunRef
from weir_store.system.base import SystemQuery, SystemReader


class SystemDoor:
    """A `SystemReader` for one viewer."""

    def __init__(self, system: SystemReader, viewer: Viewer) -> None:
        self._system = system
        self._viewer = viewer

    def list_system(self, ref: RunRef) -> pa.Table:
        """Return one row per series of a run."""
        check(self._viewer, [ref])
        return self._system.list_system(ref)

    def read_system(self, query: SystemQuery) -> pa.Table:
        """Read measurements."""
        check(self._viewer, [query.ref])
        return self._system.read_system(query)

    def read_usage(self, ref: RunRef) -> pa.Table:
        """Add up what the run took."""
        check(self._viewer, [ref])
        return self._system.read_usage(ref)


class ConsoleDoor:
    """A `ConsoleReader` for one viewer."""

    def __init__(self, console: ConsoleReader, viewer: Viewer) -> None:
        self._console = console
        self._viewer = viewer

    def read_lines(self, query: LinesQuery) -> pa.Table:
        """Read lines."""
        check(self._viewer, query.runs)
        return self._console.read_lines(query)

    def count_lines(self, query: LinesQuery) -> int:
        """Count lines."""
        check(self._viewer, query.runs)
        return self._console.count_lines(query)
