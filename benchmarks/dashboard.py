"""The dashboard in a real browser over 10 000 runs × 100 metrics; MLflow's and TensorBoard's beside it.

Times end when the answer is painted. On a busy machine only CPU
times of the page's main thread repeat; wall times are upper bounds.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from benchmarks import many_runs
from benchmarks.browser import (
    chromium,
    heap_mib,
    opened_ms,
    painted_ms,
    thread_ms,
    typical,
    visitor,
)
from benchmarks.end_to_end import connect
from benchmarks.harness import ROOT, Figure, running_weir
from benchmarks.peer_pages import peer_figures
from benchmarks.sessions import rerun_ms

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

HEAP_MINUTES = float(os.environ.get("WEIR_BENCH_HEAP_MINUTES", "3"))
LIVE_S = 20
TIMES = 5
_QUIET = """wall && wall.querySelector('.panels[aria-busy="false"] .panel canvas')
  && ![...wall.querySelectorAll('.panel.loading')].some((p) => p.getBoundingClientRect().top < innerHeight)"""
_DRAG = """
const over = wall.querySelector('.panel .u-over'), box = over.getBoundingClientRect();
const at = (share, type) => new MouseEvent(type, {{ bubbles: true, button: 0, clientX: box.left + share * box.width,
  clientY: box.top + box.height / 2, movementX: 1 }});
over.dispatchEvent(at({start}, 'mousemove'));
over.dispatchEvent(at({start}, 'mousedown'));
over.dispatchEvent(at({end}, 'mousemove'));
document.dispatchEvent(at({end}, 'mouseup'));
"""
_TOTAL = """() => [...document.querySelectorAll('[data-testid=stCaptionContainer] p')]
  .map((p) => p.textContent).find((text) => /^[\\d,]+ runs?$/.test(text)) ?? ''"""
_LONG_TASKS = """
() => { window.longTasks = []; new PerformanceObserver((list) => window.longTasks.push(
  ...list.getEntries().map((entry) => entry.duration))).observe({ type: 'longtask' }); }
"""


def measure() -> list[Figure]:
    """Fill a Weir, look at it, then look at the peers' pages over the same numbers."""
    with running_weir(dashboard=True) as weir, chromium() as browser:
        many_runs.fill(connect(weir))
        wall = f"{weir.dashboard}/workspace?project={many_runs.PROJECT}"
        figures = [
            *_opening(browser, wall),
            *_acting(browser, wall),
            *_fifty(browser, wall),
            *_table(browser, f"{weir.dashboard}/runs?project={many_runs.PROJECT}"),
            *_visitors(weir.dashboard),
        ]
        with _training(weir.gateway):
            figures += _live(browser, wall)
        return [*figures, *peer_figures(browser)]


def _settled(page: Page) -> None:
    page.wait_for_selector('.panels[aria-busy="false"] .panel canvas')


def _opening(browser: Browser, address: str) -> list[Figure]:
    pages: list[Page] = []

    def cold() -> float:
        pages.append(visitor(browser))
        return opened_ms(pages[-1], address, _settled)

    first = typical(cold, 3)
    warm = typical(partial(opened_ms, pages[-1], address, _settled), TIMES)
    for page in pages:
        page.context.close()
    runs = f"{many_runs.RUNS:,} runs × {many_runs.METRICS} metrics"
    return [
        Figure(f"first charts, {runs}, nothing kept", first, "ms", "<= 3000"),
        Figure("first charts, visited before", warm, "ms", "<= 1500"),
    ]


def _acting(browser: Browser, address: str) -> list[Figure]:
    page = visitor(browser)
    opened_ms(page, address, _settled)
    rows = "wall.querySelectorAll('.run .swatch')"
    toggled = typical(lambda: painted_ms(page, f"{rows}[0].click()", _QUIET), 2 * TIMES)
    fetched = [painted_ms(page, f"{rows}[{n}].click()", _QUIET) for n in range(10, 10 + TIMES)]
    slide = "const s = wall.querySelector('[aria-label=smoothing]'); s.value = {}; s.dispatchEvent(new Event('input'))"
    steps = iter([4, 8, 5, 9, 6, 10, 0, 7, 3, 0])
    smoothed = typical(lambda: painted_ms(page, slide.format(next(steps)), _QUIET), 2 * TIMES)
    cpu = thread_ms(page)
    zoomed = typical(_zooming(page), TIMES)
    cpu = (thread_ms(page) - cpu) / TIMES
    page.context.close()
    return [
        Figure("a run hidden or shown, its points held", toggled, "ms", "<= 80"),
        Figure("a run shown, its points fetched", sorted(fetched)[TIMES // 2], "ms", "<= 300"),
        Figure("smoothing of all visible panels", smoothed, "ms", "<= 50"),
        Figure("zoom of all visible panels, fetched", zoomed, "ms", "<= 150"),
        Figure("… CPU of the page's main thread per zoom and back", cpu, "ms"),
    ]


def _zooming(page: Page) -> Callable[[], float]:
    """Return what zooms to another place each time, and back out again without being timed."""
    share = iter(0.30 + 0.05 * n for n in range(100))

    def zoom() -> float:
        done = f"location.search.includes('win=') && ({_QUIET})"
        taken = painted_ms(page, _DRAG.format(start=(at := next(share)), end=at + 0.1), done)
        page.keyboard.press("Escape")
        painted_ms(page, "", f"!location.search.includes('win=') && ({_QUIET})")
        return taken

    return zoom


def _fifty(browser: Browser, address: str) -> list[Figure]:
    page = visitor(browser)
    shown = "".join(
        f"&show={many_runs.PROJECT}/run-{n:05d}"
        for n in range(many_runs.RUNS - many_runs.WITH_CURVES, many_runs.RUNS)
    )
    opened_ms(page, f"{address}{shown}", _settled)
    painted_ms(page, "", _QUIET)
    panels = page.locator(".panel canvas").count()
    page.evaluate("performance.clearMeasures()")
    painted_ms(page, "wall.querySelectorAll('.toggles button')[1].click()", _QUIET)
    drawn = page.evaluate(
        "performance.getEntriesByName('weir:draw').reduce((sum, e) => sum + e.duration, 0)"
    )
    page.context.close()
    return [Figure(f"50 runs × {panels} panels drawn again", drawn, "ms", "<= 120")]


def _table(browser: Browser, address: str) -> list[Figure]:
    page = visitor(browser)
    count = page.get_by_text(f"{many_runs.RUNS:,} runs").first
    opened = opened_ms(page, address, lambda _: count.wait_for())
    values = iter([0.05, 0.04, 0.03, 0.02, 0.06])

    def filtered() -> float:
        field = page.get_by_label("Filter").first
        field.fill(f"config.lr < {next(values)}")
        before = page.evaluate(_TOTAL)
        began = page.evaluate("performance.now()")
        field.press("Enter")
        page.wait_for_function(f"(before) => ![before, ''].includes(({_TOTAL})())", arg=before)
        taken: float = page.evaluate("performance.now()") - began
        return taken

    found = typical(filtered, TIMES)
    page.context.close()
    return [
        Figure("the table of runs opened, nothing kept", opened, "ms", "<= 4000"),
        Figure("filter → new table", found, "ms", "<= 500"),
    ]


def _visitors(address: str) -> list[Figure]:
    query = f"project={many_runs.PROJECT}"
    return [
        Figure(
            f"one script run of {page} among 24 idle visitors",
            rerun_ms(address, page, query, idle=24),
            "ms",
            "<= 80",
        )
        for page in ("workspace", "runs")
    ]


def _live(browser: Browser, address: str) -> list[Figure]:
    page = visitor(browser)
    opened_ms(page, address, _settled)
    page.evaluate(_LONG_TASKS)
    page.evaluate("performance.clearMeasures()")
    page.wait_for_timeout(1_000 * LIVE_S)
    long_tasks: list[float] = page.evaluate("window.longTasks")
    ticks: list[float] = page.evaluate(
        "performance.getEntriesByName('weir:draw').map((entry) => entry.duration)"
    )
    before = heap_mib(page)
    page.wait_for_timeout(60_000 * HEAP_MINUTES)
    grown = heap_mib(page) - before
    page.context.close()
    return [
        Figure(f"long tasks in {LIVE_S} s of a live run", len(long_tasks), "", "<= 0"),
        Figure("panels drawn again meanwhile", len(ticks), ""),
        Figure("one panel drawn with new points, slowest", max(ticks, default=0.0), "ms"),
        Figure(f"the page's heap after {HEAP_MINUTES:g} more minutes", grown, "MiB more", "<= 5"),
    ]


@contextmanager
def _training(gateway: str) -> Iterator[None]:
    """Log twenty metrics twice a second, as a job of this project."""
    job = subprocess.Popen(
        [sys.executable, str(ROOT / "benchmarks" / "weir_twice_a_second.py")],
        env={**os.environ, "PYTHONPATH": str(ROOT), "WEIR_SERVER": gateway},
        stdin=subprocess.PIPE,
    )
    try:
        yield
    finally:
        assert job.stdin
        job.stdin.close()
        job.wait(60)
