"""Whoever cannot use a mouse, sees little, or has a small screen: every page of the navigation, in both themes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, TimeoutError, expect

from tests.e2e.fixtures_states import AXE, PAGES, States, open_drawn, open_still, states_of, watched
from weir_dashboard import navigation
from weir_dashboard.component.shell import spec

expect.set_options(timeout=20_000)
BAD = """async () => (await axe.run(document, {resultTypes: ['violations']})).violations
  .filter((found) => ['serious', 'critical'].includes(found.impact))
  .map((found) => [found.id, found.help, found.nodes.slice(0, 3).map((one) => one.html.slice(0, 200))])"""
# Every page that has a wall has its list of keys from there: what is seen of either
TOO_WIDE = """[document.documentElement, document.querySelector('[data-testid=stMain]')]
  .some((e) => e.scrollWidth > innerWidth)"""
KEYS = """() => {
  const seen = (root) => [...root.querySelectorAll('.weir-keys, .help')].find((e) => !e.hidden && e.checkVisibility())
  ?? [...root.querySelectorAll('*')].filter((e) => e.shadowRoot).map((e) => seen(e.shadowRoot)).find(Boolean);
  return seen(document)?.innerText ?? ''; }"""


@pytest.fixture(scope="module")
def states() -> Iterator[States]:
    with states_of("usual") as running:
        yield running


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_on_any_page(
    browser: Browser, states: States, scheme: str
) -> None:
    found = {}
    with watched(browser, states, scheme=scheme) as page:
        for name in PAGES:
            open_drawn(page, states, name)
            page.evaluate(AXE.read_text())
            found[name] = page.evaluate(BAD)
    assert {name: bad for name, bad in found.items() if bad} == {}


def test_a_question_mark_lists_the_keys_on_every_page(browser: Browser, states: States) -> None:
    with watched(browser, states) as page:
        for name in PAGES:
            open_still(page, states.address_of(name))
            press(page, "?")
            page.wait_for_function(f"() => ({KEYS})().includes('these keys')")
            page.keyboard.press("Escape")
            page.wait_for_function(f"() => !({KEYS})()")


def test_keys_lead_from_page_to_page_and_to_the_first_field(
    browser: Browser, states: States
) -> None:
    with watched(browser, states) as page:
        open_still(page, states.address_of("home"))
        press(page, "g", letter_of("health"))
        expect(page.get_by_role("heading", name="Health")).to_be_visible()
        open_still(page, states.address_of("sql"))
        press(page, "g", letter_of("runs"))
        page.wait_for_url("**/runs*")
        press(page, "/")
        expect(page.locator("[data-testid=stMain] input:focus")).to_have_count(1)
        page.keyboard.type("g")  # while somebody types it is a letter
        expect(page.locator("[data-testid=stMain] input:focus")).to_have_value("g")


def letter_of(name: str) -> str:
    return next(
        one["key"] for one in spec(navigation.destinations())["pages"] if one["path"] == f"/{name}"
    )


def press(page: Page, *keys: str) -> None:
    """Press keys on the page itself, once what listens to them is there."""
    page.wait_for_function("() => performance.getEntriesByName('weir-shell').length")
    for key in keys:
        page.locator("body").press(key)


def test_the_first_tab_stop_skips_to_the_content_and_focus_is_seen(
    browser: Browser, states: States
) -> None:
    with watched(browser, states) as page:
        open_still(page, states.address_of("health"))
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.innerText") == "Skip to main content"
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "stMain"
        link = page.get_by_role("link", name="Runs", exact=True)
        link.focus()
        page.keyboard.press("Tab")
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"


def test_no_page_scrolls_sideways_on_a_phone_or_on_a_wall(browser: Browser, states: States) -> None:
    wide = []
    with watched(browser, states, width=420, height=900) as page:
        for name in PAGES:
            page.set_viewport_size({"width": 420, "height": 900})
            open_still(page, states.address_of(name))
            for width in (420, 3840):
                page.set_viewport_size({"width": width, "height": 1600})
                try:  # what follows the window comes a moment after it
                    page.wait_for_function(f"!({TOO_WIDE})", timeout=5_000)
                except TimeoutError:
                    wide.append((name, width))
    assert wide == []


def test_nothing_moves_for_who_wants_less_motion(browser: Browser, states: States) -> None:
    with watched(browser, states, reduced_motion="reduce") as page:
        open_still(page, states.address_of("home"))
        assert page.evaluate("getComputedStyle(document.body).animationName") == "none"
        moving = page.evaluate(
            "document.getAnimations().filter((a) => a.playState === 'running').length"
        )
        assert moving == 0
