"""Changes of runs, in the projects where a viewer may change things: the roles are those of the gateway."""

from __future__ import annotations

from collections.abc import Sequence

from weir_dashboard.access.questions import RunWrites
from weir_dashboard.access.viewer import Viewer
from weir_store.changes.base import Change
from weir_store.changes.requests import Weight
from weir_store.edits import Edits
from weir_store.errors import InvalidQuery, UnknownProject
from weir_store.records import Run, RunRef


def check_may_edit(viewer: Viewer, project: str) -> None:
    """Raise `UnknownProject` for a project that is not theirs to see, `InvalidQuery` for one not to change."""
    if not viewer.may_see_all(project):
        raise UnknownProject(f"no project {project!r}")
    if not viewer.may_edit(project):
        raise InvalidQuery("you may look at this project and not change it")


class EditsDoor:
    """What pages change of runs, for one viewer."""

    def __init__(self, edits: RunWrites, viewer: Viewer) -> None:
        self._edits = edits
        self._viewer = viewer

    def edit(self, wanted: Sequence[tuple[Run, Edits]], *, by: str, at_unix_us: int) -> None:
        """Change labels and tags; all of them or none."""
        for run, _ in wanted:
            check_may_edit(self._viewer, run.project)
        self._edits.edit(wanted, by=by, at_unix_us=at_unix_us)

    def stop(self, ref: RunRef, *, by: str, at_unix_us: int, reason: str = "") -> Change:
        """Ask a run's processes to stop."""
        check_may_edit(self._viewer, ref.project)
        return self._edits.stop(ref, by=by, at_unix_us=at_unix_us, reason=reason)

    def delete(self, ref: RunRef, *, by: str, at_unix_us: int, reason: str = "") -> Change:
        """Hide a run now, and free what it has soon."""
        check_may_edit(self._viewer, ref.project)
        return self._edits.delete(ref, by=by, at_unix_us=at_unix_us, reason=reason)

    def move(
        self,
        project: str,
        runs: Sequence[str],
        target: str,
        *,
        by: str,
        at_unix_us: int,
        reason: str = "",
    ) -> Change:
        """Move runs from one project where they may change things to another."""
        check_may_edit(self._viewer, project)
        check_may_edit(self._viewer, target)
        return self._edits.move(project, runs, target, by=by, at_unix_us=at_unix_us, reason=reason)

    def get(self, change: Change) -> Change:
        """Return how a change stands now."""
        check_may_edit(self._viewer, change.project)
        return self._edits.get(change)

    def weigh(self, project: str, runs: Sequence[str]) -> Weight:
        """Return what deleting runs would free."""
        check_may_edit(self._viewer, project)
        return self._edits.weigh(project, runs)
