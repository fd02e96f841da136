"""Every page in every state: empty, one run, many, a wrong filter, a silent store."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from tests.unit.dashboard.recorded import PATCHES, Recorded
from tests.unit.dashboard.synthetic import SyntheticReader, many_runs, two_projects
from weir_dashboard import data
from weir_dashboard.sources import Sources
from weir_store.records import RunState

GATEWAY = "gateway.example:7700"
PAGES = ("home", "runs", "workspace", "compare", "run", "artifacts")
ADDRESSES = {
    "home": {},
    "runs": {"project": "gpt-small"},
    "workspace": {"project": "gpt-small"},
    "compare": {"run": ["gpt-small/r0000"]},
    "run": {"project": "gpt-small", "id": "r0000"},
    "artifacts": {"project": "gpt-small"},
}


def script(name: str) -> None:
    import importlib

    import streamlit as st

    from weir_dashboard import navigation

    st.navigation([navigation.page(other) for other in navigation.names()], position="hidden")
    importlib.import_module(f"weir_dashboard.views.{name}").render()


def show(name: str, reader: SyntheticReader | Sources, **address) -> AppTest:
    data.use(reader if isinstance(reader, Sources) else Recorded(reader).sources, GATEWAY)
    test = AppTest.from_function(script, kwargs={"name": name}, default_timeout=30)
    for key, value in {**ADDRESSES[name], **address}.items():
        test.query_params[key] = value
    return test.run()


def texts(test: AppTest) -> str:
    found = [*test.info, *test.error, *test.warning, *test.caption, *test.markdown]
    return "\n".join(str(one.value) for one in found)


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("count", [1, 52])
def test_a_page_with_runs_shows_no_error(name, count):
    test = show(name, SyntheticReader(many_runs("gpt-small", count)))
    assert not test.exception
    assert not test.error


@pytest.mark.parametrize("name", ["home", "runs", "workspace", "artifacts"])
def test_an_empty_store_shows_how_to_begin_with_the_real_address(name):
    test = show(name, SyntheticReader([]))
    assert not test.exception
    (code,) = test.code
    assert GATEWAY in code.value
    assert len(code.value.splitlines()) == 4


@pytest.mark.parametrize("name", PAGES)
def test_a_silent_store_is_said_with_a_retry(name):
    reader = two_projects(5)
    reader.down = True
    test = show(name, reader)
    assert not test.exception
    assert "does not answer" in test.error[0].value
    assert [button.label for button in test.button] == ["Retry"]
    reader.down = False
    test.button[0].click().run()
    assert not test.error


@pytest.mark.parametrize("name", ["runs", "workspace"])
def test_a_wrong_filter_is_explained_under_the_input(name):
    test = show(name, two_projects(5), q="config.lr <")
    assert not test.exception
    assert len(test.error) == 1
    assert test.text_input[0].value == "config.lr <"


@pytest.mark.parametrize("name", ["runs", "workspace"])
def test_a_filter_without_match_says_how_many_there_are_and_can_be_cleared(name):
    test = show(name, two_projects(5), q="nosuchword")
    assert "No run matches `nosuchword`. 5 runs in the project." in test.info[0].value
    test.button(key="clear").click().run()
    assert not test.info


@pytest.mark.parametrize("name", ["runs", "workspace", "run", "compare"])
def test_a_store_that_falls_silent_leaves_the_last_answer_and_says_so(name, monkeypatch):
    reader = SyntheticReader(many_runs("gpt-small", 3))
    test = show(name, reader)
    reader.down = True
    data.ask()._kept._clock = lambda: 4e9
    test.run()
    assert not test.exception
    assert "showing" in test.warning[0].value


def test_the_table_is_paged_at_the_store():
    test = show("runs", SyntheticReader(many_runs("gpt-small", 130)), p="2")
    assert len(test.dataframe[0].value) == 30


def test_chosen_columns_come_from_the_address():
    test = show("runs", two_projects(5), col=["config.warmup"])
    assert "config.warmup" in test.dataframe[0].value.columns
    assert "config.lr" not in test.dataframe[0].value.columns


def test_columns_chosen_for_you_differ_between_runs():
    columns = set(show("runs", two_projects(8)).dataframe[0].value.columns)
    assert {"config.lr", "summary.train/loss"} <= columns
    assert "config.warmup" not in columns


def test_a_result_that_is_nan_is_named_in_the_table():
    runs = many_runs("gpt-small", 3)
    runs[1] = replace(runs[1], summary={**runs[1].summary, "val/acc": float("nan")})
    table = show("runs", SyntheticReader(runs)).dataframe[0].value
    assert table["not finite"].tolist() == ["", "NaN val/acc", ""]


def test_compare_shows_what_differs_in_groups():
    test = show("compare", two_projects(8), run=["gpt-small/r0003", "ddp/ddp16"], tab="Differences")
    assert not test.exception
    heads = bodies(test)
    assert "Config" in heads
    assert "Packages" in heads
    paths = {path for table in test.dataframe for path in table.value["path"]}
    assert "lr" in paths
    assert "model.depth" not in paths
    test.toggle(key="cmp_all").set_value(True).run()
    assert "model.depth" in {path for table in test.dataframe for path in table.value["path"]}


def test_the_change_of_results_is_beside_them_and_files_of_two_runs_are_diffed():
    test = show(
        "compare", two_projects(8), run=["gpt-small/r0002", "gpt-small/r0003"], tab="Differences"
    )
    assert test.dataframe[0].value.columns[1].endswith(" · baseline")
    assert test.dataframe[0].value.iloc[:, 2].str.contains("%").any()
    assert "+warmup = 500" in test.code[0].value
    assert test.code[0].language == "diff"
    test.text_input(key="find").set_value("torch").run()
    assert all("torch" in str(table.value.values) for table in test.dataframe)
    assert (
        len(
            show(
                "compare",
                two_projects(8),
                tab="Differences",
                run=["gpt-small/r0002", "gpt-small/r0003", "ddp/ddp16"],
            ).code
        )
        == 0
    )


@pytest.fixture(scope="module")
def recorded() -> Recorded:
    return Recorded(two_projects(4)).measure().print().keep()


def wide(recorded: Recorded, tab: str, **address) -> AppTest:
    test = show("run", recorded.sources, project="ddp", id="ddp16", tab=tab, **address)
    assert not test.exception
    return test


def bodies(test: AppTest) -> str:
    return "".join(str(one.proto.body) for one in test.get("html"))


def test_the_overview_shows_all_that_is_needed_to_do_it_again(recorded):
    test = wide(recorded, "Overview")
    for part in (
        "Config",
        "Summary",
        "Code",
        "Command",
        "Data",
        "Seeds",
        "Environment",
        "Packages",
        "Machine",
        "Files",
    ):
        assert part in bodies(test), part
    assert "7.96 GPU-hours" in texts(test)
    assert "weir reproduce ddp/ddp16" in texts(test)
    assert "137 GiB (147000000000)" in "".join(str(table.value.values) for table in test.dataframe)
    assert "commit" in bodies(test)
    assert "3799dd3c0a main" in bodies(test)


def test_the_system_page_says_what_the_run_took_and_draws_every_device(recorded):
    test = wide(recorded, "System")
    assert "7.96 GPU-hours** on 8 devices" in test.expander[0].label
    (chart,) = test.get("vega_lite_chart")
    spec = json.loads(chart.proto.spec)
    assert len(spec["vconcat"]) == 4
    assert len(test.dataframe[0].value) == 8


@pytest.mark.parametrize("group", ["CPU", "Memory", "Disk", "Network"])
def test_every_group_of_metrics_has_its_panels(recorded, group):
    test = wide(recorded, "System", sys_group=group)
    assert len(json.loads(test.get("vega_lite_chart")[0].proto.spec)["vconcat"]) == 1


def test_logs_are_searched_and_say_how_many_lines_there_are(recorded):
    test = wide(recorded, "Logs")
    assert "172 lines" in texts(test)
    assert "<script" not in bodies(test)
    assert "&lt;script&gt;document.title" in bodies(test)
    test = wide(recorded, "Logs", log_q="uncorrectable ECC")
    assert "1 line" in texts(test)
    assert "no line matches" in texts(wide(recorded, "Logs", log_q="nosuchword"))


def test_lines_of_all_runs_of_the_project_are_searched_at_once(recorded):
    test = wide(recorded, "Logs", log_q="uncorrectable", log_all="true")
    assert "ddp16 r2" in bodies(test)


def test_a_link_to_some_lines_shows_those(recorded):
    test = wide(recorded, "Logs", log_ranks=["2"], log_streams=["stderr"], log_end="oldest")
    assert "4 lines" in texts(test)
    assert "1 line" in texts(wide(recorded, "Logs", log_level="error"))
    assert "2 lines" in texts(wide(recorded, "Logs", log_level="warning"))


def test_what_a_run_made_and_read_is_listed_below_its_graph(recorded):
    test = wide(recorded, "Artifacts")
    assert [table.value["version"].tolist() for table in test.dataframe] == [
        ["checkpoint:v2", "checkpoint:v1", "checkpoint:v0"], ["imagenet:v0"],
    ]  # fmt: skip
    assert "this run made and read no artifact" in texts(
        show("run", recorded.sources, id="r0001", tab="Artifacts")
    )


def test_artifacts_and_models_of_a_project_are_listed(recorded):
    test = show("artifacts", recorded.sources, project="ddp")
    assert not test.exception
    assert set(test.dataframe[0].value["name"]) == {"checkpoint", "imagenet", "predictions"}
    assert test.dataframe[1].value["stage"].tolist() == ["production"]


@pytest.mark.parametrize(
    ("tab", "words"),
    [
        ("System", "nothing was measured"),
        ("Logs", "nothing was printed"),
        ("Artifacts", "made and read no artifact"),
    ],
)
def test_a_run_without_any_of_it_says_why_there_is_nothing(recorded, tab, words):
    assert words in texts(show("run", recorded.sources, id="r0001", tab=tab))


@pytest.mark.parametrize("tab", ["Overview", "Media", "System", "Logs", "Artifacts"])
def test_a_dashboard_without_a_source_says_so_in_words(tab):
    test = show("run", Sources(two_projects(2)), project="ddp", id="ddp16", tab=tab)
    assert not test.exception
    assert tab in ("Overview", "Media") or "was started without" in texts(test)


def test_a_file_whose_bytes_are_not_there_yet_is_said(recorded):
    assert PATCHES[0] != PATCHES[1]
    lost = replace(recorded.sources, objects=None)
    test = show("compare", lost, tab="Differences", run=["gpt-small/r0002", "gpt-small/r0003"])
    assert not test.exception
    assert "was started without an object store" in texts(test)


def test_an_unknown_run_is_said_and_not_a_crash():
    test = show("run", two_projects(2), id="nosuchrun")
    assert not test.exception
    assert "nosuchrun" in test.error[0].value


def test_the_ranks_of_a_run_are_listed():
    test = show("run", two_projects(2), project="ddp", id="ddp16", tab="Ranks")
    assert len(test.dataframe[0].value) == 16


def test_a_whole_run_carries_a_shield_and_its_ledger_says_what_was_counted():
    test = show("run", two_projects(2), project="ddp", id="ddp16", tab="Ledger")
    assert not test.exception
    assert "whole" in test.success[0].value
    table = test.dataframe[0].value
    assert table["rank"].tolist() == list(range(16))
    assert set(table["verdict"]) == {"whole"}


def test_points_that_are_missing_are_said_on_the_run():
    reader = SyntheticReader(many_runs("gpt-small", 8), lost=3)
    ended = next(run for run in reader.runs if run.state is not RunState.RUNNING)
    test = show("run", reader, project=ended.project, id=ended.run_id, tab="Ledger")
    assert "missing" in test.error[0].value
    assert "weir-shield missing" in "".join(str(one.proto.body) for one in test.get("html"))


def test_the_events_of_a_run_are_listed_newest_first():
    reader = SyntheticReader(many_runs("gpt-small", 52))
    crashed = next(run for run in reader.runs if run.state is RunState.CRASHED)
    test = show("run", reader, id=crashed.run_id, tab="Events")
    assert not test.exception
    assert "train/acc was not logged" in test.dataframe[0].value["what"][0]
    quiet = next(run for run in reader.runs if run.state is RunState.FINISHED)
    assert "nothing was reported" in texts(show("run", reader, id=quiet.run_id, tab="Events"))


def test_a_fork_says_what_it_was_forked_from():
    (run,) = many_runs("gpt-small", 1)
    run = replace(run, parent_run_id="older", fork_step=1_200, rewinds=(5, 3))
    head = show("run", SyntheticReader([run])).get("html")
    assert "older at step 1,200" in "".join(str(one.proto.body) for one in head)
