"""Which models are registered, from rows in memory."""

from __future__ import annotations

from collections.abc import Sequence

from weir_store import tables
from weir_store.artifacts.clickhouse_models import MAX_CHANGES
from weir_store.artifacts.memory_blobs import Answers
from weir_store.artifacts.records import ModelChange, Webhook
from weir_store.memory import Row
from weir_store.memory_events import event_of
from weir_store.memory_rows import unix_us
from weir_store.records import Event


class ModelAnswers(Answers):
    """Implements base.ModelReader."""

    def list_models(self, project: str, model: str = "") -> list[ModelChange]:
        """See `base.ModelReader.list_models`."""
        newest: dict[tuple[str, int], ModelChange] = {}
        for change in self._changes(project, model):  # newest first
            newest.setdefault((change.model, change.version), change)
        ordered = sorted(newest.values(), key=lambda each: (each.model, -each.version))
        if model:
            return ordered
        first = {each.model: each for each in reversed(ordered)}
        return [first[name] for name in sorted(first)]

    def list_changes(self, project: str, model: str) -> list[ModelChange]:
        """See `base.ModelReader.list_changes`."""
        return self._changes(project, model)[:MAX_CHANGES]

    def highest_model_version(self, project: str, model: str) -> int:
        """See `base.ModelReader.highest_model_version`."""
        rows = self._of(tables.MODELS, project)
        return max((row["version"] for row in rows if row["model"] == model), default=0)

    def list_registered(self, project: str, artifact: str) -> list[tuple[str, int, int]]:
        """See `base.ModelReader.list_registered`."""
        return [
            (row["model"], row["version"], row["artifact_version"])
            for row in self._of(tables.MODELS, project)
            if row["artifact"] == artifact
        ]

    def list_webhooks(self, project: str) -> list[Webhook]:
        """See `base.ModelReader.list_webhooks`."""
        return [
            Webhook(row["url"], tuple(row["kinds"]), row["secret"], row["created_by"])
            for row in self._of(tables.WEBHOOKS, project)
        ]

    def list_notices(self, project: str, kinds: Sequence[str], limit: int) -> list[Event]:
        """See `base.ModelReader.list_notices`."""
        rows = [row for row in self._of(tables.EVENTS, project) if not row["run_id"]]
        found = [event_of(row) for row in rows if not kinds or row["kind"] in kinds]
        found.sort(key=lambda event: (-event.time_unix_us, str(event.event_id)))
        return found[:limit]

    def _changes(self, project: str, model: str) -> list[ModelChange]:
        versions = {(row["model"], row["version"]): row for row in self._of(tables.MODELS, project)}
        rows = [
            row
            for row in self._of(tables.MODEL_CHANGES, project)
            if model in ("", row["model"]) and (row["model"], row["version"]) in versions
        ]
        rows.sort(key=lambda row: (row["at"], row["ver"], row["change_id"]), reverse=True)
        return [_change(row, versions[row["model"], row["version"]]) for row in rows]


def _change(row: Row, version: Row) -> ModelChange:
    return ModelChange(
        row["model"],
        row["version"],
        version["artifact"],
        version["artifact_version"],
        version["run_id"],
        unix_us(version["created_at"]),
        row["stage"],
        tuple(row["aliases"]),
        row["note"],
        row["by"],
        unix_us(row["at"]),
    )
