"""Documents in ClickHouse: `DocumentReader` over the table of 0009_documents.sql."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from weir_store import tables
from weir_store.clickhouse import ClickHouse
from weir_store.documents.records import UNNAMED_VIEWS_DAYS, Document, Kind
from weir_store.documents.rows import COLUMNS, TIMES, document_of
from weir_store.parameters import Parameters

_NEWEST_FIRST: Final = "t.version DESC, t.at DESC, toString(t.save_id) DESC"
_EXPIRED: Final = (
    f"(t.kind = 'view' AND t.name = '' AND t.at <= now64(6) - toIntervalDay({UNNAMED_VIEWS_DAYS}))"
)


class ClickHouseDocuments:
    """Implements base.DocumentReader."""

    def __init__(self, clickhouse: ClickHouse, database: str) -> None:
        self._clickhouse = clickhouse
        self._table = f"{tables.raw_database(database)}.{tables.DOCUMENTS}"

    def list_documents(
        self, kind: Kind, project: str = "", *, bodies: bool = False
    ) -> list[Document]:
        """See `base.DocumentReader.list_documents`."""
        p = Parameters()
        sql = f"""
SELECT * FROM (
  SELECT {_told(body=bodies)} FROM {self._table} AS t FINAL WHERE {_of(kind, project, p)}
  ORDER BY t.project, t.document_id, {_NEWEST_FIRST} LIMIT 1 BY t.project, t.document_id
) AS t WHERE NOT t.is_deleted AND NOT (t.kind = 'view' AND t.name = '')
ORDER BY t.at DESC, t.document_id"""
        return self._documents(sql, p)

    def get_document(self, kind: Kind, document_id: str, project: str = "") -> Document | None:
        """See `base.DocumentReader.get_document`."""
        p = Parameters()
        sql = f"""
SELECT {_told()} FROM {self._table} AS t FINAL
WHERE {_of(kind, project, p)} AND t.document_id = {p.text(document_id)} AND NOT {_EXPIRED}
ORDER BY {_NEWEST_FIRST} LIMIT 1"""
        return next(iter(self._documents(sql, p)), None)

    def list_versions(self, kind: Kind, document_id: str, project: str) -> list[Document]:
        """See `base.DocumentReader.list_versions`."""
        p = Parameters()
        sql = f"""
SELECT {_told(body=False)} FROM {self._table} AS t FINAL
WHERE {_of(kind, project, p)} AND t.document_id = {p.text(document_id)}
ORDER BY {_NEWEST_FIRST}"""
        return self._documents(sql, p)

    def get_version(
        self, kind: Kind, document_id: str, project: str, save_id: UUID
    ) -> Document | None:
        """See `base.DocumentReader.get_version`."""
        p = Parameters()
        sql = f"""
SELECT {_told()} FROM {self._table} AS t FINAL
WHERE {_of(kind, project, p)} AND t.document_id = {p.text(document_id)}
  AND t.save_id = toUUID({p.text(str(save_id))})"""
        return next(iter(self._documents(sql, p)), None)

    def _documents(self, sql: str, p: Parameters) -> list[Document]:
        return [document_of(row) for row in self._clickhouse.query_rows(sql, p.values)]


def _of(kind: Kind, project: str, p: Parameters) -> str:
    of_project = f" AND t.project = {p.text(project)}" if project else ""
    return f"t.kind = {p.text(kind.value)}{of_project}"


def _told(*, body: bool = True) -> str:
    def told(name: str) -> str:
        if name in TIMES:
            return f"toUnixTimestamp64Micro(t.{name}) AS {name}"
        return "'' AS body" if name == "body" and not body else f"t.{name} AS {name}"

    return ", ".join(map(told, COLUMNS))
