"""The address bar is the selection."""

from __future__ import annotations

import json
import re
from pathlib import Path
from urllib.parse import parse_qs, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weir_dashboard import selection
from weir_dashboard.selection import ChartView, Selection
from weir_store.records import RunRef, XAxis

EXAMPLES = json.loads(Path(__file__).with_name("view_urls.json").read_text())

words = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=1, max_size=12)
names = words.filter(lambda text: "/" not in text)
refs = st.builds(RunRef, words, names)
finite = st.floats(allow_nan=False, allow_infinity=False, width=32)
windows = st.tuples(finite, finite).filter(lambda pair: pair[0] < pair[1])
charts = st.builds(
    ChartView,
    metrics=st.just("") | words,
    x=st.sampled_from(XAxis),
    x_metric=st.just("") | words,
    smoothing=st.floats(min_value=0, max_value=1e9),
    log_x=st.booleans(),
    log_y=st.booleans(),
    kernel=st.sampled_from(selection.KERNELS),
    envelope=st.booleans(),
    outliers=st.booleans(),
    each_rank=st.booleans(),
    window=st.none() | windows,
    live=st.booleans(),
    across=st.integers(0, 4),
    draw_all=st.booleans(),
    baseline=st.just("") | words,
    pins=st.frozensets(words, max_size=3),
    top=st.lists(words, max_size=3, unique=True).map(tuple),
    folded=st.frozensets(words, max_size=3),
    full=st.just("") | words,
    group_by=st.sampled_from(("", "tag", "user", "config.lr", "config.a.b/c\n<b>")),
    band=st.sampled_from(selection.BANDS),
    group_show=st.frozensets(words, max_size=3),
    group_hide=st.frozensets(words, max_size=3),
    show=st.frozensets(words, max_size=3),
    hide=st.frozensets(words, max_size=3),
    colors=st.dictionaries(words, st.integers(0, 15), max_size=3).map(
        lambda chosen: tuple(sorted(chosen.items()))
    ),
)
selections = st.builds(
    Selection,
    project=st.just("") | words,
    run_id=st.just("") | names,
    runs=st.lists(refs, max_size=4, unique=True).map(tuple),
    where=st.just("") | words,
    order_by=st.just("-created") | words,
    page=st.integers(1, 999_999),
    columns=st.lists(words, max_size=3, unique=True).map(tuple),
    chart=charts,
)


@given(selections)
def test_every_selection_comes_back_from_its_address(chosen):
    address = urlencode(selection.build(chosen), doseq=True)
    assert selection.parse(parse_qs(address)) == chosen


def test_defaults_never_appear_in_the_address():
    assert selection.build(Selection()) == {}


@given(
    st.dictionaries(
        st.sampled_from(
            ["project", "id", "run", "q", "sort", "p", "col", "m", "x", "s", "win", "show"]
        ),
        st.lists(st.text(max_size=8), max_size=3),
    )
)
def test_no_address_is_an_error(query):
    assert isinstance(selection.parse(query), Selection)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example["search"])
def test_python_reads_chart_addresses_as_the_browser_does(example):
    chart = selection.parse(parse_qs(example["search"])).chart
    seen = {
        "metrics": chart.metrics, "x": str(chart.x), "xMetric": chart.x_metric, "smoothing": chart.smoothing,
        "logY": chart.log_y, "envelope": chart.envelope, "outliers": chart.outliers,
        "ranks": "each" if chart.each_rank else "mean", "window": list(chart.window) if chart.window else None,
        "live": chart.live, "columns": chart.across, "logX": chart.log_x, "kernel": chart.kernel,
        "all": chart.draw_all, "baseline": chart.baseline, "pins": sorted(chart.pins),
        "top": list(chart.top), "folded": sorted(chart.folded), "full": chart.full,
        "groupBy": chart.group_by, "band": chart.band,
        "groupShow": sorted(chart.group_show), "groupHide": sorted(chart.group_hide),
        "colors": [list(pair) for pair in chart.colors],
        "show": sorted(chart.show), "hide": sorted(chart.hide),
    }  # fmt: skip
    default = {
        "metrics": "", "x": "step", "xMetric": "", "smoothing": 0, "logY": False, "envelope": True, "outliers": True,
        "ranks": "mean", "window": None, "live": True, "columns": 0, "colors": [], "show": [], "hide": [],
        "logX": False, "kernel": "twema",
        "all": False, "baseline": "", "pins": [], "top": [], "folded": [], "full": "",
        "groupBy": "", "band": "std", "groupShow": [], "groupHide": [],
    }  # fmt: skip
    assert seen == default | example["view"]


def test_a_project_may_hold_a_slash_and_a_run_id_may_not():
    assert selection.parse_ref("team/gpt/r1") == RunRef("team/gpt", "r1")
    assert selection.parse_ref("r1") is None
    assert selection.parse_ref("p/") is None


def test_the_page_about_the_dashboard_lists_every_key_of_the_address():
    everything = Selection(
        "p", "r", (RunRef("p", "r"),), "lr < 1", "name", 2, ("config.lr",),
        ChartView(
            metrics="loss", x=XAxis.METRIC, x_metric="lr", smoothing=5.0, log_x=True, log_y=True, kernel="gauss",
            envelope=False, outliers=False, each_rank=True, window=(0.0, 1.0), live=False, across=3,
            draw_all=True, baseline="p/r", pins=frozenset("a"), top=("m",), folded=frozenset("f"), full="m",
            group_by="tag", band="ci", group_show=frozenset("a"), group_hide=frozenset("b"),
            show=frozenset("a"), hide=frozenset("b"), colors=(("p/r", 3),),
        ),
    )  # fmt: skip
    page = (Path(__file__).parents[3] / "docs/dashboard.md").read_text()
    table = page.split("## What is in the address")[1].split("##")[0]
    # widgets that Streamlit binds to the address
    views = (Path(__file__).parents[3] / "dashboard/weir_dashboard/views").glob("*.py")
    bound = re.compile(r'key="(\w+)",\s*bind="query-params"')
    of_the_pages = {key for view in views for key in bound.findall(view.read_text())}
    assert {"tab", "cmp_all", "log_q"} <= of_the_pages
    # what is chosen on Compare by one function, or by brushing
    of_the_pages |= {"cmp_y", "cmp_x", "cmp_yy", "cmp_color", "cmp_size", "cmp_in", "cmp_run"}
    # what links of Home, of saved views and of reports say
    of_the_pages |= {"who", "v", "edit", "version", "add"}
    assert (
        set(re.findall(r"^\| `(\w+)` \|", table, re.M))
        == set(selection.build(everything)) | of_the_pages
    )
