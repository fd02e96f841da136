"""Looking on over gRPC, at a real engine: `api.subscribe`, and what is refused."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest

import weir
from tests.contract.fixtures_tables import connection
from tests.integration.fixtures_gateway import RunningGateway, eventually
from tests.integration.fixtures_live import Job
from weir._api_live import EventUpdate, PointUpdate, StateUpdate, Subscription, TextUpdate, Update
from weir.errors import Forbidden, Overloaded, Rejected, Unauthenticated, Unavailable, UsageError
from weir_proto.v1 import live_pb2 as pb
from weir_proto.v1 import live_pb2_grpc, runs_pb2
from weir_server.clock import SystemClock
from weir_server.gateway.live import live_service
from weir_server.gateway.tokens import Role, create_token, revoke_token
from weir_server.stream.memory import MemoryStream
from weir_store.clickhouse import ClickHouse
from weir_store.inserter import ClickHouseInserter
from weir_store.records import RunRef

DATABASE = "live"
__all__ = ["connection"]
Open = Callable[..., RunningGateway]


@pytest.fixture
def open_gateway(connection: ClickHouse) -> Iterator[Open]:
    opened: list[RunningGateway] = []

    def open_one(live: dict[str, Any] | None = None, **settings: Any) -> RunningGateway:
        opened.append(
            RunningGateway(
                MemoryStream(shards=1, max_bytes=1 << 20).appender,
                services=lambda auth: [
                    live_service(connection, DATABASE, auth, SystemClock(), **(live or {}))
                ],
                **settings,
            )
        )
        return opened[-1]

    yield open_one
    for gateway in opened:
        gateway.stop()


@pytest.fixture
def inserter(connection: ClickHouse) -> ClickHouseInserter:
    return ClickHouseInserter(connection, DATABASE)


@pytest.fixture
def job(inserter: ClickHouseInserter) -> Job:
    one = Job(inserter, RunRef("vision", uuid.uuid4().hex))
    one.begin()
    return one


@pytest.fixture
def api(open_gateway: Open) -> Iterator[weir.Api]:
    with weir.Api(open_gateway().address) as one:
        yield one


def path_of(job: Job) -> str:
    return f"{job.run.project}/{job.run.run_id}"


def take(updates: Subscription, count: int) -> list[Update]:
    return [next(updates) for _ in range(count)]


def values(updates: list[Update]) -> list[float]:
    return [each.value for each in updates if isinstance(each, PointUpdate)]


def test_points_texts_events_and_states_come_as_they_are_stored(api: weir.Api, job: Job) -> None:
    with api.subscribe(path_of(job)) as updates:
        assert next(updates) == StateUpdate(path_of(job), "running", 1, 1)
        job.log([0.5, float("inf")], first_step=3)
        first, second = take(updates, 2)
        assert isinstance(first, PointUpdate)
        assert (first.run, first.metric, first.rank, first.step) == (path_of(job), "loss", 0, 3)
        assert isinstance(second, PointUpdate)
        assert (second.step, second.value) == (4, float("inf"))
        job.text("hello")
        job.commit()
        text = next(updates)
        assert isinstance(text, TextUpdate)
        assert (text.value, text.is_media) == ("hello", False)
        job.event("hot")
        event = next(updates)
        assert isinstance(event, EventUpdate)
        assert (event.run, event.event.title) == (path_of(job), "hot")
        job.seq += 1
        job.is_now("finished")
        job.commit()
        assert next(updates) == StateUpdate(path_of(job), "finished", 1, 1)


def test_since_the_start_is_everything_and_then_what_comes(api: weir.Api, job: Job) -> None:
    job.log([0.0, 1.0])
    job.event("before")
    with api.subscribe(path_of(job), kinds=["point", "event"], since="start") as updates:
        past = take(updates, 3)
        assert sorted(values(past)) == [0.0, 1.0]
        assert sum(isinstance(each, EventUpdate) for each in past) == 1
        job.log([2.0], first_step=2)
        assert values(take(updates, 1)) == [2.0]


def test_a_cursor_goes_on_where_one_was(api: weir.Api, job: Job) -> None:
    with api.subscribe(path_of(job), kinds="point") as updates:
        job.log([0.0])
        assert values(take(updates, 1)) == [0.0]
        before = updates.cursor
        eventually(lambda: list_until_quiet(updates) == [] and updates.cursor != before)
        cursor = updates.cursor
    job.log([1.0], first_step=1)
    with api.subscribe(path_of(job), kinds="point", cursor=cursor) as updates:
        job.log([2.0], first_step=2)
        assert values(take(updates, 2)) == [1.0, 2.0]


def list_until_quiet(updates: Subscription) -> list[Update]:
    updates._idle_s = 0.3
    found = list(updates)
    updates._idle_s = None
    return found


def test_filters_let_through_only_what_was_asked_for(api: weir.Api, job: Job) -> None:
    other = Job(job.inserter, job.run, rank=1, world_size=2)
    other.begin()
    with api.subscribe(path_of(job), metrics="loss", ranks=1, kinds="point") as updates:
        job.log([1.0])
        other.points([2.0], metric="lr")
        other.log([3.0])
        assert values(take(updates, 1)) == [3.0]


def test_a_project_is_followed_with_its_runs_to_come(
    api: weir.Api, inserter: ClickHouseInserter
) -> None:
    project = uuid.uuid4().hex
    with api.subscribe(project) as updates:
        job = Job(inserter, RunRef(project, "new"))
        job.begin()
        job.log([1.0])
        seen = take(updates, 2)
        assert {each.run for each in seen} == {f"{project}/new"}
        assert values(seen) == [1.0]


def test_many_subscribers_share_one_look(
    open_gateway: Open, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    from weir_store.live.reader import LiveReader

    looks: list[object] = []
    look = LiveReader.look
    monkeypatch.setattr(LiveReader, "look", lambda *a: looks.append(a[1]) or look(*a))
    gateway = open_gateway()
    with weir.Api(gateway.address) as api:
        several = [api.subscribe(path_of(job), kinds="point") for _ in range(20)]
        job.log([1.0])
        assert all(values(take(each, 1)) == [1.0] for each in several)
        for each in several:
            each.close()
    assert len(looks) == 1


def test_a_gateway_that_stops_lets_subscribers_go_at_once_and_they_go_on_elsewhere(
    open_gateway: Open, job: Job
) -> None:
    first = open_gateway(drain_s=60.0)
    with weir.Api(first.address) as api:
        updates = api.subscribe(path_of(job), kinds="point")
        job.log([1.0])
        assert values(take(updates, 1)) == [1.0]
        first.stop()
        job.log([2.0], first_step=1)
        assert open_gateway(port=first.port).port == first.port
        seen: list[float] = []
        while 2.0 not in seen:  # at least once: what was told last may come again
            seen += values(take(updates, 1))
        updates.close()


def test_a_subscription_that_is_closed_ends(api: weir.Api, job: Job) -> None:
    updates = api.subscribe(path_of(job), kinds="point")
    threading.Timer(0.2, updates.close).start()
    assert list(updates) == []


def test_a_subscription_ends_when_nothing_came_for_as_long_as_one_said(
    api: weir.Api, job: Job
) -> None:
    assert list(api.subscribe(path_of(job), kinds="point", idle_s=0.1)) == []


def test_questions_that_make_no_sense_are_refused(api: weir.Api, job: Job) -> None:
    with pytest.raises(Rejected, match="no run 'nope'"):
        api.subscribe("vision/nope")
    for wrong in ({"kinds": "points"}, {"since": "yesterday"}, {"cursor": "x"}, {"cursor": "eA=="}):
        with pytest.raises(UsageError):
            api.subscribe(path_of(job), **wrong)  # type: ignore[arg-type]
    for nothing in ("", []):
        with pytest.raises(UsageError):
            api.subscribe(nothing)
    with pytest.raises(Rejected, match="1001 metrics"):
        api.subscribe(path_of(job), metrics=[str(n) for n in range(1_001)])


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"project": "vision", "runs": [runs_pb2.RunRef(project="vision", run_id="x")]},
        {"project": "vision", "kinds": [99]},
        {"project": "vision", "after": pb.Marks(marks=[pb.Mark(run=7)])},
    ],
)
def test_the_server_refuses_what_no_client_of_ours_says(
    open_gateway: Open, wrong: dict[str, Any]
) -> None:
    with grpc.insecure_channel(open_gateway().address) as channel:
        stub = live_pb2_grpc.LiveStub(channel)
        with pytest.raises(grpc.RpcError) as refused:
            list(stub.Subscribe(pb.SubscribeRequest(**wrong), timeout=20))
        assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT


def test_only_who_may_read_a_project_looks_on_and_only_as_long(
    open_gateway: Open, job: Job, tmp_path: Path
) -> None:
    tokens = tmp_path / "tokens.toml"
    mine = create_token(tokens, name="mine", role=Role.READER, projects=["vision"])
    theirs = create_token(tokens, name="theirs", role=Role.READER, projects=["other"])
    gateway = open_gateway(tokens_file=tokens)
    with weir.Api(gateway.address, theirs) as api, pytest.raises(Forbidden):
        api.subscribe(path_of(job))
    with weir.Api(gateway.address, theirs) as api, pytest.raises(Forbidden):
        api.subscribe("vision")
    with weir.Api(gateway.address, mine) as api:
        updates = api.subscribe(path_of(job), kinds="point")
        revoke_token(tokens, "mine")
        with pytest.raises(Unauthenticated):
            next(updates)


def test_too_many_subscriptions_are_refused_by_name(open_gateway: Open, job: Job) -> None:
    gateway = open_gateway({"max_subscriptions": 1})
    with weir.Api(gateway.address) as api:
        one = api.subscribe(path_of(job))
        with pytest.raises(Overloaded, match="1 subscriptions are open"):
            api.subscribe(path_of(job))
        one.close()
        again = eventually(lambda: opened(api, path_of(job)))
        again.close()


def test_one_token_cannot_take_all_subscriptions(
    open_gateway: Open, job: Job, tmp_path: Path
) -> None:
    tokens = tmp_path / "tokens.toml"
    greedy = create_token(tokens, name="greedy", role=Role.READER, projects=["*"])
    modest = create_token(tokens, name="modest", role=Role.READER, projects=["*"])
    gateway = open_gateway({"max_subscriptions": 8}, tokens_file=tokens)
    with weir.Api(gateway.address, greedy) as api:
        several = [api.subscribe(path_of(job)) for _ in range(2)]
        with pytest.raises(Overloaded, match="token 'greedy' has 2 subscriptions open"):
            api.subscribe(path_of(job))
        with weir.Api(gateway.address, modest) as other:
            other.subscribe(path_of(job)).close()
        for each in several:
            each.close()


def opened(api: weir.Api, path: str) -> Subscription | None:
    try:
        return api.subscribe(path)
    except Overloaded:
        return None


def big_frame(job: Job, number: int) -> None:
    job.log([float(number)] * 20_000, first_step=number * 20_000)


def test_a_reader_that_stops_is_cut_off_and_others_do_not_notice(
    open_gateway: Open, job: Job
) -> None:
    gateway = open_gateway({"stall_s": 1.0, "max_bytes": 1 << 20})
    with grpc.insecure_channel(gateway.address) as channel, weir.Api(gateway.address) as api:
        stub = live_pb2_grpc.LiveStub(channel)
        request = pb.SubscribeRequest(
            runs=[runs_pb2.RunRef(project=job.run.project, run_id=job.run.run_id)],
            kinds=[pb.UPDATE_KIND_POINTS],
        )
        stuck = stub.Subscribe(request)
        next(stuck)
        others = api.subscribe(path_of(job), kinds="point")
        got: list[float] = []
        for number in range(12):
            big_frame(job, number)
            got += values(take(others, 20_000))
        assert got == [float(n) for n in range(12) for _ in range(20_000)]
        others.close()
        live = gateway.gateway._more[0].servicer
        eventually(lambda: any(each.is_cut_off for each in live._open))
        assert not live._hub._feeds - {each.feed for each in live._open if not each.is_cut_off}
        with pytest.raises(grpc.RpcError, match="nothing was read for 1 s") as ended:
            list(stuck)
        assert ended.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


def test_a_slow_reader_gets_everything_though_little_waits_for_it(
    open_gateway: Open, job: Job
) -> None:
    gateway = open_gateway({"max_bytes": 1 << 18})
    with weir.Api(gateway.address) as api:
        updates = api.subscribe(path_of(job), kinds="point")
        for number in range(5):
            big_frame(job, number)
        seen: set[int] = set()
        while len(seen) < 100_000:
            update = next(updates)
            assert isinstance(update, PointUpdate)
            seen.add(update.step)
        updates.close()


def test_a_server_that_is_away_for_too_long_is_said(open_gateway: Open, job: Job) -> None:
    gateway = open_gateway()
    with weir.Api(gateway.address) as api:
        updates = api.subscribe(path_of(job), kinds="point", patience_s=0.5)
        gateway.stop()
        started_s = time.monotonic()
        with pytest.raises(Unavailable):
            next(updates)
        assert time.monotonic() > started_s
