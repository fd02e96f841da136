"""Where ClickHouse finds the objects: a directory of its own machine, or a bucket."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from weir_store.errors import StoreRejected

_PATTERN = frozenset("*?{}[]")


@dataclass(frozen=True, slots=True)
class DirectoryPlace:
    """Implements `base.ColdPlace` over the directory of `objects.local`.

    For the embedded engine: a ClickHouse server reads no files outside its own folder, and says so when
    the first run is rolled.
    """

    root: Path

    def engine(self, pattern: str) -> str:
        """See `base.ColdPlace.engine`."""
        folder = str((self.root / "objects").absolute())
        if _PATTERN & set(folder):
            raise StoreRejected(
                f"runs cannot be rolled to {folder}: its name reads like a pattern",
                hint="move objects.dir to a path without *?{}[]",
            )
        return f"File(Parquet, {_text(f'{folder}/{pattern}')})"


@dataclass(frozen=True, slots=True)
class BucketPlace:
    """Implements `base.ColdPlace` over any S3. ClickHouse hides the secret wherever it shows the table."""

    endpoint: str
    bucket: str
    access_key: str
    secret_key: str = field(repr=False)

    def engine(self, pattern: str) -> str:
        """See `base.ColdPlace.engine`."""
        url = f"{self.endpoint.rstrip('/')}/{self.bucket}/{pattern}"
        parts = (_text(each) for each in (url, self.access_key, self.secret_key))
        return f"S3({', '.join(parts)}, 'Parquet')"


def _text(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
