"""Every page in a real browser while the store is slow, silent, empty or full of hostile names."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.fixtures_states import PAGES, States, open_still, states_of, watched

expect.set_options(timeout=20_000)


@pytest.fixture(scope="module")
def usual() -> Iterator[States]:
    with states_of("usual") as running:
        yield running


def test_no_page_asks_the_outside_or_fails_or_complains(browser: Browser, usual: States) -> None:
    with watched(browser, usual) as page:  # which looks at all that is asked
        for name in PAGES:
            open_still(page, usual.address_of(name))
            expect(page.get_by_test_id("stException")).to_have_count(0)


def test_a_page_whose_store_is_slow_holds_the_place_and_comes(
    browser: Browser, usual: States
) -> None:
    with states_of("usual") as slow, watched(browser, slow) as page:
        slow.tell("slow 1.5")
        page.goto(slow.address_of("runs"))
        expect(page.get_by_test_id("stSkeleton").first).to_be_visible()
        expect(page.get_by_test_id("stDataFrame")).to_be_visible()
        expect(page.get_by_test_id("stSkeleton")).to_have_count(0)


def test_a_silent_store_is_said_and_asked_again_by_a_press(browser: Browser) -> None:
    with states_of("usual") as silent, watched(browser, silent) as page:
        silent.tell("silence")
        for name in (
            "home",
            "workspace",
            "run",
        ):  # tests/unit/dashboard/test_states.py has them all
            open_still(page, silent.address_of(name))
            expect(page.get_by_text("The store does not answer").first).to_be_visible()
        open_still(page, silent.address_of("runs"))
        silent.tell("restore")
        page.get_by_role("button", name="Retry").click()
        expect(page.get_by_test_id("stDataFrame")).to_be_visible()
        expect(page.get_by_text("The store does not answer")).to_have_count(0)


def test_an_empty_weir_shows_how_to_begin_and_fills_itself_when_the_first_run_comes(
    browser: Browser,
) -> None:
    with states_of("empty") as empty, watched(browser, empty) as page:
        for name, shown in (
            ("home", page.get_by_text("Running now")),
            ("runs", page.get_by_test_id("stDataFrame")),
        ):
            empty.tell("leave")
            open_still(page, f"{empty.address}{'/' if name == 'home' else '/runs'}")
            expect(page.get_by_text("gateway.example:7700").first).to_be_visible()
            page.evaluate("window.neverReloaded = true")
            empty.tell("arrive")
            expect(shown.first).to_be_visible()
            assert page.evaluate("window.neverReloaded")


def test_hostile_names_stay_text_on_every_page(browser: Browser) -> None:
    with states_of("hostile") as hostile, watched(browser, hostile) as page:
        page.on("dialog", lambda dialog: hostile.complaints.append(dialog.message))
        for name in PAGES:
            hostile_run = f"{hostile.address}/run?project=gpt-small&id=r0000"
            open_still(page, hostile_run if name == "run" else hostile.address_of(name))
            assert page.title() != "hacked"
            assert page.locator("[data-testid=stMain] img[src='x']").count() == 0
