"""The client's digests, in plain Python, against the server's, in numpy: one page, two readers."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.client.any_frame import ATTRS, EVENTS, TEXTS, many_rows, node_bodies, packed
from weir._columns import Row, Text
from weir._ledger import Claim, Ledger
from weir_proto.v1 import ingest_pb2 as pb
from weir_server.tally import claims_of, contents_of
from weir_store.records import Kind, Tally


def as_the_server_says(claim: Claim) -> dict[Kind, Tally]:
    told = {kind: getattr(claim, kind) for kind in Kind}
    return {kind: Tally(each.count, each.digest) for kind, each in told.items()}


@given(many_rows(), TEXTS, ATTRS, EVENTS)
@settings(deadline=None, max_examples=100)
def test_client_and_server_come_to_the_same_digest_of_every_frame(
    rows: list[Row], texts: list[Text], attrs: list[pb.Attr], events: list[pb.Event]
) -> None:
    body = packed(rows, Ledger(), texts=texts, attrs=attrs, events=events)
    found = contents_of(body)
    assert found.exact
    stated = as_the_server_says(Claim.of(body))
    assert {kind: found.tallies.get(kind, Tally()) for kind in Kind} == stated


@given(node_bodies())
@settings(deadline=None, max_examples=100)
def test_they_agree_on_what_nodes_measure_and_processes_print(body: pb.Body) -> None:
    found = contents_of(body)
    assert found.exact
    stated = as_the_server_says(Claim.of(body))
    assert {kind: found.tallies.get(kind, Tally()) for kind in Kind} == stated


@given(st.lists(st.tuples(many_rows(), ATTRS), min_size=1, max_size=5))
@settings(deadline=None, max_examples=25)
def test_the_newest_claim_is_the_sum_of_what_the_server_finds_in_the_frames(
    frames: list[tuple[list[Row], list[pb.Attr]]],
) -> None:
    ledger, count, total = Ledger(), 0, 0
    for rows, attrs in frames:
        body = packed(rows, ledger, attrs=attrs)
        ledger.settle()
        found = contents_of(body).tallies.get(Kind.POINTS, Tally())
        count, total = count + found.count, (total + found.digest) % (1 << 64)
        assert claims_of(body)[Kind.POINTS] == Tally(count, total)
