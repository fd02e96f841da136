"""Runs that an address names and the list has not."""

from __future__ import annotations

import pytest

from tests.unit.dashboard.synthetic import two_projects
from weir_dashboard import data
from weir_dashboard.selection import ChartView
from weir_dashboard.sources import Sources
from weir_dashboard.views import wall
from weir_store.records import RunQuery


@pytest.fixture
def listed():
    store = two_projects(12)
    data.use(Sources(store), "gateway:7700")
    return list(store.list_runs(RunQuery("gpt-small", limit=3)).runs)


def test_pinned_shown_and_baseline_runs_join_behind_the_list_each_once(listed):
    chart = ChartView(
        pins=frozenset({"gpt-small/r0001", "gpt-small/r0011"}),
        show=frozenset({"gpt-small/r0001", "ddp/ddp16"}),
        baseline="gpt-small/r0002",
    )
    found = wall.with_named(listed, chart)
    assert found[:3] == listed
    assert sorted(run.run_id for run in found[3:]) == ["ddp16", "r0001", "r0002"]


@pytest.mark.parametrize("name", ["gpt-small/gone", "nowhere/r1", "no-slash", ""])
def test_a_run_of_an_old_link_that_is_gone_is_left_out(listed, name):
    assert wall.with_named(listed, ChartView(pins=frozenset({name}), baseline=name)) == listed
