"""The pages of one run and of artifacts in a real browser: telemetry, logs, files, lineage, differences."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import TimeoutError, expect

from tests.e2e.fixtures_dashboard import Served, listen

expect.set_options(timeout=20_000)
RUN = "/run?project=ddp&id=ddp16"
PANELS = '[data-testid="stVegaLiteChart"]'
# What is drawn: the path of the first line of every panel, and the labels below
LINES = """[...document.querySelectorAll('[data-testid="stVegaLiteChart"] g.mark-line.role-mark')]
    .map((g) => g.querySelector('path')?.getAttribute('d') ?? '').filter(Boolean)"""

LABELS = """[...document.querySelectorAll('[data-testid="stVegaLiteChart"] .role-axis-label text')]
    .map((text) => text.textContent).filter((text) => /^\\d\\d:\\d\\d/.test(text))"""


def open_run(page, served: Served, tab: str, more: str = "") -> None:
    page.goto(f"{served.address}{RUN}&tab={tab}{more}")
    page.get_by_text("ddp-16gpu").wait_for()


def drawn(page, panels: int) -> list[str]:
    page.wait_for_function(f"new Set({LINES}.map((d) => d.slice(0, 40))).size >= {panels}")
    page.wait_for_timeout(500)
    found: list[str] = page.evaluate(LINES)
    return found


def row(page, table: int, index: int) -> None:
    """Choose a row of a table, counted as lists are, by its box; the table must stand still."""
    place = page.get_by_test_id("stDataFrame").nth(table)
    place.scroll_into_view_if_needed()
    page.wait_for_timeout(700)
    box = place.bounding_box()
    page.mouse.click(box["x"] + 16, box["y"] + 38 + 31 * index + 15)


def choose(page, table: int, index: int, shown) -> None:
    """Choose a row until what it shows is there: the page may be drawn anew under the pointer."""
    for _ in range(4):
        row(page, table, index)
        try:
            shown.wait_for(timeout=8_000)
            return
        except TimeoutError:
            continue
    shown.wait_for()


def find(page, words: str, *, without) -> None:
    """Look for words until what does not match is gone: a redraw may empty the field."""
    field = page.get_by_placeholder("Find a path or a value")
    for _ in range(4):
        field.fill(words)
        field.press("Enter")
        try:
            without.wait_for(state="detached", timeout=8_000)
            return
        except TimeoutError:
            continue
    without.wait_for(state="detached")


# ── system ───────────────────────────────────────────────────────────────────


def test_panels_of_all_devices_zoom_together_and_stay_zoomed(page, served):
    open_run(page, served, "System")
    before = drawn(page, 4)
    page.get_by_text("7.96 GPU-hours").wait_for()
    page.locator(f"{PANELS} >> text=node-01 · gpu3").wait_for()
    box = page.locator(f"{PANELS} svg").bounding_box()
    assert box["x"] + box["width"] <= 1_500
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 80)
    for _ in range(4):
        page.mouse.wheel(0, -200)
    page.wait_for_timeout(1_000)
    zoomed = page.evaluate(LINES)
    assert len(zoomed) == len(before)
    assert all(after != line for after, line in zip(zoomed, before, strict=True))
    window = page.evaluate(LABELS)
    served.tell("sample")  # the page looks for news every ten seconds
    page.wait_for_function(f"{LINES}[0] !== {json.dumps(zoomed[0])}")
    page.wait_for_timeout(500)
    assert page.evaluate(LABELS) == window


def test_a_training_curve_stands_above_the_panels_on_their_axis(page, served):
    open_run(page, served, "System")
    drawn(page, 4)
    page.get_by_test_id("stSelectbox").nth(1).locator("input").fill("train/loss")
    page.get_by_role("option", name="train/loss").click()
    page.locator(f"{PANELS} >> text=train/loss").first.wait_for()
    drawn(page, 5)
    curve = page.locator(f"{PANELS} g.mark-line.role-mark path").first
    assert curve.get_attribute("stroke") == "#3280dd"


def test_times_are_utc_wherever_the_browser_is(browser, served):
    shown = []
    for zone in ("America/New_York", "UTC"):
        context = browser.new_context(
            viewport={"width": 1500, "height": 900}, timezone_id=zone, locale="en-US"
        )
        page = context.new_page()
        page.set_default_timeout(20_000)
        open_run(page, served, "System", "&sys_group=CPU")
        drawn(page, 1)
        shown.append(page.evaluate(LABELS))
        context.close()
    assert shown[0] == shown[1] != []


# ── logs ─────────────────────────────────────────────────────────────────────


def lines(page):
    return page.locator(".weir-log > div > div")


def test_lines_are_searched_and_filtered_by_rank_and_stream(page, served):
    open_run(page, served, "Logs", "&log_q=step%20390")
    lines(page).first.wait_for()
    expect(lines(page)).to_have_count(4)
    page.get_by_placeholder("words that are in the line").fill("")
    page.get_by_placeholder("words that are in the line").press("Enter")
    page.get_by_text("of 16 is up").first.wait_for()
    page.get_by_test_id("stMultiSelect").nth(1).locator("input").fill("stderr")
    page.get_by_role("option", name="stderr").click()
    page.get_by_text("4 lines").wait_for()
    assert lines(page).nth(0).get_attribute("class") == "stderr"
    page.keyboard.press("Escape")
    page.get_by_test_id("stMultiSelect").nth(0).locator("input").fill("3")
    page.get_by_role("option", name="3", exact=True).click()
    page.get_by_text("no line matches").wait_for()


def test_new_lines_appear_by_themselves_at_the_end_that_is_shown(page, served):
    open_run(page, served, "Logs")
    lines(page).first.wait_for()
    served.tell("say fresh from the press")
    page.get_by_text("fresh from the press").wait_for()
    page.get_by_text("fresh from the press").wait_for()
    assert "fresh" in lines(page).last.inner_text()
    served.tell("say and another")
    page.get_by_text("and another").wait_for()


def test_colours_are_shown_and_markup_is_text(page, served):
    open_run(page, served, "Logs", "&log_q=uncorrectable")
    colored = page.locator(".weir-log span").first
    colored.wait_for()
    assert colored.inner_text() == "CUDA error: uncorrectable ECC error encountered"
    assert colored.evaluate("e => getComputedStyle(e).color") == "rgb(208, 64, 43)"
    open_run(page, served, "Logs", "&log_q=onerror")
    lines(page).first.wait_for()
    assert "<script>document.title" in lines(page).first.inner_text()
    assert page.locator(".weir-log img, .weir-log script").count() == 0
    assert page.title() != "hacked"


# ── overview and artifacts ───────────────────────────────────────────────────


def test_a_file_of_the_run_is_shown_when_it_is_chosen(page, served):
    open_run(page, served, "Overview")
    page.get_by_role("heading", name="Files").wait_for()
    choose(page, -1, 0, page.get_by_text("+lr = ").first)
    page.get_by_role("link", name="Download").wait_for()


def test_from_an_artifact_to_its_version_its_files_and_what_is_in_them(page, served):
    page.goto(f"{served.address}/artifacts?project=ddp")
    page.get_by_text("3 artifacts").wait_for()
    choose(page, 0, 0, page.get_by_role("heading", name="checkpoint", exact=True))
    choose(page, -1, 0, page.get_by_role("heading", name="checkpoint:v2"))
    page.get_by_text("weir artifact get ddp/checkpoint:v2").wait_for()
    graph = page.get_by_test_id("stGraphVizChart")
    graph.get_by_text("eval-1", exact=True).wait_for()
    expect(graph.locator("g.node")).to_have_count(7)
    choose(page, -1, 0, page.get_by_text('"hidden": 768').first)


def test_what_a_run_made_and_read_is_a_graph(page, served):
    open_run(page, served, "Artifacts")
    graph = page.get_by_test_id("stGraphVizChart")
    graph.get_by_text("imagenet:v0", exact=True).wait_for()
    expect(graph.locator("g.node")).to_have_count(5)
    assert graph.locator("svg").bounding_box()["height"] < 400


# ── differences ──────────────────────────────────────────────────────────────


def test_two_runs_differ_in_groups_and_inside_their_files(page, served):
    page.goto(f"{served.address}/compare?run=gpt-small/r0002&run=gpt-small/r0003&tab=Differences")
    for group in ("Metrics", "Config", "Code", "Packages", "Seeds"):
        page.get_by_role("heading", name=group, exact=True).wait_for()
    page.get_by_text("+warmup = 500").first.wait_for()
    find(page, "torch", without=page.get_by_role("heading", name="Config", exact=True))
    # A redraw may show the old heading beside the new one for a moment.
    expect(page.get_by_role("heading", name="Packages", exact=True)).to_have_count(1)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("tab", ["Overview", "System", "Logs", "Artifacts"])
def test_a_narrow_window_never_scrolls_sideways(browser, served, scheme, tab):
    context = browser.new_context(viewport={"width": 600, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    page.set_default_timeout(20_000)
    listen(page, served)
    open_run(page, served, tab)
    page.wait_for_timeout(2_000)
    width = page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth")
    context.close()
    assert width <= 600
    assert served.complaints == []
