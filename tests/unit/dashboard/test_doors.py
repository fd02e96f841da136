"""What a viewer may not see is not there: every method of every door, and every door there is."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any
from unittest.mock import MagicMock
from uuid import uuid4

import pytest

from tests.unit.dashboard.recorded import Recorded
from tests.unit.dashboard.synthetic import two_projects
from weir_dashboard import data
from weir_dashboard.access import questions
from weir_dashboard.access.doors import PerViewer, opened
from weir_dashboard.access.viewer import ANYBODY, NOBODY, Via, Viewer
from weir_dashboard.data_documents import DocumentDoors
from weir_dashboard.data_rules import RuleDoors
from weir_dashboard.sources import Sources
from weir_store.artifacts.records import Edge, VersionQuery
from weir_store.base import Reader
from weir_store.compared.base import CompareReader
from weir_store.console.base import ConsoleReader, LinesQuery
from weir_store.documents.base import DocumentReader
from weir_store.documents.records import Document, Kind
from weir_store.errors import InvalidQuery
from weir_store.groups.base import BandQuery, Group, GroupReader
from weir_store.health.base import Flow, HealthReader
from weir_store.names.base import NameReader
from weir_store.objects.keys import blob_key
from weir_store.ranks.base import DivergenceQuery, Finding, RankReader, ReduceQuery, StragglerQuery
from weir_store.records import Project, RunPage, RunQuery, RunRef, SeriesQuery
from weir_store.rules.base import RuleReader
from weir_store.rules.records import Definition, Health, Rule
from weir_store.sql.base import Question, Rights, SqlReader
from weir_store.system.base import SystemQuery, SystemReader
from weir_store.tokens import Role

MINE, MINE_TOO, SECRET = "mine", "mine-too", "hidden-project"
SEEN = RunRef(MINE, "seen")
OTHER_PROJECT = RunRef(SECRET, "r1")
SIBLING = RunRef(MINE, "hidden-sibling")
ADA = Viewer("ada", Role.WRITER, (MINE, MINE_TOO), via=Via.TOKEN)
READER = replace(ADA, role=Role.READER)
LINK = Viewer("link", Role.READER, (MINE,), frozenset({SEEN}), Via.LINK)


def rule(project: str) -> Rule:
    return Rule(project, uuid4(), Definition(name=f"of {project}"), 1, "me", 1)


def document(project: str) -> Document:
    return Document(project, Kind.REPORT, "d1", 1, uuid4(), f"of {project}", "me", "me", 1, 1)


# What a store that keeps no secret would say: the doors have to.
TELLS: dict[str, Any] = {
    "list_projects": [Project(MINE, 9, 1, 7), Project(SECRET, 5, 1, 7)],
    "list_runs": RunPage((), 0),
    "list_rules": [rule(MINE), rule(SECRET)],
    "list_health": [MagicMock(spec=Health, project=SECRET)],
    "list_documents": [document(MINE), document(SECRET)],
    "get_document": document(SECRET),
    "get_version": document(SECRET),
    "find_hangs": [Finding("hang", ref, "", ref.run_id, "", 0, 0, (), {}) for ref in (OTHER_PROJECT, SIBLING)],
    "read_edges_of_runs": [
        Edge(MINE, SEEN.run_id, SECRET, "weights", 1, True, 1),
        Edge(SECRET, "r1", MINE, "weights", 1, True, 1),
    ],
    "read_edges_of_versions": [Edge(SECRET, "r1", MINE, "weights", 1, False, 1)],
    "read_flow": Flow(7, 123_456),
    "list_models": [],
    "list_alerts": [],
    "list_deliveries": [],
}  # fmt: skip


def names(ref: RunRef) -> tuple[str, str]:
    return ref.project, ref.run_id


def edits_of(*projects: str) -> list[tuple[Any, Any]]:
    return [(MagicMock(project=project), None) for project in projects]


Attack = Callable[[Any, RunRef], Any]

# door → protocols → method → how somebody asks for what is not theirs
ATTACKS: dict[str, tuple[tuple[type, ...], dict[str, Attack]]] = {
    "reader": ((Reader,), {
        "list_projects": lambda door, ref: door.list_projects(),
        "list_runs": lambda door, ref: door.list_runs(RunQuery(limit=5)),
        "get_run": lambda door, ref: door.get_run(ref),
        "list_sessions": lambda door, ref: door.list_sessions(ref),
        "list_events": lambda door, ref: door.list_events(ref),
        "read_ledger": lambda door, ref: door.read_ledger(ref),
        "list_metrics": lambda door, ref: door.list_metrics([SEEN, ref]),
        "read_series": lambda door, ref: door.read_series(SeriesQuery((SEEN, ref), ("loss",))),
        "stream_series": lambda door, ref: door.stream_series(SeriesQuery((ref,), ("loss",))),
        "read_text": lambda door, ref: door.read_text(ref, "note"),
        "read_media": lambda door, ref: door.read_media(ref, "image"),
        "read_latest": lambda door, ref: door.read_latest([SEEN, ref]),
        "compare_runs": lambda door, ref: door.compare_runs([SEEN, ref]),
    }),
    "system": ((SystemReader,), {
        "list_system": lambda door, ref: door.list_system(ref),
        "read_system": lambda door, ref: door.read_system(SystemQuery(ref)),
        "read_usage": lambda door, ref: door.read_usage(ref),
    }),
    "console": ((ConsoleReader,), {
        "read_lines": lambda door, ref: door.read_lines(LinesQuery((SEEN, ref))),
        "count_lines": lambda door, ref: door.count_lines(LinesQuery((ref,))),
    }),
    "artifacts": ((questions.ArtifactQuestions,), {
        "list_versions": lambda door, ref: door.list_versions(VersionQuery(SECRET, 1)),
        "list_artifacts": lambda door, ref: door.list_artifacts(SECRET, now_unix_us=1),
        "stream_files": lambda door, ref: list(door.stream_files(SECRET, "d" * 64)),
        "read_edges_of_runs": lambda door, ref: door.read_edges_of_runs([names(SEEN), names(ref)]),
        "read_edges_of_versions": lambda door, ref: door.read_edges_of_versions([(MINE, "w", 1), (SECRET, "w", 1)]),
        "list_models": lambda door, ref: door.list_models(SECRET),
    }),
    "objects": ((questions.ObjectQuestions,), {
        "url": lambda door, ref: door.url(blob_key(SECRET, "a" * 64), expires_s=1),
        "read": lambda door, ref: door.read(blob_key(SECRET, "a" * 64)),
    }),
    "ranks": ((RankReader,), {
        "read_reduced": lambda door, ref: door.read_reduced(ReduceQuery((SEEN, ref), ("loss",))),
        "list_ranks": lambda door, ref: door.list_ranks(ref),
        "read_stragglers": lambda door, ref: door.read_stragglers(StragglerQuery(ref)),
        "rank_nodes": lambda door, ref: door.rank_nodes(SECRET).to_pylist(),
        "read_divergence": lambda door, ref: door.read_divergence(DivergenceQuery(ref)),
        "find_hangs": lambda door, ref: door.find_hangs(1, projects=[SECRET]) + door.find_hangs(1),
    }),
    "compared": ((CompareReader,), {
        "get_runs": lambda door, ref: door.get_runs([SEEN, ref]),
        "read_results": lambda door, ref: door.read_results([SEEN, ref], ["loss"]),
    }),
    "names": ((NameReader,), {"list_names": lambda door, ref: door.list_names(SECRET)}),
    "groups": ((GroupReader,), {
        "list_keys": lambda door, ref: door.list_keys([SECRET]),
        "read_bands": lambda door, ref: door.read_bands(BandQuery((Group("g", (SEEN, ref)),), ("loss",))),
        "read_state": lambda door, ref: door.read_state([SEEN, ref], ["loss"]),
    }),
    "health": ((HealthReader,), {
        "read_flow": lambda door, ref: door.read_flow().points or None,
        "list_books": lambda door, ref: door.list_books([SECRET]),
        "list_losses": lambda door, ref: door.list_losses([MINE, SECRET]),
        "list_dead": lambda door, ref: door.list_dead(),
        "list_nodes": lambda door, ref: door.list_nodes(1, 0, [SECRET]),
        "list_nonfinite": lambda door, ref: door.list_nonfinite(0),
        "read_store": lambda door, ref: door.read_store(),
    }),
    "sql": ((SqlReader,), {
        "ask": lambda door, ref: door.ask(Question("SELECT 1", Rights((SECRET,)))),
        "list_views": lambda door, ref: None,
    }),
    "rules.reader": ((RuleReader,), {
        "list_rules": lambda door, ref: door.list_rules(SECRET) + door.list_rules(),
        "list_states": lambda door, ref: door.list_states(SECRET, uuid4()),
        "list_health": lambda door, ref: door.list_health(),
        "list_deliveries": lambda door, ref: door.list_deliveries(SECRET) + door.list_deliveries(),
        "get_delivery": lambda door, ref: door.get_delivery(SECRET, uuid4()),
        "list_alerts": lambda door, ref: door.list_alerts(ref.project, run_id=ref.run_id),
    }),
    "rules.editor": ((questions.RuleWrites,), {
        "put_rule": lambda door, ref: door.put_rule(rule(SECRET)),
        "delete_rule": lambda door, ref: door.delete_rule(rule(SECRET), [], []),
        "put_deliveries": lambda door, ref: door.put_deliveries([MagicMock(project=SECRET)]),
    }),
    "rules.try_out": ((questions.RuleTrial,), {
        "find": lambda door, ref: door.find(SECRET, Definition(name="n"), 1),
    }),
    "documents.reader": ((DocumentReader,), {
        "list_documents": lambda door, ref: door.list_documents(Kind.REPORT),
        "get_document": lambda door, ref: door.get_document(Kind.VIEW, "d1"),
        "list_versions": lambda door, ref: door.list_versions(Kind.REPORT, "d1", SECRET),
        "get_version": lambda door, ref: door.get_version(Kind.REPORT, "d1", MINE, uuid4()),
    }),
    "documents.editor": ((questions.DocumentWrites,), {
        "put": lambda door, ref: door.put(document(SECRET)),
    }),
    "edits": ((questions.RunWrites,), {
        "edit": lambda door, ref: door.edit(edits_of(MINE, SECRET), by="me", at_unix_us=1),
        "stop": lambda door, ref: door.stop(OTHER_PROJECT, by="me", at_unix_us=1),
        "delete": lambda door, ref: door.delete(OTHER_PROJECT, by="me", at_unix_us=1),
        "move": lambda door, ref: door.move(MINE, ["r"], SECRET, by="me", at_unix_us=1),
        "get": lambda door, ref: door.get(MagicMock(project=SECRET)),
        "weigh": lambda door, ref: door.weigh(SECRET, ["r1"]),
    }),
}  # fmt: skip

NOT_DOORS = {"share", "parts", "kept_bytes"}
SHARED_AS_A_WHOLE = {"sql", "health", "rules.editor", "rules.try_out", "documents.editor", "edits"}
METHODS = [(door, method) for door, (_, methods) in ATTACKS.items() for method in methods]


def methods_of(protocol: type) -> set[str]:
    return {
        name
        for name, _ in inspect.getmembers(protocol, inspect.isfunction)
        if not name.startswith("_")
    }


def telling(protocol: type) -> MagicMock:
    store = MagicMock(spec=protocol)
    for name in methods_of(protocol):
        getattr(store, name).return_value = TELLS.get(name, [])
    return store


def sources() -> Sources:
    stores = {door: telling(protocols[0]) for door, (protocols, _) in ATTACKS.items()}
    return Sources(
        rules=RuleDoors(*(stores.pop(f"rules.{part}") for part in ("reader", "editor", "try_out"))),
        documents=DocumentDoors(
            *(stores.pop(f"documents.{part}") for part in ("reader", "editor"))
        ),
        **stores,
    )


def door_of(given: Sources, door: str) -> Any:
    for part in door.split("."):
        given = getattr(given, part)
    return given


def test_every_door_is_attacked_here():
    doors = {door.split(".")[0] for door in ATTACKS}
    assert {field.name for field in fields(Sources)} - NOT_DOORS == doors


@pytest.mark.parametrize("door", ATTACKS)
def test_every_method_of_a_door_is_attacked_here(door):
    protocols, methods = ATTACKS[door]
    assert set().union(*map(methods_of, protocols)) == set(methods)


@pytest.mark.parametrize("viewer", [ADA, LINK, NOBODY], ids=["ada", "link", "nobody"])
def test_no_door_stands_open_that_has_a_viewer(viewer):
    given = sources()
    for door in ATTACKS:
        made = door_of(opened(given, viewer), door)
        assert made is None or made is not door_of(given, door), door


@pytest.mark.parametrize(("door", "method"), METHODS)
@pytest.mark.parametrize(
    ("viewer", "ref"),
    [(ADA, OTHER_PROJECT), (LINK, OTHER_PROJECT), (LINK, SIBLING), (NOBODY, OTHER_PROJECT)],
    ids=["ada", "link-to-other-project", "link-to-sibling", "nobody"],
)
def test_what_is_not_theirs_is_neither_told_nor_asked_for(door, method, viewer, ref):
    given = sources()
    made = door_of(opened(given, viewer), door)
    if made is None:
        assert viewer.runs is not None or not viewer.may_edit_anything
        assert door in SHARED_AS_A_WHOLE
        return
    try:
        told = ATTACKS[door][1][method](made, ref)
    except InvalidQuery:
        told = None
    asked = door_of(given, door).mock_calls
    hidden = [SECRET, SIBLING.run_id] if viewer.runs else [SECRET]
    for name in hidden:
        assert name not in repr(told)
        assert name not in repr(asked)


@pytest.mark.parametrize("viewer", [ADA, READER])
def test_what_is_theirs_comes_through(viewer):
    given = sources()
    made = opened(given, viewer)
    made.reader.get_run(SEEN)
    given.reader.get_run.assert_called_once_with(SEEN)
    assert [project.name for project in made.reader.list_projects()] == [MINE]
    made.reader.list_runs(RunQuery())
    (asked,) = given.reader.list_runs.call_args.args
    assert asked.projects_allowed == (MINE, MINE_TOO)
    assert asked.runs_allowed is None
    made.sql.ask(Question("SELECT 1"))
    assert given.sql.ask.call_args.args[0].rights == Rights((MINE, MINE_TOO))
    assert [each.project for each in made.rules.reader.list_rules()] == [MINE]


def test_a_link_to_runs_counts_these_alone():
    runs = frozenset({RunRef("gpt-small", "r0001")})
    link = replace(LINK, projects=("gpt-small",), runs=runs)
    made = opened(Recorded(two_projects(6)).sources, link)
    (project,) = made.reader.list_projects()
    assert (project.name, project.runs) == ("gpt-small", 1)
    page = made.reader.list_runs(RunQuery("gpt-small"))
    assert ([run.run_id for run in page.runs], page.total) == (["r0001"], 1)


def test_readers_and_links_have_nothing_to_change_things_with():
    for viewer in (READER, LINK, NOBODY):
        made = opened(sources(), viewer)
        assert made.edits is None
        assert made.rules.editor is None
        assert made.documents.editor is None
    assert opened(sources(), LINK).sql is None
    assert opened(sources(), LINK).health is None


def test_a_writer_changes_things_in_their_own_projects():
    given = sources()
    made = opened(given, ADA)
    mine = rule(MINE)
    made.rules.editor.put_rule(mine)
    given.rules.editor.put_rule.assert_called_once_with(mine)
    made.edits.move(MINE, ["r"], MINE_TOO, by="ada", at_unix_us=1)
    given.edits.move.assert_called_once()


def test_answers_kept_for_one_viewer_are_not_shown_to_another():
    data.use(Recorded(two_projects(6)).sources, "")
    asked = data._asked
    assert isinstance(asked, PerViewer)
    every = asked.of(ANYBODY)
    ref = RunRef("ddp", "ddp16")
    assert every.run(ref).value.run_id == "ddp16"
    ada = asked.of(replace(ADA, projects=("gpt-small",)))
    with pytest.raises(InvalidQuery, match="no run 'ddp16'"):
        ada.run(ref)
    assert [one.name for one in ada.projects().value] == ["gpt-small"]
    assert len(every.projects().value) == 2


def test_viewers_who_may_see_the_same_share_what_is_kept_and_not_their_names():
    data.use(Recorded(two_projects(6)).sources, "")
    asked = data._asked
    ada, eve = (asked.of(replace(ADA, name=name)) for name in ("ada", "eve"))
    assert (ada.me.name, eve.me.name) == ("ada", "eve")
    assert ada._kept is eve._kept
    assert ada._kept is not asked.of(ANYBODY)._kept
    assert ada._kept is not asked.of(LINK)._kept


def test_a_key_that_only_begins_like_a_project_is_another_projects():
    made = opened(sources(), replace(ADA, projects=("mine",)))
    with pytest.raises(InvalidQuery):
        made.objects.url(blob_key("mine-secret", "a" * 64), expires_s=1)
    with pytest.raises(InvalidQuery):
        made.objects.url(blob_key("mine/../x", "a" * 64), expires_s=1)
