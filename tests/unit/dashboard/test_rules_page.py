"""The Rules page in every state: looking, trying, making, changing, taking away; and what Home says of alerts."""

from __future__ import annotations

import importlib
from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from tests.unit.dashboard.recorded import Recorded
from tests.unit.dashboard.ruled import HOOK, Ruled
from tests.unit.dashboard.synthetic import SyntheticReader, many_runs
from weir_dashboard import data, navigation, rule_form, rule_words
from weir_store.errors import InvalidQuery, StoreUnavailable
from weir_store.rules.definition import definition_of, said_of
from weir_store.rules.records import DeliveryState
from weir_store.rules.templates import TEMPLATES
from weir_store.sql.base import Refused


def script(name: str = "rules") -> None:
    from tests.unit.dashboard.test_rules_page import page

    page(name)


def page(name: str) -> None:
    import streamlit as st

    st.navigation([navigation.page(other) for other in navigation.names()], position="hidden")
    importlib.import_module(f"weir_dashboard.views.{name}").render()


def show(ruled: Ruled | None, of: str = "rules", **address: object) -> AppTest:
    sources = Recorded(SyntheticReader(many_runs("gpt-small", 5))).sources
    data.use(replace(sources, rules=ruled.doors if ruled else None), "gateway.example:7700")
    test = AppTest.from_function(script, kwargs={"name": of}, default_timeout=30)
    for key, value in address.items():
        test.query_params[key] = value
    return test.run()


def texts(test: AppTest) -> str:
    found = [*test.info, *test.error, *test.warning, *test.success, *test.caption, *test.markdown]
    plain = "\n".join(str(one.value) for one in found).replace("\\", "")
    return plain + "".join(str(one.proto.body) for one in test.get("html"))


def everything(test: AppTest) -> str:
    tables = "".join(one.value.to_csv() for one in test.dataframe)
    boxes = "".join(f"{box.value}{box.options}" for box in [*test.selectbox, *test.multiselect])
    areas = "".join(str(area.value) for area in [*test.text_area, *test.text_input])
    return texts(test) + tables + boxes + areas


def pressed(test: AppTest, key: str) -> AppTest:
    test.button(key=key).click().run()
    assert not test.exception
    return test


# ── looking ──────────────────────────────────────────────────────────────────


def test_a_project_without_rules_shows_how_to_begin():
    test = show(Ruled())
    assert not test.exception
    assert "template: nan" in test.code[0].value


def test_what_fires_comes_first_then_what_is_broken():
    ruled = Ruled()
    for name in ("fine", "broken", "fires"):
        rule = ruled.rule(name)
        ruled.health(
            rule, firing=2 * (name == "fires"), error="no such column" * (name == "broken")
        )
    ruled.health(ruled.rule("idle", enabled=False))
    ruled.rule("new")
    table = show(ruled).dataframe[0].value
    assert list(table["rule"]) == ["fires", "broken", "new", "fine", "idle"]
    assert list(table["stands"]) == ["● 2 firing", "✕ broken", "… not asked yet", "✓ ok", "‖ off"]


def test_cost_and_slowing_down_are_visible():
    ruled = Ruled()
    ruled.health(ruled.rule("slow"), took_s=4.2, spent_s=7_300.0, evaluations=1_200, every_s=240.0)
    row = show(ruled).dataframe[0].value.iloc[0]
    assert row["took"] == "4.2 s · 2 h 1 min in 1,200 times"
    assert row["every"] == "4 min, wanted 30 s"


def test_a_broken_rule_shows_its_error_as_it_is():
    ruled = Ruled()
    ruled.health(ruled.rule("broken"), error="no *such* column", failures=3)
    assert "3 evaluations in a row failed: no *such* column" in texts(show(ruled, rule="broken"))


def test_firing_groups_lead_to_their_runs():
    ruled = Ruled()
    ruled.fire(ruled.rule("nan"), "r0001", "r0004")
    groups = show(ruled, rule="nan").dataframe[1].value
    assert set(groups["run"]) == {
        "/run?project=gpt-small&id=r0001#r0001", "/run?project=gpt-small&id=r0004#r0004",
    }  # fmt: skip
    assert set(groups["stands"]) == {"● firing"}


def test_alerts_and_deliveries_are_listed():
    ruled = Ruled()
    ruled.fire(ruled.rule("nan", actions=[{"slack": HOOK}]), "r0001")
    alerts = show(ruled, tab="Alerts").dataframe[0].value
    assert alerts["what"].tolist() == ["nan fires"]
    assert alerts["told by"].tolist() == ["a rule"]
    deliveries = show(ruled, tab="Deliveries").dataframe[0].value
    assert deliveries["stands"].tolist() == ["✓ delivered"]


@pytest.mark.parametrize("tab", ["Alerts", "Deliveries"])
def test_no_alert_and_no_delivery_are_said(tab):
    test = show(Ruled(), tab=tab)
    assert not test.exception
    assert not test.dataframe
    assert "nobody raised" in texts(test) or "nothing was sent" in texts(test)


@pytest.mark.parametrize("tab", ["Rules", "Deliveries"])
@pytest.mark.parametrize("address", [{"rule": "nan"}, {"edit": "nan"}])
def test_a_secret_address_is_never_on_the_page(tab, address):
    ruled = Ruled()
    rule = ruled.rule("nan", actions=[{"slack": HOOK}, {"webhook": HOOK, "secret": "s3cr3t"}])
    ruled.fire(rule, "r0001", dead=True)
    shown = everything(show(ruled, tab=tab, **address))
    assert "hooks.example" in shown
    assert "verysecret" not in shown
    assert "s3cr3t" not in shown


@pytest.mark.parametrize(
    "address", [{"rule": "nosuch"}, {"edit": "nosuch"}, {"new": "nosuch"}, {"tab": "nosuch"}]
)
def test_an_address_that_names_nothing_is_no_error(address):
    ruled = Ruled()
    ruled.rule("nan")
    assert not show(ruled, **address).exception


def test_a_silent_store_is_said_with_a_retry(monkeypatch):
    ruled = Ruled()

    def silent(project: str = "") -> None:
        raise StoreUnavailable("connection refused")

    monkeypatch.setattr(ruled.reader, "list_rules", silent)
    test = show(ruled)
    assert "does not answer" in test.error[0].value
    monkeypatch.undo()
    pressed(test, "retry")
    assert not test.error


def test_many_rules_and_many_groups_are_shown():
    ruled = Ruled()
    rules = [ruled.rule(f"rule-{number:03}") for number in range(120)]
    ruled.fire(rules[7], *(f"r{number:04}" for number in range(600)))
    test = show(ruled, rule="rule-007")
    assert not test.exception
    assert len(test.dataframe[0].value) == 120
    assert "500 of 600 groups" in texts(test)


def test_a_dashboard_without_rules_says_so():
    assert "without rules" in texts(show(None))


# ── changing ─────────────────────────────────────────────────────────────────


def test_a_dashboard_that_only_reads_offers_no_change():
    ruled = Ruled(may_edit=False)
    ruled.fire(ruled.rule("nan", actions=[{"tag": "bad"}]), "r0001", dead=True)
    keys = {button.key for button in show(ruled, rule="nan").button}
    assert keys == {"rule_try"}
    assert not show(ruled, new="nan").text_input
    deliveries = show(ruled, tab="Deliveries")
    assert not deliveries.button
    assert "weir rules retry" in texts(deliveries)


def test_a_rule_is_made_from_a_template():
    ruled = Ruled()
    test = pressed(show(ruled), "rule_new")
    next(box for box in test.selectbox if box.label == "Asks").select("plateau").run()
    next(one for one in test.text_input if one.label == "metric").set_value("train/loss").run()
    next(one for one in test.text_input if one.label == "Name").set_value("stuck").run()
    test.text_area[0].set_value("tag stuck\nstop\nwebhook https://a.example/x secret=k").run()
    pressed(test, "rule_save")
    (rule,) = ruled.reader.list_rules("gpt-small")
    said = said_of(rule.definition)
    assert (rule.name, said["template"], said["with"]) == (
        "stuck",
        "plateau",
        {"metric": "train/loss"},
    )
    assert said["actions"] == [
        {"tag": "stuck"}, {"stop": True}, {"webhook": "https://a.example/x", "secret": "k"},
    ]  # fmt: skip
    assert rule.by == "dashboard"
    assert "stuck" in list(test.dataframe[0].value["rule"])


def test_a_chart_leads_to_a_rule_over_its_metric():
    address = {"new": "nan", "with.metric": "train/loss", "name": "nan-train-loss"}
    test = show(Ruled(), **address)
    values = {one.label: one.value for one in test.text_input}
    assert values["Name"] == "nan-train-loss"
    assert values["metric"] == "train/loss"


@pytest.mark.parametrize("template", sorted(TEMPLATES))
def test_every_template_can_be_made_as_it_comes(template):
    ruled = Ruled()
    test = show(ruled, new=template)
    assert not test.exception
    assert not test.error
    pressed(test, "rule_save")
    (rule,) = ruled.reader.list_rules("gpt-small")
    assert rule.definition == definition_of({"name": template, "template": template})


@pytest.mark.parametrize(
    ("label", "value", "said"),
    [
        ("Name", "no spaces please", "rule name"),
        ("Every", "soon", "every is"),
        ("Every", "1s", "5 s or more"),
        ("patience", "many", "a whole number"),
        ("Does, beside leaving an alert", "shout loudly", "'shout' is no action"),
        ("Does, beside leaving an alert", "email nobody", "no e-mail address"),
    ],
)
def test_what_makes_no_rule_is_said_and_cannot_be_saved(label, value, said):
    test = show(Ruled(), new="plateau")
    field = next(one for one in [*test.text_input, *test.text_area] if one.label == label)
    field.set_value(value).run()
    assert not test.exception
    assert said in test.error[0].value.replace("\\", "")
    assert "rule_save" not in {button.key for button in test.button}


def test_a_name_that_is_taken_is_refused():
    ruled = Ruled()
    ruled.rule("nan", actions=[{"tag": "keep"}])
    test = pressed(show(ruled, new="nan"), "rule_save")
    assert "there is a rule nan already" in texts(test)
    assert ruled.reader.list_rules("gpt-small")[0].definition.actions


def test_changing_a_rule_keeps_its_secrets_and_what_the_form_does_not_ask():
    ruled = Ruled()
    actions = [{"slack": HOOK}, {"webhook": HOOK, "secret": "s3cr3t"}, {"tag": "old"}]
    before = ruled.rule("nan", actions=actions, max_alerts=7, tell_resolved=True, **{"for": "90s"})
    test = show(ruled, edit="nan")
    assert not test.error
    next(one for one in test.text_input if one.label == "Title").set_value("Not a number").run()
    test.multiselect[0].set_value([0, 1]).run()
    pressed(test, "rule_save")
    (after,) = ruled.reader.list_rules("gpt-small")
    assert (after.rule_id, after.version) == (before.rule_id, 2)
    expected = definition_of(
        {**said_of(before.definition), "title": "Not a number", "actions": actions[:2]}
    )
    assert after.definition == expected


def test_a_rule_that_somebody_changed_in_between_is_not_overwritten():
    ruled = Ruled()
    rule = ruled.rule("nan")
    test = show(ruled, edit="nan")
    data.ask().rules._kept._clock = lambda: 0.0  # what the page knows stays as it is
    ruled.editor.put_rule(replace(rule, version=2, by="bob", at_unix_us=rule.at_unix_us + 1))
    pressed(test, "rule_save")
    assert "somebody changed the rule nan" in texts(test)
    assert ruled.reader.list_rules("gpt-small")[0].by == "bob"


def test_a_rule_is_switched_off_and_on():
    ruled = Ruled()
    ruled.rule("nan", actions=[{"slack": HOOK}])
    test = pressed(show(ruled, rule="nan"), "rule_switch")
    assert "‖ off" in list(test.dataframe[0].value["stands"])
    pressed(test, "rule_switch")
    (rule,) = ruled.reader.list_rules("gpt-small")
    assert rule.definition.enabled
    assert rule.definition.actions[0].target == HOOK


def test_a_rule_is_deleted():
    ruled = Ruled()
    ruled.rule("nan")
    ruled.rule("other")
    test = pressed(show(ruled, rule="nan"), "rule_delete")
    assert [rule.name for rule in ruled.reader.list_rules("gpt-small")] == ["other"]
    assert list(test.dataframe[0].value["rule"]) == ["other"]


def test_trying_shows_what_it_would_find_and_tells_nobody():
    ruled = Ruled()
    ruled.rule("nan", actions=[{"stop": True}])
    test = pressed(show(ruled, rule="nan"), "rule_try")
    assert "It would find 1 group now" in texts(test)
    assert test.dataframe[1].value["what"].tolist() == ["r0004"]
    assert ruled.sql.asked[0].rights.projects == ("gpt-small",)
    assert not ruled.reader.list_alerts("gpt-small")
    assert not ruled.reader.list_deliveries("gpt-small")


def test_trying_a_wrong_rule_says_what_is_wrong():
    ruled = Ruled()
    ruled.sql.error = Refused("the table function file()")
    ruled.rule("mine", sql="SELECT 1 AS value")
    assert "file()" in texts(pressed(show(ruled, rule="mine"), "rule_try"))


def test_own_sql_can_be_written_and_tried_before_it_is_saved():
    ruled = Ruled()
    test = show(ruled, new="sql", sql="SELECT run_id FROM runs", name="mine")
    assert test.text_area[0].value == "SELECT run_id FROM runs"
    pressed(test, "rule_try")
    assert ruled.sql.asked[0].text == "SELECT run_id FROM runs"
    pressed(test, "rule_save")
    assert ruled.reader.list_rules("gpt-small")[0].definition.sql == "SELECT run_id FROM runs"


def test_a_dead_delivery_is_tried_again_one_or_all():
    ruled = Ruled()
    ruled.fire(
        ruled.rule("nan", actions=[{"slack": HOOK}, {"tag": "bad"}]), "r0001", "r0002", dead=True
    )
    test = pressed(show(ruled, tab="Deliveries"), "retry_one")
    waiting = DeliveryState.WAITING
    assert len(ruled.reader.list_deliveries("gpt-small", states=[waiting])) == 1
    assert "3 dead" in texts(test)
    pressed(test, "retry_all")
    assert len(ruled.reader.list_deliveries("gpt-small", states=[waiting])) == 4


# ── elsewhere ────────────────────────────────────────────────────────────────


def test_home_names_what_fires_and_says_nothing_else():
    ruled = Ruled()
    assert "firing" not in texts(show(ruled, "home"))
    rule = ruled.rule("nan")
    ruled.health(rule, firing=3)
    ruled.health(ruled.rule("off", enabled=False), firing=9)
    assert "1 rule firing" in texts(show(ruled, "home"))


def test_home_needs_no_rules():
    assert not show(None, "home").exception


# ── forms ────────────────────────────────────────────────────────────────────


def test_typed_values_are_of_the_kind_of_their_default():
    assert rule_form.typed_as("n", " 7 ", 1) == 7
    assert rule_form.typed_as("f", "1e-3", 1.0) == 1e-3
    assert rule_form.typed_as("b", "True", False) is True
    assert rule_form.typed_as("l", "a, b,", ["x"]) == ["a", "b"]
    assert rule_form.typed_as("t", " x y ", "z") == "x y"
    with pytest.raises(InvalidQuery, match="a number"):
        rule_form.typed_as("f", "much", 1.0)


@pytest.mark.parametrize("seconds", [5.0, 30.0, 90.0, 600.0, 5_400.0, 86_400.0, 0.5])
def test_spans_come_back_as_they_were(seconds):
    made = definition_of({"name": "x", "template": "nan", "for": rule_form.span(seconds)})
    assert made.for_s == seconds


def test_firing_rules_are_ordered_by_how_many_groups_they_have():
    ruled = Ruled()
    for name, firing in (("a", 1), ("b", 5), ("c", 0)):
        ruled.health(ruled.rule(name), firing=firing)
    found = rule_words.firing_now(ruled.reader.list_rules(), ruled.reader.list_health())
    assert [(rule.name, count) for rule, count in found] == [("b", 5), ("a", 1)]
