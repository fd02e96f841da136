"""Columns of a block, made of the columns of its pieces: names as dictionaries, values spread over rows.

A piece is one block of points, texts, lines … in one frame; all its rows share what the frame says.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from weir_server.writer.unpack import Frame

_DAY_US: Final = 86_400_000_000
_MAX_DATE: Final = 0xFFFF  # ClickHouse Date, days since 1970


class Symbols:
    """One dictionary column of a block: every distinct string gets the next index."""

    def __init__(self) -> None:
        self._index: dict[str, int] = {}

    def indices(self, names: Sequence[str]) -> npt.NDArray[np.int32]:
        """Return the index of each name, shape (len(names),)."""
        index = self._index
        return np.fromiter(
            (index.setdefault(name, len(index)) for name in names), np.int32, len(names)
        )

    def column(self, indices: npt.NDArray[np.int32]) -> pa.DictionaryArray:
        """Return the column that has these indices."""
        return pa.DictionaryArray.from_arrays(indices, pa.array(self._index, pa.string()))


class Spread:
    """Values of pieces, repeated for each of their rows.

    Args:
        frames: Of each piece, the frame it is from.
        counts: Of each piece, its rows.
    """

    def __init__(self, frames: Sequence[Frame], counts: Sequence[int]) -> None:
        self._frames = frames
        self._counts = np.asarray(counts, np.int64)

    def repeated(self, per_piece: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return each piece's entry, once for each of its rows."""
        return np.repeat(per_piece, self._counts, axis=0)

    def numbers(self, dtype: type[np.generic], of: Callable[[Frame], int]) -> npt.NDArray[Any]:
        """Return a number of each row's frame."""
        per_piece = np.fromiter((of(frame) for frame in self._frames), dtype, len(self._frames))
        return self.repeated(per_piece)

    def names(self, of: Callable[[Frame], str]) -> pa.DictionaryArray:
        """Return a name of each row's frame."""
        symbols = Symbols()
        per_piece = symbols.indices([of(frame) for frame in self._frames])
        return symbols.column(self.repeated(per_piece))


def choices(indices: npt.NDArray[np.integer[Any]], words: Sequence[str]) -> pa.DictionaryArray:
    """Return a column of a few known words by their index."""
    return pa.DictionaryArray.from_arrays(indices.astype(np.int32), pa.array(words, pa.string()))


def joined(parts: Sequence[npt.NDArray[Any]], dtype: type[np.generic]) -> npt.NDArray[Any]:
    """Return the parts one after the other; an empty array of none."""
    return np.concatenate([np.empty(0, dtype), *parts])


def timestamps(unix_us: npt.NDArray[np.int64]) -> pa.Array:
    """Return times as the tables have them."""
    # By buffer: as numpy datetime64 they would be copied and checked one by one.
    return pa.Array.from_buffers(
        pa.timestamp("us", "UTC"), len(unix_us), [None, pa.py_buffer(unix_us)]
    )


def project(frame: Frame) -> str:
    """Return whose rows these are."""
    return frame.origin.project


def run_id(frame: Frame) -> str:
    """Return whose rows these are."""
    return frame.origin.run_id


def node(frame: Frame) -> str:
    """Return where the frame was written."""
    return frame.origin.node


def rank(frame: Frame) -> int:
    """Return the rank of the producer."""
    return frame.origin.rank


def ver(frame: Frame) -> int:
    """Return the version of the frame's rows."""
    return frame.ver


def run_date(frame: Frame) -> int:
    """Return the day on which the run was born, days since 1970."""
    return min(frame.entry.run_created_unix_us // _DAY_US, _MAX_DATE)
