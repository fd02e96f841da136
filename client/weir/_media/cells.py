"""Media inside a table: the cell names the bytes, which lie beside it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from weir._media.base import Blob, Encoded, Media, Snapshot, Taking, Unfit
from weir._media.naming import described, to_json

MAX_CELLS: Final = 400  # every one is named in the point: only so does it outlive a clean-up


@dataclass(slots=True)
class Cells:
    """Media in the cells of one table, copied.

    Attributes:
        size_bytes: What they take in memory.
    """

    size_bytes: int = 0
    _found: dict[tuple[str, int], tuple[str, Snapshot]] = field(default_factory=dict)
    _texts: dict[tuple[str, int], str] = field(default_factory=dict)

    def take(self, column: str, row: int, cell: Media, taking: Taking) -> None:
        """Copy one."""
        if len(self._found) >= MAX_CELLS:
            raise Unfit(f"more than {MAX_CELLS} media in one table: log fewer rows at a time")
        snapshot = cell.snapshot(taking)
        self._found[column, row] = (cell.kind, snapshot)
        self.size_bytes += snapshot.size_bytes

    def encode(self) -> list[Blob]:
        """Encode all; their cells' texts are known afterwards. Returns their blobs."""
        blobs: list[Blob] = []
        for place, (_, snapshot) in self._found.items():
            encoded: Encoded = snapshot.encode()
            self._texts[place] = to_json(described(encoded))
            blobs += encoded.blobs()
        return blobs

    def columns(self) -> list[str]:
        """Return the names of the columns that hold media."""
        return list(dict.fromkeys(column for column, _ in self._found))

    def named(self, column: str, values: Sequence[Any]) -> Sequence[Any]:
        """Return a column's values with every media cell as the JSON that names it."""
        if column not in self.columns():
            return values
        return [self._text(column, row, value) for row, value in enumerate(values)]

    def _text(self, column: str, row: int, value: Any) -> str | None:
        found = self._texts.get((column, row))
        return found if found is not None or value is None else json.dumps(value, default=str)


def take_cells(
    copied: Any, names: list[str], cells: Cells, taking: Taking
) -> dict[str, list[Any]] | None:
    """Copy the media in rows or in a frame; returns the columns, or None for a frame without any."""
    if isinstance(copied, list):
        columns = {name: [row[at] for row in copied] for at, name in enumerate(names)}
    elif hasattr(copied, "memory_usage") and "object" in map(str, copied.dtypes):
        columns = _columns_with_media(copied, names)
    else:
        columns = {}
    for name, values in columns.items():
        for row, value in enumerate(values):
            if isinstance(value, Media):
                cells.take(name, row, value, taking)
    return columns if isinstance(copied, list) or cells.columns() else None


def _columns_with_media(frame: Any, names: list[str]) -> dict[str, list[Any]]:
    """All columns of a pandas frame when one of them holds media in its first rows, else none."""
    objects = [at for at, kind in enumerate(frame.dtypes) if str(kind) == "object"]
    if not any(isinstance(v, Media) for at in objects for v in frame.iloc[:100, at]):
        return {}
    return {name: list(frame.iloc[:, at]) for at, name in enumerate(names)}
