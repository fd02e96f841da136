import math
from typing import Any
from uuid import UUID

import pytest

from tests.unit.server import frames
from weir_proto.v1 import ingest_pb2
from weir_server.writer.dead_letter import DeadLetter
from weir_server.writer.rows import build_block
from weir_server.writer.unpack import Undecodable, row_version, unpack
from weir_store import tables


def rows(table: str, *bodies: ingest_pb2.Body, **options: Any) -> list[dict[str, Any]]:
    items = [unpack(frames.entry(body, seq, **options)) for seq, body in enumerate(bodies, 1)]
    block = build_block(items)
    return block[table].to_pylist(maps_as_pydicts="strict") if table in block else []


def attr(path: str = "a", namespace: Any = ingest_pb2.Attr.CONFIG, **value: Any) -> ingest_pb2.Body:
    body = ingest_pb2.Body(schema=1)
    body.attrs.add(namespace=namespace, path=path, **value)
    return body


@pytest.mark.parametrize(
    ("value", "kind", "num", "whole", "text"),
    [
        ({"float": 0.5}, "float", 0.5, 0, ""),
        ({"int": 2**60 + 1}, "int", float(2**60 + 1), 2**60 + 1, ""),
        ({"bool": True}, "bool", 1.0, 1, ""),
        ({"str": "x"}, "str", math.nan, 0, "x"),
        ({"json": "[1]"}, "json", math.nan, 0, "[1]"),
        ({"null": True}, "null", math.nan, 0, ""),
    ],
)
def test_an_attribute_keeps_its_type_and_its_exact_value(
    value: dict[str, Any], kind: str, num: float, whole: int, text: str
) -> None:
    (row,) = rows(tables.RUN_ATTRS, attr(**value))

    assert (row["ns"], row["path"], row["type"]) == ("config", "a", kind)
    assert row["num"] == num or (math.isnan(num) and math.isnan(row["num"]))
    assert (row["int"], row["str"], row["is_deleted"]) == (whole, text, 0)


def test_a_removed_attribute_is_a_tombstone() -> None:
    (row,) = rows(tables.RUN_ATTRS, attr(namespace=ingest_pb2.Attr.TAG, deleted=True))

    assert (row["ns"], row["is_deleted"]) == ("tag", 1)


def test_a_later_frame_and_a_later_session_have_higher_versions() -> None:
    first = row_version(frames.producer(birth_s=100), 2**31)
    later_frame = row_version(frames.producer(birth_s=100), 2**31 + 1)
    later_session = row_version(frames.producer(birth_s=101), 1)

    assert first < later_frame < later_session


def test_a_block_says_once_that_a_run_exists() -> None:
    found = rows(tables.RUNS, frames.grid(0), frames.grid(1))

    assert [(row["project"], row["run_id"], row["is_deleted"]) for row in found] == [("p", "r", 0)]
    assert found[0]["ver"] < 1 << 63


def test_only_the_newest_word_of_a_session_is_kept() -> None:
    begun, ended = ingest_pb2.Body(schema=1), ingest_pb2.Body(schema=1)
    begun.session.state = ingest_pb2.SessionUpdate.RUNNING
    ended.session.state = ingest_pb2.SessionUpdate.FAILED
    ended.session.exit_code = 3

    (row,) = rows(tables.SESSIONS, begun, ended, frames.grid(0))

    assert (row["state"], row["exit_code"], row["role"]) == ("failed", 3, "trainer")


def test_a_frame_without_a_session_update_leaves_the_session_as_it_is() -> None:
    assert rows(tables.SESSIONS, frames.grid(0)) == []


def test_what_the_gateway_refused_is_an_event_of_the_run_and_always_the_same_one() -> None:
    refused = [
        ingest_pb2.Reject(code="METRIC_NAME_TOO_LONG", field="loss…", message="shorten it", count=7)
    ]

    (once,) = rows(tables.EVENTS, frames.grid(0), rejects=refused)
    (again,) = rows(tables.EVENTS, frames.grid(0), rejects=refused)

    assert once == again
    assert (once["kind"], once["attrs"]["count"], once["body"]) == ("rejected", "7", "shorten it")


def test_a_loss_is_an_error_of_the_run_with_its_range_and_count() -> None:
    body = ingest_pb2.Body(schema=1)
    body.losses.add(reason="disk_full", first_seq=3, last_seq=9, points=70, message="no space left")

    (row,) = rows(tables.EVENTS, body)

    assert (row["kind"], row["severity"]) == ("loss", "error")
    assert row["attrs"] == {
        "reason": "disk_full",
        "first_seq": "3",
        "last_seq": "9",
        "points": "70",
    }


def test_an_event_with_an_unknown_severity_is_stored_as_info() -> None:
    body = ingest_pb2.Body(schema=1)
    body.events.add(event_id=bytes(16), kind="alert", severity="catastrophic", title="t")

    (row,) = rows(tables.EVENTS, body)

    assert (row["severity"], row["step"]) == ("info", -1)


def test_the_watermark_of_a_block_is_the_highest_seq_dead_or_alive() -> None:
    alive, dead = frames.entry(frames.grid(0), 1), frames.entry(frames.grid(1), 2)

    block = build_block([unpack(alive), DeadLetter(dead, "broken", "p", "r")])

    (row,) = block[tables.INGEST_COMMITS].to_pylist()
    assert (UUID(bytes=row["producer"]), row["seq"]) == (UUID(bytes=frames.producer()), 2)


def test_a_dead_letter_keeps_the_whole_entry_and_shows_on_the_run() -> None:
    dead = frames.entry(frames.grid(1), 2)

    block = build_block([DeadLetter(dead, "broken", "p", "r")])

    assert block[tables.DEAD_LETTERS].to_pylist()[0]["entry"] == dead.payload
    assert block[tables.EVENTS].to_pylist()[0]["kind"] == "dead_letter"
    assert tables.POINTS not in block


def corrupt(**changes: Any) -> ingest_pb2.Body:
    body = frames.grid(0, rows=2)
    for name, value in changes.items():
        setattr(body.points[0], name, value)
    return body


@pytest.mark.parametrize(
    "body",
    [
        corrupt(step=bytes(8)),
        corrupt(time_unix_us=bytes(24)),
        corrupt(value=bytes(8)),
        corrupt(value=bytes(7)),
        corrupt(metric=b"\xff\xff\xff\xff" * 2),
        corrupt(metric=bytes(4)),
        corrupt(width=2**31),
        attr(namespace=0, int=1),
        attr(namespace=9, int=1),
        ingest_pb2.Body(schema=2),
        b"\xff\xff\xff",
    ],
)
def test_a_body_that_contradicts_itself_never_becomes_rows(body: ingest_pb2.Body | bytes) -> None:
    with pytest.raises(Undecodable) as caught:
        unpack(frames.entry(body))

    assert caught.value.entry is not None


def test_an_entry_whose_bytes_were_changed_never_becomes_rows() -> None:
    source = frames.entry(frames.grid(0, 50), packed=False)
    payload = bytearray(source.payload)
    payload[len(payload) // 2] ^= 1

    with pytest.raises(Undecodable, match="crc32"):
        unpack(type(source)(source.id, source.producer, source.seq, bytes(payload)))


def test_an_entry_that_is_none_is_told_apart_from_one_with_a_bad_body() -> None:
    source = frames.entry(frames.grid(0))

    with pytest.raises(Undecodable) as caught:
        unpack(type(source)(source.id, source.producer, source.seq, b"\xff\xff"))

    assert caught.value.entry is None


def test_a_branch_is_as_old_as_its_producer() -> None:
    body = ingest_pb2.Body(schema=1)
    body.branch.parent_run_id, body.branch.step, body.branch.launch = "base", 70, "job 7"
    (row,) = rows(tables.BRANCHES, body, ingest_pb2.Body(schema=1))

    assert row["ver"] == frames.BIRTH_S << 32
    assert (row["parent_run_id"], row["step"], row["launch"]) == ("base", 70, "job 7")
    assert (row["rank"], row["world_size"], row["producer"]) == (0, 2, frames.producer())
