"""What of the store is exported, table by table; the words of bringing it back.

An export holds everything that belongs to a run, or to the artifacts of a project, as it lies: every
version, every process life, the ledger and the watermarks. What is made from these by views is not in
it, and neither are policies (rules, retention, holds, webhooks): they belong to the server, and
some hold secrets.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import pyarrow as pa

from weir_store import columns, tables
from weir_store.errors import InvalidQuery
from weir_store.records import RunRef

BLOBS: Final = "blobs"
"""Which bytes the runs and their artifacts name; no table that is written: bytes bring their rows along."""


class Scope(StrEnum):
    """Whose rows a table holds."""

    RUN = "run"
    ARTIFACTS = "artifacts"
    NOT_EXPORTED = "not exported"


SCOPES: Final[Mapping[str, Scope]] = {
    **dict.fromkeys(tables.OF_FRAMES, Scope.RUN),
    tables.RUN_ATTR_HISTORY: Scope.RUN,
    # What this server is to do, and did: another one must not go on with it.
    **dict.fromkeys((*tables.OF_CHANGES, *tables.OF_RULES), Scope.NOT_EXPORTED),
    tables.LEDGER_CHANGES: Scope.RUN,  # without it a ledger would no longer add up
    **dict.fromkeys(tables.OF_ARTIFACTS, Scope.ARTIFACTS),
    # What is known of bytes is known anew where they are brought; webhooks hold secrets.
    tables.BLOBS: Scope.NOT_EXPORTED,
    tables.BLOB_TOUCHES: Scope.NOT_EXPORTED,
    tables.BLOB_MARKS: Scope.NOT_EXPORTED,
    tables.BLOB_UPLOADS: Scope.NOT_EXPORTED,
    tables.WEBHOOKS: Scope.NOT_EXPORTED,
    # What people write of runs names runs of any project: it stays with those who wrote it.
    tables.DOCUMENTS: Scope.NOT_EXPORTED,
    # Made from branches when these are stored.
    tables.SHOWN: Scope.NOT_EXPORTED,
}
"""Of every table of columns.py; a test holds the two together, so that nobody forgets a new one."""

_LAST: Final = (tables.LEDGER_CHANGES, tables.RUNS, tables.INGEST_COMMITS)


def of_runs() -> tuple[str, ...]:
    """Return the tables of a run in the order of writing.

    A run is seen when its row is there, and its watermarks come last of all. History comes before
    what it led to: of two equal versions the one that was written last counts.
    """
    own = [t for t, scope in SCOPES.items() if scope is Scope.RUN and t not in _LAST]
    own.remove(tables.RUN_ATTR_HISTORY)
    own.insert(own.index(tables.RUN_ATTRS), tables.RUN_ATTR_HISTORY)
    return (*own, *_LAST)


def of_artifacts() -> tuple[str, ...]:
    """Return the tables of artifacts in the order of writing: files, versions, names."""
    return tuple(table for table, scope in SCOPES.items() if scope is Scope.ARTIFACTS)


def stored_in(table: str) -> str:
    """Return the table into which rows are written; a view fills the history."""
    return tables.RUN_ATTRS if table == tables.RUN_ATTR_HISTORY else table


def stored_shape(table: str) -> pa.Schema:
    """Return the columns of a table as they are stored. Raises `InvalidQuery`."""
    if SCOPES.get(table, Scope.NOT_EXPORTED) is Scope.NOT_EXPORTED:
        raise InvalidQuery(f"no table {table!r} is exported")
    return columns.BY_TABLE[stored_in(table)]


def exported_shape(table: str) -> pa.Schema:
    """Return the columns of a table as they are exported: UUIDs are text, days are dates."""
    return pa.schema([(field.name, _exported(field)) for field in stored_shape(table)])


def is_uuid(field: pa.Field) -> bool:
    """Return whether a stored column holds UUIDs."""
    return bool(field.type == pa.binary(16))


def is_name(field: pa.Field) -> bool:
    """Return whether a stored column repeats few names."""
    return bool(pa.types.is_dictionary(field.type))


def _exported(field: pa.Field) -> pa.DataType:
    if is_uuid(field):
        return pa.string()
    return pa.date32() if field.name == "run_date" else field.type


@dataclass(frozen=True, slots=True)
class Met:
    """A run that is there under the id asked for.

    Attributes:
        created_unix_us: When it was born: two runs of one id differ in it.
        is_deleted: It was deleted here.
    """

    run: RunRef
    created_unix_us: int
    is_deleted: bool


@dataclass(frozen=True, slots=True)
class VersionName:
    """An artifact version and its content."""

    project: str
    name: str
    version: int
    digest: str
