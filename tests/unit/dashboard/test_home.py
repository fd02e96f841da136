"""Home: what runs, how far it is, what failed, whose it is."""

from __future__ import annotations

import math
import time
from dataclasses import replace

import pytest

from tests.unit.dashboard.ranked import Ranked, hang
from tests.unit.dashboard.synthetic import SyntheticReader, many_runs, two_projects
from tests.unit.dashboard.test_states import said, show
from tests.unit.dashboard.whole import whole
from weir_dashboard import now_running
from weir_dashboard.component.shell import letters_of
from weir_dashboard.data_home import Spark
from weir_dashboard.theme import figures
from weir_store.filter import parse
from weir_store.health.base import Nonfinite
from weir_store.records import RunRef, RunState

(RUN,) = many_runs("gpt-small", 1)
NOW_S = time.time()


@pytest.mark.parametrize(
    ("names", "main"),
    [
        (["acc", "val/loss", "train/loss"], "train/loss"),
        (["zzz", "val/loss", "aux/loss"], "aux/loss"),
        (["system/gpu", "reward", "length"], "length"),
        (["system/gpu"], "system/gpu"),
        ([], ""),
    ],
)
def test_a_run_is_shown_by_its_loss_where_it_has_one(names: list[str], main: str) -> None:
    assert now_running.main_metric(replace(RUN, summary=dict.fromkeys(names, 1.0))) == main


def test_what_is_no_number_never_stands_for_a_run() -> None:
    summary = {"loss": "low", "train/loss": True, "acc": math.nan}
    assert now_running.main_metric(replace(RUN, summary=summary)) == "acc"


@pytest.mark.parametrize(
    ("config", "steps"),
    [
        ({"max_steps": 500}, 500),
        ({"trainer.max_steps": 500.0}, 500),
        ({"train/total_steps": 7}, 7),
        ({"max_steps": -1}, 0),
        ({"max_steps": "many"}, 0),
        ({"max_steps": math.inf}, 0),
        ({"max_steps": math.nan}, 0),
        ({"steps_done": 5}, 0),
    ],
)
def test_how_far_a_run_is_is_known_only_from_a_sensible_config(config, steps: int) -> None:
    assert now_running.total_steps(replace(RUN, config=config)) == steps


def test_progress_and_time_left_are_shown_where_they_are_known() -> None:
    begun = int((NOW_S - 100) * 1e6)
    known = replace(
        RUN, run_id="a", state=RunState.RUNNING, created_unix_us=begun, config={"max_steps": 400}
    )
    unknown = replace(known, run_id="b", config={})  # fmt: skip
    sparks = {one.ref: Spark((3.0, 2.0), 2.0, 100) for one in (known, unknown)}
    table = now_running.running_frame([known, unknown], sparks, {}, NOW_S)
    assert table["progress"].tolist()[0] == 0.25
    assert math.isnan(table["progress"].tolist()[1])
    assert table["left"].tolist() == ["~ 5 min", ""]
    without = now_running.running_frame([unknown], {}, {}, NOW_S)
    assert not {"progress", "left"} & set(without.columns)
    assert without["curve"].tolist() == [[]]


def test_a_filter_for_one_user_holds_whatever_they_are_called() -> None:
    parse(now_running.of("o'brien' OR state = 'x", now_running.RUNNING))
    assert now_running.of("", now_running.RUNNING) == now_running.RUNNING


def test_running_runs_have_a_curve_and_silent_ones_say_so() -> None:
    reader = two_projects(6)
    silent = replace(reader.runs[-2], last_seen_unix_us=int((time.time() - 250) * 1e6))
    reader.runs[-2] = silent
    test = show("home", whole(reader))
    running = test.dataframe[0].value
    assert sorted(set(running["metric"])) == ["train/loss"]
    assert all(len(curve) > 20 for curve in running["curve"])
    assert any(state.startswith("◌ silent 4 min") for state in running["state"])


def test_what_failed_is_named_and_counted_on_its_project() -> None:
    test = show("home", whole(SyntheticReader(many_runs("gpt-small", 24))))
    assert test.dataframe[1].value["state"].tolist() == ["✕ crashed", "✕ crashed"]
    assert "2 failed lately" in said(test)


def test_the_runs_of_one_user_can_be_looked_at_by_address() -> None:
    reader = SyntheticReader(many_runs("gpt-small", 6))
    reader.runs[0] = replace(reader.runs[0], user="grace", state=RunState.RUNNING)
    everybody = show("home", whole(reader)).dataframe[0].value
    mine = show("home", whole(reader), who=["grace"]).dataframe[0].value
    assert (len(everybody), len(mine)) == (4, 1)


def test_a_run_that_stands_still_and_one_with_nan_are_above_everything() -> None:
    reader = two_projects(3)
    ref = RunRef("ddp", "ddp16")
    sources = whole(reader)

    class Health:
        def list_nonfinite(self, *_: object, **__: object) -> list[Nonfinite]:
            return [Nonfinite(ref, "train/loss", 3, int(NOW_S * 1e6))]

    sources = replace(sources, ranks=Ranked(reader, hangs=[hang(ref)]), health=Health())
    test = show("home", sources)
    assert not test.exception
    assert "No step for 12 min" in test.error[0].value
    assert "rank 17–18, 40" in test.error[0].value
    assert "in 1 run of the last day" in said(test)


def test_a_curve_is_drawn_beside_a_figure_and_its_words_are_text() -> None:
    html = figures(
        [("<b>", "1 & 2", [1.0, 3.0, 2.0]), ("flat", "0", [5.0, 5.0]), ("one", "1", [1])]
    )
    assert "&lt;b&gt;" in html
    assert "1 &amp; 2" in html
    assert html.count("<svg") == 2
    assert "nan" not in html


def test_every_page_has_a_letter_of_its_own() -> None:
    assert letters_of(["Home", "Runs", "Ranks", "Rules"]) == ["h", "r", "a", "u"]
    assert letters_of(["aa", "aa"]) == ["a", ""]
