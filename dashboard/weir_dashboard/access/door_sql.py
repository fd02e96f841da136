"""SQL with the rights of whoever asks; not for those who may see some runs of a project only."""

from __future__ import annotations

from dataclasses import replace

from weir_dashboard.access.viewer import Viewer
from weir_store.sql.base import Answer, Question, Rights, SqlReader
from weir_store.views.catalog import View


class SqlDoor:
    """A `SqlReader` for one viewer who may see projects as a whole."""

    def __init__(self, sql: SqlReader, viewer: Viewer) -> None:
        if viewer.runs is not None:
            raise ValueError("rights of SQL are projects: it cannot be held to some runs")
        self._sql = sql
        self._viewer = viewer

    def ask(self, question: Question) -> Answer:
        """Run one statement over their projects; what it is allowed already is not widened."""
        asked, allowed = question.rights.projects, self._viewer.allowed
        if asked is not None:
            allowed = tuple(project for project in asked if self._viewer.may_see(project))
        return self._sql.ask(replace(question, rights=Rights(allowed)))

    def list_views(self) -> tuple[View, ...]:
        """Return the views; what they are called is nobody's secret."""
        return self._sql.list_views()
