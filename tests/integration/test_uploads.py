"""What the agent does with an outbox: real bytes to a real store, versions and run files on the server.

One suite for the local directory behind its door and for a real MinIO.
"""

import hashlib
import json
import os
import time

import pytest

import weir
from tests.contract.fixtures_objects import minio, objects
from tests.integration.fixtures_spools import start_agent, wait_until
from tests.integration.fixtures_uploads import (
    MIB,
    bodies,
    events,
    open_gateway,
    open_run,
    run_files,
    serve,
    write_random,
)
from weir._spool import Outbox, list_spools
from weir_store.objects.keys import blob_key

__all__ = ["minio", "objects", "open_gateway", "start_agent"]


@pytest.fixture
def gateway(objects, open_gateway):
    return open_gateway(objects)


@pytest.fixture
def run(tmp_path, gateway, start_agent):
    serve(start_agent, tmp_path / "spool")
    run = open_run(tmp_path / "spool", gateway.address)
    yield run
    run.finish(timeout=30)


def content(gateway, name, path, version=-1):
    manifest = gateway.shelf.manifests[gateway.shelf.versions[name][version].digest]
    sha256 = next(file.sha256 for file in manifest if file.path == path)
    return b"".join(gateway.shelf.objects.read(blob_key("p", sha256)))


def test_a_folder_becomes_a_version_with_every_byte(run, gateway, tmp_path):
    folder = tmp_path / "checkpoint"
    write_random(folder / "weights.bin", 12 * MIB + 17)  # three parts
    (folder / "sub").mkdir()
    (folder / "sub" / "naïve ☃.txt").write_text("text")
    (folder / "empty").write_bytes(b"")
    (folder / "again").write_text("text")
    artifact = weir.Artifact("ckpt", "model", "a test", {"epoch": 3, "loss": float("nan")})
    artifact.add_dir(folder)
    artifact.add_reference("s3://bucket/data.parquet", size=10, etag="e1")
    with artifact.new_file("made/note.txt") as file:
        file.write("made here")
    logged = run.log_artifact(artifact, aliases=["best"], tags=["t"], ttl=3600).wait(60)
    assert (logged.state, logged.version) == ("stored", 0)
    version = gateway.shelf.versions["ckpt"][0]
    assert (version.run_id, version.type, version.description) == (run.id, "model", "a test")
    assert json.loads(version.metadata_json) == {"epoch": 3, "loss": "nan"}
    assert list(version.tags) == ["t"]
    assert gateway.shelf.aliases["ckpt", "best"] == 0
    assert logged.digest == version.digest
    files = {file.path: file for file in gateway.shelf.manifests[version.digest]}
    assert sorted(files) == [
        "again", "data.parquet", "empty", "made/note.txt", "sub/naïve ☃.txt", "weights.bin",
    ]  # fmt: skip
    for name in ("weights.bin", "empty", "sub/naïve ☃.txt"):
        assert content(gateway, "ckpt", name) == (folder / name).read_bytes()
    assert content(gateway, "ckpt", "made/note.txt") == b"made here"
    assert files["data.parquet"].uri == "s3://bucket/data.parquet"
    assert files["sub/naïve ☃.txt"].mime == "text/plain"


def test_what_the_store_has_is_not_sent_again(run, gateway, tmp_path):
    folder = tmp_path / "checkpoint"
    for n in range(20):
        write_random(folder / f"part-{n:02d}", 100_000)
    run.log_artifact(folder, "ckpt", "model").wait(60)
    before = {stat.key for stat in gateway.shelf.objects.list_objects("p/")}
    write_random(folder / "part-07", 100_000)
    assert run.log_artifact(folder, "ckpt", "model").wait(60).version == 1
    after = {stat.key for stat in gateway.shelf.objects.list_objects("p/")}
    assert len(after - before) == 1


def test_the_same_content_again_is_the_same_version(run, gateway, tmp_path):
    file = write_random(tmp_path / "model.bin", 1000)
    assert run.log_artifact(file, "m", "model").wait(60).version == 0
    assert run.log_artifact(file, "m", "model").wait(60).version == 0
    assert len(gateway.shelf.versions["m"]) == 1


def test_versions_follow_the_order_they_were_logged_in(run, gateway, tmp_path):
    logged = []
    for n in range(5):
        file = tmp_path / "model.bin"
        new = write_random(tmp_path / "new", 50_000 * (5 - n))
        os.replace(new, file)
        logged.append(run.log_artifact(file, "m", "model"))
    assert [each.wait(60).version for each in logged] == [0, 1, 2, 3, 4]


def test_files_that_are_removed_at_once_are_uploaded(run, gateway, tmp_path):
    for n in range(3):
        write_random(tmp_path / "temporary" / str(n), 1000)
    logged = run.log_artifact(tmp_path / "temporary", "m", "model")
    for file in (tmp_path / "temporary").iterdir():
        file.unlink()
    (tmp_path / "temporary").rmdir()
    assert logged.wait(60).version == 0


def test_saved_files_are_named_in_the_run(run, gateway, tmp_path):
    (tmp_path / "conf" / "a").mkdir(parents=True)
    (tmp_path / "conf" / "a" / "x.yaml").write_text("x: 1")
    (tmp_path / "conf" / "y.yaml").write_text("y: 1")
    assert run.save(tmp_path / "conf" / "**" / "*.yaml") == ["a/x.yaml", "y.yaml"]
    wait_until(lambda: len(run_files(gateway)) == 2)
    digest = hashlib.sha256(b"x: 1").hexdigest()
    found = run_files(gateway)["a/x.yaml"]
    assert (found["sha256"], found["size"]) == (digest, 4)
    assert gateway.shelf.objects.stat(blob_key("p", digest)).size_bytes == 4


def test_files_saved_at_the_end_are_saved_as_they_are_then(run, gateway, tmp_path):
    run.save(tmp_path / "*.log", policy="end", base_path=tmp_path)
    (tmp_path / "train.log").write_text("begin")
    time.sleep(1)
    assert run_files(gateway) == {}
    (tmp_path / "train.log").write_text("begin and end")
    run.finish(timeout=60)
    wait_until(lambda: "train.log" in run_files(gateway))
    assert run_files(gateway)["train.log"]["size"] == len("begin and end")


def test_live_files_are_saved_when_they_change(run, gateway, tmp_path):
    file = tmp_path / "notes.txt"
    file.write_text("one")
    run.save(file, policy="live")
    wait_until(lambda: run_files(gateway).get("notes.txt", {}).get("size") == 3)
    file.write_text("three")
    wait_until(lambda: run_files(gateway).get("notes.txt", {}).get("size") == 5)
    file.write_text("and last")
    run.finish(timeout=60)
    wait_until(lambda: run_files(gateway)["notes.txt"]["size"] == 8)


def test_media_are_sent_in_batches_and_then_forgotten(run, gateway):
    outbox = Outbox(run._spooler.spool)
    files = []
    for n in range(300):
        sha256, size, name = outbox.write_blob(f"image {n}".encode())
        files.append({"sha256": sha256, "size": size, "path": name})
    outbox.put({"order": "blobs", "files": files})
    wait_until(lambda: not outbox.pending())
    for each in files:
        assert gateway.shelf.objects.stat(blob_key("p", each["sha256"])) is not None
    # 64, 128 and the rest: batches grow, so that sending begins soon.
    assert gateway.shelf.asked["PrepareBlobs"] == gateway.shelf.asked["FinishBlobs"] == 3
    assert not list((outbox.path / "blobs").iterdir())


def test_a_manifest_of_many_files_goes_in_pieces(run, gateway, tmp_path):
    folder = tmp_path / "many"
    folder.mkdir()
    for n in range(5_100):
        (folder / f"{n}").write_text(str(n % 50))
    assert run.log_artifact(folder, "many", "dataset").wait(120).version == 0
    assert gateway.shelf.asked["CommitArtifact"] == 2
    assert gateway.shelf.versions["many"][0].files == 5_100


def test_addresses_that_expire_are_renewed(objects, open_gateway, start_agent, tmp_path):
    gateway = open_gateway(objects, expires_s=1)
    serve(start_agent, tmp_path / "spool")
    run = open_run(tmp_path / "spool", gateway.address, upload_mb_per_s=5.0, upload_threads=1)
    file = write_random(tmp_path / "model.bin", 16 * MIB)  # more than 3 s, four parts
    assert run.log_artifact(file, "m", "model").wait(100).version == 0
    assert content(gateway, "m", "model.bin") == file.read_bytes()
    assert gateway.shelf.asked["PartUrls"] >= 1
    run.finish(timeout=30)


def test_a_model_is_registered(run, gateway, tmp_path):
    file = write_random(tmp_path / "model.bin", 1000)
    run.log_model(file, aliases=["best"], registered_name="resnet").wait(60)
    assert [(m.model, m.version, m.artifact) for m in gateway.shelf.models] == [
        ("resnet", 1, "model.bin")
    ]
    assert gateway.shelf.versions["model.bin"][0].type == "model"


def test_finish_waits_for_uploads_and_the_spool_then_goes(run, gateway, tmp_path):
    logged = run.log_artifact(write_random(tmp_path / "f", 3 * MIB), "f", "file")
    run.log({"loss": 1.0})
    run.finish(timeout=60)
    assert (logged.state, logged.version) == ("stored", 0)
    wait_until(lambda: not list(list_spools(tmp_path / "spool")))


def test_an_offline_run_keeps_its_files_and_sends_nothing(gateway, start_agent, tmp_path):
    serve(start_agent, tmp_path / "spool")
    run = open_run(tmp_path / "spool", gateway.address, mode="offline")
    logged = run.log_artifact(write_random(tmp_path / "f", 1000), "f", "file")
    run.finish(timeout=5)
    time.sleep(1.5)
    assert logged.state == "queued"
    assert gateway.shelf.asked == {}


def test_the_agent_says_in_the_run_which_file_changed_while_it_was_uploaded(run, gateway, tmp_path):
    gateway.stop()  # so that the change comes first
    file = write_random(tmp_path / "folder" / "model.bin", 2000)
    logged = run.log_artifact(tmp_path / "folder", "m", "model", copy=False)
    with file.open("ab") as writing:
        writing.write(b"more")
    gateway.start()
    wait_until(lambda: logged.state == "failed")
    assert "copy=True" in logged.problem
    wait_until(lambda: events(gateway, "artifact_failed"))
    (event,) = events(gateway, "artifact_failed")
    assert event.attrs["file"] == "model.bin"
    assert "copy=True" in event.body
    with pytest.raises(weir.errors.UploadFailed, match=r"model\.bin"):
        logged.wait(1)


def test_a_copy_is_uploaded_as_it_was(run, gateway, tmp_path):
    gateway.stop()
    file = write_random(tmp_path / "model.bin", 2000)
    before = file.read_bytes()
    logged = run.log_artifact(file, "m", "model", copy=True)
    file.write_bytes(b"other")
    gateway.start()
    logged.wait(60)
    assert content(gateway, "m", "model.bin") == before


def test_a_run_that_was_killed_has_its_files_uploaded(gateway, start_agent, tmp_path, run):
    assert bodies  # the trainer of this test is a process of its own
    import subprocess
    import sys

    write_random(tmp_path / "model.bin", 5000)
    script = (
        "import os, sys; from pathlib import Path\n"
        "from tests.integration.fixtures_uploads import open_run\n"
        f"run = open_run(Path({str(tmp_path / 'spool')!r}), {gateway.address!r})\n"
        f"run.save({str(tmp_path / 'model.bin')!r}, policy='end')\n"
        f"run.log_artifact({str(tmp_path / 'model.bin')!r}, 'm', 'model')\n"
        "os.kill(os.getpid(), 9)\n"
    )
    subprocess.run([sys.executable, "-c", script], timeout=60, check=False)
    wait_until(lambda: gateway.shelf.versions.get("m"))
    wait_until(lambda: "model.bin" in run_files(gateway))
