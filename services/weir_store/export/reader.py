"""Reading rows as they lie: each once, in the order of the table, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import pyarrow as pa

from weir_store import tables
from weir_store.clickhouse import ClickHouse, Settings
from weir_store.cold.base import COLD_TABLES, all_of
from weir_store.cold.book import cold_among
from weir_store.errors import InvalidQuery, SchemaMismatch
from weir_store.export.base import (
    BLOBS,
    SCOPES,
    Met,
    Scope,
    VersionName,
    exported_shape,
    is_name,
    is_uuid,
    stored_shape,
)
from weir_store.parameters import Parameters
from weir_store.reader_live import of_runs
from weir_store.records import RunRef

MAX_RUNS: Final = 1_000
BLOB_SHAPE: Final = pa.schema({"sha256": pa.string(), "size": pa.uint64()})
# An export takes as long as it takes; whoever reads slowly is waited for.
_SETTINGS: Final[Settings] = {
    "max_execution_time": 0,
    "output_format_arrow_low_cardinality_as_dictionary": 1,
    "output_format_arrow_compression_method": "none",
    "max_bytes_before_external_sort": 1 << 30,
}
_HEX64: Final = r'"sha256":\\s*"([0-9a-f]{64})"'


class ExportReader:
    """Holds no state but the connection; safe from any thread. Errors as `base.Reader`'s."""

    def __init__(self, clickhouse: ClickHouse, database: str) -> None:
        self._clickhouse = clickhouse
        self._raw = tables.raw_database(database)

    def stream_rows(
        self, table: str, project: str, run_ids: Sequence[str], *, whole_project: bool = False
    ) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
        """Return the columns and the rows of a table that belong to these runs, or to a project.

        Args:
            table: One of `SCOPES`, or `BLOBS`.
            project: Whose.
            run_ids: At most 1 000. Of a table of artifacts: versions these runs made or used.
            whole_project: Of a table of artifacts: all of them.
        """
        if len(run_ids) > MAX_RUNS:
            raise InvalidQuery(f"{len(run_ids)} runs asked for", hint=f"at most {MAX_RUNS}")
        parameters = Parameters()
        if table == BLOBS:
            sql = self._blobs_sql(project, run_ids, parameters, whole_project=whole_project)
            return BLOB_SHAPE, self._stream(sql, parameters, BLOB_SHAPE)
        shape = exported_shape(table)
        where = self._where(table, project, run_ids, parameters, whole_project=whole_project)
        sql = f"""
SELECT {_columns_sql(table)} FROM {self._source(table, project, run_ids)} WHERE {where}
ORDER BY {self._sort_key(table)}"""
        return shape, self._stream(sql, parameters, shape)

    def _source(self, table: str, project: str, run_ids: Sequence[str]) -> str:
        """Return where rows lie, replays gone: the table, or that and files."""
        runs = [RunRef(project, run_id) for run_id in run_ids]
        if table in COLD_TABLES and cold_among(self._clickhouse, self._raw, runs):
            return f"{self._raw}.{all_of(table)} AS t"
        return f"{self._raw}.{table} AS t FINAL"

    def meet_runs(self, runs: Sequence[RunRef]) -> list[Met]:
        """Return those runs that are there, deleted ones too."""
        if len(runs) > MAX_RUNS:
            raise InvalidQuery(f"{len(runs)} runs asked for", hint=f"at most {MAX_RUNS}")
        if not runs:
            return []
        parameters = Parameters()
        rows = self._clickhouse.query_rows(
            "SELECT project, run_id, toUnixTimestamp64Micro(argMax(created_at, ver)),"
            f" argMax(is_deleted, ver) FROM {self._raw}.{tables.RUNS} WHERE {of_runs(runs, parameters)}"
            " GROUP BY project, run_id",
            parameters.values,
        )
        return [Met(RunRef(row[0], row[1]), row[2], bool(row[3])) for row in rows]

    def meet_versions(self, versions: Sequence[VersionName]) -> list[VersionName]:
        """Return versions of these numbers that are there with another digest."""
        if not versions:
            return []
        parameters = Parameters()
        numbers = parameters.rows(
            [(each.project, each.name, each.version) for each in versions],
            "Tuple(String, String, UInt32)",
        )
        rows = self._clickhouse.query_rows(
            f"SELECT project, name, version, digest FROM {self._raw}.{tables.ARTIFACT_VERSIONS} FINAL"
            f" WHERE (project, name, version) IN {numbers} AND state NOT IN ('void')",
            parameters.values,
        )
        known = set(versions)
        return sorted(
            (found for row in rows if (found := VersionName(*row)) not in known),
            key=lambda each: (each.project, each.name, each.version),
        )

    def _sort_key(self, table: str) -> str:
        """Return the columns the table is sorted by: in that order rows come without being sorted."""
        parameters = Parameters()
        rows = self._clickhouse.query_rows(
            "SELECT sorting_key FROM system.tables"
            f" WHERE database = {parameters.text(self._raw)} AND name = {parameters.text(table)}",
            parameters.values,
        )
        if not rows:
            raise SchemaMismatch(
                f"there is no table {self._raw}.{table}", hint="run `weir migrate`"
            )
        return ", ".join(f"t.{name}" for name in str(rows[0][0]).split(", "))

    def _where(
        self,
        table: str,
        project: str,
        run_ids: Sequence[str],
        parameters: Parameters,
        *,
        whole_project: bool,
    ) -> str:
        of_project = f"project = {parameters.text(project)}"
        ids = parameters.texts(run_ids)
        if SCOPES[table] is Scope.RUN:
            return f"{of_project} AND run_id IN {ids}"
        if whole_project:
            return of_project
        if table == tables.LINEAGE:
            return f"{of_project} AND run_id IN {ids} AND artifact_project = project"
        column, wanted = self._of_artifacts(table, of_project, ids)
        return f"{of_project} AND {column} IN ({wanted})"

    def _of_artifacts(self, table: str, of_project: str, ids: str) -> tuple[str, str]:
        """Return what a table of artifacts is chosen by: columns, and a SELECT of their values."""
        versions = f"""
SELECT name, version FROM {self._raw}.{tables.LINEAGE} FINAL
WHERE {of_project} AND run_id IN {ids} AND artifact_project = project
UNION DISTINCT SELECT name, version FROM {self._raw}.{tables.ARTIFACT_VERSIONS} FINAL
WHERE {of_project} AND run_id IN {ids}"""
        of_models = f"""
SELECT model, version FROM {self._raw}.{tables.MODELS} FINAL
WHERE {of_project} AND (artifact, artifact_version) IN ({versions})"""
        digests = f"""
SELECT digest FROM {self._raw}.{tables.ARTIFACT_VERSIONS} FINAL
WHERE {of_project} AND (name, version) IN ({versions})"""
        named = f"""
SELECT 'artifact', name, version FROM ({versions})
UNION ALL SELECT 'model', model, version FROM ({of_models})"""
        return {
            tables.ARTIFACT_FILES: ("digest", digests),
            tables.ARTIFACT_VERSIONS: ("(name, version)", versions),
            tables.ARTIFACT_TAGS: ("(name, version)", versions),
            tables.MODELS: ("(model, version)", of_models),
            tables.MODEL_CHANGES: ("(model, version)", of_models),
            tables.ALIASES: ("(toString(kind), name, version)", named),
        }[table]

    def _blobs_sql(
        self, project: str, run_ids: Sequence[str], parameters: Parameters, *, whole_project: bool
    ) -> str:
        """Return the blobs that media, files of runs and artifacts name, those that are there."""
        of_project, ids = f"project = {parameters.text(project)}", parameters.texts(run_ids)
        of_run = of_project if whole_project else f"{of_project} AND run_id IN {ids}"
        files = self._where(
            tables.ARTIFACT_FILES, project, run_ids, parameters, whole_project=whole_project
        )
        return f"""
SELECT sha256, size FROM {self._raw}.{tables.BLOBS} FINAL WHERE {of_project} AND sha256 IN (
  SELECT arrayJoin(extractAll(value, '{_HEX64}')) FROM {self._raw}.{tables.TEXT_POINTS}
    WHERE {of_run} AND kind = 'media'
  UNION ALL SELECT arrayJoin(extractAll(str, '{_HEX64}')) FROM {self._raw}.{tables.RUN_ATTR_HISTORY}
    WHERE {of_run} AND ns = 'file'
  UNION ALL SELECT sha256 FROM {self._raw}.{tables.ARTIFACT_FILES} FINAL WHERE {files})
ORDER BY sha256"""

    def _stream(
        self, sql: str, parameters: Parameters, shape: pa.Schema
    ) -> Iterator[pa.RecordBatch]:
        for batch in self._clickhouse.stream_arrow(sql, parameters.values, _SETTINGS):
            yield from pa.Table.from_batches([batch]).select(shape.names).cast(shape).to_batches()


def _columns_sql(table: str) -> str:
    """Return what is selected: texts of what ClickHouse has as numbers, dates of days."""
    told = []
    for field in stored_shape(table):
        name = f"t.{field.name}"
        if is_uuid(field) or field.type == pa.string():
            name = f"toString({name})"  # also of enumerations
        elif is_name(field):
            name = f"toLowCardinality(toString({name}))"
        elif field.name == "run_date":
            name = f"toDate32({name})"
        told.append(f"{name} AS {field.name}")
    return ", ".join(told)
