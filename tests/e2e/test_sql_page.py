"""The SQL page in a real browser over a real engine: typing, completing, running, sharing, downloading."""

from __future__ import annotations

import io
import json
import re
from urllib.parse import urlencode

import pyarrow.parquet as pq
from playwright.sync_api import expect

from tests.e2e.fixtures_stored import STEPS, desk, look, shoot, stored

__all__ = ["desk", "look", "stored"]
expect.set_options(timeout=30_000)
COUNT = "SELECT run_id, count() AS points FROM metrics WHERE project = 'sweep' GROUP BY run_id ORDER BY run_id"


def open_desk(page, stored, sql: str = "", **more: str):
    page.goto(f"{stored.address}/sql?{urlencode({**({'sql': sql} if sql else {}), **more})}")
    area = page.get_by_role("textbox", name="SQL", exact=True)
    area.wait_for()
    return area


def answered(page, text: str):
    page.get_by_text(re.compile(text)).first.wait_for()


def test_a_statement_is_typed_run_by_key_and_stands_in_the_address(desk, stored):
    area = open_desk(desk, stored)
    area.fill(COUNT)
    area.press("Control+Enter")
    answered(desk, r"3 rows ·")
    assert "sql=SELECT" in desk.url
    assert area.input_value() == COUNT


def test_a_link_shows_the_same_answer_to_somebody_else(desk, stored, browser):
    area = open_desk(desk, stored)
    area.fill(COUNT + "\n-- " + "long " * 400)
    desk.get_by_role("button", name="Run").click()
    answered(desk, r"3 rows ·")
    assert "sqlz=" in desk.url
    other = browser.new_page()
    other.goto(desk.url)
    answered(other, r"3 rows ·")
    assert other.get_by_role("textbox", name="SQL", exact=True).input_value().startswith(COUNT)
    other.close()


def test_the_words_under_the_text_are_the_text_and_coloured(desk, stored, look):
    desk.emulate_media(color_scheme=look)
    area = open_desk(desk, stored, COUNT, tab="Chart")
    answered(desk, r"3 rows ·")
    assert desk.locator(".editor code").inner_text().rstrip("\n") == area.input_value()
    assert desk.locator(".editor .t-keyword").first.inner_text() == "SELECT"
    assert desk.locator(".editor .t-view").inner_text() == "metrics"
    desk.locator('[data-testid="stVegaLiteChart"] canvas').wait_for()
    desk.wait_for_timeout(500)
    shoot(desk, f"sql-{look}")


def test_names_are_completed_at_the_caret(desk, stored):
    area = open_desk(desk, stored)
    area.fill("")
    area.press_sequentially("SELECT run_id FROM metr")
    option = desk.get_by_role("option", name="metrics view")
    option.wait_for()
    area.press("Tab")
    assert area.input_value() == "SELECT run_id FROM metrics"
    area.press_sequentially(" WHERE metric LIKE 'ru")
    expect(desk.locator(".completions")).to_be_hidden()
    area.press_sequentially("n' AND ste")
    desk.get_by_role("option", name=re.compile("^step")).wait_for()
    area.press("Escape")
    expect(desk.locator(".completions")).to_be_hidden()


def test_keys_typed_into_the_editor_do_nothing_else(desk, stored):
    area = open_desk(desk, stored, COUNT)
    answered(desk, r"3 rows ·")
    area.press("End")
    area.press_sequentially("\n-- r c / m ?")
    desk.wait_for_timeout(500)
    assert area.input_value().endswith("-- r c / m ?")


def test_every_view_is_listed_and_its_example_runs(desk, stored):
    area = open_desk(desk, stored)
    views = desk.locator(".views details")
    expect(views.first).to_be_visible()
    names = [views.nth(at).get_attribute("data-view") for at in range(views.count())]
    assert {"runs", "metrics", "params", "series", "system", "logs", "events"} <= set(names)
    desk.get_by_placeholder("Find a view or column").fill("metrics step")
    expect(views).to_have_count(1)
    expect(desk.locator(".views .column")).to_have_count(1)
    desk.get_by_role("button", name="example →").click()
    assert "metrics" in area.input_value()
    desk.get_by_role("button", name="Run").click()
    answered(desk, r"\d row|No row answers")
    desk.locator(".views .column").click()
    assert "step" in area.input_value()


def test_a_refusal_names_the_construct_and_the_answer_before_stays(desk, stored):
    area = open_desk(desk, stored, COUNT)
    answered(desk, r"3 rows ·")
    area.fill("SELECT * FROM file('/etc/passwd')")
    area.press("Control+Enter")
    desk.get_by_test_id("stAlert").get_by_text("file").first.wait_for()
    answered(desk, "The answer below is of")
    assert "root:" not in desk.content()


def test_a_slow_statement_is_cancelled(desk, stored):
    area = open_desk(desk, stored)
    area.fill(
        "SELECT sum(sipHash64(a.number, b.number)) FROM numbers(1000000) a, numbers(100000) b"
    )
    area.press("Control+Enter")
    desk.get_by_role("button", name="Cancel").or_(desk.get_by_test_id("stAlert")).first.wait_for()
    if desk.get_by_role("button", name="Cancel").count():
        desk.get_by_role("button", name="Cancel").click()
        answered(desk, "Cancelled.")


def test_statements_are_remembered_and_named_by_the_browser(desk, stored):
    area = open_desk(desk, stored)
    area.fill(COUNT)
    area.press("Control+Enter")
    answered(desk, r"3 rows ·")
    desk.get_by_placeholder("name it to keep it").fill("how many")
    desk.get_by_role("button", name="Save").click()
    open_desk(desk, stored)
    kept = desk.get_by_role("combobox", name="statements of this browser")
    kept.select_option(label="how many")
    assert area.input_value() == COUNT
    desk.get_by_role("button", name="Forget").click()
    open_desk(desk, stored)
    assert "how many" not in kept.inner_text()
    assert "SELECT run_id, count()" in kept.inner_text()
    assert json.loads(desk.evaluate("localStorage.getItem('weir.sql.named')")) == {}


def test_every_row_is_downloaded_though_the_page_shows_the_first(desk, stored):
    sql = "SELECT run_id, step, value FROM metrics WHERE project = 'sweep' ORDER BY run_id, step"
    open_desk(desk, stored, sql)
    answered(desk, rf"the first 10,000 of {3 * STEPS:,} rows")
    with desk.expect_download() as waiting:
        desk.get_by_role("link", name="Parquet").click()
    table = pq.read_table(io.BytesIO(waiting.value.path().read_bytes()))
    assert table.num_rows == 3 * STEPS
    assert table.column_names == ["run_id", "step", "value"]
    with desk.expect_download() as waiting:
        desk.get_by_role("link", name="CSV").click()
    assert len(waiting.value.path().read_text().splitlines()) == 3 * STEPS + 1


def test_a_chart_of_the_wall_leads_to_its_sql_which_answers(desk, stored):
    desk.goto(f"{stored.address}/workspace?project=sweep&win=1000,2000")
    desk.wait_for_selector('.panels[aria-busy="false"] .panel canvas')
    desk.get_by_role("button", name="more about train/loss").click()
    desk.get_by_role("menuitem", name="SQL of this chart").click()
    area = desk.get_by_role("textbox", name="SQL", exact=True)
    area.wait_for()
    answered(desk, r"\d rows ·")
    assert "step BETWEEN 1000 AND 2000" in area.input_value()


def test_the_sql_of_a_wide_chart_answers_too(desk, stored):
    desk.goto(f"{stored.address}/workspace?project=pretrain")
    desk.wait_for_selector('.panels[aria-busy="false"] .panel canvas')
    desk.get_by_role("button", name="more about step_time_s").click()
    desk.get_by_role("menuitem", name="SQL of this chart").click()
    answered(desk, r"100 rows ·")
    answered(desk, "highest_rank|100 rows")
