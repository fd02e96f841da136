"""The table of runs in a real browser over a real engine: columns, completion, picks, changes, files."""

from __future__ import annotations

import csv
import io
import re

import pyarrow.parquet as parquet
from playwright.sync_api import expect

from tests.e2e.fixtures_runs import HOSTILE, PROJECT, RUNS, desk, table
from weir_store.errors import UnknownRun
from weir_store.records import RunQuery, RunRef

__all__ = ["desk", "table"]
expect.set_options(timeout=30_000)


def open_runs(desk, table, query: str = "") -> None:
    desk.goto(f"{table.address}/runs?project={PROJECT}{query}")
    desk.get_by_test_id("stDataFrame").wait_for()


def press(desk, name: str) -> None:
    desk.get_by_role("button", name=name, exact=True).click()


def counted(desk, text: str) -> None:
    expect(desk.get_by_test_id("stCaptionContainer").filter(has_text=text).first).to_be_visible()


def rows_of(desk, table, label: str) -> bytes:
    href = desk.get_by_role("link", name=label, exact=True).get_attribute("href")
    return desk.request.get(f"{table.address}{href}").body()


def pick_everything(desk, table, query: str, runs: int) -> None:
    open_runs(desk, table, query)
    counted(desk, f"{runs} run")
    if runs > 100:
        press(desk, f"Pick all {runs}")
    else:
        pick_row(desk, 0)


def pick_row(desk, row: int) -> None:
    at_cell(desk, 16, row, desk.mouse.click)


def at_cell(desk, x: float, row: int, press) -> None:
    """Press at a place of the table, which is a canvas under a scroller; negative x is a share of its width."""
    box = desk.get_by_test_id("stDataFrame").bounding_box()
    press(box["x"] + (x if x > 0 else -x * box["width"]), box["y"] + 36 + 33 * row + 16)


def choose(desk, what: str, runs: int) -> None:
    desk.get_by_role("button", name=f"Change {runs}", exact=True).click()
    desk.get_by_role("option", name=what, exact=True).or_(
        desk.get_by_role("menuitem", name=what, exact=True)
    ).first.click()
    desk.get_by_role("dialog").wait_for()


def confirm(desk, name: str) -> None:
    dialog = desk.get_by_role("dialog")
    dialog.get_by_role("button", name=name, exact=True).click()
    expect(dialog).to_have_count(0)


# ── the filter ──────────────────────────────────────────────────────────────


def test_names_operators_and_values_are_completed_and_the_filter_applies(desk, table):
    open_runs(desk, table)
    field = desk.get_by_label("Filter", exact=True)
    field.click()
    field.press_sequentially("val")
    options = desk.get_by_role("option")
    expect(options.filter(has_text="metric.val/loss")).to_be_visible()
    field.press("ArrowDown")
    field.press("Enter")
    expect(field).to_have_value("metric.val/loss ")
    expect(options.filter(has_text="BETWEEN")).to_be_visible()
    field.press_sequentially("< 4.3 ")
    expect(options.filter(has_text="AND")).to_be_visible()
    field.press("Escape")
    field.press("Enter")
    counted(desk, "5 runs")
    assert "q=metric.val%2Floss" in desk.url


def test_a_wrong_filter_is_said_under_the_field_and_the_last_good_table_stays(desk, table):
    desk.goto(f"{table.address}/runs?project={PROJECT}&q=config.lr%20%3C%200.001")
    counted(desk, "52 runs")
    field = desk.get_by_label("Filter", exact=True)
    field.fill("config.lr <")
    field.press("Enter")
    expect(desk.get_by_test_id("stAlert")).to_contain_text("something is missing after")
    counted(desk, "Showing the runs of config.lr < 0.001")
    expect(desk.get_by_test_id("stDataFrame")).to_be_visible()


# ── columns ─────────────────────────────────────────────────────────────────


def test_a_column_is_found_by_search_put_first_sorted_by_and_taken_away_as_a_file(desk, table):
    open_runs(desk, table, "&col=config.lr")
    press(desk, "Columns")
    dialog = desk.get_by_role("dialog")
    dialog.get_by_label("Find names").fill("VAL loss")
    expect(dialog.get_by_text("1 name", exact=True)).to_be_visible()
    dialog.get_by_role("button", name=re.compile("metric.val")).click()
    expect(dialog.get_by_text("2 columns")).to_be_visible()
    dialog.get_by_role("button", name="↑", exact=True).nth(1).click()
    expect(dialog.get_by_role("button", name="↑", exact=True).nth(0)).to_be_disabled()
    dialog.get_by_role("button", name="Show them").click()
    expect(dialog).to_have_count(0)
    expect(desk).to_have_url(re.compile("col=metric.val(%2F|/)loss(%40|@)last&col=config.lr"))
    open_runs(desk, table, "&col=metric.val/loss@min&col=config.lr&sort=metric.val/loss@min")
    rows = list(csv.DictReader(io.StringIO(rows_of(desk, table, "CSV").decode())))
    assert len(rows) == RUNS
    assert [row["run_id"] for row in rows[:3]] == ["r060", "r061", "r059"]
    held = parquet.read_table(io.BytesIO(rows_of(desk, table, "Parquet")))
    assert held["metric.val/loss@min"].to_pylist()[:2] == [0.0, 0.1]
    assert next(r["name"] for r in rows if r["run_id"] == "r007") == HOSTILE


def test_chosen_columns_are_remembered_when_one_comes_back_and_the_back_button_still_works(
    desk, table
):
    open_runs(desk, table, "&col=metric.train/acc@max")
    desk.get_by_role("link", name="SQL", exact=True).click()
    desk.get_by_role("button", name=re.compile("^Run")).wait_for()
    desk.get_by_role("link", name="Runs", exact=True).click()
    expect(desk).to_have_url(re.compile("col=metric.train(%2F|/)acc(%40|@)max"))


# ── picks ───────────────────────────────────────────────────────────────────


def test_picks_survive_filter_sort_and_page_and_say_how_many_are_not_shown(desk, table):
    open_runs(desk, table)
    pick_row(desk, 0)
    counted(desk, "1 picked")
    pick_row(desk, 2)
    counted(desk, "2 picked")
    field = desk.get_by_label("Filter", exact=True)
    field.fill("id = 'r129'")
    field.press("Enter")
    counted(desk, "2 picked, 1 not shown")
    field.fill("")
    field.press("Enter")
    counted(desk, "130 runs · 2 picked")
    press(desk, "Next page")
    counted(desk, "2 picked, 2 not shown")
    expect(desk.get_by_role("button", name="Compare 2", exact=True)).to_be_visible()


# ── changing ────────────────────────────────────────────────────────────────


def test_all_matching_runs_are_tagged_with_a_report_for_each(desk, table):
    pick_everything(desk, table, "", RUNS)
    counted(desk, f"{RUNS} picked, 30 not shown")
    choose(desk, "Tag", RUNS)
    tags = desk.get_by_role("dialog").get_by_role("combobox")
    tags.fill("seen")
    tags.press("Enter")
    tags.press("Escape")
    desk.get_by_role("dialog").get_by_text("Tags to add").click()
    confirm(desk, f"Tag {RUNS} runs")
    expect(desk.get_by_text(f"{RUNS} runs done")).to_be_visible()
    assert table.reader.list_runs(RunQuery(PROJECT, "'seen' IN tags")).total == RUNS
    (event,) = table.reader.list_events(RunRef(PROJECT, "r000"), kinds=["edited"]).events
    assert (event.attrs["by"], event.attrs["before"]) == ("dashboard", '["base"]')


def test_a_run_is_renamed_and_another_moved_once_a_gateway_takes_it_up(desk, table):
    pick_everything(desk, table, "&q=id%20%3D%20'r011'", 1)
    choose(desk, "Rename", 1)
    desk.get_by_role("dialog").get_by_label("Name").fill("the <b>best</b>")
    desk.get_by_role("dialog").get_by_label("Name").press("Tab")
    confirm(desk, "Rename")
    expect(desk.get_by_text("1 run done")).to_be_visible()
    assert table.reader.get_run(RunRef(PROJECT, "r011")).name == "the <b>best</b>"
    choose(desk, "Move", 1)
    target = desk.get_by_role("dialog").get_by_role("combobox")
    target.fill("archive")
    target.press("Enter")
    confirm(desk, "Move 1 run")
    expect(desk.get_by_text("1 run done, 1 under way")).to_be_visible()
    table.take_up()
    expect(desk.get_by_text("1 under way")).to_have_count(0)
    assert table.reader.get_run(RunRef("archive", "r011")).name == "the <b>best</b>"


def test_deleting_says_what_it_frees_and_the_run_is_gone_at_once(desk, table):
    pick_everything(desk, table, "&q=id%20%3D%20'r012'", 1)
    choose(desk, "Delete", 1)
    expect(desk.get_by_role("dialog")).to_contain_text(re.compile(r"frees \d+ rows"))
    desk.get_by_role("dialog").get_by_label("Why?").fill("a test")
    desk.get_by_role("dialog").get_by_label("Why?").press("Tab")
    confirm(desk, "Delete 1 run")
    expect(desk.get_by_text("No run matches")).to_be_visible()
    assert _is_gone(table, "r012")
    table.take_up()


def _is_gone(table, run_id: str) -> bool:
    try:
        table.reader.get_run(RunRef(PROJECT, run_id))
    except UnknownRun:
        return True
    return False


def test_a_name_is_typed_into_the_table_and_saved(desk, table):
    open_runs(desk, table, "&q=id%20%3D%20'r020'")
    desk.get_by_text("Edit", exact=True).first.click()
    expect(desk.get_by_role("button", name="Save 0 runs")).to_be_disabled()
    at_cell(desk, -0.3, 0, desk.mouse.dblclick)
    cell = desk.locator("#portal textarea")
    cell.fill("typed here")
    cell.press("Enter")
    press(desk, "Save 1 run")
    expect(desk.get_by_text("1 run done")).to_be_visible()
    assert table.reader.get_run(RunRef(PROJECT, "r020")).name == "typed here"


def test_notes_and_tags_are_written_on_the_page_of_a_run(desk, table):
    desk.goto(f"{table.address}/run?project={PROJECT}&id=r030&tab=Overview")
    desk.get_by_role("button", name="Add notes and tags").click()
    notes = desk.get_by_label("Notes, in Markdown")
    notes.fill("# Why\n\nIt was *slow*. <script>alert(1)</script>")
    press(desk, "Save")
    expect(desk.get_by_role("heading", name="Why")).to_be_visible()
    run = table.reader.get_run(RunRef(PROJECT, "r030"))
    assert run.notes.startswith("# Why")
    assert run.tags == ("base",) or "seen" in run.tags
