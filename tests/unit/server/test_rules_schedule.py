"""Whose turn it is, how often, and what becomes of a delivery: pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from uuid import uuid4

import pytest

from weir_server.rules.actions.base import NeverTaken, NotTaken
from weir_server.rules.actions.mail import message_of
from weir_server.rules.actions.web import judge_status, plain_text, slack_text
from weir_server.rules.deliver import judged, pause_s
from weir_server.rules.schedule import Schedule, every_s
from weir_server.rules.telling import tell_of, tell_of_end
from weir_store.rules.definition import definition_of
from weir_store.rules.records import (
    Action,
    ActionKind,
    Delivery,
    DeliveryState,
    Group,
    GroupState,
    Rule,
    State,
)

EVERYTHING = [
    {"webhook": "https://example.org", "secret": "s"}, {"tag": "bad"}, {"note": "n"}, {"stop": True},
]  # fmt: skip


def a_rule(project: str = "p", name: str = "r", **said: object) -> Rule:
    definition = definition_of({"name": name, "sql": "SELECT 1", **said})
    return Rule(project, uuid4(), definition, 1, "ann", 0)


def fired(*groups: Group) -> list[GroupState]:
    return [GroupState(g, State.FIRING, 5_000_000, 1.5, "m", uuid4()) for g in groups]


# ── turns ────────────────────────────────────────────────────────────────────


def test_projects_take_turns_however_many_rules_one_has() -> None:
    schedule = Schedule()
    loud = [a_rule("loud", f"r{number}") for number in range(50)]
    quiet = a_rule("quiet")
    schedule.set_rules([*loud, quiet], {}, 0.0)
    served: list[str] = []
    for second in range(1, 21):
        rule = schedule.take(second)
        assert rule is not None
        served.append(rule.project)
        schedule.done(rule, second)  # due again at once
    assert Counter(served) == {"loud": 10, "quiet": 10}


def test_a_project_has_one_evaluation_at_a_time() -> None:
    schedule = Schedule()
    slow, other = [a_rule("slow", "a"), a_rule("slow", "b")], a_rule("other")
    schedule.set_rules([*slow, other], {}, 0.0)
    first, second = schedule.take(1.0), schedule.take(1.0)
    assert first is not None
    assert second is not None
    assert {first.project, second.project} == {"slow", "other"}
    schedule.done(other, 100.0)
    assert schedule.take(2.0) is None


def test_a_rule_is_due_again_when_it_says_and_at_once_when_it_was_changed() -> None:
    schedule = Schedule()
    rule = a_rule()
    schedule.set_rules([rule], {}, 0.0)
    assert schedule.take(0.0) == rule
    schedule.done(rule, 30.0)
    schedule.set_rules([rule], {}, 10.0)
    assert schedule.take(10.0) is None
    changed = replace(rule, version=2)
    schedule.set_rules([changed], {}, 10.0)
    assert schedule.take(10.0) == changed
    schedule.set_rules([], {}, 11.0)
    schedule.done(changed, 12.0)
    assert schedule.take(100.0) is None


def test_a_rule_that_is_changed_while_it_runs_does_not_run_twice_at_once() -> None:
    schedule = Schedule()
    rule = a_rule()
    schedule.set_rules([rule], {}, 0.0)
    assert schedule.take(0.0)
    changed = replace(rule, version=2)
    schedule.set_rules([changed], {}, 1.0)
    assert schedule.take(1.0) is None
    schedule.done(rule, 50.0)
    assert schedule.take(2.0) == changed


def test_slow_and_broken_rules_are_evaluated_more_rarely() -> None:
    definition = a_rule(every="30s").definition
    assert every_s(definition, 0.1, 0) == 30
    assert every_s(definition, 9.0, 0) == 90
    assert [every_s(definition, 0.1, failures) for failures in (1, 2, 3)] == [60, 120, 240]
    assert every_s(definition, 0.1, 1_000) == 3_600


# ── telling ──────────────────────────────────────────────────────────────────


def test_each_group_has_an_alert_and_each_action_a_delivery() -> None:
    rule = a_rule(actions=EVERYTHING)
    states = fired(Group("a"), Group("b", 3, "n1"))
    telling = tell_of(rule, states, 7_000_000)
    assert [alert.alert_id for alert in telling.alerts] == [each.alert_id for each in states]
    assert len(telling.deliveries) == 8
    assert all(each.told and each.told_unix_us == 7_000_000 for each in telling.told)
    assert telling.deliveries[4].payload["rank"] == 3
    again = tell_of(rule, states, 9_000_000)
    assert [d.delivery_id for d in again.deliveries] == [d.delivery_id for d in telling.deliveries]


def test_ranks_that_fire_together_do_to_their_run_once_what_is_done_to_runs() -> None:
    rule = a_rule(actions=EVERYTHING)
    telling = tell_of(rule, fired(*(Group("a", rank) for rank in range(8))), 0)
    assert Counter(each.action.kind.value for each in telling.deliveries) == {
        "webhook": 8, "tag": 1, "note": 1, "stop": 1,
    }  # fmt: skip


def test_too_many_at_once_are_one_alert_that_does_nothing_to_runs_and_says_so() -> None:
    rule = a_rule(actions=EVERYTHING, max_alerts=20)
    states = fired(*(Group(f"r{number:05}") for number in range(10_000)))
    telling = tell_of(rule, states, 0)
    (alert,) = telling.alerts
    assert alert.title == "r: 10000 at once"
    assert "r00000, r00001" in alert.body
    assert "and 9990 more" in alert.body
    assert "not done: tag, note, stop" in alert.body
    assert [each.action.kind for each in telling.deliveries] == [ActionKind.WEBHOOK]
    assert telling.deliveries[0].payload["groups"] == 10_000
    assert len(telling.told) == 10_000
    assert tell_of(rule, list(reversed(states)), 5).alerts[0].alert_id == alert.alert_id


def test_the_end_is_told_only_where_that_is_wanted_and_does_nothing_to_runs() -> None:
    states = fired(Group("a"))
    assert tell_of_end(a_rule(actions=EVERYTHING), states, 0) == []
    (end,) = tell_of_end(a_rule(actions=EVERYTHING, tell_resolved=True), states, 0)
    assert (end.action.kind, end.payload["state"]) == ("webhook", "resolved")


# ── deliveries ───────────────────────────────────────────────────────────────


def a_delivery(**more: object) -> Delivery:
    rule = a_rule(actions=EVERYTHING)
    return replace(tell_of(rule, fired(Group("a")), 0).deliveries[0], **more)


def test_a_delivery_is_tried_again_after_longer_and_longer_pauses_and_then_given_up() -> None:
    each = a_delivery()
    states = []
    for _ in range(3):
        each = judged(each, NotTaken("no"), most_tries=3, now_unix_us=5)
        states.append((each.state, each.tries, each.ver))
    assert states == [("waiting", 1, 1), ("waiting", 2, 2), ("dead", 3, 3)]
    assert each.problem == "no"
    assert pause_s(0) == 0
    assert list(map(pause_s, range(1, 8))) == sorted(map(pause_s, range(1, 8)))


def test_what_can_never_be_taken_is_given_up_at_once() -> None:
    assert (
        judged(a_delivery(), NeverTaken("x"), most_tries=5, now_unix_us=0).state
        is DeliveryState.DEAD
    )
    done = judged(a_delivery(), "", most_tries=5, now_unix_us=0)
    assert (done.state, done.problem) == ("delivered", "")


@pytest.mark.parametrize("status", [200, 204])
def test_only_success_is_taken(status: int) -> None:
    judge_status(status)


@pytest.mark.parametrize(
    ("status", "error"),
    [(301, NeverTaken), (302, NeverTaken), (400, NeverTaken), (404, NeverTaken), (410, NeverTaken),
     (408, NotTaken), (429, NotTaken), (500, NotTaken), (503, NotTaken), (199, NotTaken)],
)  # fmt: skip
def test_what_is_not_taken_is_sorted_by_whether_another_try_may_help(
    status: int, error: type[Exception]
) -> None:
    with pytest.raises(error, match=str(status)):
        judge_status(status)


def test_a_name_chosen_to_mention_everybody_mentions_nobody() -> None:
    payload = {**a_delivery().payload, "title": "<!channel> & <@U1>"}
    assert "<" not in slack_text(payload)
    assert "&lt;!channel&gt; &amp; &lt;@U1&gt;" in slack_text(payload)
    assert plain_text({**payload, "state": "resolved"}).startswith("✅ over:")


def test_a_title_with_line_breaks_cannot_add_headers_to_an_e_mail() -> None:
    each = a_delivery(action=Action(ActionKind.EMAIL, "a@example.org"))
    payload = {**each.payload, "title": "x\r\nBcc: evil@example.org\r\n\r\nhello"}
    message = message_of(replace(each, payload=payload), "weir@example.org")
    assert message["Bcc"] is None
    assert "\n" not in message["Subject"]
    assert message["Message-ID"] == f"<{each.delivery_id}@weir>"
