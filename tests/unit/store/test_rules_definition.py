"""What a rule may say, and what it is told when it may not."""

from __future__ import annotations

import json
import math

import pyarrow as pa
import pytest

from weir_store.errors import InvalidQuery
from weir_store.rules.ask import check_columns, found_of, parameters_of, sql_of
from weir_store.rules.definition import changes, definition_of, said_of, shown_of
from weir_store.rules.records import Action, ActionKind, Check, Group
from weir_store.rules.templates import TEMPLATES

HOOK = "https://hooks.slack.com/services/T0/B0/very-secret"


def test_spans_are_seconds_or_words() -> None:
    found = definition_of(
        {
            "name": "r",
            "sql": "SELECT 1",
            "every": "1.5m",
            "for": 30,
            "window": "2h",
            "cool_down": "7d",
        }
    )
    assert (found.every_s, found.for_s, found.window_s, found.cool_down_s) == (
        90,
        30,
        7200,
        604_800,
    )


def test_every_kind_of_action_is_understood() -> None:
    found = definition_of(
        {
            "name": "r",
            "sql": "SELECT 1",
            "actions": [
                {"webhook": "https://example.org", "secret": "s"},
                {"slack": HOOK},
                {"discord": HOOK},
                {"email": ["a@example.org", "b@example.org"]},
                {"tag": "nan"},
                {"note": "look"},
                {"stop": True},
                {"stop": "it diverged"},
            ],
        }
    )
    assert [action.kind for action in found.actions] == [*ActionKind, ActionKind.STOP]
    assert found.actions[3] == Action(ActionKind.EMAIL, "a@example.org, b@example.org")
    assert [action.target for action in found.actions[-2:]] == ["", "it diverged"]


@pytest.mark.parametrize("name", TEMPLATES)
def test_said_and_read_again_a_rule_is_the_same(name: str) -> None:
    first = definition_of(
        {"name": "r", "template": name, "for": 3, "actions": [{"stop": True}, {"slack": HOOK}]}
    )
    assert definition_of(json.loads(json.dumps(said_of(first)))) == first
    own = definition_of(
        {"name": "r", "sql": "SELECT run_id FROM runs", "with": {"a": 1, "b": ["x"]}}
    )
    assert definition_of(json.loads(json.dumps(said_of(own)))) == own


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ([], "a rule is a mapping"),
        ({}, "rule name None is not good"),
        ({"name": "a b", "sql": "SELECT 1"}, "not good"),
        ({"name": "../../etc", "sql": "SELECT 1"}, "not good"),
        ({"name": "r"}, "nothing to ask"),
        ({"name": "r", "sql": "SELECT 1", "template": "nan"}, "has sql and template"),
        ({"name": "r", "sql": ["SELECT 1"]}, "sql is no text"),
        ({"name": "r", "sql": "x" * 65_537}, "over 65536 bytes"),
        ({"name": "r", "template": "nana"}, "did you mean nan?"),
        ({"name": "r", "check": "mood"}, "one of hang"),
        ({"name": "r", "sql": "SELECT 1", "evry": 3}, "did you mean every?"),
        ({"name": "r", "sql": "SELECT 1", "every": "soon"}, "seconds, or 30s"),
        ({"name": "r", "sql": "SELECT 1", "every": "1s"}, "5 s or more"),
        ({"name": "r", "sql": "SELECT 1", "every": math.inf}, "31 d"),
        ({"name": "r", "sql": "SELECT 1", "window": -1}, "31 d"),
        ({"name": "r", "sql": "SELECT 1", "severity": "loud"}, "one of debug"),
        ({"name": "r", "sql": "SELECT 1", "max_alerts": 0}, "1 … 1000"),
        ({"name": "r", "sql": "SELECT 1", "max_alerts": True}, "1 … 1000"),
        ({"name": "r", "sql": "SELECT 1", "enabled": "yes"}, "true or false"),
        ({"name": "r", "sql": "SELECT 1", "title": "a\x00b"}, "control characters"),
        ({"name": "r", "sql": "SELECT 1", "with": {"now": 1}}, "set by Weir"),
        ({"name": "r", "sql": "SELECT 1", "with": {"a": {}}}, "a text, a number"),
        ({"name": "r", "template": "nan", "with": {"metrc": "x"}}, "has no parameter 'metrc'"),
        ({"name": "r", "sql": "SELECT 1", "actions": {"stop": True}}, "actions"),
        ({"name": "r", "sql": "SELECT 1", "actions": ["stop"]}, "an action says stop"),
        ({"name": "r", "sql": "SELECT 1", "actions": [{"pager": "x"}]}, "one of webhook"),
        ({"name": "r", "sql": "SELECT 1", "actions": [{"stop": True, "tag": "x"}]}, "an action"),
        ({"name": "r", "sql": "SELECT 1", "actions": [{"tag": ""}]}, "tag says nothing"),
        ({"name": "r", "sql": "SELECT 1", "actions": [{"tag": "x", "secret": "s"}]}, "no secret"),
        ({"name": "r", "sql": "SELECT 1", "actions": [{"email": "a@b\nBcc: c@d"}]}, "no e-mail address"),
        ({"name": "r", "sql": "SELECT 1", "actions": [{"stop": True}] * 11}, "actions"),
    ],
)  # fmt: skip
def test_a_wrong_rule_is_refused_with_what_to_change(said: object, told: str) -> None:
    with pytest.raises(InvalidQuery, match=told.replace("?", r"\?").replace("*", r"\*")):
        definition_of(said)


def test_neither_secrets_nor_addresses_of_chats_are_shown() -> None:
    said = {
        "name": "r",
        "sql": "SELECT 1",
        "actions": [{"slack": HOOK}, {"webhook": "https://example.org/tok?k=v", "secret": "hush"}],
    }
    found = definition_of(said)
    text = json.dumps(shown_of(found))
    assert "hooks.slack.com" in text
    for secret in ("very-secret", "tok", "hush"):
        assert secret not in text
    other = definition_of({**said, "actions": [{"slack": HOOK + "2"}]})
    (change,) = changes(found, other)
    assert change[0] == "actions"
    assert "secret" not in change[1].replace("secret: …", "") + change[2]


def test_a_change_names_what_becomes_something_else() -> None:
    before = definition_of({"name": "r", "sql": "SELECT 1"})
    after = definition_of({"name": "r", "sql": "SELECT 1", "every": "1m"})
    assert changes(before, after) == [("every", "30", "60")]
    assert changes(before, before) == []
    turned = definition_of({"name": "r", "template": "hang"})
    assert turned.check is Check.HANG
    assert ("sql", "SELECT 1", "") in changes(before, turned)


def test_parameters_are_defaults_then_what_the_rule_says_then_ours() -> None:
    found = definition_of({"name": "r", "template": "divergence", "with": {"factor": 5}})
    values = parameters_of(found, 1_764_000_000_000_001)
    assert values["factor"] == 5
    assert values["metric"] == "loss"
    assert values["window"] == 120
    assert values["now"] == "2025-11-24 16:00:00.000001"
    assert sql_of(found) == TEMPLATES["divergence"].sql


def test_rows_name_groups_whatever_columns_they_leave_out() -> None:
    assert found_of({"run_id": "a", "rank": 3, "value": 1}).group == Group("a", 3)
    assert found_of({}).group == Group()
    assert math.isnan(found_of({"value": None}).value)
    for wrong in ({"rank": "x"}, {"rank": -7}, {"value": "x"}, {"run_id": "x" * 600}):
        with pytest.raises(InvalidQuery):
            found_of(wrong)
    check_columns(pa.schema({"run_id": pa.string(), "value": pa.float64()}))
    with pytest.raises(InvalidQuery, match="only run_id, rank, node"):
        check_columns(pa.schema({"run": pa.string()}))
