"""The Rules page in a real browser over a real engine: made, tried, changed, deleted."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.e2e.fixtures_stored import desk, look, shoot, stored

__all__ = ["desk", "look", "stored"]
expect.set_options(timeout=30_000)


def press(page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def write(page, label: str, text: str) -> None:
    field = page.get_by_label(label, exact=True)
    field.fill(text)
    field.press("Tab")


def test_a_rule_is_made_from_a_chart_tried_changed_and_deleted(desk, stored, look):
    desk.emulate_media(color_scheme=look)
    name = f"nan-{look}"
    desk.goto(f"{stored.address}/workspace?project=sweep")
    desk.wait_for_selector('.panels[aria-busy="false"] .panel canvas')
    desk.get_by_role("button", name="more about train/loss").click()
    desk.get_by_role("menuitem", name="Alert on this").click()
    expect(desk.get_by_label("metric", exact=True)).to_have_value("train/loss")
    write(desk, "Name", name)
    write(desk, "Window", "31d")
    desk.get_by_text("New rule").wait_for()
    shoot(desk, f"rule-form-{look}")
    press(desk, "Save")
    desk.get_by_text(re.compile(r"\d rules? · 0 groups firing")).wait_for()
    assert f"rule={name}" in desk.url
    press(desk, "Try it now")
    desk.get_by_text(re.compile("It would find .* now; nobody was told")).wait_for()
    shoot(desk, f"rules-{look}")
    press(desk, "Switch off")
    desk.get_by_role("button", name="Switch on").wait_for()
    press(desk, "Change")
    write(desk, "Title", "Not a number")
    press(desk, "Save")
    desk.get_by_role("button", name="Switch on").wait_for()
    desk.get_by_role("button", name="Delete").click()
    press(desk, f"Delete {name}")
    expect(desk.get_by_role("button", name="Switch on")).to_have_count(0)


def test_own_sql_that_the_gate_refuses_is_not_saved(desk, stored):
    desk.goto(
        f"{stored.address}/rules?project=sweep&new=sql&name=bad&sql=SELECT%20*%20FROM%20system.tables"
    )
    press(desk, "Save")
    desk.get_by_test_id("stAlert").get_by_text("system").first.wait_for()
    desk.goto(f"{stored.address}/rules?project=sweep")
    desk.get_by_text(re.compile("No rule watches|rule")).first.wait_for()
    assert "bad" not in desk.get_by_test_id("stMain").inner_text()


def test_own_sql_finds_what_it_selects(desk, stored):
    sql = "SELECT run_id, max(value) AS value FROM metrics WHERE metric = 'train/loss' GROUP BY run_id"
    desk.goto(
        f"{stored.address}/rules?project=sweep&new=sql&name=high&sql={sql.replace(' ', '%20')}"
    )
    press(desk, "Try it first")
    desk.get_by_text("It would find 3 groups now; nobody was told.").wait_for()


def test_no_alert_and_no_delivery_yet(desk, stored):
    for tab, said in (("Alerts", "nobody raised an alert"), ("Deliveries", "nothing was sent")):
        desk.goto(f"{stored.address}/rules?project=sweep&tab={tab}")
        desk.get_by_text(re.compile(said)).wait_for()
