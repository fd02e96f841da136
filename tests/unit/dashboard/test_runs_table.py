"""The page of runs over a store in memory: columns, filter, picks, what is changed and what came of it."""

from __future__ import annotations

import json

import pytest
from streamlit.testing.v1 import AppTest

from tests.unit.dashboard.changing import PROJECT, laboratory
from tests.unit.dashboard.test_pages import script
from weir_dashboard import data
from weir_store.changes.base import ChangeKind
from weir_store.errors import StoreUnavailable
from weir_store.records import RunQuery, RunRef


def show(sources, **address) -> AppTest:
    data.use(sources, "gateway:7700")
    test = AppTest.from_function(script, kwargs={"name": "runs"}, default_timeout=60)
    for key, value in {"project": PROJECT, **address}.items():
        test.query_params[key] = value
    return test.run()


def picking(sources, *run_ids: str, **address) -> AppTest:
    test = show(sources, **address)
    test.session_state["picks_dropped"] = 1  # picked elsewhere: the table takes it over
    test.session_state["picked"] = [RunRef(PROJECT, run_id) for run_id in run_ids]
    return test.run()


def asking(sources, what: str, *run_ids: str) -> AppTest:
    """Show the dialog alone: `AppTest` reruns whole pages, and a page forgets its dialog."""

    def dialog(what: str, run_ids: tuple[str, ...]) -> None:
        from tests.unit.dashboard.changing import PROJECT
        from weir_dashboard.views import bulk_changes
        from weir_store.records import RunRef

        bulk_changes.show_report()
        bulk_changes.open_dialog(what, [RunRef(PROJECT, run_id) for run_id in run_ids])

    data.use(sources, "gateway:7700")
    kwargs = {"what": what, "run_ids": run_ids}
    return AppTest.from_function(dialog, kwargs=kwargs, default_timeout=60).run()


def captions(test: AppTest) -> str:
    return "\n".join(str(one.value) for one in test.caption)


def names(test: AppTest) -> list[str]:
    return [str(link).split("#")[-1] for link in test.dataframe[0].value["name"]]


# ── columns ─────────────────────────────────────────────────────────────────


def test_columns_of_a_metric_hold_what_the_address_says():
    sources, _, _ = laboratory()
    test = show(sources, col=["metric.val/loss@min", "metric.val/loss@1", "config.lr"])
    table = test.dataframe[0].value
    assert list(table["metric.val/loss@min"]) == [8.0, 9.0, 10.0]
    assert list(table["metric.val/loss@1"]) == [9.0, 10.0, 11.0]


def test_the_table_is_sorted_by_any_column_in_the_store():
    sources, _, _ = laboratory()
    test = show(sources, col=["metric.val/loss@min"], sort="-metric.val/loss@min")
    assert names(test) == ["run%200", "run%201", "run%202"]


def test_what_the_address_names_and_no_run_has_is_an_empty_column():
    sources, _, _ = laboratory()
    test = show(sources, col=["metric.nothing@max", "config.nothing", "nonsense"])
    table = test.dataframe[0].value
    assert table["metric.nothing@max"].isna().all()
    assert "nonsense" not in table
    assert not test.exception


def test_columns_are_found_by_search_added_put_in_order_and_taken_away():
    def dialog() -> None:
        import streamlit as st

        from weir_dashboard.views import column_picker

        st.session_state.setdefault(column_picker.DRAFT, ["config.lr"])
        column_picker.open_dialog("lab", is_chosen=True)

    sources, _, _ = laboratory()
    data.use(sources, "gateway:7700")
    test = AppTest.from_function(dialog, default_timeout=60).run()
    test.text_input(key="columns_find").input("loss").run()
    assert "1 name" in captions(test)
    test.button(key="columns_add_0").click().run()
    test.button(key="columns_add_0").click().run()
    test.button(key="columns_↑_1").click().run()
    kind = test.selectbox(key="columns_kind_0_metric.val/loss@last")
    kind.set_value("at step").run()
    test.number_input(key="columns_kind_0_metric.val/loss@0_step").set_value(1).run()
    test.button(key="columns_drop_1").click().run()
    test.button(key="columns_use").click().run()
    assert test.query_params["col"] == ["metric.val/loss@1", "metric.val/loss@min"]


def test_the_default_columns_stay_what_differs_and_results():
    sources, _, _ = laboratory()
    columns = list(show(sources).dataframe[0].value.columns)
    assert columns[-2:] == ["config.lr", "summary.val/loss"]


# ── the filter ──────────────────────────────────────────────────────────────


def test_a_wrong_filter_is_explained_and_the_last_good_table_stays():
    sources, _, _ = laboratory()
    test = show(sources, q="config.lr < 0.06")
    assert len(test.dataframe[0].value) == 2
    test.text_input(key="q").input("config.lr <").run()
    assert "something is missing after" in test.error[0].value
    assert len(test.dataframe[0].value) == 2
    assert "Showing the runs of `config.lr < 0.06`" in captions(test)


def test_a_wrong_order_is_explained_too():
    sources, _, _ = laboratory()
    test = show(sources, sort="nonsense")
    assert "unknown field" in test.error[0].value
    assert not test.exception


def test_the_filter_knows_the_numbers_of_metrics():
    sources, _, _ = laboratory()
    assert names(show(sources, q="metric.val/loss@min < 8.5")) == ["run%202"]


# ── picks ───────────────────────────────────────────────────────────────────


def test_picks_survive_a_filter_that_hides_them_and_are_counted():
    sources, _, _ = laboratory()
    test = picking(sources, "r000", "r002", q="run 2")
    assert "2 picked, 1 not shown" in captions(test)


def test_everything_that_matches_can_be_picked_beyond_the_page():
    sources, _, _ = laboratory(130)
    test = show(sources)
    test.button(key="pick_all").click().run()
    assert "130 picked, 30 not shown" in captions(test)


# ── changing ────────────────────────────────────────────────────────────────


def test_without_leave_nothing_can_be_changed():
    sources, _, _ = laboratory()
    test = picking(type(sources)(sources.reader), "r000")
    assert test.get("menu_button") == []
    assert not test.toggle


def test_many_runs_are_tagged_and_each_is_reported():
    sources, _, reader = laboratory()
    test = asking(sources, "Tag", "r000", "r001")
    test.multiselect(key="bulk_tags").set_value([" good ", "v1"]).run()
    test.button(key="bulk_confirm").click().run()
    assert test.expander[0].label == "2 runs done"
    assert reader.get_run(RunRef(PROJECT, "r001")).tags == ("good", "v1")
    (event,) = reader.list_events(RunRef(PROJECT, "r001"), kinds=["edited"]).events
    assert (event.attrs["by"], json.loads(event.attrs["after"])) == ("dashboard", ["good", "v1"])
    test.button(key="bulk_dismiss").click().run()
    assert not test.expander


def test_a_tag_that_is_too_long_changes_nothing_and_is_said():
    sources, _, reader = laboratory()
    test = asking(sources, "Tag", "r000")
    test.multiselect(key="bulk_tags").set_value(["x" * 600]).run()
    test.button(key="bulk_confirm").click().run()
    assert "600 bytes" in test.error[0].value
    assert reader.get_run(RunRef(PROJECT, "r000")).tags == ()


def test_a_silent_store_is_said_and_nothing_is_changed():
    sources, noted, reader = laboratory()
    noted.down = True
    test = asking(sources, "Notes", "r000")
    test.text_area(key="bulk_notes").input("why").run()
    test.button(key="bulk_confirm").click().run()
    assert "does not answer" in test.error[0].value
    assert reader.get_run(RunRef(PROJECT, "r000")).notes == ""


def test_one_run_is_renamed():
    sources, _, reader = laboratory()
    test = asking(sources, "Rename", "r000")
    test.text_input(key="bulk_name").input("best").run()
    test.button(key="bulk_confirm").click().run()
    assert reader.get_run(RunRef(PROJECT, "r000")).name == "best"


def test_deleting_says_what_it_frees_asks_and_forgets_the_picks():
    sources, noted, reader = laboratory()
    test = asking(sources, "Delete", "r000", "r001")
    said = "\n".join(str(one.value) for one in test.markdown)
    assert "2,468 rows" in said
    assert noted.asked == []
    test.text_input(key="bulk_reason").input("old").run()
    test.button(key="bulk_confirm").click().run()
    assert [(each.kind, each.reason) for each in noted.asked] == [
        (ChangeKind.DELETE_RUN, "old")
    ] * 2
    assert reader.list_runs(RunQuery(PROJECT)).total == 1


def test_what_a_gateway_does_or_refuses_later_reaches_the_report():
    sources, noted, _ = laboratory()
    test = asking(sources, "Move", "r000")
    test.selectbox(key="bulk_target").set_value("other").run()
    test.button(key="bulk_confirm").click().run()
    assert test.expander[0].label == "1 run done, 1 under way"
    noted.end(refused="project 'other' has, or had, a run 'r000'")
    test.run()
    assert test.expander[0].label == "0 runs done, 1 refused"


def test_a_run_that_has_ended_is_not_stopped_and_the_report_says_so():
    sources, noted, _ = laboratory()  # silent for long: crashed
    test = asking(sources, "Stop", "r000")
    test.button(key="bulk_confirm").click().run()
    assert noted.asked == []
    assert test.expander[0].label == "0 runs done, 1 refused"


# ── nothing, and no store ───────────────────────────────────────────────────


@pytest.mark.parametrize("runs", [1, 52])
def test_a_table_of_one_run_and_of_many_shows_no_error(runs):
    sources, _, _ = laboratory(runs)
    test = show(sources, col=["metric.val/loss@mean"])
    assert len(test.dataframe[0].value) == runs
    assert not test.exception
    assert not test.error


def test_an_empty_store_shows_how_to_begin():
    sources, _, _ = laboratory(0)
    test = show(sources)
    assert "weir.init" in test.code[0].value


def test_a_store_that_fell_silent_leaves_the_table_with_its_time(monkeypatch):
    sources, _, reader = laboratory()
    test = show(sources, col=["config.lr"])
    for name in ("list_runs", "list_projects"):
        monkeypatch.setattr(reader, name, _gone)
    data.ask()._kept.renew()
    test.run()
    assert len(test.dataframe[0].value) == 3
    assert "showing" in test.warning[0].value


def _gone(*_):
    raise StoreUnavailable("gone")
