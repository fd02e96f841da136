"""The words of cold runs: which tables are rolled, what a cold run is, and where ClickHouse finds its files."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Final, Protocol
from uuid import UUID

from weir_store import tables
from weir_store.objects.keys import is_key
from weir_store.records import RunRef

COLD_TABLES: Final = (tables.POINTS, tables.SYSTEM_POINTS, tables.CONSOLE)
"""Whose rows are rolled: what grows with the length of a run. All else of it stays where it is.

So does what is made of these rows (`series`, `points_64`): lists of runs, summaries and most charts
ask no file.
"""

FOLDER: Final = "weir.cold"
"""Before the keys of all files. No project's keys begin so: theirs hold no dot before the first `/`."""

# ClickHouse reads project and run off such a path, and opens no file of a run it is not asked for.
NAMED: Final = "named/project=*/run_id=*/*.parquet"
# Runs whose names cannot stand in a path: of their files the statistics are looked at.
UNNAMED: Final = "unnamed/*.parquet"

_SAFE: Final = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,199}")


def all_of(table: str) -> str:
    """Return the view that has the rows of a table and those that were rolled."""
    return f"all_{table}"


def cold_of(table: str) -> str:
    """Return the view that has what was rolled of a table."""
    return f"cold_{table}"


def key_of(table: str, ref: RunRef, roll_id: UUID) -> str:
    """Return where a run's rows of a table lie in the object store."""
    place = "unnamed"
    if _SAFE.fullmatch(ref.project) and _SAFE.fullmatch(ref.run_id):
        place = f"named/project={ref.project}/run_id={ref.run_id}"
    key = f"{FOLDER}/{table}/{place}/{roll_id}.parquet"
    assert is_key(key)
    return key


def keys_of(ref: RunRef, roll_id: UUID) -> list[str]:
    """Return where all that a roll may have written lies."""
    return [key_of(table, ref, roll_id) for table in COLD_TABLES]


class ColdPlace(Protocol):
    """How ClickHouse reaches the object store."""

    def engine(self, pattern: str) -> str:
        """Return the engine of a table over all files whose keys fit a pattern."""
        ...


@dataclass(frozen=True, slots=True)
class ColdFile:
    """A run's rows of one table.

    Attributes:
        table: Whose rows.
        key: In the object store.
        rows: How many.
        size_bytes: Of the file.
        sha256: Of its bytes, hex.
    """

    table: str
    key: str
    rows: int
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class ColdRun:
    """A run that is cold.

    Attributes:
        ref: Which.
        roll_id: Of the change that rolled it; its receipt says what came of it.
        files: One for each table of which it has rows.
        by: Who asked; `rule`.
        at_unix_us: When.
    """

    ref: RunRef
    roll_id: UUID
    files: tuple[ColdFile, ...]
    by: str
    at_unix_us: int

    @property
    def rows(self) -> int:
        """In all files."""
        return sum(file.rows for file in self.files)

    @property
    def size_bytes(self) -> int:
        """Of all files."""
        return sum(file.size_bytes for file in self.files)


@dataclass(frozen=True, slots=True)
class ColdRule:
    """Runs of a project are rolled so long after they ended."""

    project: str
    after_s: int
    by: str
    at_unix_us: int


def files_json(files: Sequence[ColdFile]) -> str:
    """Write files down."""
    return json.dumps([asdict(file) for file in files])


def files_of(text: str) -> tuple[ColdFile, ...]:
    """Read files that were written down."""
    return tuple(ColdFile(**each) for each in json.loads(text))
