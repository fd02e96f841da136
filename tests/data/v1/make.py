"""Makes the bytes kept here: `python -m tests.data.v1.make` at the top of the repository.

Only while nothing of version 1 was released. From then on these files are never made again: they
are what users have on their disks, and `tests/compat` proves that today's Weir reads them.

    spool-with-claims/   a spool whose frames state what they hold (docs/formats/ledger.md)
    frames.bin           its frames as the agent sends them: Hello, then Frames
    entries.bin          the same as the gateway puts them into the stream
    tables/              the rows they become, one file a table in ClickHouse's Native format, the
                         statements that made the tables, and what a reader answers about them

`spool/` is older, written before frames stated anything, and is never made again. Nothing here
depends on the clock or on chance: made twice, the bytes are the same.
"""

from __future__ import annotations

import json
import shutil
import struct
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from google.protobuf.message import Message

from tests.compat.asking import answers, restore_tables
from tests.integration.fixtures_engine import EngineProcess, running_engine
from weir._ledger import Ledger
from weir._spool import FLAG_FINAL, Frame, Meta, SegmentWriter, SpoolDir, SpoolReader
from weir.agent._conversation import Greeting
from weir.agent._messages import FramePacker, hello
from weir_proto.v1 import ingest_pb2 as pb
from weir_proto.v1 import stream_pb2
from weir_server.gateway.cardinality import MetricCounter
from weir_server.gateway.judge import Judge
from weir_server.gateway.limits import Limits
from weir_server.gateway.producer import Producer
from weir_server.settings import GatewaySettings
from weir_server.stream.base import StreamEntry
from weir_server.writer.rows import build_block
from weir_server.writer.unpack import unpack
from weir_store.clickhouse import connect
from weir_store.inserter import ClickHouseInserter
from weir_store.migrate import list_migrations, migrate

HERE = Path(__file__).parent
T = 1_700_000_000_000_000
PRODUCER = "018bcfe568007abc8def0123456789cd"
META = Meta(
    mode="online", server="localhost:7700", producer=PRODUCER, project="vision", run_id="m2x8c4q1zz", rank=1,
    local_rank=1, world_size=2, node="node-7", pid=4242, launcher="torchrun", attempt=1, role="trainer",
    started_unix_us=T, process_started_s=T / 1e6 - 2, client_version="0.1.0",
)  # fmt: skip


# ── frames ─────────────────────────────────────────────────────────────────


def bodies() -> Iterator[pb.Body]:
    """Yield one body for each kind of thing that a frame may hold."""
    first = pb.Body(schema=1)
    first.session.CopyFrom(_session(pb.SessionUpdate.RUNNING, T))
    first.branch.CopyFrom(pb.Branch(parent_run_id="k3j9x0p2aa", step=100, launch="torch-1"))
    first.attrs.add(namespace=pb.Attr.CONFIG, path="optimizer.lr").float = 0.003
    first.attrs.add(namespace=pb.Attr.CONFIG, path="layers").json = "[64, 32]"
    first.attrs.add(namespace=pb.Attr.TAG, path="baseline").bool = True
    first.attrs.add(namespace=pb.Attr.META, path="name").str = "größer – 2"
    first.attrs.add(namespace=pb.Attr.META, path="notes").null = True
    yield first
    yield _grid([101, 102, 103, 104], rewrites=False)
    yield _corrections()
    yield _words_and_events()
    yield _of_a_node()
    last = pb.Body(schema=1)
    last.attrs.add(namespace=pb.Attr.SUMMARY, path="loss").float = 0.5
    last.attrs.add(namespace=pb.Attr.TAG, path="baseline").deleted = True
    last.losses.add(reason="bad_value", points=2, message="2 values were no numbers")
    last.session.CopyFrom(_session(pb.SessionUpdate.FINISHED, T + 60_000_000))
    yield last


def _grid(steps: list[int], *, rewrites: bool) -> pb.Body:
    body = pb.Body(schema=1, names=["loss", "val/acc"])
    values = [[1 / step, np.nan if step == 103 else step / 1_000] for step in steps]
    body.points.add(
        width=2,
        metric=np.arange(2, dtype="<u4").tobytes(),
        step=np.array(steps, "<i8").tobytes(),
        time_unix_us=np.array([T + step for step in steps], "<i8").tobytes(),
        value=np.array(values, "<f8").tobytes(),
        rewrites=rewrites,
    )
    return body


def _corrections() -> pb.Body:
    body = pb.Body(schema=1, names=["loss"])
    body.points.add(
        metric=np.zeros(3, "<u4").tobytes(),
        step=np.array([104, 105, 200], "<i8").tobytes(),
        time_unix_us=np.array([T + 900, T + 901, T + 902], "<i8").tobytes(),
        value=np.array([0.5, np.inf, -np.inf], "<f8").tobytes(),
        rewrites=True,
    )
    return body


def _words_and_events() -> pb.Body:
    body = pb.Body(schema=1, names=["sample"])
    body.texts.add(
        metric=bytes(4), step=struct.pack("<q", 104), time_unix_us=struct.pack("<q", T + 950), value=["ein Satz – ü"]
    )  # fmt: skip
    body.events.add(
        event_id=bytes(range(16)), time_unix_us=T + 960, kind="alert", severity="warn", title="loss rises",
        body="three times in a row", has_step=True, step=104, attrs={"threshold": "0.4"},
    )  # fmt: skip
    return body


def _of_a_node() -> pb.Body:
    """What an agent adds to a run, and a file that was logged."""
    body = pb.Body(schema=1, names=["image", "gpu.power", "gpu0", ""])
    body.texts.add(
        metric=bytes(4), step=struct.pack("<q", 104), time_unix_us=struct.pack("<q", T + 970),
        value=['{"type":"image","sha256":"' + "0" * 64 + '","size":9,"mime":"image/png"}'],
        kind=pb.TextBlock.MEDIA,
    )  # fmt: skip
    body.attrs.add(namespace=pb.Attr.FILE, path="code/diff.patch").json = '{"size": 3}'
    body.system.add(
        metric=np.ones(2, "<u4").tobytes(),
        device=np.array([2, 3], "<u4").tobytes(),
        time_unix_us=np.array([T + 980, T + 980], "<i8").tobytes(),
        value=np.array([71.5, np.nan], "<f8").tobytes(),
    )
    body.lines.add(
        process=bytes.fromhex(PRODUCER),
        rank=1,
        number=np.array([1, 2], "<u8").tobytes(),
        time_unix_us=np.array([T + 990, T + 991], "<i8").tobytes(),
        stream=bytes([pb.LineBlock.STDOUT, pb.LineBlock.LOGGING]),
        level=bytes([0, 30]),
        line=["\x1b[32mepoch 1\x1b[0m – gut", "loss rises"],
    )
    return body


def _session(state: pb.SessionUpdate.State, at_unix_us: int) -> pb.SessionUpdate:
    return pb.SessionUpdate(state=state, time_unix_us=at_unix_us)


def make_spool(root: Path) -> SpoolDir:
    """Write the spool."""
    spool, ledger = SpoolDir.create(root, META), Ledger()
    writer = SegmentWriter(spool, segment_bytes=400)
    everything = list(bodies())
    for seq, body in enumerate(everything, 1):
        ledger.state_in(body)
        writer.append(seq, FLAG_FINAL if seq == len(everything) else 0, _bytes_of(body))
        ledger.settle()
    writer.close()
    return spool


# ── what becomes of them ───────────────────────────────────────────────────


def make_messages(spool: SpoolDir) -> list[pb.ClientMessage]:
    """Return what the agent sends."""
    frames = [f for f in SpoolReader(spool).read(writer_alive=False) if isinstance(f, Frame)]
    packer, name = FramePacker(), bytes.fromhex(PRODUCER)
    greeting = hello(META, Greeting(1, len(frames)))
    return [
        pb.ClientMessage(hello=greeting),
        *(pb.ClientMessage(frame=packer.pack(name, frame)) for frame in frames),
    ]


def make_entries(messages: Iterable[pb.ClientMessage]) -> list[stream_pb2.Entry]:
    """Return what the gateway makes of it."""
    greeting, *rest = messages
    limits = Limits.of(GatewaySettings(max_metric_name_bytes=512))
    judge, birth = Judge(limits, MetricCounter(1_000)), T
    producer = Producer(
        greeting.hello.origin, shard=0, birth_unix_us=birth, accepted=0, committed=0
    )
    judged = [judge.judge(producer, m.frame, T + 1_000_000 + m.frame.seq) for m in rest]
    return [stream_pb2.Entry.FromString(each.payload) for each in judged]


def make_tables(engine: EngineProcess, entries: Iterable[stream_pb2.Entry]) -> None:
    """Store the entries as the writer does, and keep the rows, the tables and a reader's answers."""
    folder = HERE / "tables"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    clickhouse = connect(engine.url)
    migrate(clickhouse, "kept")
    sources = [_source(number, entry) for number, entry in enumerate(entries, 1)]
    block = build_block([unpack(source) for source in sources])
    ClickHouseInserter(clickhouse, "kept").insert(block, "token")
    client = engine.client()
    statements = []
    for name, kind, key in client.query(
        "SELECT name, engine, sorting_key FROM system.tables WHERE database = 'kept_raw' ORDER BY name"
    ).result_rows:
        made = str(client.command(f"SHOW CREATE TABLE kept_raw.{name} FORMAT TSVRaw"))
        statements.append((kind == "MaterializedView", made.replace("kept_raw", "${db}")))
        if kind != "MaterializedView" and name != "schema_versions":
            rows = client.raw_query(f"SELECT * FROM kept_raw.{name} ORDER BY {key} FORMAT Native")
            if rows:
                (folder / f"{name}.native").write_bytes(rows)
    (folder / "tables.sql").write_text("\n\n".join(f"{s};" for _, s in sorted(statements)) + "\n")
    applied = [[m.number, m.name, m.sha256] for m in list_migrations()]
    (folder / "migrations.json").write_text(json.dumps(applied, indent=1) + "\n")
    clickhouse.close()
    database = restore_tables(engine, folder)
    _write_json(folder / "answers.json", answers(engine, database))


def _source(number: int, entry: stream_pb2.Entry) -> StreamEntry:
    return StreamEntry(f"{number}-0", entry.frame.producer, entry.frame.seq, _bytes_of(entry))


def _bytes_of(message: Message) -> bytes:
    return message.SerializeToString(deterministic=True)


def write_messages(path: Path, messages: Iterable[Message]) -> None:
    """Write messages, each behind its length as u32 LE."""
    pieces = [_bytes_of(message) for message in messages]
    path.write_bytes(b"".join(struct.pack("<I", len(piece)) + piece for piece in pieces))


def read_messages(path: Path) -> list[bytes]:
    """Read what `write_messages` wrote."""
    content, pieces, at = path.read_bytes(), [], 0
    while at < len(content):
        (size,) = struct.unpack_from("<I", content, at)
        pieces.append(content[at + 4 : at + 4 + size])
        at += 4 + size
    return pieces


def _write_json(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def main() -> None:
    """Make everything."""
    root = HERE / "spool-with-claims"
    shutil.rmtree(root, ignore_errors=True)
    messages = make_messages(make_spool(root))
    entries = make_entries(messages)
    write_messages(HERE / "frames.bin", messages)
    write_messages(HERE / "entries.bin", entries)
    with tempfile.TemporaryDirectory() as folder, running_engine(Path(folder) / "ch") as engine:
        make_tables(engine, entries)


if __name__ == "__main__":
    main()
