"""What the server counts in a body is what its client states; what nobody can read is said to be so."""

import numpy as np
import pytest
from hypothesis import given, settings

from tests.unit.client.any_frame import ATTRS, EVENTS, TEXTS, many_rows, packed
from weir._columns import Row, Text
from weir._ledger import Claim
from weir_proto.v1 import ingest_pb2
from weir_server import tally
from weir_store import digest
from weir_store.records import Kind, Tally


@given(many_rows(), TEXTS, ATTRS, EVENTS)
@settings(deadline=None, max_examples=200)
def test_the_server_counts_what_the_client_states(
    rows: list[Row],
    texts: list[Text],
    attrs: list[ingest_pb2.Attr],
    events: list[ingest_pb2.Event],
) -> None:
    body = packed(rows, texts=texts, attrs=attrs, events=events)
    claim = Claim.of(body)
    found = tally.contents_of(body)
    assert found.exact
    for kind in Kind:
        stated = getattr(claim, kind)
        assert found.tallies.get(kind, Tally()) == Tally(stated.count, stated.digest)


def grid(**changed: object) -> ingest_pb2.Body:
    body = ingest_pb2.Body(schema=1, names=["a", "b"])
    columns: dict[str, object] = {
        "width": 2,
        "metric": np.array([0, 1], "<u4").tobytes(),
        "step": np.array([3, 4], "<i8").tobytes(),
        "time_unix_us": np.array([5, 6], "<i8").tobytes(),
        "value": np.array([1, 2, 3, 4], "<f8").tobytes(),
    }
    body.points.add(**{**columns, **changed})  # type: ignore[arg-type]
    return body


@pytest.mark.parametrize(
    ("changed", "counted"),
    [
        ({"value": b"123"}, 0),
        ({"value": bytes(24)}, 0),
        ({"step": bytes(8)}, 0),
        ({"time_unix_us": bytes(8)}, 0),
        ({"metric": bytes(12)}, 0),
        ({"metric": np.array([0, 2], "<u4").tobytes()}, 2),  # the column that has a name
    ],
)
def test_what_cannot_be_made_out_is_left_out_and_told(
    changed: dict[str, object], counted: int
) -> None:
    body = grid(**changed)
    body.texts.add(metric=bytes(4), step=bytes(8), time_unix_us=bytes(8), value=["kept"])
    found = tally.contents_of(body)
    assert not found.exact
    assert found.tallies.get(Kind.POINTS, Tally()).count == counted
    assert found.tallies[Kind.TEXTS].count == 1


@pytest.mark.parametrize(
    "body",
    [
        ingest_pb2.Body(attrs=[ingest_pb2.Attr(namespace=1, path="x")]),
        ingest_pb2.Body(attrs=[ingest_pb2.Attr(path="x", int=1)]),
        ingest_pb2.Body(events=[ingest_pb2.Event(event_id=b"short", kind="x")]),
    ],
)
def test_facts_without_a_digest_are_told(body: ingest_pb2.Body) -> None:
    assert tally.contents_of(body) == tally.Contents({}, exact=False)


def test_what_was_taken_out_is_the_difference() -> None:
    before, after = tally.contents_of(grid()), tally.contents_of(ingest_pb2.Body())
    assert tally.taken_out(before, before) == {Kind.POINTS: Tally(0, 0)}
    assert tally.taken_out(before, after) == before.tallies
    assert tally.tally_messages(tally.taken_out(before, before)) == []


def test_of_two_tallies_of_a_kind_the_last_counts_and_unknown_kinds_do_not() -> None:
    body = ingest_pb2.Body(
        tallies=[
            ingest_pb2.Tally(kind=1, count=1, digest=1),
            ingest_pb2.Tally(kind=9, count=1, digest=1),
            ingest_pb2.Tally(kind=1, count=2, digest=3),
        ]
    )
    assert tally.claims_of(body) == {Kind.POINTS: Tally(2, 3)}


def test_the_digests_of_this_release_stay_what_they_are() -> None:
    """Written down once: a store holds claims of every client that ever wrote to it."""
    words = digest.value_words(np.array([0.1, -0.0, np.nan, np.inf]))
    total = digest.digest_points(
        digest.metric_words(["train/loss", "größe", "", "x"]),
        np.array([0, -7, 1 << 40, 3]),
        np.array([1_700_000_000_000_000, 0, -1, 5]),
        words,
    )
    assert total == 5_434_121_934_404_063_929
    attr = digest.digest_attr("config", "lr", "float", digest.float_text(0.1))
    assert attr == 7_812_792_972_140_287_660
