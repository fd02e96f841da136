"""Answers as tables, charts and files."""

from __future__ import annotations

import csv
import datetime as dt
import io
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.dashboard.answering import Answering, curves
from tests.unit.dashboard.asking import ask
from tests.unit.dashboard.synthetic import SyntheticReader
from weir_dashboard import answer_chart, answer_table, api_sql, data
from weir_dashboard.sources import Sources
from weir_store.errors import StoreError, StoreUnavailable
from weir_store.sql.base import Refused

NAN, INF = float("nan"), float("inf")


# ── tables ───────────────────────────────────────────────────────────────────


@given(st.lists(st.sampled_from(["a", "a (2)", "", "(no name)", "b"]), max_size=8))
def test_columns_of_one_name_are_told_apart(names):
    given_names = answer_table.unique(names)
    assert len(set(given_names)) == len(names)
    assert all(given_names)
    for name, new in zip(names, given_names, strict=True):
        assert new.startswith(name)
        assert new == name or names.count(name) > 1 or not name


def test_what_a_browser_cannot_show_is_text():
    table = pa.table(
        {
            "list": pa.array([[1, 2], None]),
            "map": pa.array([[("a", 1)], []], pa.map_(pa.string(), pa.int64())),
            "bytes": pa.array([b"abc", b"\xff\xfe"]),
            "word": pa.array(["x", "y"]).dictionary_encode(),
            "money": pa.array([Decimal("1.50"), None], pa.decimal128(10, 2)),
            "long": pa.array([["x" * 9_000], None]),
        }
    )
    shown = answer_table.displayable(table)
    assert shown["list"].to_pylist() == ["[1, 2]", None]
    assert shown["bytes"].to_pylist() == ["abc", "fffe"]
    assert shown["word"].to_pylist() == ["x", "y"]
    assert shown["money"].to_pylist() == [1.5, None]
    assert shown["long"].to_pylist()[0].endswith("…")
    assert not any(pa.types.is_nested(field.type) for field in shown.schema)


def test_a_file_has_every_character_and_digit():
    table = pa.table({"long": [["x" * 9_000]], "money": pa.array([Decimal("1.50")])})
    flat = answer_table.flat(table)
    assert len(flat["long"].to_pylist()[0]) > 9_000
    assert flat["money"].to_pylist() == [Decimal("1.50")]


# ── charts ───────────────────────────────────────────────────────────────────


def test_somebody_who_chose_nothing_sees_curves():
    found = answer_chart.axes(curves())
    assert found is not None
    assert found.first() == ("step", "value", "run_id")


@pytest.mark.parametrize(
    "table",
    [pa.table({"a": ["x", "y"]}), pa.table({"a": [1, 2]}), curves().slice(0, 1), pa.table({})],
)
def test_what_cannot_be_drawn_has_no_axes(table):
    assert answer_chart.axes(table) is None


def test_values_that_cannot_be_drawn_are_counted():
    table = pa.table({"step": [1, 2, 3, 4], "value": [1.0, NAN, INF, None]})
    drawn = answer_chart.draw(table, "line", "step", "value")
    assert drawn.gone == 3
    assert drawn.rows["y"].tolist() == [1.0]


def test_more_colours_than_an_eye_can_tell_are_left_out_and_counted():
    drawn = answer_chart.draw(
        curves(answer_chart.MOST_COLORS + 5, 3), "points", "step", "value", "run_id"
    )
    assert drawn.left_out == 5
    assert drawn.rows["color"].nunique() == answer_chart.MOST_COLORS


@pytest.mark.parametrize("kind", answer_chart.KINDS)
def test_instants_numbers_and_words_are_axes_of_their_kind(kind):
    moments = [dt.datetime(2026, 1, day, tzinfo=dt.UTC) for day in (1, 2)]
    table = pa.table({"at": moments, "n": [1, 2], "word": ["a", "b"], "y": [1.0, 2.0]})
    kinds = {
        x: answer_chart.draw(table, kind, x, "y").spec["encoding"]["x"]["type"]
        for x in ("at", "n", "word")
    }
    assert kinds == {"at": "temporal", "n": "quantitative", "word": "nominal"}


# ── downloads ────────────────────────────────────────────────────────────────


def get(reader: Answering | None, query: str):
    data.use(Sources(SyntheticReader([]), sql=reader), "")
    routes = {route.path: route for route in api_sql.ROUTES}
    return ask(routes["/api/sql"], "/api/sql", query)


def test_every_row_is_in_the_file():
    reader = Answering(curves(3, 5_000), batch_rows=700)
    reply = get(reader, "format=parquet&sql=SELECT+1&p.metric=loss")
    assert reply.status == 200
    assert pq.read_table(io.BytesIO(reply.body)).equals(reader.table)
    assert dict(reader.asked[0].parameters) == {"metric": "loss"}
    assert not reader.asked[0].limits.cut
    rows = list(csv.reader(io.StringIO(get(reader, "format=csv&sql=SELECT+1").body.decode())))
    assert rows[0] == ["run_id", "step", "value"]
    assert len(rows) == 15_001


def test_an_answer_without_rows_is_a_file_with_columns():
    reader = Answering(curves().slice(0, 0))
    assert get(reader, "format=csv&sql=SELECT+1").body == b'"run_id","step","value"\n'
    body = get(reader, "format=parquet&sql=SELECT+1").body
    assert pq.read_table(io.BytesIO(body)).schema == reader.table.schema


@pytest.mark.parametrize(
    ("reader", "query", "status"),
    [
        (Answering(error=Refused("no file()")), "sql=SELECT+1", 400),
        (Answering(error=StoreUnavailable("away")), "sql=SELECT+1", 503),
        (None, "sql=SELECT+1", 503),
        (Answering(), "sql=", 400),
        (Answering(), "format=exe&sql=SELECT+1", 400),
    ],
)
def test_what_cannot_be_downloaded_is_answered_in_words(reader, query, status):
    reply = get(reader, query)
    assert reply.status == status
    assert b"error" in reply.body


def test_a_download_that_fails_on_its_way_does_not_look_whole():
    class Failing(Answering):
        def _batches(self, answer):
            yield self.table.to_batches()[0]
            raise StoreUnavailable("gone")

    with pytest.raises(StoreError):
        get(Failing(), "format=csv&sql=SELECT+1")
