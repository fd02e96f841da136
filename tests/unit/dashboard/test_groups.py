"""Runs in groups: which group a run is in, and the routes that tell of groups."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlencode

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette

from tests.unit.dashboard.asking import Reply, ask
from tests.unit.dashboard.synthetic import SyntheticReader, many_runs, two_projects
from weir_dashboard import data, groups
from weir_dashboard.access.door_groups import GroupsDoor
from weir_dashboard.access.viewer import Viewer
from weir_dashboard.api_groups import ROUTES
from weir_dashboard.packing_bands import pack_bands
from weir_dashboard.sources import Sources
from weir_store.groups.base import BandQuery, Group
from weir_store.groups.memory import MemoryGroups
from weir_store.records import Json, Run, RunRef, RunState, XAxis
from weir_store.tokens import Role

APP = Starlette(routes=list(ROUTES))
OF = [("project", "gpt-small"), ("g", "config.optimizer")]
LINES = [*OF, ("metric", "val/loss"), ("x", "step"), ("buckets", "64")]


@pytest.fixture
def store() -> SyntheticReader:
    reader = two_projects(12)
    data.use(Sources(reader, groups=MemoryGroups(reader)), "gateway:7700")
    return reader


def told(path: str, query: list[tuple[str, str]], **kwargs: object) -> Reply:
    return ask(APP, path, urlencode(query), **kwargs)


def _run(**facts: object) -> Run:
    return replace(many_runs("p", 1)[0], **facts)


# ── which group a run is in ─────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("values", "labels"),
    [
        ((10, 9, 1.5), ["1.5", "9", "10"]),
        ((1, 1.0), ["1"]),
        ((1, "1"), ["1", '"1"']),
        ((True, 1), ["1", "true"]),
        (("mix-10", "mix-2", "Mix-1"), ["Mix-1", "mix-2", "mix-10"]),
        (("", "—", " "), ['""', '" "', '"—"']),
        ((None, Json("[1, 2]")), ["[1, 2]", "null"]),
        ((float("nan"), 1e300, 1e-7), ["1e-07", "1e+300", "NaN"]),
        (("<b>x</b>",), ["<b>x</b>"]),
    ],
)
def test_values_are_groups_numbers_first_and_what_looks_alike_is_told_apart(values, labels):
    found = groups.grouped([_run(config={"v": value}) for value in values], "config.v")
    assert [group.label for group in found] == labels
    assert len({group.name for group in found}) == len(found)


def test_runs_without_the_key_form_a_group_of_their_own_at_the_end():
    found = groups.grouped([_run(config={}), _run(config={"lr": 3})], "config.lr")
    assert [(group.name, group.label) for group in found] == [
        ("config.lr=3", "3"),
        ("config.lr=-", "—"),
    ]


def test_a_run_with_several_tags_is_in_the_group_of_each():
    runs = [
        _run(run_id="a", tags=("x", "y")),
        _run(run_id="b", tags=("y",)),
        _run(run_id="c", tags=()),
    ]
    found = {
        group.label: [run.run_id for run in group.runs] for group in groups.grouped(runs, "tag")
    }
    assert found == {"x": ["a"], "y": ["a", "b"], "—": ["c"]}


def test_a_group_counts_the_runs_that_go_on():
    states = (RunState.RUNNING, RunState.FINISHED, RunState.RUNNING)
    (group,) = groups.grouped([_run(user="ada", state=state) for state in states], "user")
    assert (group.label, group.running, len(group.runs)) == ("ada", 2, 3)


values = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=6))


@given(st.lists(st.dictionaries(st.just("v"), values, max_size=1), max_size=12))
def test_every_run_is_in_exactly_one_group_of_a_config_value(configs):
    runs = [_run(run_id=str(n), config=config) for n, config in enumerate(configs)]
    found = groups.grouped(runs, "config.v")
    assert sorted(run.run_id for group in found for run in group.runs) == sorted(
        r.run_id for r in runs
    )
    assert len({group.name for group in found}) == len(found)


@given(st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=20), st.data())
def test_a_filter_and_later_runs_change_no_colour(values, later):
    runs = [_run(run_id=str(n), config={"v": value}) for n, value in enumerate(values)]
    more = [_run(config={"v": v}) for v in later.draw(st.lists(st.sampled_from("abcdefghxyz")))]
    kept = later.draw(st.lists(st.sampled_from(runs), min_size=1))

    def colors(shown, known):
        found = groups.grouped(shown, "config.v")
        return groups.colors(found, groups.first_seen(known, "config.v"), "config.v")

    whole = colors(runs, runs)
    assert colors(kept, [*runs, *more]).items() <= whole.items()
    assert len(set(whole.values())) == len(whole)


def test_what_runs_can_be_grouped_by():
    assert all(map(groups.is_key, ("tag", "group", "job_type", "user", "config.a b")))
    assert not any(map(groups.is_key, ("", "config.", "state", "summary.loss", "Tag")))


# ── routes ──────────────────────────────────────────────────────────────────


def test_the_list_tells_all_groups_with_colour_and_number_of_runs(store):
    body = json.loads(told("/api/groups/list", OF).body)
    assert body["runs"] == 12
    assert sum(group["runs"] for group in body["groups"]) == 12
    assert [group["label"] for group in body["groups"]] == sorted(
        {run.config["optimizer"] for run in store.runs if run.project == "gpt-small"}
    )
    assert len({group["color"] for group in body["groups"]}) == len(body["groups"])


def test_a_filter_and_chosen_runs_decide_who_is_in_a_group(store):
    filtered = json.loads(told("/api/groups/list", [*OF, ("q", "adamw")]).body)
    assert [group["label"] for group in filtered["groups"]] == ["adamw"]
    chosen = [("run", "gpt-small/r0001"), ("run", "ddp/ddp16"), ("run", "gpt-small/gone"), OF[1]]
    assert json.loads(told("/api/groups/list", chosen).body)["runs"] == 2


def test_lines_are_the_mean_of_all_runs_of_the_groups_asked_for(store):
    name = json.loads(told("/api/groups/list", OF).body)["groups"][0]["id"]
    raw = told("/api/groups", [*LINES, ("group", name)])
    header, columns = _unpacked(raw.body)
    (line,) = header["series"]
    assert (line["run"], line["metric"]) == (name, "val/loss")
    mine = [
        r
        for r in store.runs
        if r.project == "gpt-small"
        and f"config.optimizer={json.dumps(r.config['optimizer'])}" == name
    ]
    assert columns["n"][0] == len(mine)
    bands = data.ask().groups.bands(
        BandQuery((Group("a", tuple(run.ref for run in mine)),), ("val/loss",), 64)
    )
    assert columns["y"][0] == pytest.approx(bands["mean"][0].as_py(), rel=1e-6)
    assert set(columns) == {"x", "y", "lo", "hi", "std", "ci", "n", "odd", "bad"}


def test_the_same_state_is_answered_with_304_and_new_points_are_not(store):
    first = told("/api/groups", LINES, headers={"If-None-Match": '"-"'})
    again = told("/api/groups", LINES, headers={"If-None-Match": first.headers["etag"]})
    assert (first.status, again.status, again.body) == (200, 304, b"")
    store.grow(500)
    data.use(Sources(store, groups=MemoryGroups(store)), "")
    later = told("/api/groups", LINES, headers={"If-None-Match": first.headers["etag"]})
    assert later.status == 200


def test_a_run_that_joins_a_group_changes_the_etag(store):
    first = told("/api/groups", LINES, headers={"If-None-Match": '"-"'})
    store.runs.append(replace(store.runs[0], run_id="new"))
    data.use(Sources(store, groups=MemoryGroups(store)), "")
    later = told("/api/groups", LINES, headers={"If-None-Match": first.headers["etag"]})
    assert later.status == 200


def test_the_runs_of_a_group_are_told_with_links(store):
    group = json.loads(told("/api/groups/list", OF).body)["groups"][0]
    body = json.loads(told("/api/groups/runs", [*OF, ("group", group["id"])]).body)
    assert body["total"] == group["runs"] == len(body["runs"])
    assert body["runs"][0]["href"].startswith("/run?project=gpt-small&id=")
    assert json.loads(told("/api/groups/runs", [*OF, ("group", "nonsense")]).body)["total"] == 0


def test_keys_are_labels_and_config_paths_found_by_words(store):
    keys = json.loads(told("/api/groups/keys", OF[:1]).body)
    assert [key["key"] for key in keys["keys"][:4]] == ["tag", "group", "job_type", "user"]
    assert {"key": "config.warmup", "label": "warmup", "values": 1, "runs": 12} in keys["keys"]
    found = json.loads(told("/api/groups/keys", [*OF[:1], ("search", "depth")]).body)
    assert [key["key"] for key in found["keys"]] == ["config.model.depth"]


@pytest.mark.parametrize("key", ["", "state", "config."])
def test_an_unknown_key_is_refused_by_name(store, key):
    reply = told("/api/groups/list", [OF[0], ("g", key)])
    assert reply.status == 400
    assert "config.PATH" in json.loads(reply.body)["error"]


def test_a_silent_store_is_503(store):
    store.down = True
    for path in ("/api/groups", "/api/groups/list", "/api/groups/keys"):
        assert told(path, LINES).status == 503


def test_a_dashboard_without_groups_says_so(store):
    data.use(Sources(store), "")
    assert told("/api/groups", LINES).status == 400
    assert not data.ask().groups.offered


def test_more_runs_than_can_be_put_together_are_refused_not_sampled(store, monkeypatch):
    monkeypatch.setattr("weir_dashboard.data_groups.MAX_RUNS", 10)
    reply = told("/api/groups/list", OF)
    assert reply.status == 400
    assert "12 runs are too many" in json.loads(reply.body)["error"]


def test_a_viewer_is_told_nothing_of_runs_that_are_not_theirs(store):
    door = GroupsDoor(MemoryGroups(store), Viewer("eve", Role.READER, ("gpt-small",)))
    refs = (RunRef("gpt-small", "r0001"), RunRef("ddp", "ddp16"))
    table = door.read_bands(BandQuery((Group("g", refs),), ("train/loss",), 16))
    assert set(table["n"].to_pylist()) == {1}
    assert door.read_state(refs, ("train/loss",)) == door.read_state(refs[:1], ("train/loss",))
    assert door.list_keys(["ddp"]).keys == ()
    link = Viewer("link", Role.READER, ("gpt-small",), runs=frozenset(refs[:1]))
    assert GroupsDoor(MemoryGroups(store), link).list_keys(["gpt-small"]).keys == ()


def test_nothing_packs_to_a_header_without_lines():
    header, columns = _unpacked(
        pack_bands(data.use(*_empty()).groups.bands(BandQuery((), ("m",))), XAxis.STEP)
    )
    assert header["series"] == []
    assert all(len(column) == 0 for column in columns.values())


def test_the_browser_half_in_node():
    node = shutil.which("node")
    if node is None:
        pytest.skip("no node on PATH")
    script = Path(__file__).with_name("groups.test.mjs")
    ran = subprocess.run([node, "--test", str(script)], capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def _empty() -> tuple[Sources, str]:
    reader = SyntheticReader()
    return Sources(reader, groups=MemoryGroups(reader)), ""


def _unpacked(raw: bytes) -> tuple[dict, dict[str, np.ndarray]]:
    size = int.from_bytes(raw[:4], "little")
    header = json.loads(raw[4 : 4 + size])
    start = -(-(4 + size) // 8) * 8
    kinds = {"f64": "<f8", "f32": "<f4", "u8": "u1"}
    columns = {
        each["name"]: np.frombuffer(
            raw, kinds[each["type"]], each["length"], start + each["offset"]
        )
        for each in header["columns"]
    }
    return header, columns
