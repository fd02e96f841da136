"""The dashboard in a real browser, over a store of made-up runs."""

from __future__ import annotations

import re

import pytest

from tests.e2e.fixtures_dashboard import Served, listen

SETTLED = '.panels[aria-busy="false"] .panel canvas'


def open_wall(page, served: Served, query: str):
    page.goto(f"{served.address}/workspace?project=gpt-small{query}")
    page.wait_for_selector(SETTLED)
    return page


def panel(page, metric: str):
    return page.locator(f'.panel[data-metric="{metric}"]')


def drag(page, metric: str, start: float, end: float) -> None:
    box = panel(page, metric).locator(".u-over").bounding_box()
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * start, y)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * end, y, steps=6)
    page.mouse.up()


def until(page, script: str, argument=None):
    """Wait until a script about the wall is true; `wall` is its root element."""
    page.wait_for_function(
        """([script, argument]) => {
            const find = (root) => root.querySelector('.wall') ?? [...root.querySelectorAll('*')]
                .filter((e) => e.shadowRoot).map((e) => find(e.shadowRoot)).find(Boolean);
            const wall = find(document);
            return wall && new Function('wall', 'argument', `return ${script}`)(wall, argument);
        }""",
        arg=[script, argument],
    )


def test_the_workspace_draws_the_newest_runs_and_says_how_many_there_are(page, served):
    open_wall(page, served, "")
    assert page.locator(".rail-head .count").inner_text() == "10 of 24 runs drawn"
    assert int(panel(page, "train/loss").get_attribute("data-points")) > 1_000
    assert "steps/bucket" in panel(page, "train/loss").locator(".resolution").inner_text()


def test_dragging_zooms_every_panel_and_asks_again_at_full_resolution(page, served):
    open_wall(page, served, "")
    drag(page, "train/loss", 0.4, 0.45)
    until(
        page,
        "wall.querySelector('[data-metric=\"train/loss\"] .resolution').textContent === 'every point'",
    )
    until(
        page,
        "wall.querySelector('[data-metric=\"train/loss\"]').dataset.x"
        " === wall.querySelector('[data-metric=\"train/acc\"]').dataset.x",
    )
    assert "win=" in page.url
    page.keyboard.press("Escape")
    until(page, "!wall.querySelector('.resolution').textContent.startsWith('every')")
    assert "win=" not in page.url


def test_hiding_a_run_needs_no_request_and_is_in_the_address(page, served):
    open_wall(page, served, "")
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.locator('.run[data-run="gpt-small/r0023"] .swatch').click()
    until(page, "wall.querySelector('.count').textContent === '9 of 24 runs drawn'")
    assert "hide=gpt-small%2Fr0023" in page.url
    assert [url for url in requests if "hide" in url] == []


def test_only_this_run_and_back_again(page, served):
    open_wall(page, served, "")
    run = page.locator('.run[data-run="gpt-small/r0020"]')
    run.locator(".swatch").click(modifiers=["Alt"])
    until(page, "wall.querySelector('.count').textContent === '1 of 24 runs drawn'")
    run.locator(".swatch").click(modifiers=["Alt"])
    until(page, "wall.querySelector('.count').textContent === '10 of 24 runs drawn'")


def test_a_link_restores_the_view(page, served):
    open_wall(
        page,
        served,
        "&m=loss&s=100&ly=1&win=2000,3000&x=step&show=gpt-small/r0002&hide=gpt-small/r0023",
    )
    assert page.locator(".panel").count() == 2
    assert panel(page, "train/loss").get_attribute("data-x") == "2000,3000"
    assert "smoothed τ 100" in panel(page, "train/loss").locator(".resolution").inner_text()
    assert page.get_by_role("button", name="log y").get_attribute("aria-pressed") == "true"
    assert page.locator('.run[data-run="gpt-small/r0002"]').get_attribute("class") == "run on"
    assert page.locator('.run[data-run="gpt-small/r0023"]').get_attribute("class") == "run"


def test_the_keyboard_finds_runs_walks_them_and_draws_them(page, served):
    open_wall(page, served, "")
    page.keyboard.press("/")
    page.keyboard.type("adamw")
    until(page, "wall.querySelector('.rail input').value === 'adamw'")
    page.keyboard.press("Escape")
    for key in "jjjk":
        page.keyboard.press(key)
    runs = "[...wall.querySelectorAll('.run')]"
    until(page, f"{runs}.findIndex((r) => r.matches(':focus-within')) === 1")
    second = page.locator(".run").nth(1)
    before = second.get_attribute("class")
    page.keyboard.press("Space")
    until(page, f"{runs}[1].className !== argument", before)
    until(page, f"{runs}[1].matches(':focus-within')")
    page.keyboard.press("o")
    until(page, "wall.querySelector('.count').textContent.startsWith('1 of')")


def test_a_question_mark_lists_the_keys_and_escape_puts_them_away(page, served):
    open_wall(page, served, "&win=2000,3000")
    page.keyboard.press("?")
    page.get_by_role("dialog", name="keys").wait_for()
    page.keyboard.press("Escape")
    page.get_by_role("dialog", name="keys").wait_for(state="hidden")
    assert "win=" in page.url
    page.keyboard.press("ArrowRight")
    until(page, "wall.querySelector('.panel').dataset.x === '2500,3500'")


def test_panels_fill_their_rows_and_columns_are_in_the_address(page, served):
    open_wall(page, served, "")
    page.get_by_role("group", name="columns").get_by_role("button", name="3", exact=True).click()
    page.wait_for_url("**cols=3*")
    lefts = """[...wall.querySelectorAll('.section')].every((section) => {
        const inner = section.getBoundingClientRect();
        const rows = Map.groupBy([...section.querySelectorAll('.panel')], (p) => p.offsetTop);
        return [...rows.values()].every((row) => row.length <= 3
            && Math.abs(row.at(-1).getBoundingClientRect().right - inner.right) < 2);
    })"""
    until(page, lefts)


def test_new_points_arrive_by_themselves_and_leave_the_zoom_alone(page, served):
    open_wall(page, served, "&win=1000,2000")
    before = panel(page, "train/loss").get_attribute("data-x")
    with page.expect_response(lambda r: "/api/series" in r.url and r.status == 200):
        served.tell("grow 500")
    assert panel(page, "train/loss").get_attribute("data-x") == before
    page.keyboard.press("z")
    until(page, "!wall.querySelector('.pill').checkVisibility()")


def test_nothing_new_is_answered_with_304(page, served):
    open_wall(page, served, "")
    with page.expect_response(lambda r: "/api/series" in r.url and r.status == 304):
        pass


@pytest.mark.parametrize("axis", ["relative", "time", "metric"])
def test_every_axis_draws_curves(page, served, axis):
    open_wall(page, served, f"&x={axis}&xm=train/lr&m=train/loss")
    assert int(panel(page, "train/loss").get_attribute("data-points")) > 100


def test_the_cursor_tells_the_values_of_the_nearest_runs(page, served):
    open_wall(page, served, "&m=train/loss")
    box = panel(page, "train/loss").locator(".u-over").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_selector(".tooltip .row")
    assert re.match(r"step [\d,]+", page.locator(".tooltip .at").inner_text())
    assert page.locator(".tooltip .row").count() == 10


def test_a_search_without_match_offers_to_clear_it(page, served):
    open_wall(page, served, "")
    page.locator("input.metrics").fill("nosuchmetric")
    page.get_by_role("button", name="Clear the search").click()
    page.wait_for_selector(SETTLED)


def test_a_silent_store_keeps_the_curves_and_says_so(page, served):
    open_wall(page, served, "")
    served.tell("down")
    try:
        page.wait_for_selector(".status.stale")
        assert int(panel(page, "train/loss").get_attribute("data-points")) > 1_000
    finally:
        served.tell("up")
    page.wait_for_selector(".status.live")
    served.complaints = [c for c in served.complaints if "503" not in c]


def test_picked_runs_survive_a_filter_and_open_together(page, served):
    page.goto(f"{served.address}/runs?project=gpt-small")
    table = page.get_by_test_id("stDataFrame")
    box = table.bounding_box()
    for row in (0, 2):
        page.mouse.click(box["x"] + 16, box["y"] + 38 + 33 * row + 16)
        page.get_by_role("button", name=re.compile(f"Compare {1 if row == 0 else 2}")).wait_for()
    page.get_by_placeholder("Filter").fill("adamw")
    page.get_by_placeholder("Filter").press("Enter")
    page.wait_for_url("**q=adamw*")
    page.get_by_role("button", name="Compare 2").click()
    page.wait_for_selector(SETTLED)
    assert page.locator(".run").count() == 2
    assert "run=gpt-small%2Fr0023" in page.url
    assert "run=gpt-small%2Fr0021" in page.url


def test_cleared_picks_stay_cleared(page, served):
    page.goto(f"{served.address}/runs?project=gpt-small")
    box = page.get_by_test_id("stDataFrame").bounding_box()
    page.mouse.click(box["x"] + 16, box["y"] + 38 + 16)
    page.get_by_role("button", name="Clear", exact=True).click()
    page.get_by_role("button", name="Open all in workspace").wait_for()


@pytest.mark.parametrize(
    "path", ["/", "/runs?project=gpt-small", "/run?project=ddp&id=ddp16&tab=Ranks"]
)
def test_pages_without_curves_ask_nobody_outside(page, served, path):
    page.goto(served.address + path)
    page.get_by_test_id("stDataFrame").first.wait_for()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_wide_run_shows_its_ranks_in_both_themes(browser, served, scheme, tmp_path):
    context = browser.new_context(viewport={"width": 1500, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    listen(page, served)
    page.goto(f"{served.address}/run?project=ddp&id=ddp16&r=each&m=step_time")
    page.wait_for_selector(SETTLED)
    assert (
        panel(page, "train/step_time")
        .get_attribute("aria-label")
        .startswith("train/step_time, 16 curves")
    )
    background = page.evaluate("getComputedStyle(document.querySelector('.stApp')).backgroundColor")
    assert background == {"light": "rgb(255, 255, 255)", "dark": "rgb(19, 22, 27)"}[scheme]
    assert len(page.screenshot(path=tmp_path / f"{scheme}.png")) > 10_000
    context.close()
    assert served.complaints == []
