"""Bodies of any bytes are judged and never crash; facts that cannot be stored are taken out."""

import json
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from weir_proto.v1 import ingest_pb2 as pb
from weir_proto.v1 import stream_pb2
from weir_server.errors import InvalidFrame
from weir_server.gateway.cardinality import MetricCounter
from weir_server.gateway.judge import Damaged, Judge
from weir_server.gateway.limits import MAX_REJECTS, Code, Limits
from weir_server.gateway.producer import Producer
from weir_server.gateway.unpack import crc32_of, repack, unpack
from weir_server.gateway.validate import SchemaTooNew, Verdict, validate
from weir_server.settings import GatewaySettings

NOW = 1_800_000_000_000_000
LIMITS = Limits.of(GatewaySettings())
CONFIG, META = pb.Attr.CONFIG, pb.Attr.META


def check(body: pb.Body) -> Verdict:
    return validate(body.SerializeToString(), LIMITS, now_unix_us=NOW, admit=lambda names: ())


def codes(verdict: Verdict) -> list[str]:
    return [r.code for r in verdict.findings.rejects(1)]


def judge(frame: pb.Frame, damaged_seq: int = 0):
    producer = Producer(
        origin=pb.Origin(producer=b"p" * 16, project="p", run_id="r"),
        shard=0,
        birth_unix_us=NOW,
        accepted=0,
        committed=0,
        damaged_seq=damaged_seq,
    )
    return Judge(LIMITS, MetricCounter(10)).judge(producer, frame, NOW)


def frame_of(raw: bytes, **more) -> pb.Frame:
    frame = pb.Frame(seq=1, crc32=crc32_of(1, 0, raw), raw_bytes=len(raw), body=raw)
    for name, value in more.items():
        setattr(frame, name, value)
    return frame


# ── any bytes ──────────────────────────────────────────────────────────────


@settings(max_examples=500, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_judged(raw):
    with suppress(InvalidFrame, SchemaTooNew):
        validate(raw, LIMITS, now_unix_us=NOW, admit=lambda names: ())


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_damaged_good_body_is_judged(data):
    body = pb.Body(
        schema=1,
        names=["a", "b"],
        points=[pb.PointBlock(width=2, metric=b"\0" * 8, step=b"\0" * 8, value=b"\0" * 16)],
        texts=[pb.TextBlock(metric=b"\0" * 4, step=b"\0" * 8, time_unix_us=b"\0" * 8, value=["x"])],
        attrs=[pb.Attr(namespace=CONFIG, path="x", json="[1]")],
        events=[pb.Event(event_id=b"e" * 16, kind="k", severity="warn", time_unix_us=NOW)],
        session=pb.SessionUpdate(state=pb.SessionUpdate.RUNNING, time_unix_us=NOW),
        losses=[pb.Loss(reason="x")],
    )
    raw = bytearray(body.SerializeToString())
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    with suppress(InvalidFrame, SchemaTooNew):
        validate(bytes(raw), LIMITS, now_unix_us=NOW, admit=lambda names: ())


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200), st.sampled_from([0, 1, 2]), st.integers(0, 2**32 - 1))
def test_any_packed_bytes_are_unpacked_or_refused(body, codec, raw_bytes):
    frame = pb.Frame(seq=1, codec=codec, raw_bytes=raw_bytes, body=body)
    with pytest.raises(InvalidFrame):
        unpack(frame, LIMITS)


def test_packing_again_keeps_the_frame_whole():
    raw = pb.Body(schema=1, names=["x"]).SerializeToString()
    packed = repack(pb.Frame(producer=b"p", seq=7, flags=1), raw)
    assert unpack(packed, LIMITS) == raw
    assert (packed.producer, packed.seq, packed.flags) == (b"p", 7, 1)


# ── whole frames ───────────────────────────────────────────────────────────


def test_a_frame_damaged_once_is_asked_for_again_and_then_given_up():
    frame = frame_of(pb.Body(schema=1).SerializeToString(), crc32=5)
    with pytest.raises(Damaged):
        judge(frame)
    judged = judge(frame, damaged_seq=1)
    assert judged.rejects[0].code == Code.FRAME_CRC_MISMATCH
    entry = stream_pb2.Entry.FromString(judged.payload)
    assert unpack(entry.frame, LIMITS) == pb.Body(schema=1).SerializeToString()
    assert entry.rejects[0].code == Code.FRAME_CRC_MISMATCH


def test_a_body_of_a_later_schema_is_not_rejected():
    with pytest.raises(SchemaTooNew):
        judge(frame_of(pb.Body(schema=2).SerializeToString()))


def test_a_final_frame_stays_final_when_its_body_is_given_up():
    raw = b"\xff"
    frame = frame_of(raw, flags=1, crc32=crc32_of(1, 1, raw))
    entry = stream_pb2.Entry.FromString(judge(frame).payload)
    assert entry.frame.flags == 1


# ── facts ──────────────────────────────────────────────────────────────────

LONG = "x" * (LIMITS.max_text_bytes + 1)


@pytest.mark.parametrize(
    ("attr", "code"),
    [
        (pb.Attr(namespace=CONFIG, path="", int=1), "ATTR_INVALID"),
        (pb.Attr(namespace=CONFIG, path="a\n", int=1), "ATTR_INVALID"),
        (pb.Attr(namespace=CONFIG, path="a"), "ATTR_INVALID"),
        (pb.Attr(path="a", int=1), "ATTR_INVALID"),
        (pb.Attr(namespace=77, path="a", int=1), "ATTR_INVALID"),
        (pb.Attr(namespace=CONFIG, path="a", json="{"), "ATTR_INVALID"),
        (pb.Attr(namespace=CONFIG, path="a", json="[" * 10_000), "ATTR_INVALID"),
        (pb.Attr(namespace=CONFIG, path="a" * 600, int=1), "ATTR_TOO_LONG"),
        (pb.Attr(namespace=META, path="a", str=LONG), "ATTR_TOO_LONG"),
        (pb.Attr(namespace=META, path="a", json=json.dumps(LONG)), "ATTR_TOO_LONG"),
    ],
)
def test_an_attribute_that_cannot_be_stored_is_named_and_the_rest_kept(attr, code):
    fine = pb.Attr(namespace=CONFIG, path="lr", float=float("nan"))
    verdict = check(pb.Body(schema=1, attrs=[attr, fine]))
    assert codes(verdict) == [code]
    assert [a.path for a in verdict.rest.attrs] == ["lr"]


def event(**more) -> pb.Event:
    fields = {"event_id": b"e" * 16, "kind": "k", "severity": "warn", "time_unix_us": NOW}
    return pb.Event(**{**fields, **more})


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        (event(event_id=b"short"), "EVENT_INVALID"),
        (event(kind=""), "EVENT_INVALID"),
        (event(severity="fatal"), "EVENT_INVALID"),
        (event(time_unix_us=0), "TIME_OUT_OF_RANGE"),
        (event(time_unix_us=2**64 - 1), "TIME_OUT_OF_RANGE"),
        (event(step=2**60), "STEP_OUT_OF_RANGE"),
        (event(body=LONG), "EVENT_TOO_LONG"),
        (event(attrs={"k": LONG}), "EVENT_TOO_LONG"),
        (event(attrs={str(i): "" for i in range(300)}), "EVENT_TOO_LONG"),
    ],
)
def test_an_event_that_cannot_be_stored_is_named_and_the_rest_kept(bad, code):
    verdict = check(pb.Body(schema=1, events=[bad, event(kind="fine")]))
    assert codes(verdict) == [code]
    assert [e.kind for e in verdict.rest.events] == ["fine"]


def test_the_end_of_a_run_is_mended_and_not_lost():
    session = pb.SessionUpdate(state=pb.SessionUpdate.FAILED, reason=LONG, time_unix_us=1)
    verdict = check(pb.Body(schema=1, session=session))
    assert sorted(codes(verdict)) == ["TEXT_TOO_LONG", "TIME_OUT_OF_RANGE"]
    assert verdict.rest.session.state == pb.SessionUpdate.FAILED
    assert verdict.rest.session.time_unix_us == NOW
    assert len(verdict.rest.session.reason) == LIMITS.max_text_bytes


def test_a_state_nobody_knows_is_refused():
    verdict = check(pb.Body(schema=1, session=pb.SessionUpdate(state=99, time_unix_us=NOW)))
    assert codes(verdict) == ["SESSION_INVALID"]
    assert not verdict.rest.HasField("session")


def test_a_loss_is_never_lost():
    loss = pb.Loss(reason="r" * 600, message="é" * LIMITS.max_text_bytes, points=5)
    verdict = check(pb.Body(schema=1, losses=[loss]))
    assert verdict.rest.losses[0].points == 5
    assert len(verdict.rest.losses[0].reason) == 512
    assert codes(verdict) == ["TEXT_TOO_LONG"]


def test_many_faults_make_few_rejects_that_add_up():
    attrs = [pb.Attr(namespace=CONFIG, path=f"a{i}") for i in range(5_000)]
    rejects = check(pb.Body(schema=1, attrs=attrs)).findings.rejects(1)
    assert len(rejects) <= MAX_REJECTS + 1
    assert sum(r.count for r in rejects) == 5_000


def test_what_a_reject_shows_is_short_and_printable():
    (reject,) = check(
        pb.Body(schema=1, attrs=[pb.Attr(namespace=CONFIG, path="\x1b[31m" + "x" * 500)])
    ).findings.rejects(1)
    assert len(reject.field) <= 120
    assert reject.field.isprintable()


# ── how many metrics ───────────────────────────────────────────────────────


def test_a_run_may_have_so_many_metrics_and_keeps_those_it_has():
    counter = MetricCounter(3)
    assert not counter.admit("p", "r", ["a", "b"])
    assert counter.admit("p", "r", ["b", "c", "d", "e"]) == {"d", "e"}
    assert not counter.admit("p", "r", ["a", "b", "c"])
    assert not counter.admit("p", "other", ["d"])


def test_counting_metrics_takes_bounded_memory():
    counter = MetricCounter(1_000, most_remembered=50)
    for run in range(100):
        counter.admit("p", str(run), [f"m{i}" for i in range(10)])
    assert sum(map(len, counter._seen.values())) <= 60
    assert counter._held == sum(map(len, counter._seen.values()))


# ── branches ───────────────────────────────────────────────────────────────


def test_a_branch_survives_when_something_else_is_taken_out():
    body = pb.Body(schema=1, branch=pb.Branch(parent_run_id="base", step=70, launch="job 7"))
    body.attrs.add(namespace=CONFIG, path="")  # no path, no value
    verdict = check(body)
    assert codes(verdict) == ["ATTR_INVALID"]
    assert verdict.rest is not None
    assert verdict.rest.branch == body.branch


@pytest.mark.parametrize(
    "branch",
    [
        pb.Branch(step=1),
        pb.Branch(parent_run_id="a\n", step=1),
        pb.Branch(parent_run_id="a" * 129, step=1),
        pb.Branch(parent_run_id="a", step=2**53 + 1),
        pb.Branch(parent_run_id="a", step=-(2**53) - 1),
        pb.Branch(parent_run_id="a", step=1, launch="l" * 513),
    ],
)
def test_a_branch_from_nowhere_is_refused_and_the_rest_kept(branch):
    body = pb.Body(schema=1, branch=branch)
    body.attrs.add(namespace=CONFIG, path="lr", float=0.1)
    verdict = check(body)
    assert codes(verdict) == ["BRANCH_INVALID"]
    assert verdict.rest is not None
    assert not verdict.rest.HasField("branch")
    assert verdict.rest.attrs == body.attrs
