"""Groups on the chart wall in a real browser: chosen, drawn, hidden, expanded, shared by a link."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.test_dashboard_browser import drag, open_wall, panel, until

COUNT = '.rail[aria-label="groups"] .count'
KEYS = ".keys [role=option]"

expect.set_options(timeout=20_000)  # as the page's own


def open_groups(page, served, query: str):
    open_wall(page, served, query)
    expect(page.locator(COUNT)).not_to_have_text("…")
    return page


def group(page, label: str):
    return page.locator(".run.group").filter(has=page.get_by_text(label, exact=True))


def points(page, metric: str) -> int:
    return int(panel(page, metric).get_attribute("data-points") or 0)


def test_grouping_by_a_config_path_that_was_searched_draws_one_line_for_each_value(page, served):
    open_wall(page, served, "&m=loss")
    page.get_by_role("button", name="group by").click()
    page.get_by_label("find what to group by").fill("optim")
    expect(page.locator(KEYS)).to_have_count(1)
    page.locator(KEYS).filter(has_text="optimizer").click()
    expect(page.locator(COUNT)).to_have_text(re.compile(r"^(\d) of \1 groups drawn$"))
    note = panel(page, "train/loss").locator(".resolution")
    expect(note).to_contain_text("mean of runs, ± standard deviation")
    assert "g=config.optimizer" in page.url
    counts = page.locator(".run.group .members").all_inner_texts()
    assert (
        sum(int(text.split()[0]) for text in counts) == 24
    )  # all runs, not the ten that are drawn
    page.get_by_role("button", name="by optimizer").click()
    page.locator(KEYS).filter(has_text="no groups").click()
    expect(page.locator('.rail[aria-label="runs"] .count')).to_have_text("10 of 24 runs drawn")
    assert "g=" not in page.url


def test_a_link_restores_groups_band_and_what_is_hidden(page, served):
    open_groups(page, served, '&g=config.optimizer&gs=ci&ghide=config.optimizer%3D"adamw"&m=loss')
    expect(page.locator(COUNT)).to_have_text(re.compile(r"^2 of 3 groups"))
    expect(group(page, "adamw")).not_to_have_class(re.compile(r"\bon\b"))
    note = panel(page, "train/loss").locator(".resolution")
    expect(note).to_contain_text("95 % interval of the mean")
    expect(page.get_by_label("band around the mean")).to_have_value("ci")
    page.get_by_label("band around the mean").select_option("minmax")
    expect(note).to_contain_text("lowest to highest point")
    until(page, "location.search.includes('gs=minmax')")


def test_showing_another_group_asks_for_it_alone_and_changes_no_other(page, served):
    open_groups(page, served, '&g=config.optimizer&m=loss&ghide=config.optimizer%3D"adamw"')
    before = page.locator(".run.group.on .value").all_inner_texts()
    assert all(before)

    def asks_for_one(response) -> bool:  # a poll asks for news of all that are drawn
        return "/api/groups?" in response.url and response.url.count("&group=") == 1

    with page.expect_response(asks_for_one) as answer:
        group(page, "adamw").locator(".swatch").click()
    expect(page.locator(COUNT)).to_have_text("3 of 3 groups drawn")
    assert "adamw" in answer.value.url
    expect(group(page, "adamw").locator(".value")).not_to_have_text("")
    after = dict(
        zip(labels(page), page.locator(".run.group .value").all_inner_texts(), strict=True)
    )
    assert [after[label] for label in labels(page) if label != "adamw"] == before


def labels(page) -> list[str]:
    return page.locator(".run.group .name").all_inner_texts()


def test_only_this_group_and_back_and_the_runs_that_are_in_it(page, served):
    open_groups(page, served, "&g=config.optimizer&m=loss")
    row = group(page, "adamw")
    row.hover()
    row.get_by_role("button", name="only adamw").click()
    expect(page.locator(COUNT)).to_have_text("1 of 3 groups drawn")
    page.get_by_role("button", name="draw all").click()
    expect(page.locator(COUNT)).to_have_text("3 of 3 groups drawn")
    held = int(row.locator(".members").inner_text().split()[0])
    row.locator(".members").click()
    expect(page.locator(".member a")).to_have_count(held)
    assert "/run?project=gpt-small&id=" in page.locator(".member a").first.get_attribute("href")


def test_more_groups_than_are_drawn_at_first_are_said_and_can_be_drawn(page, served):
    open_groups(page, served, "&g=config.seed&m=val/loss")
    expect(page.locator(COUNT)).to_have_text("12 of 24 groups drawn")
    few = points(page, "val/loss")
    page.get_by_role("button", name="draw all").click()
    expect(page.locator(COUNT)).to_have_text("24 of 24 groups drawn")
    until(page, "+wall.querySelector('[data-metric=\"val/loss\"]').dataset.points > argument", few)
    assert "gshow=*" in page.url or "gshow=%2A" in page.url


def test_the_tooltip_says_how_many_of_how_many_runs(page, served):
    open_groups(page, served, "&g=config.optimizer&m=train/acc")
    over = panel(page, "train/acc").locator(".u-over")
    box = over.bounding_box()
    tip = page.locator(".tooltip")
    page.mouse.move(box["x"] + box["width"] / 4, box["y"] + 40)
    expect(tip).to_contain_text(re.compile(r"± \S+ · n = (\d+) of \1 runs"))


@pytest.mark.parametrize("axis", ["relative", "time"])
def test_groups_are_drawn_over_every_axis_zoomed_smoothed_and_logarithmic(page, served, axis):
    open_groups(page, served, f"&g=config.optimizer&x={axis}&s=60&m=train/loss")
    assert points(page, "train/loss") > 100
    drag(page, "train/loss", 0.4, 0.6)
    until(page, "location.search.includes('win=')")
    expect(page.locator('.panels[aria-busy="false"]')).to_have_count(1)
    page.get_by_role("button", name="log y").click()
    until(page, "location.search.includes('ly=1')")
    assert points(page, "train/loss") > 10


def test_nan_in_some_runs_of_a_group_is_marked_and_counted(page, served):
    open_groups(page, served, "&g=config.optimizer&m=train/loss&win=5900,5999")
    # a crashed run of the store ends in NaN: the group's mean goes on without it, and says so
    tip, box = page.locator(".tooltip"), panel(page, "train/loss").locator(".u-over").bounding_box()
    page.mouse.move(box["x"] + box["width"] - 12, box["y"] + 60)
    expect(tip).to_contain_text(re.compile(r"n = (\d+) of (?!\1 )\d+ runs · \d+ with NaN"))


def test_new_points_reach_the_groups_without_a_click(page, served):
    open_groups(page, served, "&g=config.optimizer&m=train/loss")
    before = panel(page, "train/loss").get_attribute("data-x")
    served.tell("grow 6000")  # a running run then outruns those that ended
    until(page, "wall.querySelector('[data-metric=\"train/loss\"]').dataset.x !== argument", before)


def test_a_key_that_no_run_has_is_one_group_of_all_runs(page, served):
    page.goto(f"{served.address}/workspace?project=gpt-small&g=config.nothing")
    expect(page.locator(COUNT)).to_have_text("1 of 1 group drawn")
    expect(group(page, "—")).to_have_count(1)
