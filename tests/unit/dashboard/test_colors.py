"""A run's colour is its own."""

from __future__ import annotations

from dataclasses import replace

from tests.unit.dashboard.synthetic import SyntheticReader, many_runs
from weir_dashboard.colors import PALETTE, color_index
from weir_dashboard.data import Asked
from weir_dashboard.sources import Sources


def contrast(color: str, background: str) -> float:
    def luminance(hex_color: str) -> float:
        parts = [int(hex_color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light, dark = sorted((luminance(color), luminance(background)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_every_colour_is_legible_in_both_themes():
    assert len(set(PALETTE)) == 16
    assert all(contrast(color, "#ffffff") >= 3 for color in PALETTE)
    assert all(contrast(color, "#13161b") >= 2.9 for color in PALETTE)


def test_a_colour_does_not_change_when_runs_are_added_or_filtered():
    runs = many_runs("p", 30)
    reader = SyntheticReader(runs[:20])
    asked = Asked(Sources(reader), "gateway:7700")
    some = [run.ref for run in runs[5:9]]
    before = dict(asked.ordinals(some))
    reader.runs = runs
    asked.ordinals([run.ref for run in runs])
    assert asked.ordinals(some) == before
    assert before == {run.ref: index for index, run in enumerate(runs) if run.ref in some}


def test_runs_started_one_after_another_differ_in_colour():
    runs = many_runs("p", 16)
    places = Asked(Sources(SyntheticReader(runs)), "").ordinals([run.ref for run in runs])
    assert len({color_index(run, places) for run in runs}) == 16


def test_a_stored_colour_wins():
    run = replace(many_runs("p", 1)[0], meta={"color_index": 19})
    assert color_index(run, {run.ref: 5}) == 3


def test_a_run_not_yet_counted_has_the_same_colour_each_time():
    run = many_runs("p", 1)[0]
    assert color_index(run, {}) == color_index(run, {})
