"""The main pages look as they did, in both themes: `make looks` renews what they are held against, after you looked."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser

from tests.e2e.fixtures_states import States, open_drawn, states_of, watched
from tests.e2e.looks import ACROSS, DOWN, KEPT, MOST, difference, shrink

PAGES = ("home", "runs", "workspace", "compare", "run", "ranks", "sql", "health")
RENEW = os.environ.get("WEIR_LOOKS") == "renew"


@pytest.fixture(scope="module")
def states() -> Iterator[States]:
    with states_of("usual") as running:
        yield running


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_main_pages_look_as_they_did(
    browser: Browser, states: States, tmp_path: Path, scheme: str
) -> None:
    differ = {}
    with watched(browser, states, scheme=scheme, width=1600, height=1000) as page:
        for name in PAGES:
            open_drawn(page, states, name)
            shot, kept = tmp_path / f"{name}-{scheme}.png", KEPT / f"{name}-{scheme}.png"
            page.screenshot(path=shot, animations="disabled")
            if RENEW:
                KEPT.mkdir(exist_ok=True)
                shrink(shot).save(kept, optimize=True)
            with Image.open(kept) as before:
                differ[name] = round(difference(shrink(shot), before), 3)
    print(differ)
    assert {name: by for name, by in differ.items() if by > MOST} == {}, (
        f"see {tmp_path}; make looks"
    )


def picture(path: Path, light: int, boxes: list[tuple[int, int, int, int]]) -> Image.Image:
    page = np.full((1_000, 1_600), light, np.uint8)
    for x, y, width, height in boxes:
        page[y : y + height : 2, x : x + width] = 255 - light
    Image.fromarray(page).save(path)
    return shrink(path)


def test_other_words_are_the_same_look_and_other_places_or_another_theme_are_not(
    tmp_path: Path,
) -> None:
    rows = [(20, 60 + 40 * row, 1_500, 12) for row in range(20)]
    page = picture(tmp_path / "a.png", 255, rows)
    assert page.size == (2 * ACROSS, DOWN)
    words = [(x + 6, y + 3, width - 40, height) for x, y, width, height in rows]
    assert difference(page, picture(tmp_path / "b.png", 255, words)) <= MOST
    assert difference(page, picture(tmp_path / "c.png", 255, rows[:8])) > MOST
    assert difference(page, picture(tmp_path / "d.png", 255, [])) > MOST
    narrow = [(x, y, width // 2, height) for x, y, width, height in rows]
    assert difference(page, picture(tmp_path / "e.png", 255, narrow)) > MOST
    assert difference(page, picture(tmp_path / "f.png", 20, rows)) > MOST
