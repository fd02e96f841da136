"""What training logged beside numbers, in a real browser: from `run.log` to the page."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import weir
from tests.e2e.fixtures_up import EmbeddedWeir, running_weir, wait_until

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
PRY = """<p id="said">page</p><script>
let found = "origin " + self.origin;
try { found += parent.parent.document.title; found += " REACHED"; } catch (e) { found += " refused"; }
document.getElementById("said").textContent = found;
</script>"""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedWeir]:
    folder = tmp_path_factory.mktemp("media")
    with running_weir(folder / "data") as house:
        log_everything(folder / "spool", house.gateway)
        yield house


def log_everything(spool: Path, server: str) -> None:
    generator = np.random.default_rng(0)
    mask = np.zeros((300, 400), np.uint8)
    mask[:150] = 1
    settings = {"server": server, "console": "off"}
    with weir.init("seen", id="all", dir=spool, settings=settings) as run:
        for step in (0, 5, 9):
            picture = np.full((300, 400, 3), 20 * step, np.uint8)
            box = {"position": [0.1, 0.1, 0.5, 0.5], "class_id": 0, "score": 0.5}
            run.log(
                {"a/picture": weir.Image(picture, boxes=[box], masks={"m": {"mask_data": mask}})},
                step,
            )
        run.log({"b/page": weir.Html(PRY)}, 9)
        rows = [[at, weir.Image(generator.random((20, 20, 3)))] for at in range(3)]
        run.log({"c/table": weir.Table(["n", "picture"], rows)}, 9)
        run.log({"d/roc": weir.plot.roc_curve([0, 1, 1, 0], [0.1, 0.8, 0.4, 0.5])}, 9)
        run.log({"e/sound": weir.Audio(np.zeros(800), 8_000)}, 9)
        run.log({"f/notes": weir.Markdown("a **bold** word")}, 9)
    with weir.Api(server) as api:
        table = wait_until(lambda: api.run("seen/all").media("e/sound"), "points are stored")[0]
        wait_until(lambda: readable(table), "bytes are uploaded")


def readable(view: Any) -> bool:
    try:
        return bool(view.read())
    except weir.errors.WeirError:
        return False


@pytest.fixture
def page(served: EmbeddedWeir) -> Iterator[Any]:
    if CHROMIUM is None:
        if os.environ.get("CI"):
            pytest.fail("no chromium: CI must run the browser tests")
        pytest.skip("no chromium on PATH")
    from playwright.sync_api import sync_playwright

    outside: list[str] = []
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = chromium.new_page(viewport={"width": 1400, "height": 2600})
        page.set_default_timeout(60_000)
        home = (served.dashboard.rstrip("/"), "data:", "blob:", "about:")
        page.on("request", lambda r: None if r.url.startswith(home) else outside.append(r.url))
        page.goto(f"{served.dashboard}/run?project=seen&id=all&tab=Media")
        yield page
        chromium.close()
    assert outside == [], "the page asked somebody else"


def test_everything_that_was_logged_is_on_the_page_and_the_slider_moves_it(page: Any) -> None:
    picture = page.locator('[data-testid="stImage"] img').first
    picture.wait_for()
    page.wait_for_function(
        "document.querySelector('[data-testid=stImage] img')?.naturalWidth === 400"
    )
    before = picture.get_attribute("src")
    page.locator('[data-testid="stVegaLiteChart"] :is(canvas, svg)').first.wait_for()
    page.locator("audio").wait_for()
    page.locator('[data-testid="stDataFrame"]').wait_for()
    page.locator("strong", has_text="bold").wait_for()
    page.get_by_role("slider").first.press("ArrowLeft")
    page.wait_for_function(
        "before => document.querySelector('[data-testid=stImage] img')?.src.endsWith(before) === false",
        arg=before,
    )
    page.locator(".weir-head", has_text=re.compile(r"a/picture\s*step\s*5")).wait_for()


def test_a_logged_page_runs_without_reaching_the_dashboard(page: Any) -> None:
    inner = page.frame_locator('iframe[data-testid="stIFrame"], iframe').first.frame_locator(
        "iframe"
    )
    said = inner.locator("#said")
    said.wait_for()
    assert said.text_content() == "origin null refused"
