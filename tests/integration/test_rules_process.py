"""The rules process: what fires is told once, whatever fails in between, and nobody holds up others."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from uuid import uuid4

import pytest

from tests.contract.small_stores import StoreBuilder
from tests.integration.fixtures_gateway import eventually
from tests.integration.fixtures_rules import Listener, RulesWorld, listening
from weir_server.clock import SystemClock
from weir_server.errors import StreamUnavailable
from weir_server.rules import deliver
from weir_server.rules.telling import tell_of
from weir_store import tables
from weir_store.errors import InvalidQuery, StoreUnavailable
from weir_store.records import RunRef
from weir_store.rules.definition import definition_of
from weir_store.rules.editor import retried
from weir_store.rules.records import (
    ActionKind,
    Delivery,
    DeliveryState,
    Group,
    GroupState,
    Rule,
    State,
)
from weir_store.sql.base import LimitReached

listener = pytest.fixture(listening)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[RulesWorld]:
    monkeypatch.setattr(deliver, "_PAUSES_S", (0.05,))
    monkeypatch.setattr("weir_store.rules.definition.LEAST_EVERY_S", 0.05)
    monkeypatch.setattr("weir_server.rules.loop.HEALTH_EVERY_S", 0.05)
    made = RulesWorld()
    yield made
    made.close()


def with_runs(world: RulesWorld, *run_ids: str, project: str = "p") -> None:
    builder = StoreBuilder()
    now_s = time.time()
    for run_id in run_ids:
        ref = RunRef(project, run_id)
        builder.add_run(ref, created_s=now_s)
        builder.add_session(ref, uuid4(), rank=0, updated_s=now_s, state="running")
    world.memory.insert(builder.take_block(), uuid4().hex)


def alerts(world: RulesWorld, project: str = "p") -> list[str]:
    return [each.run_id for each in world.reader.list_alerts(project, limit=10_000)]


def health(world: RulesWorld, rule: Rule):
    return next((h for h in world.reader.list_health() if h.rule_id == rule.rule_id), None)


def evaluated(world: RulesWorld, rule: Rule, more: int = 1) -> None:
    """Wait until a rule was evaluated so many times more."""
    asked = sum(q.asker.endswith(f"/{rule.name}") for q in world.sql.asked)
    eventually(
        lambda: sum(q.asker.endswith(f"/{rule.name}") for q in world.sql.asked) >= asked + more
    )


# ── from firing to resolved ──────────────────────────────────────────────────


def test_what_fires_is_stored_told_and_acted_on_once_and_its_end_is_told(
    world: RulesWorld, listener: Listener
) -> None:
    with_runs(world, "a")
    rule = world.put(
        "p", every=0.05, tell_resolved=True, title="größer", severity="error",
        actions=[{"webhook": listener.url, "secret": "s"}, {"tag": "bad"}, {"note": "look"},
                 {"stop": True}],
    )  # fmt: skip
    world.sql.answers["SELECT r"] = [
        {"run_id": "a", "rank": 3, "value": float("nan"), "message": "m"}
    ]
    world.process()
    eventually(lambda: listener.got and RunRef("p", "a") in world.stops)
    evaluated(world, rule, 5)
    assert len(listener.got) == 1
    headers, body = listener.got[0]
    said = json.loads(body)
    assert (said["title"], said["state"], said["run_id"], said["rank"]) == (
        "größer",
        "firing",
        "a",
        3,
    )
    assert said["value"] == "NaN"
    digest = hmac.new(b"s", body, hashlib.sha256).hexdigest()
    assert headers["X-Weir-Signature-256"] == f"sha256={digest}"
    assert headers["X-Weir-Event"] == "alert"

    (alert,) = world.reader.list_alerts("p")
    assert (alert.run_id, alert.source, alert.event.severity) == ("a", "server", "error")
    assert str(alert.event.event_id) == said["id"]
    assert alert.event.attrs["rule"] == "r"
    eventually(lambda: world.runs.get_run(RunRef("p", "a")).notes)
    run = world.runs.get_run(RunRef("p", "a"))
    assert run.tags == ("bad",)
    assert "rule r] look" in run.notes
    assert world.stops[RunRef("p", "a")].reason == "rule r: m"
    kinds = [event.kind for event in world.runs.list_events(RunRef("p", "a")).events]
    assert Counter(kinds) == {"alert": 1, "edited": 2, "stop_requested": 1}

    world.sql.answers["SELECT r"] = []
    eventually(lambda: len(listener.got) == 2)
    assert listener.said()[1]["state"] == "resolved"
    (state,) = world.reader.list_states("p", rule.rule_id)
    assert state.state is State.RESOLVED
    eventually(lambda: health(world, rule) and health(world, rule).firing == 0)


def test_a_rule_is_asked_with_its_projects_rights_and_within_limits(world: RulesWorld) -> None:
    rule = world.put("mine", every=0.05, **{"with": {"a": 1}})
    world.process()
    evaluated(world, rule)
    question = world.sql.asked[0]
    assert question.rights.projects == ("mine",)
    assert question.limits.cut
    assert question.limits.result_rows == 10_000
    assert question.parameters["a"] == 1
    assert {"now", "window"} <= set(question.parameters)


def test_changed_and_deleted_rules_are_noticed(world: RulesWorld, listener: Listener) -> None:
    rule = world.put("p", every=0.05)
    world.process()
    evaluated(world, rule)
    asked = {"name": "r", "sql": "SELECT other", "every": 0.05}

    changed = replace(
        rule, definition=definition_of(asked), version=2, at_unix_us=rule.at_unix_us + 1
    )
    world.editor.put_rule(changed)
    eventually(lambda: world.sql.asked[-1].text == "SELECT other")
    world.editor.delete_rule(replace(changed, at_unix_us=rule.at_unix_us + 2), [], [])
    eventually(lambda: not world.processes[0].loop._known)
    before = len(world.sql.asked)
    other = world.put("p", "other2", every=0.05)
    evaluated(world, other, 5)
    assert all(question.asker == "rule p/other2" for question in world.sql.asked[before + 1 :])


# ── state is not lost and nothing fires twice ────────────────────────────────


def test_a_new_process_goes_on_where_the_old_one_was(world: RulesWorld, listener: Listener) -> None:
    rule = world.put("p", every=0.05, actions=[{"webhook": listener.url}])
    world.sql.answers["SELECT r"] = [{"run_id": "", "value": 1.0}]
    first = world.process()
    eventually(lambda: listener.got)
    first.close()
    world.process()
    evaluated(world, rule, 3)
    assert len(listener.got) == 1
    assert len(alerts(world)) == 1


@pytest.mark.parametrize("after", [False, True], ids=["before it is stored", "after"])
@pytest.mark.parametrize(
    "table", [tables.RULE_STATES, tables.EVENTS, tables.DELIVERIES, tables.RULE_HEALTH]
)
def test_a_store_that_fails_at_any_write_neither_loses_nor_doubles_an_alert(
    world: RulesWorld, listener: Listener, table: str, after: bool
) -> None:
    rule = world.put("p", every=0.05, actions=[{"webhook": listener.url}])
    with_runs(world, "a", "b")
    world.sql.answers["SELECT r"] = [{"run_id": "a"}, {"run_id": "b"}]
    process = world.process()
    process.store.after = after
    process.store.when = lambda block: table in block
    process.store.fails = 1 if after else 3
    eventually(lambda: process.store.fails == 0)
    eventually(lambda: len(listener.got) == 2)
    evaluated(world, rule, 3)
    eventually(
        lambda: (
            [d.state for d in world.reader.list_deliveries("p")] == [DeliveryState.DELIVERED] * 2
        )
    )
    assert sorted(alerts(world)) == ["a", "b"]
    assert len(listener.got) == 2


def test_of_two_processes_one_evaluates_and_the_other_takes_over(
    world: RulesWorld, listener: Listener
) -> None:
    rule = world.put("p", every=0.05, actions=[{"webhook": listener.url}])
    world.sql.answers["SELECT r"] = [{"run_id": ""}]
    first, second = world.process(), world.process()
    eventually(lambda: listener.got)
    assert first.tenure.held != second.tenure.held
    holder = first if first.tenure.held else second
    holder.close()
    evaluated(world, rule, 3)
    assert len(listener.got) == 1
    assert len(alerts(world)) == 1


def test_one_that_lost_its_lease_writes_and_sends_nothing_more(
    world: RulesWorld, listener: Listener
) -> None:
    gate, entered = threading.Event(), threading.Event()

    def slow() -> list[dict[str, str]]:
        entered.set()
        gate.wait(20)
        return [{"run_id": ""}]

    world.put("p", every=0.05, actions=[{"webhook": listener.url}])
    world.sql.answers["SELECT r"] = slow
    process = world.process(lease_s=0.4)
    assert entered.wait(20)
    world.leases.available = False
    eventually(lambda: not process.tenure.held)
    gate.set()
    eventually(lambda: not process.loop._running)
    assert alerts(world) == []
    assert listener.got == []
    world.leases.available = True  # … and goes on when Redis is back
    eventually(lambda: listener.got)
    assert len(alerts(world)) == 1


def test_a_redis_that_forgot_everything_changes_nothing(
    world: RulesWorld, listener: Listener
) -> None:
    rule = world.put("p", every=0.05, actions=[{"webhook": listener.url}])
    world.sql.answers["SELECT r"] = [{"run_id": ""}]
    process = world.process(lease_s=0.4)
    eventually(lambda: listener.got)
    times = process.tenure.times
    world.leases.flush()
    eventually(lambda: process.tenure.times > times)
    evaluated(world, rule, 3)
    assert len(listener.got) == 1


# ── bad rules ────────────────────────────────────────────────────────────────


def test_a_broken_rule_is_marked_backs_off_and_holds_up_nobody(world: RulesWorld) -> None:
    bad, good = world.put("p", "bad", every=0.05), world.put("p", "good", every=0.05)
    world.sql.answers["SELECT bad"] = InvalidQuery("there is no column 'lss'")
    world.process()
    eventually(lambda: health(world, bad) and health(world, bad).failures >= 3)
    found = health(world, bad)
    assert found.error == "there is no column 'lss'"
    assert found.every_s > bad.definition.every_s
    evaluated(world, good, 3)
    world.sql.answers["SELECT bad"] = []
    eventually(lambda: health(world, bad).error == "")
    assert health(world, bad).failures == 0


def test_a_rule_that_takes_too_much_is_marked_with_the_limit(world: RulesWorld) -> None:
    rule = world.put("p", every=0.05)
    world.sql.answers["SELECT r"] = LimitReached("over 10 s — rules.query_s")
    world.process()
    eventually(lambda: health(world, rule))
    assert "rules.query_s" in health(world, rule).error


def test_a_store_that_is_away_is_not_the_rules_fault(world: RulesWorld) -> None:
    rule = world.put("p", every=0.05)
    world.sql.answers["SELECT r"] = StoreUnavailable("away")
    world.process()
    evaluated(world, rule, 3)
    world.sql.answers["SELECT r"] = []
    eventually(lambda: health(world, rule))
    assert (health(world, rule).error, health(world, rule).failures) == ("", 0)


def test_a_rule_whose_evaluation_hangs_holds_up_its_own_project_only(world: RulesWorld) -> None:
    gate = threading.Event()
    world.put("slow", "slow", every=0.05)
    also = world.put("slow", "also", every=0.05)
    world.sql.answers["SELECT slow"] = lambda: gate.wait(20) and []
    other = world.put("quick", "quick", every=0.05)
    world.process()
    eventually(lambda: any(q.asker == "rule slow/slow" for q in world.sql.asked))
    evaluated(world, other, 5)
    gate.set()
    evaluated(world, also)


def test_ten_thousand_groups_are_one_alert_and_their_state_is_kept(
    world: RulesWorld, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("weir_server.rules.schedule.SHARE", 0.0)  # however slow this machine is
    with_runs(world, "r00001")
    rule = world.put(
        "p", every=1, actions=[{"webhook": listener.url}, {"stop": True}, {"tag": "x"}]
    )
    rows = [{"run_id": f"r{number:05}"} for number in range(10_500)]
    world.sql.answers["SELECT r"] = rows
    world.process()
    eventually(lambda: listener.got)
    eventually(lambda: health(world, rule) and health(world, rule).firing == 10_000)
    evaluated(world, rule)
    (said,) = listener.said()
    assert said["groups"] == 10_000
    assert "not done: stop, tag" in said["text"]
    assert world.stops == {}
    assert alerts(world) == [""]
    assert health(world, rule).is_cut
    world.sql.answers["SELECT r"] = rows[:5]
    eventually(lambda: health(world, rule).firing == 5)
    assert len(alerts(world)) == 1


def test_a_rule_that_tags_what_it_selects_does_so_once(world: RulesWorld) -> None:
    with_runs(world, "a")

    def untagged() -> list[dict[str, str]]:
        run = world.runs.get_run(RunRef("p", "a"))
        return [] if "seen" in run.tags else [{"run_id": "a"}]

    rule = world.put("p", every=0.05, actions=[{"tag": "seen"}])
    world.sql.answers["SELECT r"] = untagged
    world.process()
    eventually(lambda: "seen" in world.runs.get_run(RunRef("p", "a")).tags)
    evaluated(world, rule, 3)
    assert alerts(world) == ["a"]


def test_a_rule_that_flickers_is_told_of_once_a_cool_down(
    world: RulesWorld, listener: Listener
) -> None:
    rule = world.put("p", every=0.05, cool_down="1h", actions=[{"webhook": listener.url}])
    turns = iter(range(1_000))
    world.sql.answers["SELECT r"] = lambda: [{"run_id": ""}] if next(turns) % 2 else []
    world.process()
    evaluated(world, rule, 10)
    assert len(listener.got) == 1


# ── deliveries ───────────────────────────────────────────────────────────────


def states(world: RulesWorld, project: str = "p") -> list[tuple[str, int]]:
    return [(d.state.value, d.tries) for d in world.reader.list_deliveries(project)]


def test_an_address_that_fails_is_tried_again_then_dead_and_may_be_retried(
    world: RulesWorld, listener: Listener
) -> None:
    listener.status = 500
    world.put("p", every=0.05, actions=[{"webhook": listener.url}])
    world.sql.answers["SELECT r"] = [{"run_id": ""}]
    world.process()
    eventually(lambda: states(world) == [("dead", 3)])
    (dead,) = world.reader.list_deliveries("p", states=[DeliveryState.DEAD])
    assert dead.problem == "answered with status 500"
    assert len({headers["X-Weir-Delivery"] for headers, _ in listener.got}) == 1
    listener.status = 200
    world.editor.put_deliveries([retried(dead)])
    eventually(lambda: states(world) == [("delivered", 1)])


def test_a_redirect_is_not_followed(world: RulesWorld, listener: Listener) -> None:
    listener.status, listener.location = 302, "http://169.254.169.254/latest/meta-data"
    world.put("p", every=0.05, actions=[{"webhook": listener.url}])
    world.sql.answers["SELECT r"] = [{"run_id": ""}]
    world.process()
    eventually(lambda: states(world) == [("dead", 1)])
    assert "redirect" in world.reader.list_deliveries("p")[0].problem


@pytest.mark.parametrize("how", ["says nothing", "says a letter now and then"])
def test_an_address_that_hangs_is_bounded_and_holds_up_its_own_project_only(
    world: RulesWorld, listener: Listener, how: str
) -> None:
    slow = Listener()
    slow.drips = how != "says nothing"
    slow.hangs.clear()
    many = [{"webhook": slow.url} for _ in range(10)]
    world.put("slow", every=0.05, actions=many)
    world.put("quick", "quick", every=0.05, actions=[{"webhook": listener.url}])
    world.sql.answers["SELECT r"] = [{"run_id": ""}]
    world.process(tries=1, delivery_s=0.5)
    eventually(lambda: slow.got)
    world.sql.answers["SELECT quick"] = [{"run_id": ""}]
    eventually(lambda: listener.got)
    eventually(lambda: Counter(states(world, "slow")) == {("dead", 1): 10})
    assert {d.problem for d in world.reader.list_deliveries("slow")} == {"no answer within 0.5 s"}
    slow.close()


def test_of_a_project_two_deliveries_are_tried_at_once(world: RulesWorld) -> None:
    gate, begun = threading.Event(), []

    def act(delivery: Delivery) -> str:
        begun.append(delivery.project)
        gate.wait(20)
        return ""

    made = deliver.Deliverer(
        {ActionKind.TAG: act}, world.editor, SystemClock(), lambda: None, most_tries=1
    )
    for project in "ab":
        rule = world.put(project, actions=[{"tag": f"t{number}"} for number in range(9)])
        state = GroupState(Group("r"), State.FIRING, 1, alert_id=uuid4())
        made.offer(tell_of(rule, [state], 1).deliveries)
    made.poll()
    eventually(lambda: len(begun) == 4)
    made.poll()
    assert Counter(begun) == {"a": 2, "b": 2}
    gate.set()
    made.close()


def test_what_cannot_be_done_to_a_run_is_dead_with_its_reason(world: RulesWorld) -> None:
    world.put("p", every=0.05, actions=[{"tag": "x"}, {"email": "a@example.org"}])
    world.sql.answers["SELECT r"] = [{"run_id": "nobody"}]
    world.process()
    eventually(lambda: states(world) == [("dead", 1)] * 2)
    problems = {d.action.kind.value: d.problem for d in world.reader.list_deliveries("p")}
    assert "no run 'nobody'" in problems["tag"]
    assert "rules.smtp_host" in problems["email"]


def test_a_stop_that_finds_redis_away_is_tried_again(world: RulesWorld) -> None:
    with_runs(world, "a")
    world.put("p", every=0.05, actions=[{"stop": "it diverged"}])
    world.stop_fails = StreamUnavailable("away")
    world.sql.answers["SELECT r"] = [{"run_id": "a"}]
    world.process(tries=20)
    eventually(lambda: states(world) and states(world)[0][1] >= 1)
    world.stop_fails = None
    eventually(lambda: RunRef("p", "a") in world.stops)
    assert world.stops[RunRef("p", "a")].reason == "rule r: it diverged"


def test_a_run_that_has_ended_is_not_asked_to_stop(world: RulesWorld) -> None:
    builder, ref = StoreBuilder(), RunRef("p", "old")
    builder.add_run(ref, created_s=1_700_000_000)
    builder.add_session(ref, uuid4(), rank=0, updated_s=1_700_000_600, state="finished")
    world.memory.insert(builder.take_block(), uuid4().hex)
    world.put("p", every=0.05, actions=[{"stop": True}])
    world.sql.answers["SELECT r"] = [{"run_id": "old"}]
    world.process()
    eventually(lambda: states(world) == [("delivered", 1)])
    assert world.reader.list_deliveries("p")[0].problem == "the run is finished"
    assert world.stops == {}
