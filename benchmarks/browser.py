"""A real Chromium, and how long it takes from an action until what it asks for is on the screen."""

from __future__ import annotations

import shutil
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

FLAGS = (
    "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
TIMEOUT_MS = 120_000

# Runs `act` in the page, then waits until `done` is true in two frames that follow each other: it is painted then.
_UNTIL_PAINTED = """
async ([act, done]) => {
  const frame = () => new Promise((wake) => requestAnimationFrame(wake));
  const wall = (root) => root.querySelector('.wall') ?? [...root.querySelectorAll('*')]
    .filter((e) => e.shadowRoot).map((e) => wall(e.shadowRoot)).find(Boolean);
  const make = (code) => new Function('wall', `return (${code})`);
  const perform = new Function('wall', act), settled = make(done), began = performance.now();
  perform(wall(document));
  for (let calm = 0; calm < 2;) {
    await frame();
    calm = settled(wall(document)) ? calm + 1 : 0;
    if (performance.now() - began > 60_000) throw new Error(`never came true: ${done}`);
  }
  return performance.now() - began;
}
"""


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start the system's Chromium without a window; stop it afterwards."""
    from playwright.sync_api import sync_playwright

    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        raise SystemExit("no chromium on PATH: install it (apt-get install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        yield browser
        browser.close()


def visitor(browser: Browser) -> Page:
    """Return a page of somebody who was never here: nothing is kept."""
    page = browser.new_context(viewport={"width": 1600, "height": 1000}).new_page()
    page.set_default_timeout(TIMEOUT_MS)
    return page


def painted_ms(page: Page, act: str, done: str) -> float:
    """Return how long it takes from an action, as JavaScript, until a condition holds and is painted.

    Both know `wall`, the element of the chart wall, if there is one.
    """
    taken: float = page.evaluate(_UNTIL_PAINTED, [act, done])
    return taken


def opened_ms(page: Page, address: str, ready: Callable[[Page], object]) -> float:
    """Return how long it takes from an address until something is there."""
    began_s = time.perf_counter()
    page.goto(address, wait_until="commit")
    ready(page)
    return 1_000 * (time.perf_counter() - began_s)


def thread_ms(page: Page) -> float:
    """Return the CPU time of the page's main thread so far: the number that noise does not change."""
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    metrics: list[dict[str, Any]] = session.send("Performance.getMetrics")["metrics"]
    session.detach()
    return 1_000 * float(next(each["value"] for each in metrics if each["name"] == "TaskDuration"))


def heap_mib(page: Page) -> float:
    """Return what the page's JavaScript holds, after its garbage is collected."""
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    used: float = session.send("Runtime.getHeapUsage")["usedSize"]
    session.detach()
    return used / (1 << 20)


def typical(measure: Callable[[], float], times: int) -> float:
    """Return the median of some measurements."""
    return statistics.median(measure() for _ in range(times))
