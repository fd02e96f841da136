"""One suite for both readers: does what lies in the store add up to what was sent?"""

from __future__ import annotations

import math
import struct
from array import array
from collections.abc import Callable, Iterator
from typing import NamedTuple
from uuid import UUID, uuid4

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.contract.told_frames import Teller, everything, of_a_node
from tests.integration.fixtures_engine import EngineProcess
from tests.unit.client.any_frame import ATTRS, EVENTS, NAMES, node_bodies, packed
from tests.unit.server import frames
from weir._columns import Layout
from weir_proto.v1 import ingest_pb2, stream_pb2
from weir_server import tally
from weir_server.stream.base import StreamEntry
from weir_server.writer.dead_letter import DeadLetter
from weir_server.writer.rows import build_block
from weir_server.writer.unpack import unpack
from weir_store import tables
from weir_store.base import Inserter, Reader
from weir_store.clickhouse import connect
from weir_store.editor import Editor
from weir_store.edits import Edits
from weir_store.errors import UnknownRun
from weir_store.inserter import ClickHouseInserter
from weir_store.ledger import lost, verdict_of, worst
from weir_store.memory import MemoryStore
from weir_store.memory_reader import MemoryReader
from weir_store.migrate import migrate
from weir_store.reader import ClickHouseReader
from weir_store.records import Kind, Ledger, LedgerLine, Verdict


class Store(NamedTuple):
    inserter: Inserter
    reader: Reader

    def put(self, *sources: StreamEntry) -> None:
        self.inserter.insert(build_block([unpack(source) for source in sources]), uuid4().hex)

    def bury(self, source: StreamEntry, reason: str = "poison") -> None:
        """Keep an entry as the writer does when the store refuses it."""
        frame = unpack(source)
        letter = DeadLetter.of(source, frame.entry, reason, body=frame.body)
        self.inserter.insert(build_block([letter]), uuid4().hex)


@pytest.fixture(scope="module")
def stores(engine: EngineProcess) -> Iterator[dict[str, Store]]:
    clickhouse, database = connect(engine.url), "ledger_contract"
    migrate(clickhouse, database)
    memory = MemoryStore()
    yield {
        "memory": Store(memory, MemoryReader(memory)),
        "clickhouse": Store(
            ClickHouseInserter(clickhouse, database), ClickHouseReader(clickhouse, database)
        ),
    }
    clickhouse.close()


@pytest.fixture(params=["memory", "clickhouse"])
def store(request: pytest.FixtureRequest, stores: dict[str, Store]) -> Store:
    found: Store = stores[request.param]
    return found


def verdict(ledger: Ledger) -> Verdict:
    return worst(map(verdict_of, ledger.lines))


def line(ledger: Ledger, kind: Kind = Kind.POINTS, rank: int = 0) -> LedgerLine:
    (found,) = (each for each in ledger.lines if (each.kind, each.rank) == (kind, rank))
    return found


# ── what adds up ───────────────────────────────────────────────────────────


def test_everything_that_came_through_is_whole(store: Store) -> None:
    run = Teller()
    store.put(run.entry(everything(0), 1), run.entry(everything(3), 2))

    ledger = store.reader.read_ledger(run.ref)

    assert [(each.kind, each.stored.count, verdict_of(each)) for each in ledger.lines] == [
        (Kind.POINTS, 12, "whole"),
        (Kind.TEXTS, 2, "whole"),
        (Kind.ATTRS, 4, "whole"),
        (Kind.EVENTS, 2, "whole"),
    ]
    assert all(each.sent == each.stored for each in ledger.lines)
    (producer,) = ledger.producers
    assert (producer.claimed_seq, producer.committed_seq) == (2, 2)
    assert ledger.gaps == ()


_TIMES = st.integers(frames.ACCEPTED_UNIX_US - 10**14, frames.ACCEPTED_UNIX_US + 10**14)
_STEPS = st.integers(-(1 << 53), 1 << 53)
_WORDS = st.one_of(
    st.integers(0, (1 << 64) - 1),  # NaN payloads and all
    st.just(1 << 63),  # −0.0
    st.sampled_from([math.inf, -math.inf, math.nan, 0.1]).map(
        lambda value: struct.unpack("<Q", struct.pack("<d", value))[0]
    ),
)


@st.composite
def _bodies(draw: st.DrawFn) -> ingest_pb2.Body:
    layouts = st.lists(NAMES, min_size=1, max_size=4, unique=True).map(lambda n: Layout(tuple(n)))
    rows = []
    for layout in draw(st.lists(layouts, max_size=3)):
        for _ in range(draw(st.integers(1, 3))):
            words = draw(st.lists(_WORDS, min_size=layout.width, max_size=layout.width))
            values = array("d", struct.pack(f"={layout.width}Q", *words))
            rows.append((layout, draw(_STEPS), draw(_TIMES), values))
    said = st.text(st.characters(codec="utf-8"), max_size=30)
    texts = st.tuples(NAMES, _STEPS, _TIMES, said, st.booleans())
    events = draw(EVENTS)
    for event in events:
        event.time_unix_us = draw(_TIMES)
    return packed(rows, texts=draw(st.lists(texts, max_size=3)), attrs=draw(ATTRS), events=events)


_ANY_BODY = st.one_of(_bodies(), node_bodies(times=_TIMES))


@given(bodies=st.lists(_ANY_BODY, min_size=1, max_size=4))
@settings(
    max_examples=12,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
def test_both_stores_add_up_the_digests_that_the_client_states(
    stores: dict[str, Store], bodies: list[ingest_pb2.Body]
) -> None:
    run = Teller()
    sources = [run.entry(body, seq) for seq, body in enumerate(bodies, 1)]
    for store in stores.values():
        store.put(*sources)
        ledger = store.reader.read_ledger(run.ref)
        assert {verdict_of(each) for each in ledger.lines} == {Verdict.WHOLE}, ledger
    assert stores["memory"].reader.read_ledger(run.ref) == stores["clickhouse"].reader.read_ledger(
        run.ref
    )


def test_a_replay_is_counted_once_and_seen_at_rest(store: Store) -> None:
    run = Teller()
    source = run.entry(everything(0), 1)
    store.put(source)
    store.put(source)

    ledger = store.reader.read_ledger(run.ref)

    assert verdict(ledger) is Verdict.WHOLE
    assert line(ledger).stored.count == 6
    assert (
        ledger.rows_at_rest >= 7
    )  # in memory a replay replaces, in ClickHouse it waits for a merge


def test_a_corrected_point_and_its_correction_both_count(store: Store) -> None:
    run = Teller()
    first, second = everything(0), everything(0)
    store.put(run.entry(first, 1), run.entry(second, 2))
    store.put(run.entry(frames.grid(0), 3))

    ledger = store.reader.read_ledger(run.ref)

    assert verdict(ledger) is Verdict.WHOLE
    assert line(ledger).stored.count == 14


def test_what_nodes_measure_and_processes_print_is_counted_with_their_agents(store: Store) -> None:
    run, agent = Teller(), frames.producer(7, birth_s=frames.BIRTH_S + 5)
    first = run.entry(of_a_node(1), 1, who=agent, rank=2)
    store.put(run.entry(everything(0), 1), first)
    store.put(run.entry(of_a_node(3), 2, who=agent, rank=2), first)  # and a replay

    ledger = store.reader.read_ledger(run.ref)

    assert verdict(ledger) is Verdict.WHOLE
    found = [(each.kind, each.rank, each.stored.count) for each in ledger.lines if each.rank == 2]
    # The lines were printed by rank 3; who sent them is the agent of rank 2.
    assert found == [(Kind.POINTS, 2, 0), (Kind.SYSTEM, 2, 6), (Kind.LINES, 2, 4)]


def test_ranks_and_lives_have_lines_of_their_own(store: Store) -> None:
    run = Teller()
    later = frames.producer(9, birth_s=frames.BIRTH_S + 5)
    store.put(
        run.entry(everything(0), 1),
        run.entry(everything(0), 1, who=frames.producer(1), rank=1),
        run.entry(frames.grid(0), 1, who=later),
    )

    ledger = store.reader.read_ledger(run.ref)

    assert verdict(ledger) is Verdict.WHOLE
    points = [each for each in ledger.lines if each.kind is Kind.POINTS]
    assert [(each.rank, each.stored.count) for each in points] == [(0, 6), (0, 2), (1, 6)]
    assert points[1].producers == (UUID(bytes=later),)
    # Both ranks set the same attribute with the same version: neither hides the other's.
    assert line(ledger, Kind.ATTRS, rank=1).stored.count == 2


def test_two_processes_of_one_rank_and_second_share_a_line(store: Store) -> None:
    run = Teller()
    other = frames.producer(1)
    store.put(run.entry(frames.grid(0), 1), run.entry(frames.grid(10), 1, who=other))

    ledger = store.reader.read_ledger(run.ref)

    assert verdict(ledger) is Verdict.WHOLE
    assert len(line(ledger).producers) == 2
    assert line(ledger).stored.count == 4


def test_what_is_stored_after_the_newest_claim_is_not_counted_yet(store: Store) -> None:
    run = Teller()
    place = {"project": run.ref.project, "run_id": run.ref.run_id}
    store.put(run.entry(frames.grid(0), 1), frames.entry(frames.grid(1), 2, **place))

    ledger = store.reader.read_ledger(run.ref)

    assert verdict(ledger) is Verdict.WHOLE
    assert line(ledger).stored.count == 2
    assert (ledger.producers[0].claimed_seq, ledger.producers[0].committed_seq) == (1, 2)


def test_what_people_edit_and_what_the_server_finds_is_nobodys_claim(store: Store) -> None:
    run = Teller()
    store.put(run.entry(everything(0), 1, rejects=[ingest_pb2.Reject(code="X", count=1)]))
    Editor(store.inserter).edit_run(
        store.reader.get_run(run.ref),
        Edits(name="best", add_tags=("t",)),
        by="ann",
        at_unix_us=frames.BIRTH_S * 1_000_000 + 1,
    )

    assert verdict(store.reader.read_ledger(run.ref)) is Verdict.WHOLE


# ── what does not ──────────────────────────────────────────────────────────


def _altered(body: ingest_pb2.Body, alter: Callable[[ingest_pb2.Body], None]) -> ingest_pb2.Body:
    other = ingest_pb2.Body()
    other.CopyFrom(body)
    alter(other)
    return other


def _stored_otherwise(
    store: Store, alter: Callable[[ingest_pb2.Body], None], kind: Kind
) -> LedgerLine:
    """Store something else than what was sent, as a faulty server would."""
    run = Teller()
    whole = everything(0)
    names = len(whole.names)
    node = of_a_node(1)
    for block in node.system:  # whose names come after the others in one table
        for column in ("metric", "device"):
            indices = np.frombuffer(getattr(block, column), "<u4") + names
            setattr(block, column, indices.astype("<u4").tobytes())
    whole.MergeFrom(ingest_pb2.Body(names=node.names, system=node.system, lines=node.lines))
    source = run.entry(whole, 1)
    sent = unpack(source)
    place = {"project": run.ref.project, "run_id": run.ref.run_id}
    store.put(frames.entry(_altered(sent.body, alter), 1, **place))
    return line(store.reader.read_ledger(run.ref), kind)


def _one_bit_of_a_value(body: ingest_pb2.Body) -> None:
    raw = bytearray(body.points[0].value)
    raw[9] ^= 1
    body.points[0].value = bytes(raw)


def _one_microsecond(body: ingest_pb2.Body) -> None:
    raw = bytearray(body.points[0].time_unix_us)
    raw[0] ^= 1
    body.points[0].time_unix_us = bytes(raw)


def _another_step(body: ingest_pb2.Body) -> None:
    raw = bytearray(body.points[0].step)
    raw[1] ^= 1
    body.points[0].step = bytes(raw)


def _another_metric(body: ingest_pb2.Body) -> None:
    body.names[0] = "Loss"


def _another_text(body: ingest_pb2.Body) -> None:
    body.texts[0].value[0] = "grüsse"


def _another_attribute(body: ingest_pb2.Body) -> None:
    body.attrs[0].float = math.nextafter(body.attrs[0].float, 1)


def _another_title(body: ingest_pb2.Body) -> None:
    body.events[0].title = "hotter"


def _another_measurement(body: ingest_pb2.Body) -> None:
    raw = bytearray(body.system[0].value)
    raw[0] ^= 1
    body.system[0].value = bytes(raw)


def _another_device(body: ingest_pb2.Body) -> None:
    body.names[list(body.names).index("gpu0")] = "gpu2"


def _another_line(body: ingest_pb2.Body) -> None:
    body.lines[0].line[1] = " "


def _another_number(body: ingest_pb2.Body) -> None:
    body.lines[0].number = bytes([9]) + body.lines[0].number[1:]


def _another_stream(body: ingest_pb2.Body) -> None:
    body.lines[0].stream = bytes([2, 3])


@pytest.mark.parametrize(
    ("alter", "kind"),
    [
        (_one_bit_of_a_value, Kind.POINTS),
        (_one_microsecond, Kind.POINTS),
        (_another_step, Kind.POINTS),
        (_another_metric, Kind.POINTS),
        (_another_text, Kind.TEXTS),
        (_another_attribute, Kind.ATTRS),
        (_another_title, Kind.EVENTS),
        (_another_measurement, Kind.SYSTEM),
        (_another_device, Kind.SYSTEM),
        (_another_line, Kind.LINES),
        (_another_number, Kind.LINES),
        (_another_stream, Kind.LINES),
    ],
)
def test_one_changed_thing_among_as_many_as_were_sent_is_noticed(
    store: Store, alter: Callable[[ingest_pb2.Body], None], kind: Kind
) -> None:
    found = _stored_otherwise(store, alter, kind)
    assert found.sent is not None
    assert found.sent.count == found.stored.count
    assert verdict_of(found) is Verdict.CHANGED


def test_points_that_vanished_are_missing(store: Store) -> None:
    run = Teller()
    run.entry(frames.grid(0), 1)
    store.put(run.entry(frames.grid(5), 2))

    found = line(store.reader.read_ledger(run.ref))
    assert verdict_of(found) is Verdict.MISSING
    assert lost(found) == 0


def test_points_stored_twice_under_other_versions_are_doubled(store: Store) -> None:
    run = Teller()
    place = {"project": run.ref.project, "run_id": run.ref.run_id}
    # Seq 1 comes again as seq 2, as if a server had lost count; the claim is that of one frame.
    store.put(
        frames.entry(frames.grid(0), 1, **place),
        run.entry(frames.grid(0), 2),
    )
    assert verdict(store.reader.read_ledger(run.ref)) is Verdict.DOUBLED


def test_a_declared_gap_explains_what_is_missing(store: Store) -> None:
    run = Teller()
    run.entry(frames.grid(0), 1)
    run.entry(frames.grid(1), 2)
    gap = ingest_pb2.Body(schema=1)
    gap.losses.add(reason="never_received", first_seq=1, last_seq=2)
    place = {"project": run.ref.project, "run_id": run.ref.run_id}
    store.put(frames.entry(gap, 1, **place), run.entry(frames.grid(2), 3))

    ledger = store.reader.read_ledger(run.ref)

    found = line(ledger)
    assert verdict_of(found) is Verdict.LOST
    assert (found.sent.count if found.sent else 0, found.stored.count, lost(found)) == (6, 2, 4)
    assert [(gap.first_seq, gap.last_seq) for gap in ledger.gaps] == [(1, 2)]


def test_a_gap_after_the_newest_claim_is_no_whole_run(store: Store) -> None:
    run = Teller()
    gap = ingest_pb2.Body(schema=1)
    gap.losses.add(reason="never_received", first_seq=2, last_seq=4)
    place = {"project": run.ref.project, "run_id": run.ref.run_id}
    store.put(run.entry(frames.grid(0), 1), frames.entry(gap, 2, **place))

    assert verdict(store.reader.read_ledger(run.ref)) is Verdict.LOST


def test_points_dropped_by_the_client_are_lost_and_refused_values_are_not(store: Store) -> None:
    refused, dropped = Teller(), Teller()
    for run, reason in ((refused, "bad_value"), (dropped, "disk_full")):
        body = frames.grid(0)
        body.losses.add(reason=reason, points=7)
        store.put(run.entry(body, 1))

    found = line(store.reader.read_ledger(refused.ref))
    assert (found.refused, found.dropped, verdict_of(found)) == (7, 0, Verdict.WHOLE)
    found = line(store.reader.read_ledger(dropped.ref))
    assert (found.refused, found.dropped, verdict_of(found)) == (0, 7, Verdict.LOST)


def test_a_client_that_keeps_no_ledger_is_unclaimed(store: Store) -> None:
    run = Teller()
    place = {"project": run.ref.project, "run_id": run.ref.run_id}
    store.put(frames.entry(frames.grid(0), 1, **place))

    found = line(store.reader.read_ledger(run.ref))
    assert (found.sent, found.stored.count) == (None, 2)
    assert verdict_of(found) is Verdict.UNCLAIMED


# ── what was refused on the way ────────────────────────────────────────────


def _without_attrs(source: StreamEntry) -> StreamEntry:
    """The entry as a gateway leaves it that took the attributes out."""
    entry = stream_pb2.Entry.FromString(source.payload)
    frame = unpack(source)
    body = _altered(frame.body, lambda body: body.ClearField("attrs"))
    taken = tally.taken_out(tally.contents_of(frame.body), tally.contents_of(body))
    made = frames.entry(body, source.seq, who=source.producer)
    kept = stream_pb2.Entry.FromString(made.payload)
    entry.frame.CopyFrom(kept.frame)
    entry.rejected.extend(tally.tally_messages(taken))
    return StreamEntry(source.id, source.producer, source.seq, entry.SerializeToString())


def test_what_the_gateway_took_out_is_accounted_for(store: Store) -> None:
    run = Teller()
    store.put(_without_attrs(run.entry(everything(0), 1)))

    ledger = store.reader.read_ledger(run.ref)

    assert verdict(ledger) is Verdict.WHOLE
    assert line(ledger, Kind.ATTRS).rejected.count == 2


def test_a_dead_letter_is_accounted_for_even_where_some_of_its_tables_were_stored(
    store: Store,
) -> None:
    run = Teller()
    store.put(run.entry(everything(0), 1))
    poison = run.entry(everything(3), 2)
    points = build_block([unpack(poison)])[tables.POINTS]
    store.inserter.insert({tables.POINTS: points}, uuid4().hex)  # the next table refused its rows
    store.bury(poison)

    ledger = store.reader.read_ledger(run.ref)

    assert {verdict_of(each) for each in ledger.lines} == {Verdict.WHOLE}
    found = line(ledger)
    assert (found.dead.count, found.stored.count) == (6, 6)
    assert ledger.producers[0].claimed_seq == 2  # its claim counts although it is dead


def test_a_dead_frame_of_an_agent_is_accounted_for_line_by_line(store: Store) -> None:
    run = Teller()
    store.put(run.entry(of_a_node(1), 1))
    poison = run.entry(of_a_node(3), 2)
    half = build_block([unpack(poison)])[tables.SYSTEM_POINTS]
    store.inserter.insert({tables.SYSTEM_POINTS: half}, uuid4().hex)
    store.bury(poison)

    ledger = store.reader.read_ledger(run.ref)

    assert {verdict_of(each) for each in ledger.lines} == {Verdict.WHOLE}
    system, lines = line(ledger, Kind.SYSTEM), line(ledger, Kind.LINES)
    assert (system.dead.count, system.stored.count) == (3, 3)
    assert (lines.dead.count, lines.stored.count) == (2, 2)


def test_an_entry_that_could_not_be_read_is_a_gap(store: Store) -> None:
    run = Teller()
    run.entry(frames.grid(0), 1)
    source = run.entry(frames.grid(1), 2)
    entry = stream_pb2.Entry.FromString(source.payload)
    letter = DeadLetter.of(source, entry, "crc32")
    store.inserter.insert(build_block([letter, unpack(run.entry(frames.grid(9), 3))]), uuid4().hex)

    ledger = store.reader.read_ledger(run.ref)

    assert [(gap.first_seq, gap.last_seq) for gap in ledger.gaps] == [(2, 2)]
    assert verdict_of(line(ledger)) is Verdict.LOST


def test_a_run_that_does_not_exist_has_no_ledger(store: Store) -> None:
    run = Teller()
    with pytest.raises(UnknownRun):
        store.reader.read_ledger(run.ref)
    store.put(run.entry(frames.grid(0), 1))
    Editor(store.inserter).delete_run(run.ref, by="ann", at_unix_us=frames.ACCEPTED_UNIX_US)
    with pytest.raises(UnknownRun):
        store.reader.read_ledger(run.ref)
