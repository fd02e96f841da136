"""What a dashboard asks for is carried out by a gateway: stops, deletions, moves; refusals come back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.contract.fixtures_redis import RedisServer
from tests.contract.told_frames import everything
from tests.integration.fixtures_changes import House, house_on
from tests.integration.fixtures_engine import EngineProcess
from tests.integration.fixtures_gateway import eventually
from weir_server.clock import SystemClock
from weir_server.gateway.changes_offered import stopping
from weir_server.settings import StreamSettings
from weir_server.stream import keys
from weir_server.stream.redis.vendor import ask, connect
from weir_server.sweeper.sweeper import Sweeper
from weir_store.changes.base import REFUSED, Change, ChangeState, Held, Hold
from weir_store.changes.requests import Requests
from weir_store.edits import Edits
from weir_store.errors import InvalidQuery, StoreUnavailable, UnknownRun
from weir_store.records import RunRef

DATABASE = "changes_requests"


@pytest.fixture
def told() -> list[Change]:
    return []


@pytest.fixture
def house(engine: EngineProcess, told: list[Change]) -> Iterator[House]:
    yield from house_on(engine, DATABASE, stop=told.append)


def requests(house: House) -> Requests:
    return Requests(house.clickhouse, house.database, house.inserter)


def said(house: House) -> dict[str, object]:
    return {"by": "ann", "at_unix_us": house.tick(), "reason": "why"}


def test_a_stop_reaches_the_stream_once_taken_up_and_stands_on_the_run(house, told):
    ref = house.log("a", everything(0))
    asked = requests(house).stop(ref, **said(house))
    assert (requests(house).get(asked).state, told) == (ChangeState.ASKED, [])
    (done,) = house.changes.take_up()
    assert done.state is ChangeState.DONE
    assert [(each.ref, each.by, each.reason) for each in told] == [(ref, "ann", "why")]
    (event,) = house.reader.list_events(ref, kinds=["stop_requested"]).events
    assert (event.title, event.attrs["reason"]) == ("ann asked the run to stop", "why")
    assert house.changes.take_up() == []


def test_a_stop_taken_up_by_two_gateways_is_one_event(house, told):
    ref = house.log("a", everything(0))
    asked = requests(house).stop(ref, **said(house))
    for _ in range(2):
        house.changes.carry_out(asked)
    assert house.reader.list_events(ref, kinds=["stop_requested"]).total == 1


def test_a_deleted_run_is_gone_at_once_and_freed_when_taken_up(house):
    ref = house.log("a", everything(0))
    weight = requests(house).weigh(ref.project, ["a"])
    assert weight.rows > 0
    assert weight.bytes > 0
    asked = requests(house).delete(ref, **said(house))
    assert not house.exists(ref)
    house.changes.take_up()
    done = requests(house).get(asked)
    assert done.state is ChangeState.DONE
    assert done.receipt["rows_freed"] > 0
    assert requests(house).weigh(ref.project, ["a"]).rows < weight.rows


def test_a_run_is_moved_when_taken_up(house):
    ref = house.log("a", everything(0))
    target = f"{house.project}-new"
    requests(house).move(house.project, ["a"], target, **said(house))
    assert house.exists(ref)
    (done,) = house.changes.take_up()
    assert done.state is ChangeState.DONE
    assert not house.exists(ref)
    assert house.exists(RunRef(target, "a"))


def test_what_must_not_be_changed_is_refused_before_anything_is_written(house):
    ref = house.log("a", everything(0))
    house.changes.book.hold(Hold(house.project, "a", "court", "bob", house.tick()))
    with pytest.raises(Held):
        requests(house).delete(ref, **said(house))
    with pytest.raises(UnknownRun):
        requests(house).delete(RunRef(house.project, "nobody"), **said(house))
    with pytest.raises(InvalidQuery):
        requests(house).move(house.project, ["a"], house.project, **said(house))
    assert house.exists(ref)
    assert house.changes.take_up() == []


def test_what_is_refused_when_taken_up_ends_with_its_reason(house):
    ref = house.log("a", everything(0))
    asked = requests(house).stop(ref, **said(house))
    house.make().take_up()  # by a gateway without a stream
    done = requests(house).get(asked)
    assert done.state is ChangeState.DONE
    assert "nobody here can ask run 'a' to stop" in done.receipt[REFUSED]
    assert house.changes.take_up() == []


def test_a_stream_that_is_down_leaves_the_request_to_be_gone_on_with(house):
    ref = house.log("a", everything(0))
    calls = []

    def down_at_first(change: Change) -> None:
        calls.append(change)
        if len(calls) == 1:
            raise StoreUnavailable("redis is down")

    changes = house.make(stop=down_at_first)
    requests(house).stop(ref, **said(house))
    with pytest.raises(StoreUnavailable):
        changes.take_up()
    assert changes.resume() == 1
    assert len(calls) == 2


def test_edits_of_many_runs_are_two_inserts_and_an_event_for_each_field(house, monkeypatch):
    refs = [house.log(name, everything(0)) for name in "abc"]
    inserts = []
    insert = house.inserter.insert
    monkeypatch.setattr(
        house.inserter, "insert", lambda block, token: (inserts.append(1), insert(block, token))
    )
    wanted = [(house.run(ref), Edits(name="new", add_tags=("t",))) for ref in refs]
    requests(house).edit(wanted, by="ann", at_unix_us=house.tick())
    assert len(inserts) == 2
    for ref in refs:
        assert (house.run(ref).name, "t" in house.run(ref).tags) == ("new", True)
        assert house.reader.list_events(ref, kinds=["edited"]).total == 2


def test_one_edit_that_is_too_long_changes_none_of_the_runs(house):
    refs = [house.log(name, everything(0)) for name in "ab"]
    wanted = [(house.run(refs[0]), Edits(name="x")), (house.run(refs[1]), Edits(name="x" * 600))]
    with pytest.raises(InvalidQuery):
        requests(house).edit(wanted, by="ann", at_unix_us=house.tick())
    assert house.run(refs[0]).name != "x"


def test_the_sweeper_takes_requests_up_and_redis_has_the_note(house, redis_server: RedisServer):
    ref = house.log("a", everything(0))
    settings = StreamSettings(url=redis_server.url)
    sweeper = Sweeper(house.make(stop=stopping(settings)), SystemClock(), asked_s=0.05)
    sweeper.start()
    try:
        asked = requests(house).stop(ref, **said(house))
        eventually(lambda: requests(house).get(asked).state is ChangeState.DONE)
    finally:
        sweeper.stop(10.0)
    note = ask(connect(settings.url), "HMGET", keys.stop(ref.project, "a"), "reason", "by")
    assert note == [b"why", b"ann"]
