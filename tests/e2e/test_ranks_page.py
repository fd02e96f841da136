"""The Ranks page in a real browser: 512 ranks over a real engine."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.e2e.fixtures_stored import desk, look, shoot, stored

__all__ = ["desk", "look", "stored"]
expect.set_options(timeout=30_000)


def open_ranks(page, stored, more: str = "") -> None:
    page.goto(f"{stored.address}/ranks?run=pretrain/wide{more}")
    painted(page)


def painted(page) -> None:
    """Wait for the picture and until it is painted: ECharts complains about pages that are left before."""
    page.locator(".st-key-ranks_heat canvas").first.wait_for()
    page.wait_for_function(
        """() => {
            const canvas = document.querySelector('.st-key-ranks_heat canvas');
            const now = canvas?.toDataURL();
            const same = now === window.paintedBefore;
            window.paintedBefore = now;
            return same;
        }""",
        polling=700,
    )


def test_512_ranks_are_drawn_and_the_slow_one_the_astray_and_the_nan_are_named(desk, stored, look):
    desk.emulate_media(color_scheme=look)
    open_ranks(desk, stored)
    desk.get_by_text("512 of 512").first.wait_for()
    expect(desk.get_by_test_id("stMetric").filter(has_text="Waited for most")).to_contain_text(
        "rank 7"
    )
    desk.get_by_text(re.compile("rank 9 on node001 left the others in loss")).wait_for()
    desk.get_by_text(re.compile("first NaN in grad_norm at step 75, on rank 3")).wait_for()
    desk.get_by_text(re.compile("512 × 100 · every point is there")).wait_for()
    desk.wait_for_timeout(800)
    shoot(desk, f"ranks-{look}")


def test_pointing_at_a_cell_says_whose_it_is(desk, stored):
    open_ranks(desk, stored, "&by_node=true")
    chart = desk.locator(".st-key-ranks_heat canvas").first
    chart.scroll_into_view_if_needed()
    desk.wait_for_timeout(800)
    box = chart.bounding_box()
    desk.mouse.move(box["x"] + 400, box["y"] + 60)
    desk.mouse.move(box["x"] + 404, box["y"] + 62)
    desk.get_by_text(re.compile(r"step \d+: ")).first.wait_for()


def test_the_band_of_all_ranks_is_drawn_and_a_metric_can_be_chosen(desk, stored):
    open_ranks(desk, stored, "&metric=grad_norm")
    desk.get_by_text(re.compile(r"◆ 25 not finite")).wait_for()
    desk.locator('[data-testid="stVegaLiteChart"] canvas').wait_for()


def test_the_run_page_leads_to_its_ranks_and_back(desk, stored):
    desk.goto(f"{stored.address}/run?project=pretrain&id=wide&tab=Ranks")
    desk.get_by_text("Hold them against each other →").click()
    painted(desk)
    assert "run=pretrain" in desk.url
    desk.get_by_text("The run →").click()
    desk.wait_for_url("**/run?*id=wide*")
