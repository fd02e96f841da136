"""Rows of the ledger: a pure function of the entries of a block."""

from typing import Any

from tests.unit.server import frames
from weir_proto.v1 import ingest_pb2, stream_pb2
from weir_server.stream.base import StreamEntry
from weir_server.writer.dead_letter import DeadLetter
from weir_server.writer.facts import event_rows
from weir_server.writer.ledger_rows import ledger_rows
from weir_server.writer.rows import build_block
from weir_server.writer.unpack import unpack
from weir_store import tables


def told(seq: int, count: int = 1, *, who: bytes | None = None, **changed: Any) -> StreamEntry:
    """A frame of one grid row that claims `count` points so far."""
    body = frames.grid(seq)
    body.tallies.add(kind=ingest_pb2.Tally.POINT, count=count, digest=count * 10)
    body.MergeFrom(ingest_pb2.Body(**changed))
    return frames.entry(body, seq, who=who)


def lines(*sources: StreamEntry, dead: tuple[DeadLetter, ...] = ()) -> list[tuple[Any, ...]]:
    rows = ledger_rows([unpack(source) for source in sources], dead)
    return [
        (row["kind"], row["account"], row["part"], row["count"], row["digest"], row["ver"])
        for row in rows
    ]


def buried(source: StreamEntry) -> DeadLetter:
    frame = unpack(source)
    return DeadLetter.of(source, frame.entry, "poison", body=frame.body)


def test_of_each_producer_the_newest_claim_of_the_block_is_kept() -> None:
    other = frames.producer(1)
    rows = ledger_rows(
        [unpack(each) for each in (told(1, 2), told(1, 7, who=other), told(2, 4))], []
    )
    found = [(row["producer"], row["count"], row["ver"]) for row in rows]
    assert sorted(found) == [(frames.producer(), 4, 2), (other, 7, 1)]


def test_a_kind_of_which_nothing_was_sent_has_no_row_but_points_always_have() -> None:
    body = ingest_pb2.Body(schema=1, tallies=[ingest_pb2.Tally(kind=k) for k in (1, 2, 3)])
    body.tallies.add(kind=ingest_pb2.Tally.EVENT, count=2, digest=5)
    assert lines(frames.entry(body, 3)) == [
        ("points", "sent", 0, 0, 0, 3),
        ("events", "sent", 0, 2, 5, 3),
    ]


def test_a_client_that_keeps_no_ledger_leaves_none() -> None:
    assert lines(frames.entry(frames.grid(0))) == []
    assert tables.LEDGER not in build_block([unpack(frames.entry(frames.grid(0)))])


def test_what_the_gateway_took_out_is_a_rejected_row_of_the_frame() -> None:
    source = told(4)
    entry = stream_pb2.Entry.FromString(source.payload)
    entry.rejected.add(kind=ingest_pb2.Tally.ATTR, count=2, digest=9)
    entry.unreadable = True
    source = StreamEntry(source.id, source.producer, 4, entry.SerializeToString())
    assert lines(source)[1:] == [
        ("attrs", "rejected", 4, 2, 9, 4),
        ("points", "gap", 4, 1, 0, 4),
    ]


def test_losses_are_gaps_dropped_points_or_refused_values() -> None:
    losses = [
        ingest_pb2.Loss(reason="spool_corrupt", first_seq=2, last_seq=5),
        ingest_pb2.Loss(reason="disk_full", points=7),
        ingest_pb2.Loss(reason="queue_full", points=1),
        ingest_pb2.Loss(reason="bad_value", points=3),
        ingest_pb2.Loss(reason="torn_tail"),
        ingest_pb2.Loss(reason="nonsense", first_seq=9, last_seq=2),
    ]
    assert lines(told(6, losses=losses))[1:] == [
        ("points", "gap", 2, 4, 0, 6),
        ("points", "dropped", 6, 8, 0, 6),
        ("points", "refused", 6, 3, 0, 6),
    ]


def test_values_refused_by_log_are_a_warning_and_no_lost_points() -> None:
    source = told(1, losses=[ingest_pb2.Loss(reason="bad_value", points=3)])
    (row,) = event_rows([unpack(source)], [])
    assert (row["severity"], row["title"]) == ("warn", "3 values refused by log()")
    assert row["kind"] == "refused"


def test_a_dead_letter_leaves_its_claim_and_what_it_held() -> None:
    letter = buried(told(5, 8))
    (sent, dead) = lines(dead=(letter,))
    assert sent == ("points", "sent", 0, 8, 80, 5)
    assert dead[:4] == ("points", "dead", 5, 2)
    assert dead[5] == 5


def test_a_newer_claim_wins_over_that_of_a_dead_letter() -> None:
    assert lines(told(6, 9), dead=(buried(told(5, 8)),))[0] == ("points", "sent", 0, 9, 90, 6)


def test_a_letter_that_cannot_be_read_is_a_gap() -> None:
    source = told(5)
    entry = stream_pb2.Entry.FromString(source.payload)
    assert lines(dead=(DeadLetter.of(source, entry, "crc32"),)) == [("points", "gap", 5, 1, 0, 5)]
    assert lines(dead=(DeadLetter.of(source, None, "no entry"),)) == []
