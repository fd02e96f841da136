"""The routes of the chart wall."""

from __future__ import annotations

import json
from urllib.parse import urlencode

import pytest
from starlette.applications import Starlette

from tests.unit.dashboard.asking import ask
from tests.unit.dashboard.synthetic import two_projects
from tests.unit.dashboard.test_packing import unpack
from weir_dashboard import assets, data
from weir_dashboard.api import ROUTES
from weir_dashboard.sources import Sources
from weir_store.records import Reduce, XAxis

APP = Starlette(routes=list(ROUTES))
QUESTION = [
    ("run", "gpt-small/r0001"),
    ("run", "gpt-small/r0011"),
    ("metric", "train/loss"),
    ("x", "step"),
    ("buckets", "256"),
]


@pytest.fixture
def store():
    reader = two_projects(12)
    data.use(Sources(reader), "gateway:7700")
    return reader


def series(extra=(), **kwargs):
    return ask(APP, "/api/series", urlencode([*QUESTION, *extra]), **kwargs)


def named(extra=()) -> str:
    """The ETag, as a poll for want of one asks for it."""
    reply = series(extra, headers={"If-None-Match": '"-"'})
    assert reply.status == 200
    return reply.headers["etag"]


def test_a_question_reaches_the_store_as_it_was_asked(store):
    answer = series([("x", "relative"), ("lo", "1e6"), ("hi", "2e6"), ("ranks", "each")])
    assert answer.status == 200
    (asked,) = store.asked
    assert (asked.x, asked.x_min, asked.x_max, asked.max_points) == (XAxis.RELATIVE, 1e6, 2e6, 256)
    assert asked.reduce is Reduce.NONE
    assert [ref.run_id for ref in asked.runs] == ["r0001", "r0011"]


def test_buckets_of_a_logarithmic_axis_grow_with_x_and_are_told_as_a_part_of_it(store):
    answer = series([("log", "1")])
    assert answer.status == 200
    assert store.asked[-1].log_x
    header, _ = unpack(answer.body)
    width = header["widths"]["train/loss"]["width"]
    assert 0 < width < 0.2  # a part of x, not steps


def test_a_long_question_may_come_as_a_form(store):
    posted = ask(APP, "/api/series", body=urlencode(QUESTION).encode())
    assert posted.body == series().body


def test_the_same_state_is_answered_with_304_and_no_reading(store):
    again = series(headers={"If-None-Match": named()})
    assert (again.status, again.body) == (304, b"")
    assert len(store.asked) == 1


def test_a_first_question_gets_its_curves_without_asking_for_the_state(store, monkeypatch):
    monkeypatch.setattr(data.ask(), "token", None)
    answer = series()
    assert answer.status == 200
    assert "etag" not in answer.headers


def test_another_question_has_another_etag(store):
    assert named() != named([("lo", "5")])


def test_new_points_change_the_etag(store):
    before = named()
    store.grow(100)
    data.use(Sources(store), "")
    assert named() != before


@pytest.mark.parametrize(
    "wrong",
    [
        ("run", "nonsense"),
        ("x", "sideways"),
        ("buckets", "0"),
        ("buckets", "1e9"),
        ("lo", "nan"),
        ("run", "p/nosuchrun"),
    ],
)
def test_a_wrong_question_is_a_400_that_says_what_is_wrong(store, wrong):
    answer = series([wrong])
    assert answer.status == 400
    assert wrong[1].split("/")[-1] in json.loads(answer.body)["error"]


def test_a_silent_store_is_a_503_even_when_it_answered_before(store):
    etag = named()
    asked = data.ask()
    store.down = True
    asked._kept._clock = lambda: 1e12
    assert series(headers={"If-None-Match": etag}).status == 503
    assert ask(APP, "/api/metrics", urlencode(QUESTION)).status == 503


def test_metrics_are_searched_at_the_store(store):
    answer = json.loads(ask(APP, "/api/metrics", urlencode([*QUESTION, ("search", "val")])).body)
    assert [metric["name"] for metric in answer["metrics"]] == ["val/acc", "val/bleu", "val/loss"]


def test_assets_are_kept_forever_under_an_address_that_holds_their_version():
    answer = ask(APP, f"/weir-assets/{assets.version()}/wall.js")
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/javascript")
    assert "immutable" in answer.headers["cache-control"]


@pytest.mark.parametrize("name", ["nosuch.js", "..%2f..%2fconfig.py", "uPlot.LICENSE"])
def test_nothing_but_the_components_files_is_served(name):
    assert ask(APP, f"/weir-assets/x/{name}").status == 404
