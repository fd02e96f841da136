"""What is fuzzed: each takes any bytes, and raises only when Weir breaks a promise.

Three drivers share them: hypothesis in the suite, the files of tests/data/fuzz on every run, and
atheris where it is installed (`python -m tests.fuzz <target>`).
"""

from __future__ import annotations

import itertools
import random
import tempfile
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

import sqlglot
from google.protobuf.message import DecodeError
from sqlglot import exp

from tests.fuzz.bad_frames import NOW_US, PRODUCER, bad_frame, frame_of
from weir._spool import Frame, Gap, Meta, SegmentWriter, SpoolDir, SpoolReader, cut_torn_tail
from weir.agent._extent import read_extent
from weir.agent._takeover import take_over
from weir_proto.v1 import ingest_pb2 as pb
from weir_server.engine.compression import unpack as unpack_encoding
from weir_server.engine.errors import QueryFailed
from weir_server.engine.statement import parse as parse_statement
from weir_server.gateway.cardinality import MetricCounter
from weir_server.gateway.judge import Damaged, Judge, Judged
from weir_server.gateway.limits import Limits
from weir_server.gateway.producer import Producer
from weir_server.gateway.validate import SchemaTooNew
from weir_server.settings import GatewaySettings
from weir_server.stream.base import StreamEntry
from weir_server.writer.block import Item
from weir_server.writer.dead_letter import DeadLetter
from weir_server.writer.rows import build_block
from weir_server.writer.unpack import Undecodable, unpack
from weir_store import columns
from weir_store.conditions import fields_of
from weir_store.errors import InvalidQuery
from weir_store.filter import parse as parse_filter
from weir_store.filter_sql import Columns, compile_condition
from weir_store.memory import MemoryStore
from weir_store.parameters import Parameters

_FAST_DISK: Final = Path("/dev/shm")
_SETTINGS: Final = GatewaySettings()
_MOST_PIECE_BYTES: Final = 40 << 20  # docs of engine/compression.py: 33 MiB at the worst
_MOST_PIECES: Final = 8


# ── frames ─────────────────────────────────────────────────────────────────


def judge(data: bytes) -> None:
    """A frame's body, as sent, raw or packed; or a whole message of a client."""
    for frame in _frames_of(data):
        judge_frame(frame)


def _frames_of(data: bytes) -> Iterable[pb.Frame]:
    kind, rest = data[:1], data[1:]
    if kind == b"b":
        yield frame_of(1, rest)
    elif kind == b"z":
        yield pb.Frame(producer=PRODUCER, seq=1, codec=pb.CODEC_ZSTD, raw_bytes=100, body=rest)
    elif kind == b"s":
        yield bad_frame(random.Random(rest), 1)
    else:
        with suppress(DecodeError):
            frame = pb.ClientMessage.FromString(rest).frame
            frame.producer = PRODUCER  # one that was let in, and the frame it is asked for
            frame.seq = frame.seq if 0 < frame.seq < 1 << 32 else 1
            yield frame


def judge_frame(
    frame: pb.Frame, judge: Judge | None = None, producer: Producer | None = None
) -> Judged | None:
    """Judge a frame twice, as a client that sends again does.

    What the gateway lets through, the writer can store: an entry of its making that cannot be
    opened would be a dead letter made by us.
    """
    judge = judge or new_judge()
    producer = producer or new_producer()
    for _ in range(2):
        try:
            judged = judge.judge(producer, frame, NOW_US)
        except Damaged:
            producer.damaged_seq = frame.seq
        except SchemaTooNew:
            return None
        else:
            _store(StreamEntry("1-0", frame.producer, frame.seq, judged.payload))
            assert all(reject.code and reject.message for reject in judged.rejects)
            return judged
    raise AssertionError("a frame is asked for twice, not for ever")


def new_judge() -> Judge:
    """Return a judge with the default limits."""
    return Judge(Limits.of(_SETTINGS), MetricCounter(10_000))


def new_producer() -> Producer:
    """Return a producer that was let in."""
    origin = pb.Origin(producer=PRODUCER, project="p", run_id="r", started_unix_us=NOW_US)
    return Producer(origin, shard=0, birth_unix_us=NOW_US, accepted=0, committed=0)


def _store(source: StreamEntry) -> None:
    item: Item = unpack(source)
    MemoryStore().insert(build_block([item]), "token")


def entry(data: bytes) -> None:
    """A stream entry: rows, or a dead letter that the store takes."""
    source = StreamEntry("1-0", PRODUCER, 1, data)
    try:
        item: Item = unpack(source)
    except Undecodable as error:
        item = DeadLetter.of(source, error.entry, str(error))
    for table, rows in build_block([item]).items():
        assert rows.schema == columns.BY_TABLE[table]


# ── the spool ──────────────────────────────────────────────────────────────


def spool(data: bytes) -> None:
    """A segment of any bytes before a good one."""
    root = _FAST_DISK if _FAST_DISK.is_dir() else None
    with tempfile.TemporaryDirectory(prefix="weir-fuzz-", dir=root) as folder:
        meta = Meta(
            mode="online", server="s", producer=PRODUCER.hex(), project="p", run_id="r", rank=0
        )
        found = SpoolDir.create(Path(folder), meta)
        found.segment_path(1).write_bytes(data)
        before = _read(found, alive=False)
        _read(found, alive=True)
        cut_torn_tail(found)
        after = _read(found, alive=False)
        assert _good(after) == _good(before), "cutting a torn tail took a frame"
        read_extent(found)
        _append_and_read(found, after)
        take_over(found, meta, now_unix_us=NOW_US)
        frames = _good(_read(found, alive=False))
        assert frames, "what was taken over has its last word"
        assert frames[-1].final


def _append_and_read(found: SpoolDir, before: list[Frame | Gap]) -> None:
    """Whatever lies before it, a frame appended with the next seq is read back."""
    seq = max((_range(thing)[1] for thing in before), default=0) + 1
    if seq >= 1 << 40:  # beyond what a search behind damage looks for (frame.py)
        return
    writer = SegmentWriter(found)
    writer.append(seq, 0, b"good")
    writer.close()
    frames = _good(_read(found, alive=True))
    assert frames, "a good frame is not found"
    assert (frames[-1].seq, frames[-1].body) == (seq, b"good")


def _read(found: SpoolDir, *, alive: bool) -> list[Frame | Gap]:
    reader = SpoolReader(found)
    try:
        things = list(itertools.islice(reader.read(writer_alive=alive), 100_000))
    finally:
        reader.close()
    assert len(things) < 100_000, "a reader that never ends"
    expected = 1
    for thing in things:
        first, last = _range(thing)
        assert first == expected <= last or first == expected, "frames out of order"
        expected = last + 1
    return things


def _range(thing: Frame | Gap) -> tuple[int, int]:
    return (thing.seq, thing.seq) if isinstance(thing, Frame) else (thing.first_seq, thing.last_seq)


def _good(things: Iterable[Frame | Gap]) -> list[Frame]:
    return [thing for thing in things if isinstance(thing, Frame)]


# ── the filter ─────────────────────────────────────────────────────────────


def filter_text(data: bytes) -> None:
    """A filter: refused by name, or SQL that holds nothing of the text."""
    text = data.decode("utf-8", "ignore")
    try:
        condition = parse_filter(text)
    except InvalidQuery:
        return
    fields = dict.fromkeys(fields_of(condition))
    columns = {
        field: Columns(number=f"number{i}", text=f"text{i}") for i, field in enumerate(fields)
    }
    parameters = Parameters()
    check_sql(compile_condition(condition, columns, parameters), parameters)


_IDENTIFIERS: Final = {"name", "run_id", "notes", "tags", "tag"}


def check_sql(sql: str, parameters: Parameters) -> None:
    """Check that SQL is one expression of names we chose, and that values are only in parameters."""
    (tree,) = sqlglot.parse(f"SELECT 1 WHERE {sql}", read="clickhouse")
    assert isinstance(tree, exp.Select)
    assert set(tree.args["where"].find_all(exp.Query)) == set(), "a query inside"
    where = tree.args["where"]
    for literal in where.find_all(exp.Literal):
        assert literal.this in {"", "0"}, f"a literal: {literal.this!r}"
    for identifier in where.find_all(exp.Identifier):
        name = identifier.name
        ours = name in _IDENTIFIERS or name.rstrip("0123456789") in {"number", "text", "p"}
        assert ours, f"a name: {name!r}"
    names = {placeholder.name for placeholder in where.find_all(exp.Placeholder)}
    assert names <= set(parameters.values)


# ── the engine ─────────────────────────────────────────────────────────────


def encoding(data: bytes) -> None:
    """A packed body: bounded pieces, or a named fault."""
    name = ("gzip", "deflate", "zstd", "lz4")[data[0] % 4] if data else "gzip"
    with suppress(QueryFailed):
        for piece in itertools.islice(unpack_encoding(name, iter([data[1:]])), _MOST_PIECES):
            assert len(piece) <= _MOST_PIECE_BYTES


def statement(data: bytes) -> None:
    """Text for the engine: one statement, or a named fault."""
    for complete in (True, False):
        with suppress(QueryFailed):
            parse_statement(data, complete=complete)


TARGETS: Final[Mapping[str, Callable[[bytes], None]]] = {
    "judge": judge,
    "entry": entry,
    "spool": spool,
    "filter": filter_text,
    "encoding": encoding,
    "statement": statement,
}
