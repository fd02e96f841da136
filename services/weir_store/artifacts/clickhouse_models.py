"""Which models are registered, who is told, and what happened to a project as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from weir_store import tables
from weir_store.artifacts.clickhouse_tables import Questions
from weir_store.artifacts.records import ModelChange, Webhook
from weir_store.parameters import Parameters
from weir_store.reader_events import EVENT_COLUMNS, event_of
from weir_store.records import Event

MAX_CHANGES: Final = 10_000
_NEWEST: Final = "ORDER BY at DESC, ver DESC, change_id DESC"


class ModelQuestions(Questions):
    """Implements base.ModelReader."""

    def list_models(self, project: str, model: str = "") -> list[ModelChange]:
        """See `base.ModelReader.list_models`."""
        p = Parameters()
        where = f"project = {p.text(project)}" + (f" AND model = {p.text(model)}" if model else "")
        newest = f"(SELECT * FROM {self._changes(where)} {_NEWEST} LIMIT 1 BY model, version)"
        each = "" if model else "LIMIT 1 BY model"
        return self._joined(newest, where, f"ORDER BY model, version DESC {each}", p)

    def list_changes(self, project: str, model: str) -> list[ModelChange]:
        """See `base.ModelReader.list_changes`."""
        p = Parameters()
        where = f"project = {p.text(project)} AND model = {p.text(model)}"
        order = f"{_NEWEST} LIMIT {MAX_CHANGES}"
        return self._joined(self._changes(where), where, order, p)

    def highest_model_version(self, project: str, model: str) -> int:
        """See `base.ModelReader.highest_model_version`."""
        p = Parameters()
        sql = f"""
SELECT max(version) FROM {self._table(tables.MODELS)}
WHERE project = {p.text(project)} AND model = {p.text(model)}"""
        ((highest,),) = self._rows(sql, p)
        return int(highest)

    def list_registered(self, project: str, artifact: str) -> list[tuple[str, int, int]]:
        """See `base.ModelReader.list_registered`."""
        p = Parameters()
        sql = f"""
SELECT model, version, artifact_version FROM {self._table(tables.MODELS)} FINAL
WHERE project = {p.text(project)} AND artifact = {p.text(artifact)} ORDER BY model, version"""
        return [(model, int(own), int(of)) for model, own, of in self._rows(sql, p)]

    def list_webhooks(self, project: str) -> list[Webhook]:
        """See `base.ModelReader.list_webhooks`."""
        p = Parameters()
        sql = f"""
SELECT url, kinds, secret, created_by FROM {self._table(tables.WEBHOOKS)} FINAL
WHERE project = {p.text(project)} ORDER BY url"""
        return [
            Webhook(url, tuple(kinds), secret, by) for url, kinds, secret, by in self._rows(sql, p)
        ]

    def list_notices(self, project: str, kinds: Sequence[str], limit: int) -> list[Event]:
        """See `base.ModelReader.list_notices`."""
        p = Parameters()
        where = f"project = {p.text(project)} AND run_id = ''"
        where += f" AND kind IN {p.texts(kinds)}" if kinds else ""
        sql = f"""
SELECT {EVENT_COLUMNS}
FROM {self._table(tables.EVENTS)} FINAL WHERE {where}
ORDER BY ts DESC, toString(event_id) LIMIT {limit:d}"""
        return [event_of(*row) for row in self._rows(sql, p)]

    def _changes(self, where: str) -> str:
        return f"(SELECT * FROM {self._table(tables.MODEL_CHANGES)} FINAL WHERE {where})"

    def _joined(self, changes: str, where: str, order: str, p: Parameters) -> list[ModelChange]:
        """Return changes with what never changes of the version."""
        sql = f"""
SELECT c.model AS model, c.version AS version, m.artifact, m.artifact_version, m.run_id,
  toUnixTimestamp64Micro(m.created_at), c.stage, c.aliases, c.note, c.by, toUnixTimestamp64Micro(c.at),
  c.at AS at, c.ver AS ver, c.change_id AS change_id
FROM {changes} AS c
INNER JOIN (SELECT * FROM {self._table(tables.MODELS)} FINAL WHERE {where}) AS m
  ON c.model = m.model AND c.version = m.version
{order}"""
        return [_change(*row[:11]) for row in self._rows(sql, p)]


def _change(*row: Any) -> ModelChange:
    model, version, artifact, artifact_version, run_id, created, stage, aliases, *said = row
    note, by, at = said
    return ModelChange(
        model,
        int(version),
        artifact,
        int(artifact_version),
        run_id,
        int(created),
        stage,
        tuple(aliases),
        note,
        by,
        int(at),
    )
