"""F18: the object store dies, is cut off, does not know us, has no bucket, lives in another hour, or is full."""

from __future__ import annotations

import datetime
import io
import os
import secrets
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import grpc
import psutil
import pytest

from tests.contract.fixtures_objects import PASSWORD, USER, MinioServer, local_objects, minio
from tests.fault.fixtures_client import remount, tiny_disk
from tests.fault.fixtures_doors import Door
from tests.integration.fixtures_artifacts import (
    House,
    LaterClock,
    http_put,
    local_house,
    refused,
    sha,
)
from weir_proto.v1 import artifacts_pb2 as pb
from weir_server.errors import StartupError
from weir_server.objects.open import check_objects, open_objects
from weir_server.settings import GatewaySettings, ObjectsSettings
from weir_store.artifacts.memory import MemoryArtifacts
from weir_store.errors import WrongCredentials, WrongSetup
from weir_store.memory import MemoryStore
from weir_store.objects import etag
from weir_store.objects.base import MIN_PART_BYTES
from weir_store.objects.keys import blob_key

__all__ = ["minio"]

DOWN = {grpc.StatusCode.UNAVAILABLE}


def settings_of(minio: MinioServer, **more) -> ObjectsSettings:
    return ObjectsSettings(
        **{
            "kind": "s3", "endpoint": minio.endpoint, "access_key": USER, "secret_key": PASSWORD,
            "part_bytes": MIN_PART_BYTES, **more,
        }
    )  # fmt: skip


@pytest.fixture
def door(minio: MinioServer) -> Iterator[Door]:
    door = Door(("127.0.0.1", minio.port))
    yield door
    door.close()


@pytest.fixture
def house(minio: MinioServer, door: Door) -> Iterator[House]:
    """A gateway that reaches MinIO through a door, as its clients do."""
    settings = settings_of(minio, endpoint=f"http://{door.address}")
    memory = MemoryStore()
    objects = minio.objects(endpoint=f"http://{door.address}")
    house = House(memory, MemoryArtifacts(memory), objects, settings, clock=LaterClock())
    yield house
    house.close()


def parts_of(content: bytes) -> list[bytes]:
    return [content[i : i + MIN_PART_BYTES] for i in range(0, len(content), MIN_PART_BYTES)]


def test_an_upload_goes_on_after_the_store_was_killed_and_started_again(
    minio: MinioServer, house: House
) -> None:
    client, content = house.client("p"), secrets.token_bytes(3 * MIN_PART_BYTES + 11)
    blob, parts = pb.Blob(sha256=sha(content), size_bytes=len(content)), parts_of(content)
    (upload,) = client.ask("PrepareBlobs", blobs=[blob]).uploads
    of = {"blob": blob, "upload_id": upload.upload_id, "part_bytes": upload.part_bytes}
    for number in (0, 1):
        http_put(upload.urls[number], parts[number])
    minio.kill()
    with pytest.raises(OSError):  # noqa: PT011 - refused, reset or cut off: all mean away
        http_put(upload.urls[2], parts[2])
    assert refused(client.ask, "PartUrls", **of).code() in DOWN
    finished = pb.FinishedBlob(**of, etags=[etag.of_bytes(part) for part in parts])
    assert refused(client.ask, "FinishBlobs", blobs=[finished]).code() in DOWN
    minio.start()
    arrived = client.ask("PartUrls", **of).arrived
    assert dict(arrived) == {n: etag.of_bytes(parts[n - 1]) for n in (1, 2)}
    urls = client.ask("PartUrls", **of, numbers=[3, 4]).urls
    for url, part in zip(urls, parts[2:], strict=True):
        http_put(url, part)
    assert list(client.ask("FinishBlobs", blobs=[finished]).problems) == [""]
    assert client.read(blob.sha256, len(content)) == content


def test_a_put_cut_in_the_middle_makes_no_blob_and_its_repetition_does(
    house: House, door: Door
) -> None:
    client, content = house.client("p"), secrets.token_bytes(4_000_000)
    blob = pb.Blob(sha256=sha(content), size_bytes=len(content))
    (upload,) = client.ask("PrepareBlobs", blobs=[blob]).uploads
    cut = door.break_next("request", after_bytes=1_000_000, marker=b"PUT /")
    with pytest.raises(OSError):  # noqa: PT011
        http_put(upload.urls[0], content)
    assert cut.done == 1
    finished = pb.FinishedBlob(blob=blob, etags=[etag.of_bytes(content)])
    assert client.ask("FinishBlobs", blobs=[finished]).problems[0]
    http_put(upload.urls[0], content)
    assert list(client.ask("FinishBlobs", blobs=[finished]).problems) == [""]


def test_while_the_network_is_cut_everything_waits_and_nothing_is_said_to_be_there(
    house: House, door: Door, minio: MinioServer
) -> None:
    client = house.client("p-cut")
    client.upload(b"before")
    door.lead_to("")
    error = refused(client.upload, secrets.token_bytes(MIN_PART_BYTES + 1))
    assert error.code() in DOWN
    # What is known to be there needs no object store; a version of it can still be made.
    assert client.commit("data", {"f": b"before"}).version == 0
    assert refused(client.commit, "data", {"f": b"never sent"}).code() is (
        grpc.StatusCode.FAILED_PRECONDITION
    )
    door.lead_to(("127.0.0.1", minio.port))
    assert client.log("data", {"f": b"after"}).version == 1


def test_an_answer_that_was_lost_is_asked_for_again_and_finishes_once(
    house: House, door: Door
) -> None:
    client, content = house.client("p"), secrets.token_bytes(2 * MIN_PART_BYTES)
    blob, parts = pb.Blob(sha256=sha(content), size_bytes=len(content)), parts_of(content)
    (upload,) = client.ask("PrepareBlobs", blobs=[blob]).uploads
    for url, part in zip(upload.urls, parts, strict=True):
        http_put(url, part)
    lost = door.break_next("answer", after_bytes=0, marker=b"POST /", left=3)
    of = {"blob": blob, "upload_id": upload.upload_id, "part_bytes": upload.part_bytes}
    finished = pb.FinishedBlob(**of, etags=[etag.of_bytes(part) for part in parts])
    for _ in range(4):
        try:
            problems = list(client.ask("FinishBlobs", blobs=[finished]).problems)
            break
        except grpc.RpcError as error:
            if error.code() not in DOWN:
                raise
    assert lost.done >= 1
    assert problems == [""]
    assert client.read(blob.sha256, len(content)) == content


# ── told at the start, with what to do ─────────────────────────────────────


def test_wrong_credentials_are_told_at_the_start_and_later(minio: MinioServer) -> None:
    for wrong in ({"secret_key": "wrong-secret"}, {"access_key": "nobody"}):
        with pytest.raises(StartupError, match=r"objects.access_key and objects.secret_key"):
            open_objects(settings_of(minio, **wrong), GatewaySettings())
    with pytest.raises(WrongCredentials):
        minio.objects(secret_key="wrong-secret").stat(blob_key("p", "0" * 64))


def test_a_missing_bucket_is_told_at_the_start_or_made_when_asked(minio: MinioServer) -> None:
    with pytest.raises(StartupError, match=r"objects.create_bucket"):
        open_objects(settings_of(minio, bucket="not-there"), GatewaySettings())
    with pytest.raises(StartupError, match=r"objects.create_bucket"):
        check_objects(settings_of(minio, bucket="not-there", create_bucket=True))
    open_objects(settings_of(minio, bucket="not-there", create_bucket=True), GatewaySettings())
    assert "not-there" in check_objects(settings_of(minio, bucket="not-there"))


def test_a_clock_too_far_off_is_told_with_what_to_do(
    minio: MinioServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = datetime.timedelta(hours=3)
    theirs = sys.modules["minio.time"]
    real = theirs.utcnow
    monkeypatch.setattr(theirs, "utcnow", lambda: real() - late)
    with pytest.raises(
        StartupError, match="set the clocks of this machine and of the object store"
    ):
        open_objects(settings_of(minio), GatewaySettings())
    with pytest.raises(WrongSetup):
        minio.objects().check()


def test_an_s3_that_is_away_at_the_start_does_not_keep_the_gateway_from_starting(
    minio: MinioServer,
) -> None:
    nowhere = settings_of(minio, endpoint="http://127.0.0.1:9")
    assert open_objects(nowhere, GatewaySettings()).objects
    with pytest.raises(StartupError, match=r"objects.endpoint"):
        check_objects(nowhere)
    with pytest.raises(StartupError, match=r"objects.endpoint"):
        open_objects(settings_of(minio, endpoint=""), GatewaySettings())


def test_addresses_are_signed_for_the_name_that_clients_know(minio: MinioServer) -> None:
    public = f"http://localhost:{minio.port}"
    objects = open_objects(settings_of(minio, public_endpoint=public), GatewaySettings()).objects
    content = secrets.token_bytes(10)
    upload = objects.begin(blob_key("p", sha(content)), 10)
    url = objects.part_url(upload, 1, expires_s=60)
    assert urlsplit(url).netloc == f"localhost:{minio.port}"
    tag = http_put(url, content)
    assert objects.finish(upload, [tag]).size_bytes == 10


# ── the local directory ────────────────────────────────────────────────────


def test_a_disk_that_is_full_is_a_reason_to_wait_and_then_it_goes_on(tmp_path: Path) -> None:
    content = secrets.token_bytes(600_000)
    with tiny_disk(tmp_path / "disk", 1_024) as disk, local_objects(disk / "objects") as objects:
        filler = disk / "filler"
        filler.write_bytes(bytes(700_000))
        upload = objects.begin(blob_key("p", sha(content)), len(content))
        url = objects.part_url(upload, 1, expires_s=600)
        with pytest.raises(urllib.error.HTTPError) as told:
            http_put(url, content)
        assert told.value.code == 503
        assert b"No space left on device" in told.value.read()
        assert objects.stat(upload.key) is None
        assert not list((disk / "objects" / "uploads").glob("*.new"))
        filler.unlink()
        tag = http_put(url, content)
        assert objects.finish(upload, [tag]).size_bytes == len(content)


def test_a_disk_that_turns_read_only_is_told_at_the_start_and_under_way(tmp_path: Path) -> None:
    with tiny_disk(tmp_path / "disk", 1_024) as disk, local_objects(disk / "objects") as objects:
        objects.write("p/blobs/there", io.BytesIO(b"there"), 5)
        upload = objects.begin(blob_key("p", sha(b"x")), 1)
        url = objects.part_url(upload, 1, expires_s=600)
        remount(disk, "ro")
        with pytest.raises(urllib.error.HTTPError) as told:
            http_put(url, b"x")
        assert told.value.code == 503
        assert b"Read-only file system" in told.value.read()
        assert b"".join(objects.read("p/blobs/there")) == b"there"
        for ask in (lambda given: open_objects(given, GatewaySettings()), check_objects):
            with pytest.raises(StartupError, match=r"point objects.dir at a directory"):
                ask(ObjectsSettings(dir=disk / "other", door_port=0))
        remount(disk, "rw")
        http_put(url, b"x")


def test_a_directory_that_cannot_be_made_is_told_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(StartupError, match=r"point objects.dir at a directory"):
        open_objects(ObjectsSettings(dir=tmp_path / "file" / "o", door_port=0), GatewaySettings())


def test_a_gateway_with_a_directory_goes_on_where_its_upload_was_cut_off(tmp_path: Path) -> None:
    content = secrets.token_bytes(2 * MIN_PART_BYTES)
    blob, parts = pb.Blob(sha256=sha(content), size_bytes=len(content)), parts_of(content)
    with local_house(tmp_path) as house:
        (upload,) = house.client("p").ask("PrepareBlobs", blobs=[blob]).uploads
        http_put(upload.urls[0], parts[0])
    of = {"blob": blob, "upload_id": upload.upload_id, "part_bytes": upload.part_bytes}
    with local_house(tmp_path) as house:
        client = house.client("p")
        assert list(client.ask("PartUrls", **of).arrived) == [1]
        http_put(client.ask("PartUrls", **of, numbers=[2]).urls[0], parts[1])
        finished = pb.FinishedBlob(**of, etags=[etag.of_bytes(part) for part in parts])
        assert list(client.ask("FinishBlobs", blobs=[finished]).problems) == [""]
        assert client.read(blob.sha256, len(content)) == content


_SERVE = """
import asyncio, sys
from pathlib import Path
from weir_server.objects.open import open_objects
from weir_server.settings import GatewaySettings, ObjectsSettings
async def main():
    settings = ObjectsSettings(dir=Path(sys.argv[1]), door_port=0, part_bytes=5 << 30)
    opened = open_objects(settings, GatewaySettings())
    await opened.door.start()
    upload = opened.objects.begin("p/blobs/x", int(sys.argv[2]))
    print(opened.objects.part_url(upload, 1, expires_s=600), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await opened.door.stop()
asyncio.run(main())
"""


def test_a_large_file_passes_the_door_in_bounded_memory(tmp_path: Path) -> None:
    size = int(os.environ.get("WEIR_TEST_LARGE_BYTES", 1 << 29))
    sparse = tmp_path / "sparse"
    with sparse.open("wb") as file:
        file.truncate(size)
    door = subprocess.Popen(
        [sys.executable, "-c", _SERVE, str(tmp_path / "objects"), str(size)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert door.stdout is not None
        url = door.stdout.readline().strip()
        process = psutil.Process(door.pid)
        before = process.memory_info().rss
        with sparse.open("rb") as file:
            request = urllib.request.Request(
                url, data=file, method="PUT", headers={"Content-Length": str(size)}
            )
            with urllib.request.urlopen(request, timeout=600) as answer:
                assert answer.status == 200
        grown = process.memory_info().rss - before
        print(f"{size} bytes through the door: {grown >> 20} MiB more memory")
        assert grown < 64 << 20
    finally:
        door.communicate("", timeout=60)
