"""Bring the tables to what this release needs: numbered SQL files, forward only.

A statement ends with `;` at the end of a line and may be run again: a migration
that was cut off, or is run twice at once, is simply run once more. What was
applied stands in `schema_versions`, with the checksum of the file as shipped.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from string import Template
from typing import Final

import pyarrow as pa

from weir_store.clickhouse import ClickHouse
from weir_store.errors import SchemaMismatch
from weir_store.functions.apply import apply_functions
from weir_store.shown_refresh import rebuild
from weir_store.tables import SCHEMA_VERSIONS, raw_database
from weir_store.views.apply import apply_views

_FILE_NAME: Final = re.compile(r"(?P<number>\d{4})_(?P<name>\w+)\.sql")
_STATEMENT_END: Final = re.compile(r";[ \t]*$", re.MULTILINE)
_COMMENT_LINE: Final = re.compile(r"^[ \t]*--.*$", re.MULTILINE)

# What makes one server keep its word after power loss, and remember tokens of retried inserts.
_DURABLE_ONE_SERVER: Final = (
    "non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1"
)
# Replicas keep the word together (insert_quorum); ClickHouse 25.10 cut the window to one hour.
_DURABLE_CLUSTER: Final = (
    "replicated_deduplication_window = 10000, replicated_deduplication_window_seconds = 604800"
)

_CREATE_VERSIONS: Final = """
CREATE TABLE IF NOT EXISTS ${db}.schema_versions ${on_cluster} (
  number UInt32, name String, sha256 FixedString(64), applied_at DateTime64(3, 'UTC') DEFAULT now64(3)
) ENGINE = ${replicated}ReplacingMergeTree
ORDER BY number
SETTINGS ${durable}
"""


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered file of schema/."""

    number: int
    name: str
    text: str

    @property
    def sha256(self) -> str:
        """Checksum of the file as shipped, hex."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def label(self) -> str:
        """How people name it, e.g. `0001_points`."""
        return f"{self.number:04d}_{self.name}"


def list_migrations() -> list[Migration]:
    """Return the migrations this release ships, by number."""
    files = resources.files("weir_store").joinpath("schema").iterdir()
    named = ((_FILE_NAME.fullmatch(file.name), file) for file in files)
    return sorted(
        (Migration(int(m["number"]), m["name"], file.read_text("utf-8")) for m, file in named if m),
        key=lambda migration: migration.number,
    )


def split_statements(text: str) -> list[str]:
    """Return the statements of an SQL file, without comment lines and final semicolons."""
    pieces = _STATEMENT_END.split(_COMMENT_LINE.sub("", text))
    return [piece.strip() for piece in pieces if piece.strip()]


def placeholders(database: str, cluster: str) -> dict[str, str]:
    """Return what the `${…}` of the SQL files stand for on one server (`cluster` empty) or many."""
    return {
        "db": raw_database(database),
        "on_cluster": f"ON CLUSTER '{cluster}'" if cluster else "",
        "replicated": "Replicated" if cluster else "",
        "durable": _DURABLE_CLUSTER if cluster else _DURABLE_ONE_SERVER,
    }


def plan(shipped: Sequence[Migration], applied: Mapping[int, str]) -> list[Migration]:
    """Return the migrations still to be applied, in order.

    Args:
        shipped: What this release knows, by number.
        applied: Number → sha256 of what the store has seen.

    Raises:
        SchemaMismatch: The store is newer than this release, or an applied
            file is not the one this release ships.
    """
    newest = max((migration.number for migration in shipped), default=0)
    unknown = sorted(number for number in applied if number > newest)
    if unknown:
        raise SchemaMismatch(
            f"the store has migration {unknown[-1]:04d}, this release knows {newest:04d} at most",
            hint="upgrade weir on this machine",
        )
    for migration in shipped:
        if applied.get(migration.number, migration.sha256) != migration.sha256:
            raise SchemaMismatch(
                f"migration {migration.label} was applied with other content than this release ships",
                hint="run the release that set the store up, or restore its schema from a backup",
            )
    return [migration for migration in shipped if migration.number not in applied]


def migrate(clickhouse: ClickHouse, database: str, cluster: str = "") -> list[str]:
    """Apply what is missing; safe to repeat, and to run in two places at once.

    Args:
        clickhouse: A user who may create databases and tables.
        database: Name of the store; its tables live in `<database>_raw`.
        cluster: Cluster name for ON CLUSTER and Replicated engines; empty = one server.

    Views and functions are made anew each time, and what rewound and forked runs show is written down again.

    Returns:
        The migrations applied now, e.g. `["0001_points"]`; empty when there was nothing to do.

    Raises:
        SchemaMismatch: See `plan`; nothing was changed.
    """
    values = placeholders(database, cluster)
    clickhouse.command(
        Template("CREATE DATABASE IF NOT EXISTS ${db} ${on_cluster}").substitute(values)
    )
    clickhouse.command(Template(_CREATE_VERSIONS).substitute(values))
    missing = plan(list_migrations(), _read_applied(clickhouse, database))
    for migration in missing:
        for statement in split_statements(Template(migration.text).substitute(values)):
            clickhouse.command(statement)
        _note_applied(clickhouse, database, migration)
    rebuild(clickhouse, raw_database(database))
    apply_functions(clickhouse, cluster)
    apply_views(clickhouse, database, cluster)
    return [migration.label for migration in missing]


def check(clickhouse: ClickHouse, database: str) -> None:
    """Return quietly when the tables are those of this release; call before a process starts.

    Raises:
        SchemaMismatch: The tables are missing, older or newer; the hint says what to run.
    """
    missing = plan(list_migrations(), _read_applied(clickhouse, database))
    if missing:
        labels = ", ".join(migration.label for migration in missing)
        raise SchemaMismatch(f"the store lacks {labels}", hint="run `weir migrate`")


def _read_applied(clickhouse: ClickHouse, database: str) -> dict[int, str]:
    rows = clickhouse.query_rows(
        f"SELECT number, toString(sha256) FROM {raw_database(database)}.{SCHEMA_VERSIONS} FINAL"
    )
    return {int(number): str(sha256) for number, sha256 in rows}


def _note_applied(clickhouse: ClickHouse, database: str, migration: Migration) -> None:
    row = pa.table(
        {
            "number": pa.array([migration.number], pa.uint32()),
            "name": [migration.name],
            "sha256": [migration.sha256],
        }
    )
    clickhouse.insert_arrow(f"{raw_database(database)}.{SCHEMA_VERSIONS}", row, {"async_insert": 0})
