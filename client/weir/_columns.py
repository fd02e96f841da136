"""Rows that `log()` left behind, as the columns of a frame. Pure: no clock, no disk, no thread.

A row is what one `log()` call wrote: one step, one time, and the values of a *layout*, the names
in the order the user gave them. Rows of one layout become one grid block, so that no Python runs
per point; narrow rows that come alone share one block in columns layout.
"""

import sys
from array import array
from collections.abc import Iterable, Sequence
from typing import Any, Final, Literal

from weir_proto.v1 import ingest_pb2 as pb

MAX_POINTS: Final = 65_536  # of one frame, as the server takes it
MAX_LAYOUT_NAMES: Final = 8_192
MAX_LAYOUT_NAME_BYTES: Final = 256 << 10
_NARROW: Final = 8  # up to here the columns layout of a lone row beats a block of its own
_ROW_OVERHEAD_BYTES: Final = 224  # the tuple, the array object, two ints and the deque's slot


class Layout:
    """The names of a row, checked once and shared by all rows that have them.

    Attributes:
        names: Metric names, distinct, in the user's order.
        width: How many there are.
        name_bytes: Upper estimate of what they take in a frame's symbol table and indices.
        row_bytes: What one row takes in memory while it waits.
    """

    __slots__ = ("name_bytes", "names", "row_bytes", "width")

    def __init__(self, names: tuple[str, ...]) -> None:
        self.names = names
        self.width = len(names)
        self.name_bytes = sum(map(_name_bytes, names))
        self.row_bytes = 8 * self.width + _ROW_OVERHEAD_BYTES


Row = tuple[Layout, int, int, "array[float]"]  # layout, step, time_unix_us, values
Text = tuple[str, int, int, str, bool]  # metric, step, time_unix_us, text, whether it names media


def _name_bytes(name: str) -> int:
    return len(name) * (1 if name.isascii() else 4) + 8


def split_names(names: Sequence[str]) -> list[tuple[str, ...]]:
    """Cut a very wide row's names into runs that fit a frame each."""
    parts: list[list[str]] = [[]]
    taken_bytes = 0
    for name in names:
        size = _name_bytes(name)
        full = len(parts[-1]) == MAX_LAYOUT_NAMES or taken_bytes + size > MAX_LAYOUT_NAME_BYTES
        if full and parts[-1]:
            parts.append([])
            taken_bytes = 0
        parts[-1].append(name)
        taken_bytes += size
    return [tuple(part) for part in parts if part]


class StepMemory:
    """The highest step sent of every metric: tells whether points may repeat earlier ones."""

    def __init__(self) -> None:
        self._last: dict[str, int] = {}

    def fold(self, names: Iterable[str], lowest: int, highest: int) -> bool:
        """Note steps `lowest…highest` of `names`; returns whether they may repeat a sent one.

        True is conservative: late steps that were never sent look the same. False is certain.
        """
        last = self._last
        repeats = False
        for name in names:
            before = last.get(name)
            if before is None or before < lowest:
                last[name] = highest
                continue
            repeats = True
            last[name] = max(before, highest)
        return repeats


class Symbols:
    """The names of one frame and their indices."""

    def __init__(self) -> None:
        self._index: dict[str, int] = {}

    def indices(self, names: Iterable[str]) -> "array[int]":
        """Return the indices of `names`, u32; new names are added."""
        index = self._index
        return array("I", [index.setdefault(name, len(index)) for name in names])

    def names(self) -> list[str]:
        """Return the table in index order."""
        return list(self._index)


class _Grid:
    """Rows of one layout, column by column."""

    __slots__ = ("layout", "steps", "times", "values")

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.steps: array[int] = array("q")
        self.times: array[int] = array("q")
        self.values: array[float] = array("d")


def point_blocks(rows: Sequence[Row], symbols: Symbols, memory: StepMemory) -> list[pb.PointBlock]:
    """Return the rows as blocks. Within them no (metric, step) occurs twice: the later row wins."""
    grids = list(_gather(rows).values())
    if not grids:
        return []
    if _any_repeats(grids):
        return [_collapsed_block(rows, symbols, memory)]
    lone = [grid for grid in grids if len(grid.steps) == 1 and grid.layout.width <= _NARROW]
    if len(lone) < 2:
        return [_grid_block(grid, symbols, memory) for grid in grids]
    wide = [grid for grid in grids if len(grid.steps) > 1 or grid.layout.width > _NARROW]
    return [
        *(_grid_block(grid, symbols, memory) for grid in wide),
        _columns_block(lone, symbols, memory),
    ]


def _gather(rows: Iterable[Row]) -> dict[int, _Grid]:
    grids: dict[int, _Grid] = {}
    for layout, step, time_unix_us, values in rows:
        grid = grids.get(id(layout))
        if grid is None:
            grid = grids[id(layout)] = _Grid(layout)
        grid.steps.append(step)
        grid.times.append(time_unix_us)
        grid.values.extend(values)
    return grids


def _any_repeats(grids: Sequence[_Grid]) -> bool:
    """Whether a (metric, step) occurs twice: in one grid, or in two that share a name."""
    steps_of: dict[str, set[int]] = {}
    for grid in grids:
        steps = set(grid.steps)
        if len(steps) < len(grid.steps):
            return True
        if len(grids) > 1 and _meets(grid.layout.names, steps, steps_of):
            return True
    return False


def _meets(names: tuple[str, ...], steps: set[int], steps_of: dict[str, set[int]]) -> bool:
    for name in names:
        earlier = steps_of.get(name)
        if earlier is None:
            steps_of[name] = steps
        elif not earlier.isdisjoint(steps):
            return True
        else:
            steps_of[name] = earlier | steps
    return False


def _grid_block(grid: _Grid, symbols: Symbols, memory: StepMemory) -> pb.PointBlock:
    return pb.PointBlock(
        width=grid.layout.width,
        metric=_little_endian(symbols.indices(grid.layout.names)),
        step=_little_endian(grid.steps),
        time_unix_us=_little_endian(grid.times),
        value=_little_endian(grid.values),
        rewrites=memory.fold(grid.layout.names, min(grid.steps), max(grid.steps)),
    )


def _columns_block(lone: Sequence[_Grid], symbols: Symbols, memory: StepMemory) -> pb.PointBlock:
    metrics: array[int] = array("I")
    steps: array[int] = array("q")
    times: array[int] = array("q")
    values: array[float] = array("d")
    rewrites = False
    for grid in lone:
        names, step = grid.layout.names, grid.steps[0]
        metrics.extend(symbols.indices(names))
        steps.extend(grid.steps * len(names))
        times.extend(grid.times * len(names))
        values.extend(grid.values)
        rewrites |= memory.fold(names, step, step)
    return _columns(metrics, steps, times, values, rewrites=rewrites)


def _collapsed_block(rows: Sequence[Row], symbols: Symbols, memory: StepMemory) -> pb.PointBlock:
    """The rare frame in which a step was logged again: point by point, the later row wins."""
    points: dict[tuple[str, int], tuple[int, float]] = {}
    for layout, step, time_unix_us, values in rows:
        for name, value in zip(layout.names, values, strict=True):
            points[name, step] = (time_unix_us, value)
    rewrites = False
    for name, step in points:
        rewrites |= memory.fold((name,), step, step)
    return _columns(
        symbols.indices(name for name, _ in points),
        array("q", [step for _, step in points]),
        array("q", [time_unix_us for time_unix_us, _ in points.values()]),
        array("d", [value for _, value in points.values()]),
        rewrites=rewrites,
    )


def _columns(
    metrics: "array[int]",
    steps: "array[int]",
    times: "array[int]",
    values: "array[float]",
    *,
    rewrites: bool,
) -> pb.PointBlock:
    return pb.PointBlock(
        metric=_little_endian(metrics),
        step=_little_endian(steps),
        time_unix_us=_little_endian(times),
        value=_little_endian(values),
        rewrites=rewrites,
    )


def text_blocks(texts: Iterable[Text], symbols: Symbols) -> list[pb.TextBlock]:
    """Return texts as a block of each kind; of two with the same metric and step the later wins."""
    latest = {(text[0], text[1]): text for text in texts}
    plain = [text for text in latest.values() if not text[4]]
    media = [text for text in latest.values() if text[4]]
    kinds = ((plain, pb.TextBlock.TEXT), (media, pb.TextBlock.MEDIA))
    return [_text_block(some, kind, symbols) for some, kind in kinds if some]


def _text_block(texts: Sequence[Text], kind: pb.TextBlock.Kind, symbols: Symbols) -> pb.TextBlock:
    return pb.TextBlock(
        metric=_little_endian(symbols.indices(text[0] for text in texts)),
        step=_little_endian(array("q", [text[1] for text in texts])),
        time_unix_us=_little_endian(array("q", [text[2] for text in texts])),
        value=[text[3] for text in texts],
        kind=kind,
    )


def _little_endian(column: "array[int] | array[float]") -> bytes:
    if sys.byteorder == "big":
        column = column[:]
        column.byteswap()
    return column.tobytes()


def read_column(code: Literal["I", "q", "Q", "d"], raw: bytes) -> "array[Any]":
    """Return a column of the wire as numbers: u32, i64, u64 or f64."""
    column: array[Any] = array(code)
    column.frombytes(raw)
    if sys.byteorder == "big":
        column.byteswap()
    return column
