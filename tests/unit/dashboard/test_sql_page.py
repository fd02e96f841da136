"""The SQL page in every state. What is typed is tested in the browser: tests/e2e/test_sql_page.py."""

from __future__ import annotations

import importlib
from dataclasses import replace

import pyarrow as pa
import pytest
from streamlit.testing.v1 import AppTest

from tests.unit.dashboard.answering import Answering, curves
from tests.unit.dashboard.recorded import Recorded
from tests.unit.dashboard.synthetic import SyntheticReader, many_runs
from weir_dashboard import asking, data, navigation, statement
from weir_dashboard.component.sql_desk import spec
from weir_store.sql.base import LimitReached, Refused
from weir_store.views.catalog import VIEWS

SQL = "SELECT run_id, step, value FROM metrics"


def script() -> None:
    from tests.unit.dashboard.test_sql_page import page

    page()


def page() -> None:
    import streamlit as st

    st.navigation([navigation.page(name) for name in navigation.names()], position="hidden")
    importlib.import_module("weir_dashboard.views.sql").render()


def show(sql: Answering | None, text: str = SQL, **address: str) -> AppTest:
    sources = Recorded(SyntheticReader(many_runs("gpt-small", 1))).sources
    data.use(replace(sources, sql=sql), "gateway.example:7700")
    test = AppTest.from_function(script, default_timeout=30)
    for key, values in {**statement.build(text), **{k: [v] for k, v in address.items()}}.items():
        test.query_params[key] = values
    return test.run()


def texts(test: AppTest) -> str:
    found = [*test.info, *test.error, *test.warning, *test.caption, *test.markdown]
    return "\n".join(str(one.value) for one in found)


def test_the_answer_to_the_address_is_a_table_with_its_size():
    test = show(Answering(curves(3, 200)))
    assert not test.exception
    assert not test.error
    assert len(test.dataframe[0].value) == 600
    assert "600 rows ·" in texts(test)


def test_without_a_statement_the_page_says_where_else_it_works():
    test = show(Answering(), "")
    assert not test.exception
    assert "weir sql" in texts(test)
    assert not data.ask().sql._given.asked  # type: ignore[union-attr]


def test_a_dashboard_without_sql_says_so():
    assert "without SQL" in texts(show(None))


def test_one_row_and_none_are_answers():
    assert len(show(Answering(pa.table({"n": [1]}))).dataframe[0].value) == 1
    none = show(Answering(curves().slice(0, 0)))
    assert not none.exception
    assert "No row answers" in texts(none)


def test_of_a_long_answer_the_beginning_is_shown_and_the_rest_counted(monkeypatch):
    monkeypatch.setattr(asking, "SHOWN_ROWS", 100)
    test = show(Answering(curves(3, 200)))
    assert "the first 100 of 600 rows" in texts(test)
    cut = show(Answering(curves(3, 200), cut=True))
    assert "the first 100 of more than 600 rows" in texts(cut)


def test_a_chart_of_a_part_says_that_it_is_a_part(monkeypatch):
    monkeypatch.setattr(asking, "SHOWN_ROWS", 100)
    test = show(Answering(curves(3, 200)), tab="Chart")
    assert not test.exception
    assert "Only the first 100 of 600 rows are drawn" in texts(test)


def test_columns_of_the_chart_come_from_the_address():
    test = show(Answering(curves()), tab="Chart", ck="points", cx="value", cy="step", cc="—")
    assert not test.exception
    assert [box.value for box in test.selectbox] == ["points", "value", "step", "—"]


def test_the_chart_of_the_next_statement_has_axes_of_its_own():
    reader = Answering(curves())
    test = show(reader, tab="Chart", cx="value", cy="step")
    reader.table = pa.table({"day": [1, 2], "loss": [2.0, 1.0]})
    test.query_params["sql"] = "SELECT 2"
    test.run()
    assert not test.exception
    assert [box.value for box in test.selectbox[1:3]] == ["day", "loss"]


def test_what_cannot_be_drawn_is_said():
    test = show(Answering(pa.table({"word": ["a", "b"]})), tab="Chart")
    assert "A chart needs a number" in texts(test)
    nan = float("nan")
    test = show(Answering(pa.table({"step": [1, 2], "value": [nan, nan]})), tab="Chart")
    assert not test.exception
    assert "No value of value is a finite number" in texts(test)


@pytest.mark.parametrize(
    "error",
    [Refused("the table function file() — ask a view instead"), LimitReached("longer than 30 s")],
)
def test_a_refusal_is_shown_as_it_was_said(error):
    test = show(Answering(error=error))
    assert not test.exception
    assert test.error[0].value.replace("\\", "") == str(error)


def test_a_refusal_is_no_markup():
    test = show(Answering(error=Refused("no *bold* <b>tag</b> `code`")))
    assert "\\*bold\\*" in test.error[0].value


def test_a_silent_store_is_said_and_can_be_asked_again():
    reader = Answering(down=True)
    test = show(reader)
    assert "does not answer" in test.error[0].value
    reader.down = False
    test.button(key="sql_again").click().run()
    assert not test.error
    assert len(test.dataframe[0].value) == 600


def test_the_last_good_answer_stays_when_the_store_falls_silent():
    reader = Answering()
    test = show(reader)
    reader.down = True
    test.query_params["sql"] = "SELECT 2"
    test.run()
    assert "The answer below is of" in texts(test)
    assert len(test.dataframe[0].value) == 600


def test_a_slow_statement_can_be_cancelled():
    reader = Answering()
    reader.gate.clear()
    test = show(reader)
    assert "asking for" in texts(test)
    test.button(key="sql_cancel").click().run()
    assert "Cancelled." in texts(test)
    reader.gate.set()
    assert reader.closed.wait(20)


def test_the_same_statement_is_not_asked_twice_by_a_rerun():
    reader = Answering()
    show(reader).run().run()
    assert len(reader.asked) == 1


def test_another_statement_leaves_the_one_before():
    reader = Answering()
    reader.gate.clear()
    test = show(reader)
    test.query_params["sql"] = "SELECT 2"
    test.run()
    reader.gate.set()
    assert reader.closed.wait(20)
    assert [one.text for one in reader.asked] == [SQL, "SELECT 2"]


def test_parameters_are_asked_for_and_bound():
    reader = Answering()
    test = show(reader, "SELECT * FROM metrics WHERE metric = {metric:String}")
    assert "Give a value for metric" in texts(test)
    assert not reader.asked
    test.text_input(key="p.metric").set_value("train/loss").run()
    assert dict(reader.asked[0].parameters) == {"metric": "train/loss"}
    shared = show(reader, "SELECT {metric:String}", **{"p.metric": "val/loss"})
    assert not shared.info
    assert dict(reader.asked[1].parameters) == {"metric": "val/loss"}


def test_a_packed_statement_is_asked_as_it_was_written():
    reader = Answering()
    text = SQL + "\n" + "-- a long remark\n" * 200
    assert "sqlz" in statement.build(text)
    show(reader, text)
    assert reader.asked[0].text == text.strip()


def test_an_address_that_cannot_be_read_is_an_empty_desk():
    test = show(Answering(), "", sqlz="broken!")
    assert not test.exception
    assert "weir sql" in texts(test)


def test_odd_columns_are_shown():
    table = pa.table(
        [pa.array([1]), pa.array([2]), pa.array([[1, 2]]), pa.array([b"\xff"])],
        names=["n", "n", "l", "b"],
    )
    test = show(Answering(table))
    assert not test.exception
    assert list(test.dataframe[0].value.columns) == ["n", "n (2)", "l", "b"]


def test_the_desk_knows_every_view_and_column():
    known = spec("", 1, VIEWS)["views"]
    assert [view["name"] for view in known] == [view.name for view in VIEWS]
    assert all(view["columns"] and view["example"] and view["about"] for view in known)
