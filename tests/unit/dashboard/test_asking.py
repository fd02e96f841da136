"""One statement on its way: waited for, cancelled, failed."""

from __future__ import annotations

import pyarrow as pa
import pytest

from tests.unit.dashboard.answering import Answering, curves
from weir_dashboard import asking
from weir_dashboard.asking import Asking
from weir_store.errors import InvalidQuery
from weir_store.sql.base import Question, Refused

SOON_S = 20


def ask(reader: Answering) -> Asking:
    return Asking(Question("SELECT 1")).start(reader)


def test_the_whole_answer_is_counted_and_its_beginning_kept(monkeypatch):
    monkeypatch.setattr(asking, "SHOWN_ROWS", 2_500)
    reader = Answering(curves(10, 400))
    asked = ask(reader)
    assert asked.wait(SOON_S)
    assert asked.rows == 4_000
    assert asked.table.equals(reader.table.slice(0, 2_500))


def test_an_answer_without_rows_has_its_columns():
    asked = ask(Answering(curves().slice(0, 0)))
    assert asked.wait(SOON_S)
    assert asked.table.column_names == ["run_id", "step", "value"]


def test_an_answer_that_the_limits_cut_says_so():
    asked = ask(Answering(cut=True))
    assert asked.wait(SOON_S)
    assert asked.cut


def test_a_refusal_is_the_answer():
    asked = ask(Answering(error=Refused("file() is not allowed")))
    assert asked.wait(SOON_S)
    assert isinstance(asked.error, InvalidQuery)


def test_a_defect_ends_in_words_too():
    class Broken(Answering):
        def ask(self, question):
            raise ZeroDivisionError("oops")

    asked = ask(Broken())
    assert asked.wait(SOON_S)
    assert "oops" in str(asked.error)


def test_cancelling_ends_the_wait_at_once_and_closes_the_answer_when_the_next_rows_come():
    reader = Answering()
    reader.gate.clear()
    asked = ask(reader)
    asked.cancel()
    assert asked.done
    assert asked.cancelled
    reader.gate.set()
    assert reader.closed.wait(SOON_S)
    assert asked.rows == 0


@pytest.mark.parametrize("batch_rows", [1, 7, 10_000])
def test_however_the_rows_come_the_beginning_is_the_same(monkeypatch, batch_rows):
    monkeypatch.setattr(asking, "SHOWN_ROWS", 100)
    asked = ask(Answering(curves(1, 300), batch_rows=batch_rows))
    assert asked.wait(SOON_S)
    assert pa.compute.min(asked.table["step"]).as_py() == 0
    assert asked.table["step"].to_pylist() == list(range(100))
