"""Many runs at once, as a viewer may see them: the others are not there."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from weir_dashboard.access.viewer import Viewer
from weir_store.compared.base import CompareReader
from weir_store.records import Run, RunRef


class CompareDoor:
    """A `CompareReader` that knows only of the viewer's runs."""

    def __init__(self, inner: CompareReader, viewer: Viewer) -> None:
        self._inner = inner
        self._viewer = viewer

    def get_runs(self, refs: Sequence[RunRef], columns: Sequence[str] | None = None) -> list[Run]:
        """Return those of the viewer's runs that exist, in the order asked."""
        return self._inner.get_runs(self._seen(refs), columns)

    def read_results(
        self, refs: Sequence[RunRef], metrics: Sequence[str] = (), *, mean: bool = False
    ) -> pa.Table:
        """Return what each metric of each of the viewer's runs came to."""
        return self._inner.read_results(self._seen(refs), metrics, mean=mean)

    def _seen(self, refs: Sequence[RunRef]) -> list[RunRef]:
        return [ref for ref in refs if self._viewer.may_see_run(ref)]
