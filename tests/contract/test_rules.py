"""One suite for both readers of rules: what is written comes back, newest first, and nothing of others."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import NamedTuple
from uuid import uuid4

import pyarrow as pa
import pytest

from tests.contract.small_stores import StoreBuilder
from weir_store import tables
from weir_store.base import Inserter
from weir_store.editor import Editor
from weir_store.inserter import ClickHouseInserter
from weir_store.memory import MemoryStore
from weir_store.records import RunRef
from weir_store.rules.base import RuleReader
from weir_store.rules.clickhouse import ClickHouseRules
from weir_store.rules.definition import definition_of
from weir_store.rules.editor import RuleEditor, retried
from weir_store.rules.memory import MemoryRules
from weir_store.rules.records import (
    Action,
    ActionKind,
    Delivery,
    DeliveryState,
    Group,
    GroupState,
    Health,
    RaisedAlert,
    Rule,
    State,
)

DATABASE = "rules_contract"
NOW_US = time.time_ns() // 1_000  # deliveries are kept for 90 days


class Store(NamedTuple):
    inserter: Inserter
    reader: RuleReader

    @property
    def editor(self) -> RuleEditor:
        return RuleEditor(self.inserter)


@pytest.fixture(params=["memory", "clickhouse"])
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    if request.param == "memory":
        memory = MemoryStore()
        yield Store(memory, MemoryRules(memory))
        return
    clickhouse = request.getfixturevalue("connection")
    yield Store(ClickHouseInserter(clickhouse, DATABASE), ClickHouseRules(clickhouse, DATABASE))


@pytest.fixture
def project() -> str:
    return f"p-{uuid4().hex[:10]}"


def a_rule(project: str, name: str = "nan-loss", **said: object) -> Rule:
    definition = definition_of({"name": name, "template": "nan", **said})
    return Rule(project, uuid4(), definition, 1, "ann", NOW_US)


def a_delivery(rule: Rule, **more: object) -> Delivery:
    fields = {
        "project": rule.project, "delivery_id": uuid4(), "rule_id": rule.rule_id,
        "rule": rule.name, "alert_id": uuid4(), "run_id": "r1",
        "action": Action(ActionKind.WEBHOOK, "https://example.org/ü", "s"),
        "payload": {"title": "größer", "value": "NaN", "rank": 3}, "at_unix_us": NOW_US,
    }  # fmt: skip
    return Delivery(**{**fields, **more})  # type: ignore[arg-type]


def test_a_rule_comes_back_as_it_was_put_and_the_newest_version_wins(
    store: Store, project: str
) -> None:
    rule = a_rule(
        project, every="10s", cool_down="2h", title="größer",
        actions=[{"webhook": "https://example.org", "secret": "s"}, {"stop": True}],
        **{"with": {"metric": "train/%"}},
    )  # fmt: skip
    store.editor.put_rule(rule)
    assert store.reader.list_rules(project) == [rule]
    newer = replace(rule, version=2, by="bob", at_unix_us=NOW_US + 1)
    store.editor.put_rule(newer)
    assert store.reader.list_rules(project) == [newer]
    assert newer in store.reader.list_rules()
    assert store.reader.list_rules("another") == []


def test_a_deleted_rule_is_gone_and_its_name_is_free(store: Store, project: str) -> None:
    rule = a_rule(project)
    store.editor.put_rule(rule)
    state = GroupState(Group("r1"), State.FIRING, NOW_US, told=True)
    store.editor.put_states(rule, [state], NOW_US)
    waiting = a_delivery(rule)
    store.editor.put_deliveries([waiting])
    store.editor.delete_rule(replace(rule, at_unix_us=NOW_US + 1), [state], [waiting])
    assert store.reader.list_rules(project) == []
    assert store.reader.list_states(project, rule.rule_id) == []
    (given_up,) = store.reader.list_deliveries(project)
    assert (given_up.state, given_up.problem) == ("dead", "ann deleted the rule")
    again = replace(a_rule(project), at_unix_us=NOW_US + 2)
    store.editor.put_rule(again)
    assert store.reader.list_rules(project) == [again]


def test_a_rule_that_this_release_cannot_read_says_so_and_hides_no_other(
    store: Store, project: str
) -> None:
    rule, later = a_rule(project), a_rule(project, "of-tomorrow")
    store.editor.put_rule(rule)
    block: dict[str, pa.Table] = {}
    RuleEditor(SimpleNamespace(insert=lambda rows, _: block.update(rows))).put_rule(later)
    rows = block[tables.RULES].to_pylist()
    rows[0]["definition"] = '{"name": "of-tomorrow", "template": "telepathy"}'
    told = pa.Table.from_pylist(rows, schema=block[tables.RULES].schema)
    store.inserter.insert({tables.RULES: told}, uuid4().hex)
    first, second = store.reader.list_rules(project)
    assert first == rule
    assert (second.name, second.rule_id) == ("of-tomorrow", later.rule_id)
    assert "telepathy" in second.definition.unreadable


def test_states_are_kept_by_group_until_they_are_forgotten(store: Store, project: str) -> None:
    rule, other = a_rule(project), a_rule(project, "other")
    whole = GroupState(Group(), State.PENDING, NOW_US)
    ranked = GroupState(
        Group("r1", 3, "n1"), State.FIRING, NOW_US, 7.5, "groß", uuid4(), True, NOW_US - 1
    )
    store.editor.put_states(rule, [whole, ranked], NOW_US)
    found = store.reader.list_states(project, rule.rule_id)
    assert found[1] == ranked
    assert (found[0].group, found[0].state, math.isnan(found[0].value)) == (
        Group(),
        "pending",
        True,
    )
    assert store.reader.list_states(project, other.rule_id) == []

    store.editor.put_states(
        rule, [replace(ranked, state=State.RESOLVED)], NOW_US + 1, forgotten=[Group()]
    )
    (left,) = store.reader.list_states(project, rule.rule_id)
    assert left == replace(ranked, state=State.RESOLVED)


def test_health_is_the_newest(store: Store, project: str) -> None:
    health = Health(project, uuid4(), 3, NOW_US, 0.25, 7, 2, True, "größer", 4, 60.0, 9, 1.5)
    store.editor.put_health([replace(health, evaluated_unix_us=NOW_US - 1, groups=1), health])
    assert store.reader.list_health(project) == [health]


def test_deliveries_are_listed_newest_first_by_state_rule_and_number(
    store: Store, project: str
) -> None:
    rule, other = a_rule(project), a_rule(project, "other")
    first = a_delivery(rule)
    second = a_delivery(rule, at_unix_us=NOW_US + 1, state=DeliveryState.DEAD, problem="no")
    third = a_delivery(other, at_unix_us=NOW_US + 2)
    store.editor.put_deliveries([first, second, third])
    reader = store.reader
    assert reader.list_deliveries(project) == [third, second, first]
    assert reader.list_deliveries(project, states=[DeliveryState.DEAD]) == [second]
    assert reader.list_deliveries(project, rule="other") == [third]
    assert reader.list_deliveries(project, limit=1) == [third]
    assert reader.get_delivery(project, first.delivery_id) == first
    assert reader.get_delivery("another", first.delivery_id) is None


def test_a_delivery_made_again_never_undoes_what_became_of_it(store: Store, project: str) -> None:
    made = a_delivery(a_rule(project))
    store.editor.put_deliveries([made])
    done = replace(made, state=DeliveryState.DELIVERED, tries=1, tried_unix_us=NOW_US, ver=1)
    store.editor.put_deliveries([done])
    store.editor.put_deliveries([made])
    assert store.reader.get_delivery(project, made.delivery_id) == done
    again = retried(done)
    store.editor.put_deliveries([again])
    assert store.reader.get_delivery(project, made.delivery_id) == again


def test_alerts_of_rules_and_of_code_are_one_list_without_those_of_deleted_runs(
    store: Store, project: str
) -> None:
    builder = StoreBuilder()
    for run_id in ("r1", "gone"):
        builder.add_run(RunRef(project, run_id), created_s=1_700_000_000)
    store.inserter.insert(builder.take_block(), uuid4().hex)
    rule = a_rule(project)
    alerts = [
        RaisedAlert(uuid4(), run_id, 3, "error", "größer", "body", {"rule": name}, NOW_US + number)
        for number, (run_id, name) in enumerate(
            [("r1", "nan-loss"), ("gone", "nan-loss"), ("", "other")]
        )
    ]
    store.editor.raise_alerts(rule, alerts, [], [], NOW_US)
    store.editor.raise_alerts(rule, alerts, [], [], NOW_US)  # once more is once
    Editor(store.inserter).delete_run(RunRef(project, "gone"), by="ann", at_unix_us=NOW_US)

    found = store.reader.list_alerts(project)
    assert [each.run_id for each in found] == ["", "r1"]
    newest, oldest = found
    assert (oldest.source, oldest.event.kind, oldest.event.rank) == ("server", "alert", 3)
    assert (oldest.event.title, oldest.event.severity) == ("größer", "error")
    assert store.reader.list_alerts(project, rule="other") == [newest]
    assert store.reader.list_alerts(project, run_id="r1") == [oldest]
    assert len(store.reader.list_alerts(project, limit=1)) == 1
