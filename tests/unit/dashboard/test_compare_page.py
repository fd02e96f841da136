"""The Compare page in every state, and what its tabs say of a sweep."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from tests.unit.dashboard.sweeps import HOSTILE, PROJECT, Sweep
from weir_dashboard import data
from weir_dashboard.access.doors import opened
from weir_dashboard.access.viewer import Viewer
from weir_dashboard.compare_columns import HOW
from weir_store.records import RunRef, SeriesQuery

TABS = ("Curves", "Differences", "Results", "Hyper-parameters", "Scatter")
TOLD = TABS[1:]


def script() -> None:
    import streamlit as st

    from weir_dashboard import navigation
    from weir_dashboard.views import compare

    st.navigation([navigation.page(other) for other in navigation.names()], position="hidden")
    compare.render()


def show(sweep: Sweep, **address) -> AppTest:
    data.use(sweep.sources, "gateway.example:7700")
    test = AppTest.from_function(script, default_timeout=60)
    for key, value in address.items():
        test.query_params[key] = value
    return test.run()


def texts(test: AppTest) -> str:
    found = [*test.info, *test.error, *test.warning, *test.caption, *test.markdown]
    return "\n".join(str(one.value) for one in found)


def cells(table) -> pd.DataFrame:
    return table.value


@pytest.fixture(scope="module")
def sweep() -> Sweep:
    return Sweep(40)


# ── every state ──────────────────────────────────────────────────────────────


@pytest.mark.parametrize("tab", TABS)
def test_an_empty_store_shows_how_to_begin(tab):
    test = show(Sweep(0), tab=tab)
    assert not test.exception
    assert "gateway.example:7700" in test.code[0].value


@pytest.mark.parametrize("tab", TABS)
@pytest.mark.parametrize("runs", [1, 40])
def test_a_filter_of_one_run_or_many_shows_no_error(tab, runs):
    test = show(Sweep(runs), tab=tab, project=PROJECT)
    assert not test.exception
    assert not test.error


@pytest.mark.parametrize("tab", TABS)
def test_a_wrong_filter_is_explained_and_one_without_match_can_be_cleared(sweep, tab):
    test = show(sweep, tab=tab, project=PROJECT, q="config.lr <")
    assert not test.exception
    assert len(test.error) == 1
    test = show(sweep, tab=tab, project=PROJECT, q="nosuchword")
    assert "No run matches `nosuchword`. 40 runs" in test.info[0].value
    test.button(key="clear").click().run()
    assert not test.info or "No run matches" not in test.info[0].value


@pytest.mark.parametrize("tab", TABS)
def test_a_silent_store_is_said_with_a_retry_and_the_last_answer_stays(tab):
    silent = Sweep(6)
    test = show(silent, tab=tab, project=PROJECT)
    assert not test.exception
    silent.go_down()
    data.ask()._kept._clock = data.ask().compare._kept._clock = lambda: 4e9
    test.run()
    assert not test.exception
    assert "showing" in test.warning[0].value
    silent.silent.clear()
    fresh = Sweep(6)
    fresh.go_down()
    test = show(fresh, tab=tab, project=PROJECT)
    assert "does not answer" in test.error[0].value
    assert test.button(key="retry")


@pytest.mark.parametrize("tab", TABS)
def test_a_deleted_run_in_an_old_link_is_named_and_the_others_go_on(sweep, tab):
    test = show(sweep, tab=tab, run=[f"{PROJECT}/r001", f"{PROJECT}/gone<b>", f"{PROJECT}/r002"])
    assert not test.exception
    assert "1 of 3 runs of this link cannot be found" in test.warning[0].value
    assert "<b>" not in test.warning[0].value
    assert "2 chosen runs" in texts(test)


def test_a_link_of_nothing_but_deleted_runs_says_so(sweep):
    test = show(sweep, tab="Results", run=["p/gone", "p/gone2"])
    assert not test.exception
    assert "2 of 2 runs of this link cannot be found" in test.warning[0].value


@pytest.mark.parametrize("tab", TABS)
def test_runs_of_several_projects_are_compared(sweep, tab):
    test = show(sweep, tab=tab, run=[f"{PROJECT}/r001", "other/o0"])
    assert not test.exception
    assert not test.error
    test = show(sweep, tab=tab, project="*")
    assert not test.exception
    assert "41 runs" in texts(test) or tab == "Curves"


@pytest.mark.parametrize("tab", TOLD)
def test_an_address_that_makes_no_sense_is_never_an_error(sweep, tab):
    test = show(
        sweep, tab=tab, project=PROJECT, base="no/run", cmp_in=["", "x", "config.lr:1", "a:b:c"], cmp_run=["", "zzz"],
        cmp_y="nothing", cmp_x="config.<b>", cmp_yy="metric.gone@min", cmp_axes=["config.gone"], cmp_how=["median"],
        cmp_m=["gone"], cmp_color="summary.gone", cmp_size="config.optimizer", cmp_lx="log", cmp_p="99",
    )  # fmt: skip
    assert not test.exception


# ── differences ──────────────────────────────────────────────────────────────


def test_only_what_differs_is_shown_until_equal_rows_are_asked_for(sweep):
    test = show(sweep, tab="Differences", project=PROJECT)
    paths = {path for table in test.dataframe for path in cells(table)["path"]}
    assert {"lr", "optimizer", "val/loss ↓", "train/loss"} <= paths
    assert "data" not in paths
    test.toggle(key="cmp_all").set_value(True).run()
    assert "data" in {path for table in test.dataframe for path in cells(table)["path"]}


def test_a_baseline_comes_first_and_all_others_are_held_against_it(sweep):
    test = show(sweep, tab="Differences", project=PROJECT, base=f"{PROJECT}/r010")
    table = cells(test.dataframe[0])
    assert table.columns[1] == "lion-0.0001-10 · baseline"
    others = table.set_index("path").loc["val/loss ↓"].iloc[1:]
    assert others.str.contains(r"[✓✗≠]").all()
    assert "better" in texts(test)


def test_of_two_runs_the_first_is_the_baseline_and_none_can_be_chosen(sweep):
    pair = [f"{PROJECT}/r001", f"{PROJECT}/r002"]
    test = show(sweep, tab="Differences", run=pair)
    assert "baseline" in cells(test.dataframe[0]).columns[1]
    test = show(sweep, tab="Differences", run=pair, base="none")
    assert "baseline" not in cells(test.dataframe[0]).columns[1]


def test_many_runs_are_paged_side_by_side_and_judged_together():
    test = show(Sweep(70), tab="Differences", project=PROJECT, cmp_p="3")
    assert not test.exception
    assert "runs 61–70 of 70 are shown" in texts(test)
    assert len(cells(test.dataframe[0]).columns) == 11


def test_a_hostile_name_is_cut_and_does_no_harm(sweep):
    test = show(sweep, tab="Differences", run=[f"{PROJECT}/r005", f"{PROJECT}/r006"])
    assert not test.exception
    assert all(len(name) < 120 for name in cells(test.dataframe[0]).columns)
    bodies = "".join(str(one.proto.body) for one in test.get("html"))
    assert HOSTILE[:20] not in bodies


# ── results ──────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("how", HOW)
def test_results_are_those_of_pandas_over_the_points(sweep, how):
    test = show(sweep, tab="Results", project=PROJECT, cmp_how=[how], cmp_m=["train/loss"])
    assert not test.exception
    refs = tuple(RunRef(PROJECT, f"r{at:03d}") for at in range(40))
    points = data.ask().series(SeriesQuery(refs, ("train/loss",))).to_pandas()
    expected = getattr(points.groupby("run_id")["value"], how)().sort_index(ascending=False)
    assert cells(test.dataframe[0])[f"train/loss {how}"].tolist() == pytest.approx(
        expected.tolist()
    )


def test_metrics_with_a_goal_come_first_and_nan_is_named(sweep):
    table = cells(show(sweep, tab="Results", project=PROJECT).dataframe[0])
    assert list(table.columns)[1] == "val/loss last ↓"
    assert "NaN val/loss last" in set(table["not finite"])


def test_seeds_are_put_together_with_n_shown(sweep):
    test = show(sweep, tab="Results", project=PROJECT, cmp_seeds="true", base=f"{PROJECT}/r003")
    assert not test.exception
    table = cells(test.dataframe[0])
    assert table["runs"].sum() == 40
    assert {"val/loss last ↓ mean", "val/loss last ↓ ± 95 %", "val/loss last ↓ n"} <= set(
        table.columns
    )
    assert "baseline" in set(table["baseline"])
    assert f"{len(table)} groups of 40 runs" in texts(test)


# ── parameters and scatter ───────────────────────────────────────────────────


def test_parameters_that_differ_are_axes_and_what_matters_is_said_with_n(sweep):
    test = show(sweep, tab="Hyper-parameters", project=PROJECT)
    assert "1 without a value" in texts(test)
    assert "NaN or infinite" in texts(test)
    assert "of the differences between 39 runs" in texts(test)
    weights = cells(test.dataframe[-1])
    assert set(weights["parameter"][:2]) == {"lr", "optimizer"}
    assert "seed" not in set(weights["parameter"])


def test_too_few_runs_have_no_importance_and_the_page_says_why():
    test = show(Sweep(6, holes=False), tab="Hyper-parameters", project=PROJECT)
    assert not test.exception
    assert "6 runs have it, at least 12 are needed" in texts(test)


@pytest.mark.parametrize("tab", ["Hyper-parameters", "Scatter"])
def test_a_link_to_a_selection_selects_these_runs(sweep, tab):
    test = show(
        sweep,
        tab=tab,
        project=PROJECT,
        cmp_in=["config.lr:0.0005,0.005", 'config.optimizer:"lion"'],
    )
    assert not test.exception
    chosen = [
        at for at in range(40) if at % 5 in (2, 3) and at % 3 == 1 and at != 7
    ]  # fmt: skip
    assert f"**{len(chosen)} of 40 runs**" in texts(test)
    assert "lr: 0.0005 … 0.005; optimizer: lion" in texts(test).replace("\\", "")
    listed = next(
        cells(each) for each in test.dataframe if "config.optimizer" in cells(each).columns
    )
    assert set(listed["config.optimizer"]) == {"lion"}
    test.button(key="cmp_none").click().run()
    assert "cmp_in" not in test.query_params
    assert "nothing chosen" in texts(test)


def test_a_lasso_in_a_link_selects_its_runs(sweep):
    test = show(
        sweep, tab="Scatter", project=PROJECT, cmp_run=[f"{PROJECT}/r001", f"{PROJECT}/r002"]
    )
    assert "**2 of 40 runs**" in texts(test)


def test_dots_that_cannot_be_drawn_are_counted(sweep):
    test = show(
        sweep, tab="Scatter", project=PROJECT, cmp_x="config.lr", cmp_color="config.optimizer"
    )
    assert "38 of 40 runs drawn" in texts(test)
    assert "adamw" in "".join(str(one.proto.body) for one in test.get("html"))


# ── the browser half, in node ────────────────────────────────────────────────


def test_the_places_of_parallel_axes_are_right_in_the_browser():
    node = shutil.which("node")
    if node is None:
        pytest.skip("no node on PATH")
    test = Path(__file__).with_name("parallel.test.mjs")
    ran = subprocess.run([node, "--test", str(test)], capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stdout + ran.stderr


# ── who may see what ─────────────────────────────────────────────────────────


def test_runs_that_a_viewer_may_not_see_are_not_there(sweep):
    door = opened(sweep.sources, Viewer("ada", projects=("other",))).compared
    assert door is not None
    asked = [RunRef(PROJECT, "r001"), RunRef("other", "o0")]
    assert [run.ref for run in door.get_runs(asked)] == [RunRef("other", "o0")]
    assert set(door.read_results(asked).column("project").to_pylist()) == {"other"}
