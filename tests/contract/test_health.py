"""How a Weir fares, for both readers: whatever lies at rest, ClickHouse sums up what the plain loops do."""

from __future__ import annotations

import math
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from uuid import NAMESPACE_OID, UUID, uuid5

import pytest

from tests.contract.small_stores import BIRTH_S, NOW_UNIX_US, StoreBuilder
from weir_store import clickhouse, tables
from weir_store.base import Block
from weir_store.health.base import Book, HealthReader, Loss
from weir_store.health.clickhouse import STEADY_METRIC, ClickHouseHealth
from weir_store.health.memory import MemoryHealth
from weir_store.inserter import ClickHouseInserter
from weir_store.memory import MemoryStore
from weir_store.records import Kind, RunRef

DATABASE = "health_contract"
NOW_S = NOW_UNIX_US // 1_000_000
LIVE, OTHER, GONE = RunRef("vision", "live"), RunRef("speech", "other"), RunRef("vision", "gone")
EMPTIED = (
    *(tables.RUNS, tables.LEDGER, tables.DEAD_LETTERS, tables.SESSIONS, tables.INGEST_COMMITS),
    *(tables.SYSTEM_POINTS, tables.POINTS, "series", "points_64"),
)


@pytest.fixture(params=["clickhouse", "memory"])
def build(
    request: pytest.FixtureRequest, connection: clickhouse.ClickHouse
) -> Callable[[Block], HealthReader]:
    def in_clickhouse(block: Block) -> HealthReader:
        for table in EMPTIED:
            connection.command(f"TRUNCATE TABLE {DATABASE}_raw.{table}")
        ClickHouseInserter(connection, DATABASE).insert(block, uuid.uuid4().hex)
        return ClickHouseHealth(connection, DATABASE)

    def in_memory(block: Block) -> HealthReader:
        store = MemoryStore()
        store.insert(block, "")
        return MemoryHealth(store)

    return in_memory if request.param == "memory" else in_clickhouse


def producer(name: str) -> UUID:
    return uuid5(NAMESPACE_OID, name)


def moment(unix_s: float) -> datetime:
    return datetime.fromtimestamp(unix_s, UTC)


def three_runs() -> StoreBuilder:
    """Two runs that exist and one that was deleted."""
    builder = StoreBuilder()
    builder.add_run(LIVE)
    builder.add_run(OTHER)
    builder.add_run(GONE, deleted=True)
    return builder


def account(builder: StoreBuilder, ref: RunRef, name: str, count: int, **more: object) -> None:
    known = {"producer": producer(str(ref)).bytes, "rank": 0, "kind": "points", "part": 0, "digest": 0, "ver": 1,
             "is_deleted": 0}  # fmt: skip
    builder.add(
        tables.LEDGER,
        **{
            **known,
            "project": ref.project,
            "run_id": ref.run_id,
            "account": name,
            "count": count,
            **more,
        },
    )


def test_accounts_are_summed_by_kind_over_runs_that_exist_and_may_be_seen(build) -> None:
    builder = three_runs()
    account(builder, LIVE, "sent", 100)
    account(builder, OTHER, "sent", 11)
    account(builder, LIVE, "sent", 5, kind="texts")
    account(builder, LIVE, "dropped", 3, part=7)
    account(builder, LIVE, "gap", 2, part=9)
    account(builder, LIVE, "dead", 4, part=11, is_deleted=1)  # was retried with success
    account(builder, GONE, "dropped", 1_000)
    reader = build(builder.take_block())
    assert reader.list_books() == [
        Book(Kind.POINTS, sent=111, dropped=3, gap_frames=2),
        Book(Kind.TEXTS, sent=5),
    ]
    assert reader.list_books(["speech"]) == [Book(Kind.POINTS, sent=11)]
    assert reader.list_books([]) == []
    assert [book.lost for book in reader.list_books()] == [5, 0]


def test_runs_that_lost_something_are_named_the_most_first(build) -> None:
    builder = three_runs()
    account(builder, LIVE, "dropped", 3)
    account(builder, LIVE, "refused", 50)  # was no number: nothing that should be stored
    account(builder, OTHER, "rejected", 6)
    account(builder, OTHER, "dead", 1, kind="texts")
    account(builder, GONE, "dropped", 1_000)
    reader = build(builder.take_block())
    assert reader.list_losses() == [Loss(OTHER, 6, 1, 0, 0), Loss(LIVE, 0, 0, 0, 3)]
    assert [one.ref for one in reader.list_losses(limit=1)] == [OTHER]
    assert [one.ref for one in reader.list_losses(["vision"])] == [LIVE]


def test_dead_letters_that_wait_are_counted_by_reason(build) -> None:
    builder = three_runs()
    for seq, (ref, reason, state, at_s) in enumerate((
        (LIVE, "too long", "kept", 10), (LIVE, "too long", "kept", 20), (LIVE, "odd", "retried", 30),
        (OTHER, "odd", "kept", 5), (GONE, "odd", "kept", 40),
    )):  # fmt: skip
        builder.add(
            tables.DEAD_LETTERS, project=ref.project, run_id=ref.run_id, producer=producer("a").bytes, seq=seq,
            reason=reason, entry=b"x", at=moment(BIRTH_S + at_s), state=state, by="",
        )  # fmt: skip
    found = build(builder.take_block()).list_dead()
    assert [(one.project, one.reason, one.letters) for one in found] == [
        ("vision", "too long", 2),
        ("speech", "odd", 1),
    ]
    assert found[0].newest_unix_us == (BIRTH_S + 20) * 1_000_000


def sampled(builder: StoreBuilder, ref: RunRef, node: str, at_s: float) -> None:
    builder.add(
        tables.SYSTEM_POINTS, project=ref.project, run_id=ref.run_id, metric=STEADY_METRIC, node=node, device="",
        ts=moment(at_s), value=1.0, rank=0, ver=1, run_date=20_800,
    )  # fmt: skip


def test_a_node_says_how_far_its_spool_is_behind_and_who_on_it_is_silent(build) -> None:
    builder = three_runs()
    running = {"state": "running"}
    for rank, seen in ((0, NOW_S - 1), (1, NOW_S - 400)):
        builder.add_session(
            LIVE, producer(f"w{rank}"), rank=rank, node="late", seen_s=seen, **running
        )
    builder.add_session(
        LIVE, producer("agent"), role="agent", node="late", seen_s=NOW_S - 2, **running
    )
    builder.add_session(OTHER, producer("bare"), node="bare", seen_s=NOW_S - 3, **running)
    builder.add_session(OTHER, producer("over"), node="over", seen_s=NOW_S - 3)  # has ended
    builder.add_session(OTHER, producer("old"), node="old", seen_s=NOW_S - 90_000, **running)
    builder.add_session(GONE, producer("gone"), node="gone", seen_s=NOW_S, **running)
    sampled(builder, LIVE, "late", NOW_S - 900)
    sampled(builder, LIVE, "late", NOW_S - 302)
    reader = build(builder.take_block())
    bare, late = reader.list_nodes(NOW_UNIX_US, NOW_UNIX_US - 86_400_000_000)
    assert (late.node, late.runs, late.processes, late.silent) == ("late", 1, 2, 1)
    assert late.heard_unix_us == (NOW_S - 1) * 1_000_000
    assert late.behind_s == 300
    assert (bare.node, bare.processes, bare.behind_s) == ("bare", 1, None)
    assert [one.node for one in reader.list_nodes(NOW_UNIX_US, 0, ["speech"])] == ["old", "bare"]


def test_runs_with_nan_are_named_by_their_loss_if_it_has_one(build) -> None:
    builder = three_runs()
    for step, value in enumerate((1.0, math.nan, 2.0)):
        builder.add_point(LIVE, "acc", step, value)
        builder.add_point(LIVE, "train/loss", step, value)
        builder.add_point(GONE, "loss", step, value)
        builder.add_point(OTHER, "lr", step, math.inf if step == 0 else 0.5)
        builder.add_point(OTHER, "fine", step, 1.0)
    reader = build(builder.take_block())
    found = {one.ref: one for one in reader.list_nonfinite(0)}
    assert set(found) == {LIVE, OTHER}
    assert (found[LIVE].metric, found[LIVE].metrics) == ("train/loss", 2)
    assert (found[OTHER].metric, found[OTHER].metrics) == ("lr", 1)
    newest = found[LIVE].last_point_unix_us
    assert newest > BIRTH_S * 1_000_000
    assert reader.list_nonfinite(newest + 1) == []
    assert len(reader.list_nonfinite(0, limit=1)) == 1


def test_an_empty_store_has_nothing_of_it(build) -> None:
    reader = build({})
    assert reader.read_flow().accepted_unix_us == 0
    assert reader.read_flow().points == 0
    assert not reader.list_books()
    assert not reader.list_losses()
    assert not reader.list_dead()
    assert not reader.list_nodes(NOW_UNIX_US, 0)
    assert not reader.list_nonfinite(0)


def test_the_flow_is_that_of_the_newest_frame(build) -> None:
    builder = three_runs()
    builder.add_session(LIVE, producer("a"), seen_s=NOW_S - 7)
    builder.add_session(OTHER, producer("b"), seen_s=NOW_S - 70)
    builder.add_point(LIVE, "loss", 1, 1.0)
    flow = build(builder.take_block()).read_flow()
    assert (flow.accepted_unix_us, flow.points) == ((NOW_S - 7) * 1_000_000, 1)


def test_the_store_says_how_large_it_is_and_how_much_room_is_left(connection) -> None:
    found = ClickHouseHealth(connection, DATABASE).read_store()
    assert found.version[0].isdigit()
    assert found.schema.split()[0].isdigit()
    assert any(one.name == tables.SCHEMA_VERSIONS and one.bytes > 0 for one in found.tables)
    assert all(0 < one.free_bytes <= one.total_bytes for one in found.disks)
    assert found.disks
