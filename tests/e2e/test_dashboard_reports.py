"""Views and reports in a real browser: saved, shared, written, and taken away as a file that opens offline."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.e2e.fixtures_dashboard import Served, browser, page

__all__ = ["browser", "page"]
expect.set_options(timeout=30_000)
SERVER = Path(__file__).with_name("documents_server.py")
WAYS_IN = ("<script>window.hacked = 1</script>", "<img src=x onerror='window.hacked = 1'>")
REPORT = f"""Two curves say it all. {"".join(WAYS_IN)} [link](javascript:window.hacked=1)

```weir
chart: project=gpt-small&s=20
title: Losses
metric: train/loss
metric: val/loss
```

```weir
table: project=gpt-small
limit: 4
```

```weir
sql: SELECT state, count() AS runs FROM runs GROUP BY state
draw: bars
title: {WAYS_IN[1]}
```
"""
# Of each canvas, how many pixels are neither empty nor grey: curves are coloured.
COLOURED = """canvas => {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  let n = 0;
  for (let i = 0; i < data.length; i += 4) {
    const [r, g, b, a] = data.slice(i, i + 4);
    if (a > 60 && Math.max(r, g, b) - Math.min(r, g, b) > 40) n++;
  }
  return n;
}"""


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    process = subprocess.Popen(
        [sys.executable, str(SERVER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    ready = process.stdout.readline()
    try:
        assert "dashboard ready on " in ready
        yield Served(ready.split()[-1], process)
    finally:
        process.terminate()
        process.wait(timeout=20)


def open_views(page):
    """Open the menu of views; a redraw of Streamlit may swallow a click."""
    menu = page.get_by_label("Save this view as")
    for _ in range(5):
        page.get_by_role("button", name="Views").click()
        try:
            menu.wait_for(timeout=4_000)
        except Exception:  # noqa: BLE001 - once more
            continue
        return menu
    raise AssertionError("the menu of views did not open")


def draws_curves(page, count: int) -> None:
    """Wait until so many canvases show curves."""
    canvases = page.locator(".figure .panel canvas")
    expect(canvases).to_have_count(count)
    for number in range(count):
        handle = canvases.nth(number).element_handle()
        page.wait_for_function(f"canvas => ({COLOURED})(canvas) > 300", arg=handle)


def test_a_view_is_saved_and_its_link_shows_the_same_to_somebody_else(page, served, browser):
    page.goto(f"{served.address}/workspace?project=gpt-small&m=val%2Floss&s=50")
    expect(page.locator(".panel")).to_have_count(1)
    name = open_views(page)
    name.fill("Validation <b>")
    name.press("Enter")
    link = page.get_by_role("link", name="Validation <b>")
    expect(link).to_be_visible()
    address = link.get_attribute("href")
    assert re.fullmatch(r"/workspace\?v=[a-z2-7]{8}", address)

    other = browser.new_context(viewport={"width": 1500, "height": 900}).new_page()
    other.goto(served.address + address)
    expect(other.locator(".panel")).to_have_count(1)
    expect(other.locator(".panel h3")).to_have_text("val/loss")
    expect(other).to_have_url(re.compile(r"m=val%2Floss"))
    assert "s=50" in other.url
    other.context.close()


def test_a_long_address_becomes_a_short_one_that_says_the_same(page, served):
    hidden = [f"hide=gpt-small%2Fr{number:04}" for number in range(8, 24)]
    strangers = [f"hide=gpt-small%2F{'x' * 40}{number}" for number in range(30)]
    page.goto(f"{served.address}/workspace?project=gpt-small&{'&'.join(hidden + strangers)}")
    expect(page.locator(".rail .run")).not_to_have_count(0)
    drawn = page.locator(".rail .run.on")
    before = drawn.count()
    page.get_by_role("button", name="log y").click()
    expect(page).to_have_url(re.compile(r"[?&]v=[a-z2-7]{8}(&|$)"))
    assert "hide=" not in page.url
    assert "ly=1" in page.url
    page.reload()
    expect(drawn).to_have_count(before)
    expect(page.get_by_role("button", name="log y")).to_have_attribute("aria-pressed", "true")
    assert re.search(r"[?&]v=", page.url)


def test_a_report_is_written_seen_saved_and_opens_offline_with_its_curves(
    page, served, browser, tmp_path
):
    page.goto(f"{served.address}/reports?project=gpt-small")
    page.get_by_role("button", name="New report").click()
    page.get_by_label("Its name").fill(f"Findings {WAYS_IN[1]}")
    page.get_by_role("button", name="Begin").click()
    text = page.get_by_role("textbox", name="Markdown")
    text.fill(REPORT)
    text.press("Control+Enter")
    draws_curves(page, 2)  # beside the text
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("button", name="Edit")).to_be_visible()
    draws_curves(page, 2)
    expect(page.get_by_text("Two curves say it all")).to_be_visible()
    expect(page.get_by_text("the first 4 of 24 runs")).to_be_visible()
    assert page.evaluate("window.hacked") is None

    with page.expect_download() as coming:
        page.get_by_role("link", name="Export as one HTML file").click()
    file = tmp_path / "report.html"
    coming.value.save_as(file)

    context = browser.new_context(viewport={"width": 1200, "height": 900}, offline=True)
    alone = context.new_page()
    wrong: list[str] = []
    alone.on("console", lambda said: said.type == "error" and wrong.append(said.text))
    alone.on("pageerror", lambda error: wrong.append(str(error)))
    alone.on(
        "request", lambda asked: asked.url.startswith(("file:", "data:")) or wrong.append(asked.url)
    )
    alone.goto(file.as_uri())
    draws_curves(alone, 2)
    expect(alone.locator("table tbody tr")).to_have_count(4)
    expect(alone.locator("svg.chart rect")).to_have_count(3)
    assert alone.evaluate("window.hacked") is None

    over = alone.locator(".figure .u-over").first
    box = over.bounding_box()
    alone.mouse.move(box["x"] + box["width"] * 0.2, box["y"] + 40)
    expect(alone.locator(".tooltip")).to_be_visible()
    first = alone.locator(".figure .panel").first
    everything = first.get_attribute("data-x")
    alone.mouse.down()
    alone.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + 60, steps=5)
    alone.mouse.up()
    expect(first).not_to_have_attribute("data-x", everything)
    draws_curves(alone, 2)
    assert wrong == []
    context.close()


def test_a_chart_of_the_wall_goes_into_a_report(page, served):
    page.goto(f"{served.address}/workspace?project=gpt-small&m=train%2Facc")
    page.get_by_role("button", name="more about train/acc").click()
    page.get_by_role("menuitem", name="Add to a report").click()
    page.get_by_role("combobox", name="To").first.wait_for()
    page.get_by_label("Name of the new one").fill("Accuracy")
    add = page.get_by_role("button", name="Add", exact=True)
    expect(add).to_be_visible()
    page.get_by_role("combobox", name="To").first.click()
    page.get_by_role("option", name="a new report").click()
    add.click()
    expect(page.get_by_role("textbox", name="Markdown")).to_have_value(
        re.compile(r"```weir\nchart: .*m=train%2Facc.*\nmetric: train/acc\n```")
    )
    draws_curves(page, 1)
