"""What one can do with the chart wall, in a real browser."""

from __future__ import annotations

import csv
import io
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import expect

from tests.e2e.fixtures_dashboard import Served, listen
from tests.e2e.test_dashboard_browser import SETTLED, drag, open_wall, panel, until

expect.set_options(timeout=20_000)  # as the page's own: a reload of a busy machine takes its time

RUN = "gpt-small/r0021"


def keys_of(page) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query)


def resolution(page, metric: str = "train/loss"):
    return panel(page, metric).locator(".resolution")


def tool(page, run: str, what: str):
    """A button of a run's row, which is there while the row is pointed at."""
    row = page.locator(f'.run[data-run="{run}"]')
    row.hover()
    return row.get_by_role("button", name=what)


def choose(page, metric: str, entry: str) -> None:
    panel(page, metric).get_by_role("button", name="more about").click()
    page.get_by_role("menuitem", name=entry).click()


# ── axes ────────────────────────────────────────────────────────────────────


def test_a_logarithmic_x_axis_asks_for_buckets_that_grow_with_x(page, served):
    open_wall(page, served, "")
    with page.expect_response(lambda r: "/api/series" in r.url and "log=1" in r.url):
        page.get_by_role("button", name="log x").click()
    expect(resolution(page)).to_contain_text("% of step")
    expect(resolution(page)).to_contain_text("step ≤ 0 not on a log axis")
    assert keys_of(page)["lx"] == ["1"]
    lowest = float(panel(page, "train/loss").get_attribute("data-x").split(",")[0])
    assert 0 < lowest < 2


def test_a_drag_on_a_logarithmic_axis_zooms_to_the_steps_under_it(page, served):
    open_wall(page, served, "&lx=1")
    expect(resolution(page)).to_contain_text("% of step")
    drag(page, "train/loss", 0.5, 0.75)
    expect(resolution(page, "train/acc")).to_have_text(re.compile(r"^buckets of 0\.\d+ % of step$"))
    low, high = map(float, keys_of(page)["win"][0].split(","))
    assert (
        60 < low < 160
    )  # 10 000 steps are four decades: half of them is 100, three quarters 1 000
    assert 600 < high < 1_600
    assert panel(page, "train/loss").get_attribute("data-x").startswith(f"{low:.6g}"[:5])


def test_log_y_with_values_at_zero_says_where_it_is_straight(page, served):
    open_wall(page, served, "&ly=1")
    expect(resolution(page, "train/lr")).to_contain_text("symlog, straight within ±")
    expect(resolution(page, "train/loss")).not_to_contain_text("symlog")


@pytest.mark.parametrize(
    ("kind", "key", "words"),
    [("Gaussian", "gauss", "Gaussian τ 100"), ("running mean", "mean", "running mean τ 100")],
)
def test_a_kind_of_smoothing_is_chosen_and_stands_on_the_chart(page, served, kind, key, words):
    open_wall(page, served, "&s=100")
    expect(resolution(page)).to_contain_text("smoothed τ 100")
    page.get_by_label("kind of smoothing").select_option(label=kind)
    expect(resolution(page)).to_contain_text(words)
    assert keys_of(page)["sk"] == [key]


def test_points_out_of_range_are_counted_and_one_click_shows_them(page, served):
    open_wall(page, served, "&o=0")
    badge = panel(page, "train/grad_norm").locator(".badge")
    expect(badge).to_have_text(re.compile(r"clipped \d"))
    badge.click()
    expect(badge).to_be_hidden()
    assert "o" not in keys_of(page)


# ── runs ────────────────────────────────────────────────────────────────────


def test_a_pinned_run_is_on_top_and_drawn_and_the_address_says_so(page, served):
    open_wall(page, served, "")
    tool(page, "gpt-small/r0003", "pin to the top").click()
    expect(page.locator(".run").first).to_have_attribute("data-run", "gpt-small/r0003")
    expect(page.locator(".run").first).to_have_class("run on pinned")
    assert keys_of(page)["pin"] == ["gpt-small/r0003"]
    page.reload()
    expect(page.locator(".run").first).to_have_class("run on pinned")


def test_against_a_baseline_the_others_are_told_in_percent(page, served):
    open_wall(page, served, "&m=train/loss")
    tool(page, RUN, "make this the baseline").click()
    first = page.locator(".run").first
    expect(first).to_have_attribute("data-run", RUN)
    expect(page.locator(".run").nth(1).locator(".value")).to_have_text(
        re.compile(r"^[+−±][\d.,]+ %$")
    )
    expect(first.locator(".value")).to_have_text(re.compile(r"^[\d.]+$"))
    box = panel(page, "train/loss").locator(".u-over").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    changes = page.locator(".tooltip .change")
    expect(changes).to_have_count(10)
    told = sorted(changes.all_inner_texts())
    assert told.count("baseline") == 1
    assert sum(text.endswith("%") for text in told) == 9
    assert "steps/bucket" in page.locator(".tooltip .at").inner_text()


def test_every_run_is_drawn_when_asked(page, served):
    open_wall(page, served, "&m=val/loss")
    page.get_by_role("button", name="draw all").click()
    expect(page.locator(".rail:visible .count")).to_have_text("24 of 24 runs drawn")
    assert keys_of(page)["all"] == ["1"]
    until(
        page,
        "wall.querySelector('[data-metric=\"val/loss\"]').getAttribute('aria-label').startsWith('val/loss, 24')",
    )


def test_a_run_of_the_link_that_is_gone_does_not_break_the_page(page, served):
    open_wall(page, served, "&pin=gpt-small/gone&base=nowhere/r1&show=gpt-small/gone")
    expect(page.locator(".rail:visible .count")).to_have_text("10 of 24 runs drawn")


# ── one chart ───────────────────────────────────────────────────────────────


def test_a_chart_fills_the_page_and_arrows_lead_to_the_next(page, served):
    open_wall(page, served, "")
    panel(page, "train/loss").get_by_role("button", name="full screen").click()
    full = page.locator(".full .panel")
    expect(full).to_have_attribute("data-metric", "train/loss")
    expect(full.locator("canvas")).to_be_visible()
    assert full.bounding_box()["width"] > 1_300
    page.keyboard.press("ArrowRight")
    expect(full).to_have_attribute("data-metric", "train/acc")
    expect(full.locator("canvas")).to_be_visible()
    assert keys_of(page)["full"] == ["train/acc"]
    page.reload()
    expect(full).to_have_attribute("data-metric", "train/acc")
    expect(full.locator("canvas")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".full")).to_be_hidden()
    assert "full" not in keys_of(page)


def test_csv_of_a_chart_holds_what_is_drawn(page, served):
    open_wall(
        page, served, "&win=1000,2000&m=train/loss&s=100"
    )  # asks for points before the window too
    with page.expect_download() as download:
        choose(page, "train/loss", "CSV of what is drawn")
    assert download.value.suggested_filename == "train-loss.csv"
    rows = list(csv.DictReader(io.StringIO(Path(download.value.path()).read_text("utf-8-sig"))))
    assert len({row["run_id"] for row in rows}) == 10
    assert all(1_000 <= float(row["step"]) <= 2_000 for row in rows)
    assert all(
        float(row["lowest"]) <= float(row["train/loss"]) <= float(row["highest"]) for row in rows
    )


@pytest.mark.parametrize("entry", ["Picture (PNG)"])
def test_a_picture_of_a_chart_has_room_for_title_and_legend(page, served, entry):
    open_wall(page, served, "&m=train/loss")
    with page.expect_download() as download:
        choose(page, "train/loss", entry)
    raw = Path(download.value.path()).read_bytes()
    assert raw.startswith(b"\x89PNG")
    height = int.from_bytes(raw[20:24], "big")
    canvas = panel(page, "train/loss").locator("canvas").bounding_box()
    assert height > canvas["height"] + 44 + 5 * 18


def test_the_link_of_a_chart_opens_that_chart(page, served):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    open_wall(page, served, "&s=50")
    choose(page, "train/acc", "Copy link of this chart")
    expect(page.locator(".toast")).to_have_text("The link is in the clipboard.")
    link = page.evaluate("navigator.clipboard.readText()")
    page.goto(link)
    expect(page.locator(".full .panel")).to_have_attribute("data-metric", "train/acc")
    assert keys_of(page)["s"] == ["50"]


def test_a_chart_is_a_table_for_those_who_cannot_see_it(page, served):
    open_wall(page, served, "&m=val/loss")
    choose(page, "val/loss", "Show as table")
    table = page.get_by_role("dialog", name="val/loss as a table")
    expect(table.get_by_role("columnheader")).to_have_count(11)
    assert table.get_by_role("row").count() > 20
    expect(table.get_by_role("rowheader").first).to_have_text(re.compile(r"^step \d"))
    page.keyboard.press("Escape")
    expect(table).to_have_count(0)


def test_a_metric_is_kept_above_all_sections_and_given_back(page, served):
    open_wall(page, served, "")
    choose(page, "val/acc", "Pin to the top")
    expect(page.locator(".section-head").first).to_have_text(re.compile("pinned"))
    expect(page.locator(".panel").first).to_have_attribute("data-metric", "val/acc")
    assert keys_of(page)["top"] == ["val/acc"]
    choose(page, "val/acc", "Unpin")
    expect(page.locator(".section-head").first).to_have_text(re.compile("train"))


def test_a_menu_is_walked_with_arrow_keys(page, served):
    open_wall(page, served, "")
    panel(page, "train/loss").get_by_role("button", name="more about").press("Enter")
    expect(page.get_by_role("menuitem", name="Show as table")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("menuitem", name="CSV of what is drawn")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("menu")).to_have_count(0)


def test_a_section_stays_folded_in_the_link(page, served):
    open_wall(page, served, "")
    page.get_by_role("button", name=re.compile("^. ?train")).click()
    expect(panel(page, "train/loss")).to_have_count(0)
    assert keys_of(page)["fold"] == ["train/"]
    page.reload()
    page.wait_for_selector(SETTLED)
    expect(page.locator('.section-head[aria-expanded="false"]')).to_have_count(1)
    expect(panel(page, "train/loss")).to_have_count(0)


# ── back ────────────────────────────────────────────────────────────────────


def test_changes_are_taken_back_and_done_again(page, served):
    open_wall(page, served, "")
    log_y = page.get_by_role("button", name="log y")
    log_y.click()
    drag(page, "train/loss", 0.4, 0.6)
    page.wait_for_url("**win=*")
    page.keyboard.press("Control+z")
    page.wait_for_url(lambda url: "win=" not in url)
    expect(log_y).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("Control+z")
    expect(log_y).to_have_attribute("aria-pressed", "false")
    page.keyboard.press("Control+Shift+Z")
    page.keyboard.press("Control+Shift+Z")
    page.wait_for_url("**win=*")
    expect(log_y).to_have_attribute("aria-pressed", "true")


def test_back_and_forward_of_the_browser_restore_the_view(page, served):
    open_wall(page, served, "")
    log_y = page.get_by_role("button", name="log y")
    log_y.click()
    drag(page, "train/loss", 0.4, 0.6)  # belongs to the entry of the click
    page.wait_for_url("**win=*")
    page.locator('.run[data-run="gpt-small/r0023"] .swatch').click()
    expect(page.locator(".rail:visible .count")).to_have_text("9 of 24 runs drawn")
    page.go_back()
    expect(page.locator(".rail:visible .count")).to_have_text("10 of 24 runs drawn")
    expect(log_y).to_have_attribute("aria-pressed", "true")
    page.go_back()
    expect(log_y).to_have_attribute("aria-pressed", "false")
    assert set(keys_of(page)) == {"project"}
    page.go_forward()
    expect(log_y).to_have_attribute("aria-pressed", "true")
    assert "win" in keys_of(page)


# ── cost ────────────────────────────────────────────────────────────────────


def seconds_pass(page, seconds: int) -> None:
    """Let timers fire, and answers come: an answer sets the next timer."""
    page.clock.run_for(1_000 * seconds)
    for _ in range(3):
        page.evaluate("fetch('/healthz').then((answer) => answer.text())")


def test_a_hidden_tab_asks_nothing_and_catches_up_when_it_is_seen(page, served):
    asked: list[str] = []
    page.on("websocket", lambda socket: socket.on("framesent", lambda _: asked.append("rerun")))
    page.clock.install()
    open_wall(page, served, "")
    page.evaluate(
        """() => {
            Object.defineProperty(document, 'hidden', { configurable: true, get: () => true });
            document.dispatchEvent(new Event('visibilitychange'));
        }"""
    )
    seconds_pass(page, 3)  # what was under way ends
    page.on("request", lambda request: asked.append(request.url))
    asked.clear()
    for _ in range(6):
        seconds_pass(page, 20)
    assert [one for one in asked if not one.endswith("/healthz")] == []
    with page.expect_response(lambda r: "/api/series" in r.url):
        page.evaluate(
            "() => { delete document.hidden; document.dispatchEvent(new Event('visibilitychange')); }"
        )


@pytest.fixture(scope="module")
def crowd() -> Iterator[Served]:
    server = Path(__file__).with_name("crowded_server.py")
    process = subprocess.Popen(
        [sys.executable, str(server)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    try:
        yield Served(process.stdout.readline().split()[-1], process)
    finally:
        process.terminate()
        process.wait(timeout=20)


@pytest.fixture
def page_of_crowd(browser, crowd):
    context = browser.new_context(viewport={"width": 1500, "height": 900})
    page = context.new_page()
    page.set_default_timeout(20_000)
    listen(page, crowd)
    yield page
    context.close()
    assert crowd.complaints == []


def test_a_thousand_runs_are_a_few_rows_and_every_one_is_reached(page_of_crowd, crowd):
    page = page_of_crowd
    page.goto(f"{crowd.address}/workspace?project=gpt-small&m=train/loss")
    page.wait_for_selector(SETTLED)
    assert page.locator(".run").count() < 60
    page.get_by_label("find a run").fill("-bs64-7")
    until(
        page,
        "[...wall.querySelectorAll('.run .name')].every((n) => n.textContent.includes('-bs64-7'))",
    )
    page.get_by_label("find a run").fill("")
    page.keyboard.press("Escape")
    until(page, "wall.querySelectorAll('.run').length > 20")
    page.locator(".rail:visible .runs").evaluate(
        "(list) => { list.scrollTop = list.scrollHeight; }"
    )
    last = page.locator('.run[data-run="gpt-small/r0000"]')
    last.locator(".swatch").click()
    expect(last).to_have_class("run on")
    expect(page.locator(".rail:visible .count")).to_have_text("11 of 1,000 runs drawn")


def test_of_a_hundred_thousand_metrics_few_panels_exist_and_the_search_reaches_all(
    page_of_crowd, crowd
):
    page = page_of_crowd
    page.goto(f"{crowd.address}/workspace?project=gpt-small&live=0")
    page.wait_for_selector(SETTLED)
    assert page.locator(".panel").count() < 60
    expect(page.locator(".more-metrics")).to_have_text(
        "1,000 of 100,012 metrics are listed: search to reach the others."
    )
    with page.expect_response(lambda r: "/api/metrics" in r.url):
        page.locator("input.metrics").fill("layer.49999 loss")
    expect(panel(page, "layer.49999/loss").locator("canvas")).to_be_visible()
    expect(page.locator(".panel")).to_have_count(1)
