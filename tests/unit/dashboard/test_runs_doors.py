"""Who may change runs and find names, and the routes of the runs table."""

from __future__ import annotations

import csv
import io
import json
from urllib.parse import urlencode

import pyarrow.parquet as parquet
import pytest
from starlette.applications import Starlette

from tests.unit.dashboard.asking import ask
from tests.unit.dashboard.changing import PROJECT, laboratory
from weir_dashboard import data
from weir_dashboard.access.doors import opened
from weir_dashboard.access.viewer import Via, Viewer
from weir_dashboard.api_runs import ROUTES
from weir_dashboard.data_edits import MOST_AT_ONCE, EditsAsked
from weir_dashboard.last_good import LastGood
from weir_store.edits import Edits
from weir_store.errors import InvalidQuery
from weir_store.records import RunRef
from weir_store.tokens import Role

APP = Starlette(routes=list(ROUTES))
READER = Viewer("rea", Role.READER, (PROJECT,), via=Via.TOKEN)
WRITER = Viewer("wri", Role.WRITER, (PROJECT,), via=Via.TOKEN)
GUEST = Viewer("link", Role.READER, (PROJECT,), frozenset({RunRef(PROJECT, "r000")}), Via.LINK)
ONE = RunRef(PROJECT, "r000")


def edits(viewer: Viewer):
    sources, noted, reader = laboratory()
    narrow = opened(sources, viewer)
    return EditsAsked(LastGood(), narrow.edits, narrow.reader), noted, reader


@pytest.mark.parametrize("viewer", [READER, GUEST])
def test_who_may_not_write_to_a_project_changes_none_of_its_runs(viewer):
    asked, noted, reader = edits(viewer)
    with pytest.raises(InvalidQuery):
        asked.edit([(ONE, Edits(name="mine"))], "x")
    for outcomes in (asked.stop([ONE], "", "x"), asked.delete([ONE], "", "x")):
        assert not any(each.is_done for each in outcomes)
    assert noted.asked == []
    assert reader.get_run(ONE).name == "run 0"


def test_a_run_is_moved_only_between_projects_that_are_ones_own_to_write():
    asked, noted, _ = edits(WRITER)
    (outcome,) = asked.move([ONE], "other", "", "wri")
    assert not outcome.is_done
    assert "'other'" in outcome.said
    assert noted.asked == []
    assert asked.edit([(ONE, Edits(name="mine"))], "wri")[0].said == "changed name"


def test_names_of_projects_that_are_not_theirs_are_not_found():
    sources, _, _ = laboratory()
    stranger = Viewer("s", Role.ADMIN, ("elsewhere",), via=Via.TOKEN)
    assert opened(sources, stranger).names.list_names(PROJECT).total == 0
    assert opened(sources, READER).names.list_names(PROJECT).total == 2
    assert opened(sources, GUEST).names.list_names(PROJECT).total == 0


def test_too_many_runs_at_once_are_refused_and_a_run_that_is_gone_is_named():
    asked, _, _ = edits(WRITER)
    with pytest.raises(InvalidQuery, match="at most 1,000"):
        asked.stop([RunRef(PROJECT, str(n)) for n in range(MOST_AT_ONCE + 1)], "", "wri")
    (gone,) = asked.delete([RunRef(PROJECT, "nobody")], "", "wri")
    assert not gone.is_done


@pytest.mark.parametrize("target", ["", "  ", "x" * 200, "a\nb"])
def test_what_can_be_no_project_is_refused(target):
    asked, _, _ = edits(WRITER)
    with pytest.raises(InvalidQuery, match="no name of a project"):
        asked.move([ONE], target, "", "wri")


# ── routes ──────────────────────────────────────────────────────────────────


@pytest.fixture
def store():
    sources, _, reader = laboratory(130)
    data.use(sources, "gateway:7700")
    return reader


def rows(*more, **kwargs):
    asked = [("project", PROJECT), ("col", "metric.val/loss@min"), ("col", "config.lr"), *more]
    return ask(APP, "/api/runs", urlencode(asked), **kwargs)


def test_every_matching_run_is_in_the_file_in_the_order_of_the_table(store):
    answer = rows(("sort", "metric.val/loss@min"), ("format", "csv"))
    found = list(csv.DictReader(io.StringIO(answer.body.decode())))
    assert [row["run_id"] for row in found] == [f"r{n:03}" for n in reversed(range(130))]
    assert float(found[0]["metric.val/loss@min"]) == 10.0 - 129
    held = parquet.read_table(io.BytesIO(rows(("format", "parquet"), ("q", "id = 'r001'")).body))
    assert held["config.lr"].to_pylist() == [0.05]


@pytest.mark.parametrize("wrong", [("format", "xls"), ("q", "lr <"), ("sort", "nonsense")])
def test_a_wrong_question_for_a_file_is_400_and_says_why(store, wrong):
    answer = rows(wrong)
    assert answer.status == 400
    assert json.loads(answer.body)["error"]


def test_names_are_found_for_what_is_typed(store):
    asked = [("project", PROJECT), ("search", "LOSS"), ("space", "metric")]
    answer = ask(APP, "/api/names", urlencode(asked))
    assert json.loads(answer.body) == {
        "names": [{"space": "metric", "name": "val/loss"}],
        "total": 1,
    }
    assert ask(APP, "/api/names", "search=x").status == 400
