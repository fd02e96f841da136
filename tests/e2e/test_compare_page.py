"""Comparing in a real browser: brushes choose runs and stay in the address, a baseline, what differs alone."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import TimeoutError, expect

from tests.e2e.fixtures_dashboard import Served, listen

expect.set_options(timeout=20_000)
SERVER = Path(__file__).with_name("compare_server.py")


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    """A dashboard over a sweep of forty runs."""
    process = subprocess.Popen(
        [sys.executable, str(SERVER), "40"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    ready = process.stdout.readline()
    try:
        assert "dashboard ready on " in ready
        yield Served(ready.split()[-1], process)
    finally:
        process.terminate()
        process.wait(timeout=20)


def open_tab(page, served: Served, tab: str, more: str = "") -> None:
    page.goto(f"{served.address}/compare?project=sweep&tab={tab}{more}")


def told(page) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query)


def until(page, act, seen) -> None:
    """Do something until its effect shows: a redraw of the page may swallow it."""
    for _ in range(4):
        act()
        try:
            seen.wait_for(timeout=6_000)
            return
        except TimeoutError:
            continue
    seen.wait_for()


def chosen(page, count: int, of: int = 40):
    return page.get_by_text(f"{count} of {of} runs", exact=True)


def drag_axis(page, name: str, high: float, low: float) -> None:
    """Brush an axis between two parts of its height, counted from below."""
    box = page.locator(f".axis[data-name='{name}']").bounding_box()
    top, bottom = box["y"] + 34, box["y"] + box["height"] - 40
    x = box["x"] + box["width"] / 2
    page.mouse.move(x, bottom - (bottom - top) * high)
    page.mouse.down()
    page.mouse.move(x, bottom - (bottom - top) * (high + low) / 2, steps=3)
    page.mouse.move(x, bottom - (bottom - top) * low, steps=3)
    page.mouse.up()


def test_a_brush_on_an_axis_chooses_runs_and_a_colleague_with_the_link_sees_the_same(page, served):
    open_tab(page, served, "Hyper-parameters")
    page.locator(".axis[data-name='config.lr']").wait_for()
    page.get_by_text("of the differences between 39 runs").wait_for()
    # lr is 1e-4 … 1e-2, logarithmic: the middle of the axis is 1e-3; r007 has none
    until(page, lambda: drag_axis(page, "config.lr", 0.6, 0.4), chosen(page, 7))
    (range_,) = told(page)["cmp_in"]
    low, high = (float(end) for end in range_.removeprefix("config.lr:").split(","))
    assert 3e-4 < low < 1e-3 < high < 3e-3
    until(page, lambda: drag_axis(page, "config.optimizer", 1.0, 0.9), chosen(page, 3))
    assert 'config.optimizer:"sgd"' in told(page)["cmp_in"]
    page.goto(page.url)
    chosen(page, 3).wait_for()
    expect(page.locator(".axis[data-name='config.lr'] .brush")).to_be_visible()
    until(
        page,
        lambda: page.get_by_role("button", name="Choose none").click(),
        page.get_by_text("nothing chosen"),
    )
    assert "cmp_in" not in told(page)
    expect(page.locator(".axis[data-name='config.lr'] .brush")).to_be_hidden()


def test_axes_can_be_brushed_with_the_keyboard(page, served):
    open_tab(page, served, "Hyper-parameters")
    axis = page.get_by_role("slider", name="lr:")
    axis.wait_for()
    page.get_by_text("of the differences between 39 runs").wait_for()
    axis.focus()
    page.keyboard.press("ArrowUp")
    chosen(page, 31).wait_for()  # all but the eight of 1e-4 and the one without lr
    expect(axis).to_have_attribute("aria-valuetext", "from 5 to 100 percent of the axis")
    page.keyboard.press("Escape")
    page.get_by_text("nothing chosen").wait_for()


def drag_box(page) -> None:
    """Choose the lowest dots of the middle learning rate in a box."""
    box = page.locator("canvas").last.bounding_box()
    page.mouse.click(box["x"] + box["width"] - 93, box["y"] + 24)  # the tool: a box
    left, width = box["x"] + 80, box["width"] - 120
    page.mouse.move(left + width * 0.4, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(left + width * 0.5, box["y"] + 200, steps=4)
    page.mouse.move(left + width * 0.6, box["y"] + 400, steps=4)
    page.mouse.up()


def test_a_box_over_dots_chooses_runs_by_ranges_and_leads_on_with_them(page, served):
    open_tab(page, served, "Scatter", "&cmp_color=config.optimizer")
    page.get_by_text("38 of 40 runs drawn").wait_for()
    page.locator("canvas").last.wait_for()
    until(page, lambda: drag_box(page), chosen(page, 7))
    names = {text.rpartition(":")[0] for text in told(page)["cmp_in"]}
    assert names == {"config.lr", "metric.val/loss@last"}
    these = page.get_by_role("button", name="Compare these")
    until(page, these.click, page.get_by_text("7 chosen runs"))
    assert len(told(page)["run"]) == 7
    assert told(page)["tab"] == ["Scatter"]


def test_a_baseline_is_chosen_on_the_page_and_kept_in_the_address(page, served):
    open_tab(page, served, "Results")
    page.get_by_text("40 runs", exact=True).wait_for()
    field = page.get_by_test_id("stSelectbox").filter(has_text="Baseline").locator("input")

    def choose() -> None:
        field.fill("adamw-0.0003-21")
        page.get_by_role("option", name="adamw-0.0003-21").click()

    until(page, choose, page.get_by_text("better and").first)
    page.wait_for_function("new URLSearchParams(location.search).get('base') === 'sweep/r021'")
    # The table is drawn on a canvas, and told to screen readers as a table
    expect(
        page.locator("canvas + table, canvas table").first.get_by_text("✓").first
    ).to_be_attached()


def test_equal_rows_are_hidden_until_they_are_asked_for(page, served):
    open_tab(page, served, "Differences")
    page.get_by_text("Config", exact=True).wait_for()
    page.get_by_text("4 differ", exact=True).wait_for()
    toggle = page.get_by_text("Show equal rows too")
    until(page, toggle.click, page.get_by_text("4 differ, 1 equal", exact=True))
    page.wait_for_function("new URLSearchParams(location.search).get('cmp_all') === 'true'")


def test_no_tab_complains_in_either_theme_or_on_a_phone(browser, served):
    signs = {
        "Differences": "4 differ",
        "Results": "40 runs",
        "Hyper-parameters": "Importance",
        "Scatter": "38 of 40 runs drawn",
    }
    for theme, width in (("dark", 1_500), ("light", 420)):
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=theme)
        page = context.new_page()
        page.set_default_timeout(20_000)
        listen(page, served)
        for tab, sign in signs.items():
            open_tab(page, served, tab)
            page.get_by_text(sign).first.wait_for()
            wide = page.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, (tab, wide)
        context.close()
    complaints, served.complaints = served.complaints, []
    assert complaints == []
