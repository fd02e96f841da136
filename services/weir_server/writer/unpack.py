"""A stream entry's bytes into checked numpy columns: whatever is wrong with an entry is found here."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt
import zstandard
from google.protobuf.message import DecodeError

from weir_proto.v1 import ingest_pb2, stream_pb2
from weir_server.stream.base import StreamEntry
from weir_server.tally import NAMESPACES, STREAMS

BODY_SCHEMA: Final = 1
MAX_RAW_BYTES: Final = 64 << 20  # far above every gateway limit; a stop for bombs, not a policy
TEXT_KINDS: Final = {ingest_pb2.TextBlock.TEXT: "text", ingest_pb2.TextBlock.MEDIA: "media"}
_PROCESS_BYTES: Final = 16
_NOT_DECLARED: Final = -1
_SEQ_AND_FLAGS: Final = struct.Struct("<QH")
_LATEST_UNIX_US: Final = 7_258_118_400_000_000  # the year 2200; tables hold a little more

Ints: TypeAlias = npt.NDArray[np.int64]
Indices: TypeAlias = npt.NDArray[np.uint32]
Floats: TypeAlias = npt.NDArray[np.float64]


class Undecodable(Exception):
    """The entry can never become rows; the text says why. `entry` is set when its outside was readable."""

    def __init__(self, reason: str, entry: stream_pb2.Entry | None = None) -> None:
        super().__init__(reason)
        self.entry = entry


@dataclass(frozen=True, slots=True)
class Points:
    """A PointBlock as arrays over the frame's bytes.

    Attributes:
        width: Metrics per row; 0 = every column has one entry per point.
        metric: (width,) or (n,) indices into the frame's names.
        step: (rows,) or (n,).
        time_unix_us: (rows,) or (n,).
        value: (rows * width,) row by row, or (n,).
        rewrites: A (metric, step) here may repeat one this producer sent before.
    """

    width: int
    metric: Indices
    step: Ints
    time_unix_us: Ints
    value: Floats
    rewrites: bool

    @property
    def count(self) -> int:
        """Number of points."""
        return len(self.value)


@dataclass(frozen=True, slots=True)
class Texts:
    """A TextBlock as arrays; all have shape (n,). `kind` is a key of `TEXT_KINDS`."""

    metric: Indices
    step: Ints
    time_unix_us: Ints
    value: Sequence[str]
    kind: int


@dataclass(frozen=True, slots=True)
class System:
    """A SystemBlock as arrays over the frame's bytes; all have shape (n,)."""

    metric: Indices
    device: Indices
    time_unix_us: Ints
    value: Floats


@dataclass(frozen=True, slots=True)
class Lines:
    """A LineBlock: its process, and arrays of shape (n,) over the frame's bytes."""

    process: bytes
    rank: int
    number: npt.NDArray[np.uint64]
    time_unix_us: Ints
    stream: npt.NDArray[np.uint8]
    level: npt.NDArray[np.uint8]
    line: Sequence[str]


@dataclass(frozen=True, slots=True)
class Frame:
    """An entry that can be stored."""

    source: StreamEntry
    entry: stream_pb2.Entry
    body: ingest_pb2.Body
    points: tuple[Points, ...]
    texts: tuple[Texts, ...]
    system: tuple[System, ...]
    lines: tuple[Lines, ...]

    @property
    def origin(self) -> ingest_pb2.Origin:
        """Who wrote it."""
        return self.entry.origin

    @property
    def ver(self) -> int:
        """Version of its rows: the producer's birth in seconds << 32 | seq (ADR 4)."""
        return row_version(self.source.producer, self.source.seq)

    @property
    def point_count(self) -> int:
        """Points, those with text values, what nodes measured, and lines included."""
        numbers = sum(points.count for points in self.points)
        numbers += sum(len(system.value) for system in self.system)
        texts = sum(len(texts.value) for texts in self.texts)
        return numbers + texts + sum(len(lines.line) for lines in self.lines)

    @property
    def rows(self) -> int:
        """Rows it becomes, roughly: points and attributes are what can be many."""
        return self.point_count + len(self.body.attrs) + len(self.body.events) + 1

    @property
    def bytes(self) -> int:
        """What it weighs, packed or unpacked, whichever is more."""
        return max(len(self.source.payload), self.entry.frame.raw_bytes)

    @property
    def crc32(self) -> int:
        """Checksum of its content."""
        return self.entry.frame.crc32


def row_version(producer: bytes, seq: int) -> int:
    """Return the version of a frame's rows; the first 48 bits of a producer are Unix ms (UUIDv7)."""
    birth_s = int.from_bytes(producer[:6], "big") // 1_000
    return (birth_s << 32 | seq) & 0xFFFF_FFFF_FFFF_FFFF


def unpack(source: StreamEntry) -> Frame:
    """Open an entry and check everything its rows depend on.

    Raises:
        Undecodable: It can never be stored.
    """
    try:
        entry = stream_pb2.Entry.FromString(source.payload)
    except DecodeError as error:
        raise Undecodable(f"the entry is no weir.v1.Entry: {error}") from error
    try:
        return _open(source, entry)
    except (DecodeError, zstandard.ZstdError, ValueError, struct.error) as error:
        raise Undecodable(str(error), entry) from error


def _open(source: StreamEntry, entry: stream_pb2.Entry) -> Frame:
    frame = entry.frame
    if (frame.producer, frame.seq) != (source.producer, source.seq):
        raise ValueError(f"the frame is seq {frame.seq}, the stream says {source.seq}")
    body = ingest_pb2.Body.FromString(_raw_body(frame))
    if body.schema != BODY_SCHEMA:
        raise ValueError(f"body schema {body.schema} is unknown, this release reads {BODY_SCHEMA}")
    _check_attrs(body)
    if entry.run_created_unix_us > _LATEST_UNIX_US:
        raise ValueError(f"the run is born at {entry.run_created_unix_us} µs, which is no time")
    names = len(body.names)
    return Frame(
        source=source,
        entry=entry,
        body=body,
        points=tuple(points for block in body.points if (points := _points(block, names)).count),
        texts=tuple(texts for block in body.texts if (texts := _texts(block, names)).value),
        system=tuple(_system(block, names) for block in body.system),
        lines=tuple(map(_lines, body.lines)),
    )


def _raw_body(frame: ingest_pb2.Frame) -> bytes:
    raw = _decompress(frame)
    head = _SEQ_AND_FLAGS.pack(frame.seq, frame.flags & 0xFFFF)  # 16 bits on disk, 32 on the wire
    crc32 = zlib.crc32(raw, zlib.crc32(head))
    if crc32 != frame.crc32:
        raise ValueError(f"crc32 is {crc32:08x}, the frame says {frame.crc32:08x}")
    return raw


def _decompress(frame: ingest_pb2.Frame) -> bytes:
    if frame.codec == ingest_pb2.CODEC_RAW:
        return frame.body
    if frame.codec != ingest_pb2.CODEC_ZSTD:
        raise ValueError(f"codec {frame.codec} is unknown")
    if frame.raw_bytes > MAX_RAW_BYTES:
        raise ValueError(f"a body of {frame.raw_bytes} bytes is above {MAX_RAW_BYTES}")
    # What zstd declares of itself is allocated before a byte is unpacked, whatever limit is given.
    declared = zstandard.frame_content_size(frame.body)
    if declared not in (frame.raw_bytes, _NOT_DECLARED):
        raise ValueError(f"zstd declares {declared} bytes, the frame says {frame.raw_bytes}")
    if not frame.raw_bytes:
        return b""
    raw = zstandard.ZstdDecompressor().decompress(frame.body, max_output_size=frame.raw_bytes)
    if len(raw) != frame.raw_bytes:
        raise ValueError(f"the body has {len(raw)} bytes, the frame says {frame.raw_bytes}")
    return raw


def _points(block: ingest_pb2.PointBlock, names: int) -> Points:
    points = Points(
        width=block.width,
        metric=np.frombuffer(block.metric, "<u4"),
        step=np.frombuffer(block.step, "<i8"),
        time_unix_us=np.frombuffer(block.time_unix_us, "<i8"),
        value=np.frombuffer(block.value, "<f8"),
        rewrites=block.rewrites,
    )
    rows = len(points.step)
    metrics, values = (points.width, rows * points.width) if points.width else (rows, rows)
    _check_lengths("points", rows, len(points.time_unix_us))
    _check_lengths("points", metrics, len(points.metric))
    _check_lengths("points", values, len(points.value))
    if points.count:  # else the indices stand for nothing, whatever they are
        _check_indices(points.metric, names)
    return points


def _texts(block: ingest_pb2.TextBlock, names: int) -> Texts:
    texts = Texts(
        metric=np.frombuffer(block.metric, "<u4"),
        step=np.frombuffer(block.step, "<i8"),
        time_unix_us=np.frombuffer(block.time_unix_us, "<i8"),
        value=list(block.value),
        kind=block.kind,
    )
    if texts.value and texts.kind not in TEXT_KINDS:
        raise ValueError(f"texts of kind {texts.kind} are unknown")
    for column in (texts.metric, texts.step, texts.time_unix_us):
        _check_lengths("texts", len(texts.value), len(column))
    _check_indices(texts.metric, names)
    return texts


def _system(block: ingest_pb2.SystemBlock, names: int) -> System:
    system = System(
        metric=np.frombuffer(block.metric, "<u4"),
        device=np.frombuffer(block.device, "<u4"),
        time_unix_us=np.frombuffer(block.time_unix_us, "<i8"),
        value=np.frombuffer(block.value, "<f8"),
    )
    for column in (system.metric, system.device, system.time_unix_us):
        _check_lengths("system", len(system.value), len(column))
    _check_indices(system.metric, names)
    _check_indices(system.device, names)
    return system


def _lines(block: ingest_pb2.LineBlock) -> Lines:
    lines = Lines(
        process=block.process,
        rank=block.rank,
        number=np.frombuffer(block.number, "<u8"),
        time_unix_us=np.frombuffer(block.time_unix_us, "<i8"),
        stream=np.frombuffer(block.stream, np.uint8),
        level=np.frombuffer(block.level, np.uint8),
        line=list(block.line),
    )
    for column in (lines.number, lines.time_unix_us, lines.stream, lines.level):
        _check_lengths("lines", len(lines.line), len(column))
    if len(lines.process) != _PROCESS_BYTES:
        raise ValueError(f"a process of lines has {len(lines.process)} bytes")
    if len(lines.stream) and not set(np.unique(lines.stream).tolist()) <= STREAMS.keys():
        raise ValueError("a line is of an unknown stream")
    return lines


def _check_lengths(what: str, expected: int, found: int) -> None:
    if expected != found:
        raise ValueError(f"a column of {what} has {found} entries, expected {expected}")


def _check_indices(metric: Indices, names: int) -> None:
    if len(metric) and int(metric.max()) >= names:
        raise ValueError(
            f"metric index {int(metric.max())} is beyond the {names} names of the frame"
        )


def _check_attrs(body: ingest_pb2.Body) -> None:
    for attr in body.attrs:
        if attr.namespace not in NAMESPACES:
            raise ValueError(f"attribute {attr.path!r} has the unknown namespace {attr.namespace}")
