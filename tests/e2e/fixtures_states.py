"""Dashboards in every state, every page of the navigation, and a browser that waits until a page stands still."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page

from tests.e2e.fixtures_dashboard import Served, listen
from weir_dashboard import navigation

SERVER = Path(__file__).with_name("states_server.py")
AXE = Path(__file__).parents[1] / "data" / "axe" / "axe.min.js"
# Where a page is worth looking at; one that is not here is opened with a project.
ADDRESSES = {
    "home": "/",
    "run": "/run?project=ddp&id=ddp16",
    "compare": "/compare?run=gpt-small/r0002&run=gpt-small/r0003",
    "ranks": "/ranks?run=ddp/ddp16",
    "sql": "/sql",
    "health": "/health",
}
PAGES = navigation.names()
WALLS = ("workspace", "compare", "run")
# Nothing is on its way: Streamlit has run the script, and no skeleton holds a place any more.
STILL = """() => document.querySelector('[data-testid=stApp]')?.dataset.testScriptState === 'notRunning'
  && !document.querySelector('[data-testid=stSkeleton]')
  && document.querySelector('[data-testid=stMainBlockContainer]')?.innerText.trim().length > 2"""


@dataclass
class States(Served):
    """A running dashboard whose store has a fate; `report` is the id of its one report."""

    report: str = ""

    def address_of(self, page: str) -> str:
        if page == "report":
            return f"{self.address}/report?id={self.report}"
        return self.address + ADDRESSES.get(page, f"/{page}?project=gpt-small")


@contextmanager
def states_of(kind: str) -> Iterator[States]:
    """Run a dashboard of this kind for the length of a `with` block."""
    process = subprocess.Popen(
        [sys.executable, str(SERVER), kind],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    try:
        report = process.stdout.readline().strip()
        ready = process.stdout.readline()
        assert "dashboard ready on " in ready
        yield States(ready.split()[-1], process, report=report)
    finally:
        process.terminate()
        process.wait(timeout=20)


@contextmanager
def watched(
    browser: Browser, served: Served, *, scheme: str = "light", width: int = 1500, height: int = 1000, **more: object
) -> Iterator[Page]:  # fmt: skip
    """Open a window; when it closes, nothing may have been complained of."""
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=scheme, **more
    )
    page = context.new_page()
    page.set_default_timeout(30_000)
    listen(page, served)
    yield page
    context.close()
    complaints, served.complaints = served.complaints, []
    assert complaints == []


def open_still(page: Page, address: str) -> None:
    """Open a page and wait until it stands still."""
    page.goto(address)
    page.wait_for_function(STILL)
    page.wait_for_load_state("networkidle")  # what components ask for has come
    if page.locator(".panels").count():
        page.wait_for_selector('.panels[aria-busy="false"]')


def open_drawn(page: Page, states: States, name: str) -> None:
    """Open a page of the navigation, its curves drawn where it has some."""
    open_still(page, states.address_of(name))
    if name in WALLS:
        page.wait_for_selector('.panels[aria-busy="false"] .panel canvas')
