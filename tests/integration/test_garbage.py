"""Garbage collection: it frees what nobody names, and never what somebody relies on, however they interleave."""

from __future__ import annotations

import io
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import grpc
import pytest

from tests.contract.fixtures_objects import minio
from tests.contract.small_stores import StoreBuilder
from tests.integration.fixtures_artifacts import (
    House,
    Uploader,
    client,
    house,
    http_put,
    memory_house,
    real_house,
    refused,
    sha,
)
from weir_proto.v1 import artifacts_pb2 as pb
from weir_store.errors import StoreUnavailable
from weir_store.objects import etag
from weir_store.objects.base import MIN_PART_BYTES
from weir_store.objects.keys import blob_key
from weir_store.records import RunRef

__all__ = ["client", "house", "memory_house", "minio", "real_house"]

HOURS_49 = 49 * 3_600


def collect(client: Uploader, **more: Any) -> pb.CollectGarbageResponse:
    return client.ask("CollectGarbage", **more)


def there(house: House, client: Uploader, *contents: bytes) -> list[bool]:
    keys = [blob_key(client.project, sha(content)) for content in contents]
    return [house.objects.stat(key) is not None for key in keys]


def later(house: House) -> None:
    house.clock.ahead_s += HOURS_49


def test_what_a_deleted_version_alone_named_is_freed_and_the_receipt_says_so(
    house: House, client: Uploader
) -> None:
    client.log("data", {"a": b"kept", "b": b"x" * 1_000})
    client.log("data", {"a": b"kept"})
    client.ask("DeleteArtifact", name="data", version="v0")
    assert collect(client).blobs == 0  # too young
    later(house)
    dry = collect(client, dry_run=True)
    assert (dry.blobs, dry.bytes, dry.receipt) == (1, 1_000, "")
    assert there(house, client, b"kept", b"x" * 1_000) == [True, True]
    receipt = collect(client)
    assert (receipt.blobs, receipt.bytes) == (1, 1_000)
    assert there(house, client, b"kept", b"x" * 1_000) == [True, False]
    events = client.ask("ListProjectEvents", kinds=["garbage_collected"]).events
    by_id = {event.event_id.hex(): event for event in events}
    assert by_id[receipt.receipt].attrs["bytes"] == "1000"
    assert collect(client).blobs == 0


def test_a_young_blob_that_nobody_names_is_counted_and_kept(house: House, client: Uploader) -> None:
    client.upload(b"young")
    receipt = collect(client)
    assert (receipt.blobs, receipt.kept_young, receipt.kept_young_bytes) == (0, 1, 5)
    assert there(house, client, b"young") == [True]
    later(house)
    assert collect(client).bytes == 5


def test_versions_that_expired_are_removed_with_their_bytes(house: House, client: Uploader) -> None:
    client.log("data", {"a": b"short lived"}, ttl_s=60)
    later(house)
    receipt = collect(client)
    assert (receipt.versions, receipt.blobs, receipt.bytes) == (1, 1, 11)
    assert there(house, client, b"short lived") == [False]


def test_a_registered_version_does_not_expire(house: House, client: Uploader) -> None:
    client.log("weights", {"a": b"in production"}, ttl_s=60)
    of = pb.GetArtifactRequest(project=client.project, name="weights")
    client.ask("RegisterModel", model="net", artifact=of)
    later(house)
    assert collect(client).blobs == 0
    assert client.ask("GetArtifact", name="weights").expires_unix_us == 0


def test_run_files_and_media_are_kept_until_their_run_is_deleted(
    house: House, client: Uploader
) -> None:
    client.upload(b"a file", b"an image", b"its thumb")
    builder, run = StoreBuilder(), RunRef(client.project, "run")
    builder.add_run(run)
    builder.add_attr(run, "file", "diff.patch", f'{{"sha256":"{sha(b"a file")}"}}'.encode())
    media = f'{{"sha256":"{sha(b"an image")}","thumb":{{"sha256":"{sha(b"its thumb")}"}}}}'
    builder.add_point(run, "sample", 1, media)
    builder._rows["text_points"][-1]["kind"] = "media"
    house.store.insert(builder.take_block(), uuid4().hex)
    later(house)
    assert collect(client).blobs == 0
    builder.add_run(run, deleted=True)
    house.store.insert(builder.take_block(), uuid4().hex)
    assert collect(client).blobs == 3


def test_what_was_put_and_never_finished_is_freed(house: House, client: Uploader) -> None:
    content = secrets.token_bytes(2 * MIN_PART_BYTES)
    blobs = [
        pb.Blob(sha256=sha(content), size_bytes=len(content)),
        pb.Blob(sha256=sha(b"single"), size_bytes=6),
    ]
    large, single = client.ask("PrepareBlobs", blobs=blobs).uploads
    http_put(large.urls[0], content[:MIN_PART_BYTES])
    http_put(single.urls[0], b"single")
    of = {"blob": blobs[0], "upload_id": large.upload_id, "part_bytes": large.part_bytes}
    collect(client)
    assert list(client.ask("PartUrls", **of).arrived) == [1]  # too young
    later(house)
    # The object's age is told by the store that holds it, whose clock was not set.
    assert collect(client).bytes in {MIN_PART_BYTES, MIN_PART_BYTES + 6}
    assert not client.ask("PartUrls", **of).arrived
    assert there(house, client, b"single") == [False]


def test_a_collection_touches_no_other_project(house: House, client: Uploader) -> None:
    other = house.client(client.project + "x")
    other.upload(b"theirs")
    client.upload(b"mine")
    later(house)
    assert collect(client).blobs == 1
    assert there(house, other, b"theirs") == [True]


# ── races: the collector is held at a step, and somebody relies on the blob there ──

STEPS = {
    "before it marks": "add_marks",
    "after it has marked": "read_condemned",
    "after it has decided": "remove_blobs",
    "before it deletes the bytes": "delete",
    "before it unmarks": "remove_marks",
}


@pytest.fixture
def hold(house: House, monkeypatch: pytest.MonkeyPatch):
    """Run something once, just before a step of the collection."""

    def at(step: str, what) -> None:
        name = STEPS[step]
        owner = next(
            part for part in (house.editor, house.reader, house.objects) if hasattr(part, name)
        )
        kept, done = getattr(owner, name), []

        def held(*args, **named):
            if not done and args != (args[0], []):
                done.append(1)
                what()
            return kept(*args, **named)

        monkeypatch.setattr(owner, name, held)

    return at


@contextmanager
def told_to_wait(*more: grpc.StatusCode) -> Iterator[None]:
    """Let a call be refused for now, and for no other reason."""
    try:
        yield
    except grpc.RpcError as error:
        if error.code() not in {grpc.StatusCode.UNAVAILABLE, *more}:
            raise


def patiently(call, between=lambda: None):
    """Repeat a call while it is told to wait, as a client does."""
    for _ in range(5):
        try:
            return call()
        except grpc.RpcError as error:
            if error.code() is not grpc.StatusCode.UNAVAILABLE:
                raise
            between()
    raise AssertionError("it is told to wait for ever")


@pytest.mark.parametrize("step", STEPS)
def test_whoever_is_told_that_a_blob_is_there_can_commit_it(
    house: House, client: Uploader, hold, step: str
) -> None:
    client.upload(b"content")
    later(house)
    told: list[bool] = []

    def rely() -> None:
        blob = pb.Blob(sha256=sha(b"content"), size_bytes=7)
        with told_to_wait():
            told.append(client.ask("PrepareBlobs", blobs=[blob]).uploads[0].exists)

    hold(step, rely)
    collect(client)
    if told == [True]:
        client.commit("data", {"f": b"content"})
    else:
        client.log("data", {"f": b"content"})
    assert client.read(sha(b"content"), 7) == b"content"
    later(house)
    collect(client)
    assert client.read(sha(b"content"), 7) == b"content"


@pytest.mark.parametrize("step", STEPS)
def test_a_version_committed_in_the_middle_of_a_collection_has_its_bytes_or_is_refused(
    house: House, client: Uploader, hold, step: str
) -> None:
    client.upload(b"content")
    later(house)
    made: list[bool] = []

    def commit() -> None:
        with told_to_wait(grpc.StatusCode.FAILED_PRECONDITION):
            client.commit("data", {"f": b"content"})
            made.append(True)

    hold(step, commit)
    collect(client)
    if made:
        assert client.read(sha(b"content"), 7) == b"content"
    else:
        client.log("data", {"f": b"content"})
    assert client.read(sha(b"content"), 7) == b"content"


@pytest.mark.parametrize("step", STEPS)
def test_an_upload_that_finishes_in_the_middle_of_a_collection_is_whole_or_sent_again(
    house: House, client: Uploader, hold, step: str
) -> None:
    client.upload(b"content")
    house.objects.delete([blob_key(client.project, sha(b"content"))])
    later(house)  # a row without bytes: what a store that lost an object leaves
    blob = pb.Blob(sha256=sha(b"content"), size_bytes=7)
    finished = pb.FinishedBlob(blob=blob, etags=[etag.of_bytes(b"content")])
    said: list[str] = []

    def finish() -> None:
        house.objects.write(blob_key(client.project, blob.sha256), io.BytesIO(b"content"), 7)
        with told_to_wait():
            said.extend(client.ask("FinishBlobs", blobs=[finished]).problems)

    hold(step, finish)
    collect(client)
    if said == [""]:
        client.commit("data", {"f": b"content"})
    else:
        client.log("data", {"f": b"content"})
    assert client.read(sha(b"content"), 7) == b"content"


@pytest.mark.parametrize("step", STEPS)
def test_a_collection_that_dies_half_way_leaves_nothing_that_is_not_there(
    memory_house: House, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    house, client = memory_house, memory_house.client(f"p-{uuid4().hex}")
    client.log("data", {"f": b"content", "g": b"other"})
    client.ask("DeleteArtifact", name="data")
    later(house)
    name = STEPS[step]
    owner = next(p for p in (house.editor, house.reader, house.objects) if hasattr(p, name))
    kept = getattr(owner, name)

    def dies(*args, **named):
        if args[1:] == ([],):  # marks of old, of which there are none
            return kept(*args, **named)
        raise StoreUnavailable("killed here")

    monkeypatch.setattr(owner, name, dies)
    refused(collect, client)
    monkeypatch.undo()
    # Marks that were left bind for half an hour; then everything is as if it had never begun.
    house.clock.ahead_s += 1_801
    version = client.log("data", {"f": b"content", "g": b"other"})
    assert client.read(sha(b"content"), 7) == b"content"
    assert version.version == 1
    client.ask("DeleteArtifact", name="data")
    later(house)
    collect(client)
    assert there(house, client, b"content", b"other") == [False, False]


def test_while_a_mark_is_left_the_client_is_told_to_wait(memory_house: House) -> None:
    house, client = memory_house, memory_house.client(f"p-{uuid4().hex}")
    client.upload(b"content")
    later(house)
    kept = house.objects.delete
    house.objects.delete = lambda keys: (_ for _ in ()).throw(StoreUnavailable("cut"))
    try:
        refused(collect, client)
    finally:
        house.objects.delete = kept
    error = refused(client.upload, b"content")
    assert error.code() is grpc.StatusCode.UNAVAILABLE
    assert "garbage" in error.details()
    patiently(lambda: client.log("data", {"f": b"content"}), lambda: later(house))
