"""Moving and merging runs: all they have is where it was said to be, and nowhere else."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pyarrow as pa
import pytest

from tests.contract.told_frames import everything, of_a_node
from tests.integration.fixtures_changes import House, house_on
from tests.integration.fixtures_engine import EngineProcess
from tests.integration.test_changes_points import fork
from tests.unit.server import frames
from weir_proto.v1 import ingest_pb2
from weir_store import columns, tables
from weir_store.changes.base import Change, ChangeState, Held, Hold, Refusal
from weir_store.changes.measure import OF_RUNS
from weir_store.errors import InvalidQuery, StoreUnavailable, UnknownRun
from weir_store.objects.keys import blob_key
from weir_store.objects.local import LocalObjects
from weir_store.objects.signing import Signer
from weir_store.records import RunRef

DATABASE = "changes_move"


@pytest.fixture
def objects(tmp_path: Path) -> LocalObjects:
    return LocalObjects(tmp_path, Signer("http://nowhere", b"s" * 32), unix_s=lambda: 1.0)


@pytest.fixture
def house(engine: EngineProcess, objects: LocalObjects) -> Iterator[House]:
    yield from house_on(engine, DATABASE, objects=objects)


def move(house: House, target: str, *runs: str) -> Change:
    ask = house.changes.moving.ask
    return house.do(ask(house.project, runs, target, by="ann", at_unix_us=house.tick()))


def merge(house: House, *runs: str, at: tuple[int, ...] = ()) -> Change:
    ask = house.changes.merging.ask
    return house.do(ask(house.project, runs, at, by="ann", at_unix_us=house.tick()))


def with_a_file(house: House, objects: LocalObjects, run_id: str, content: bytes) -> str:
    """Log a run that has a file; return the digest of its bytes."""
    sha256 = hashlib.sha256(content).hexdigest()
    body = everything(0)
    told = json.dumps({"sha256": sha256, "size": len(content), "mime": "text/plain"})
    body.attrs.add(namespace=ingest_pb2.Attr.FILE, path="a.txt", json=told)
    house.log(run_id, body)
    objects.write(blob_key(house.project, sha256), io.BytesIO(content), len(content))
    blob = {
        "project": house.project,
        "sha256": sha256,
        "size": len(content),
        "etag": "",
        "stored_at": 1,
        "ver": 1,
        "is_deleted": 0,
    }
    rows = pa.Table.from_pylist([blob], schema=columns.BLOBS)
    house.inserter.insert({tables.BLOBS: rows}, uuid4().hex)
    return sha256


# ── moving ─────────────────────────────────────────────────────────────────


def test_a_moved_run_has_all_it_had_and_is_gone_where_it_was(
    house: House, objects: LocalObjects
) -> None:
    sha256 = with_a_file(house, objects, "r", b"weights")
    house.log("r", of_a_node(5), rank=3, birth_s=frames.BIRTH_S + 1)
    run, target = RunRef(house.project, "r"), f"{house.project}-new"
    house.correct(run, "loss", 1, 0.5)
    house.delete_points(run, "acc", [(2, 2)])
    points = {metric: house.points(run, metric) for metric in ("loss", "acc")}
    before = house.run(run)

    change = move(house, target, "r")

    moved = RunRef(target, "r")
    assert {metric: house.points(moved, metric) for metric in points} == points
    after = house.run(moved)
    assert (after.config, after.summary, after.files) == (
        before.config,
        before.summary,
        before.files,
    )
    assert after.created_unix_us == before.created_unix_us
    assert house.verdict(moved) == "whole"
    assert b"".join(objects.read(blob_key(target, sha256))) == b"weights"
    assert not house.exists(run)
    assert all(not house.rows(t, run) for t in OF_RUNS if t != tables.EVENTS)
    assert change.receipt["runs"] == 1
    assert "moved" in house.kinds(moved)


def test_a_move_that_is_cut_off_anywhere_is_gone_on_with(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = f"{house.project}-new"
    run = house.log("r", everything(0))
    points = house.points(run, "loss")
    ask = house.changes.moving.ask
    change = ask(house.project, ["r"], target, by="ann", at_unix_us=house.tick())
    house.changes.begin(change)
    for allowed in range(5, 80, 9):  # each time a little further than before
        with monkeypatch.context() as patched, contextlib.suppress(StoreUnavailable):
            house.break_after(allowed, patched)
            house.changes.carry_out(change)
            break
    else:
        raise AssertionError("it never came to an end")

    assert house.points(RunRef(target, "r"), "loss") == points
    assert house.verdict(RunRef(target, "r")) == "whole"
    assert not house.exists(run)


def test_a_family_moves_together_or_not_at_all(house: House) -> None:
    parent = house.log("r", frames.grid(0, rows=200))
    child = fork(house, parent, "child", 100)
    shown = house.points(child, "loss")
    for alone in ("r", "child"):
        with pytest.raises(Refusal, match="forked from"):
            move(house, f"{house.project}-new", alone)

    move(house, f"{house.project}-new", "r", "child")
    assert house.points(RunRef(f"{house.project}-new", "child"), "loss") == shown


def test_a_renamed_project_has_everything_under_the_new_name(
    house: House, objects: LocalObjects
) -> None:
    with_a_file(house, objects, "one", b"1")
    house.log("two", everything(0))
    target = f"{house.project}-new"
    change = move(house, target)

    projects = [each.name for each in house.reader.list_projects()]
    assert target in projects
    assert house.project not in projects
    assert change.receipt["runs"] == 2
    assert all(house.exists(RunRef(target, run)) for run in ("one", "two"))


def test_moves_that_make_no_sense_are_refused(house: House) -> None:
    run = house.log("r", everything(0))
    house.log("r", everything(0), project=f"{house.project}-taken")
    with pytest.raises(Refusal, match="has, or had, a run 'r'"):
        move(house, f"{house.project}-taken", "r")
    with pytest.raises(UnknownRun):
        move(house, "elsewhere", "no-such-run")
    with pytest.raises(InvalidQuery):
        move(house, house.project, "r")
    house.changes.book.hold(Hold(house.project, "r", "why", "eve", house.tick()))
    with pytest.raises(Held):
        move(house, "elsewhere", "r")
    assert house.exists(run)


# ── merging ────────────────────────────────────────────────────────────────


def test_merged_runs_are_one_with_the_points_of_all(house: House) -> None:
    house.log("a", frames.grid(0, rows=100))
    house.log("b", frames.grid(90, rows=50))
    last = house.log("c", frames.grid(130, rows=30))

    change = merge(house, "a", "b", "c")

    shown = house.points(last, "loss")
    assert [step for _, step, _ in shown] == [*range(160)]
    assert change.receipt["seams"] == [89, 129]
    assert not house.exists(RunRef(house.project, "a"))
    assert house.run(last).parent_run_id == "b"
    assert house.verdict(last) == "whole"
    assert house.reader.read_latest([last], ["loss"])["max"].to_pylist() == [159.0]
    house.changes.carry_out(change)  # twice is once
    assert house.points(last, "loss") == shown


def test_a_merge_may_say_where_the_seams_are(house: House) -> None:
    house.log("a", frames.grid(0, rows=100))
    last = house.log("b", frames.grid(50, rows=10))
    merge(house, "a", "b", at=(20,))

    assert [step for _, step, _ in house.points(last, "loss")] == [*range(21), *range(50, 60)]


def test_deleting_a_merged_run_frees_what_was_merged_into_it(house: House) -> None:
    first = house.log("a", frames.grid(0, rows=100))
    last = house.log("b", frames.grid(100, rows=10))
    merge(house, "a", "b")
    assert house.changes.free_late() == 0
    assert house.rows(tables.POINTS, first) == 200

    change = house.delete(last)
    assert change.state is ChangeState.DONE
    assert house.rows(tables.POINTS, first) == 0


def test_merges_that_make_no_sense_are_refused(house: House) -> None:
    parent = house.log("a", frames.grid(0, rows=10))
    fork(house, parent, "child", 5)
    house.log("empty", ingest_pb2.Body(schema=1))
    with pytest.raises(Refusal, match="fork of 'a' already"):
        merge(house, "empty", "child")
    with pytest.raises(Refusal, match="no points"):
        merge(house, "a", "empty")
    for runs in (("a",), ("a", "a"), ()):
        with pytest.raises(InvalidQuery, match="2 or more"):
            merge(house, *runs)
    with pytest.raises(UnknownRun):
        merge(house, "a", "none")
