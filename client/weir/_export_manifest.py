"""What an export says of itself: `manifest.json`, written last. See docs/formats/export.md."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Self

from weir.errors import NotAsStored

FORMAT: Final = 1
MANIFEST: Final = "manifest.json"


@dataclass(frozen=True, slots=True)
class FileRecord:
    """One file of the export.

    Attributes:
        path: Below the export's folder, with `/`.
        table: Whose rows it holds; "" = bytes of a blob.
        rows: How many; 0 of a blob.
        size_bytes: Of the file.
        sha256: Of its bytes.
        project: Whose blob it is; "" of tables.
    """

    path: str
    table: str
    rows: int
    size_bytes: int
    sha256: str
    project: str = ""


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One run of the export.

    Attributes:
        created_unix_us: When it was born: what tells it from another run of the same id.
        rows: How many rows it has in each table.
    """

    project: str
    run_id: str
    created_unix_us: int
    rows: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Manifest:
    """Everything that is in an export.

    Attributes:
        tables: In the order in which they are to be written back.
        files: All but the manifest.
        artifacts: Whether artifacts, media and files of runs are in it, with their bytes.
        weir_version: Of the client that made it.
        made_at: ISO 8601, UTC.
    """

    tables: tuple[str, ...]
    artifact_tables: tuple[str, ...]
    runs: tuple[RunRecord, ...]
    files: tuple[FileRecord, ...]
    artifacts: bool
    weir_version: str
    made_at: str

    def rows(self) -> dict[str, int]:
        """Return how many rows each table has."""
        counts = dict.fromkeys((*self.artifact_tables, *self.tables), 0)
        for file in self.files:
            if file.table:
                counts[file.table] += file.rows
        return counts

    def files_of(self, table: str) -> list[FileRecord]:
        """Return a table's files, by name."""
        return sorted((f for f in self.files if f.table == table), key=lambda f: f.path)

    def blobs(self) -> list[FileRecord]:
        """Return the files that hold bytes of blobs."""
        return [file for file in self.files if not file.table]

    def as_text(self) -> str:
        """Return it as JSON, with its own digest."""
        told: dict[str, Any] = {"format": FORMAT, **asdict(self), "row_counts": self.rows()}
        return json.dumps({**told, "digest": _digest(told)}, indent=1) + "\n"

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Return what `as_text` wrote. Raises `NotAsStored` for anything else."""
        try:
            told = json.loads(text)
            digest = told.pop("digest")
            if told["format"] != FORMAT:
                raise NotAsStored(
                    f"the export has format {told['format']}, this release reads {FORMAT}",
                    hint="read it with the release that made it",
                )
            if digest != _digest(told):
                raise NotAsStored(f"{MANIFEST} was changed after it was written")
            return cls(
                tables=tuple(told["tables"]),
                artifact_tables=tuple(told["artifact_tables"]),
                runs=tuple(RunRecord(**each) for each in told["runs"]),
                files=tuple(FileRecord(**each) for each in told["files"]),
                artifacts=told["artifacts"],
                weir_version=told["weir_version"],
                made_at=told["made_at"],
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise NotAsStored(f"{MANIFEST} is no manifest of an export: {error}") from error


def _digest(told: dict[str, Any]) -> str:
    plain = json.dumps(told, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(plain.encode()).hexdigest()


def total_bytes(files: Iterable[FileRecord]) -> int:
    """Return how large files are together."""
    return sum(file.size_bytes for file in files)
