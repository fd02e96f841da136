"""Names of config paths and metrics, of the projects that a viewer may see as a whole."""

from __future__ import annotations

from collections.abc import Sequence

from weir_dashboard.access.viewer import Viewer
from weir_store.names.base import SPACES, NamePage, NameReader


class NamesDoor:
    """A `NameReader` for one viewer: other projects have no names."""

    def __init__(self, inner: NameReader, viewer: Viewer) -> None:
        self._inner = inner
        self._viewer = viewer

    def list_names(
        self, project: str, *, search: str = "", spaces: Sequence[str] = SPACES, limit: int = 100
    ) -> NamePage:
        """Return names that runs of a project use."""
        if not self._viewer.may_see_all(project):
            return NamePage((), 0)
        return self._inner.list_names(project, search=search, spaces=spaces, limit=limit)
