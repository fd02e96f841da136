"""Uploads and downloads while things break: every byte arrives in the end, or the run says which file did not."""

import os
import shutil
import time
from pathlib import Path

import psutil
import pytest

import weir
from tests.contract.fixtures_objects import PASSWORD, USER, local_objects, minio
from tests.fault.fixtures_client import tiny_disk
from tests.fault.fixtures_doors import Door
from tests.integration.fixtures_spools import start_agent, wait_until
from tests.integration.fixtures_spools import weir as command
from tests.integration.fixtures_uploads import (
    MIB,
    events,
    open_gateway,
    open_run,
    run_files,
    serve,
    write_random,
)
from weir._spool import Outbox, list_spools
from weir_store.objects.base import MIN_PART_BYTES
from weir_store.objects.keys import blob_key
from weir_store.objects.s3 import S3Objects

__all__ = ["minio", "open_gateway", "start_agent"]

LARGE_GIB = float(os.environ.get("WEIR_TEST_LARGE_GIB", "1"))


@pytest.fixture
def root(tmp_path):
    return tmp_path / "spool"


@pytest.fixture
def door(minio):
    door = Door(("127.0.0.1", minio.port))
    yield door
    door.close()


@pytest.fixture
def objects(door):
    """The real store, seen through a door that tests may shut."""
    return S3Objects(
        f"http://{door.address}",
        "weir",
        access_key=USER,
        secret_key=PASSWORD,
        part_bytes=MIN_PART_BYTES,
        timeout_s=5.0,
    )


@pytest.fixture
def gateway(objects, open_gateway):
    return open_gateway(objects)


def stored_bytes(objects, gateway, name="m", path=None):
    manifest = gateway.shelf.manifests[gateway.shelf.versions[name][-1].digest]
    file = next(each for each in manifest if path in {None, each.path})
    return b"".join(objects.read(blob_key("p", file.sha256)))


def parts_there(minio) -> int:
    """Parts on the store's disk of uploads that were begun."""
    uploads = Path(minio._root) / ".minio.sys" / "multipart"
    return sum(1 for path in uploads.rglob("part.*") if path.suffix != ".meta")


def test_an_agent_that_is_killed_is_followed_by_one_that_goes_on(
    root, minio, gateway, objects, start_agent, tmp_path
):
    agent = serve(start_agent, root)
    run = open_run(root, gateway.address, upload_mb_per_s=6.0)
    file = write_random(tmp_path / "model.bin", 30 * MIB)
    before = parts_there(minio)
    logged = run.log_artifact(file, "m", "model")
    wait_until(lambda: parts_there(minio) >= before + 2)
    agent.kill()
    outbox = Outbox(run._spooler.spool)
    assert outbox.pending() == [1]
    asked = dict(gateway.shelf.asked)
    start_agent(root)  # or the run was quicker, and has started another by itself
    logged.wait(100)
    assert stored_bytes(objects, gateway) == file.read_bytes()
    # It asked what had arrived, and began nothing anew.
    assert gateway.shelf.asked["PrepareBlobs"] == asked["PrepareBlobs"] == 1
    assert gateway.shelf.asked["PartUrls"] > asked.get("PartUrls", 0)
    run.finish(timeout=30)


def test_a_store_that_dies_in_mid_upload_gets_every_byte_once_it_is_back(
    root, minio, gateway, objects, start_agent, tmp_path
):
    serve(start_agent, root)
    run = open_run(root, gateway.address, upload_mb_per_s=8.0)
    file = write_random(tmp_path / "model.bin", 30 * MIB)
    before = parts_there(minio)
    logged = run.log_artifact(file, "m", "model")
    wait_until(lambda: parts_there(minio) > before)
    minio.kill()
    wait_until(lambda: logged.state == "waiting")
    assert "object store" in logged.problem
    minio.start()
    logged.wait(100)
    assert stored_bytes(objects, gateway) == file.read_bytes()
    run.finish(timeout=30)


def test_connections_that_break_in_mid_part_cost_nothing_but_time(
    root, gateway, objects, door, start_agent, tmp_path
):
    serve(start_agent, root)
    run = open_run(root, gateway.address)
    breaks = door.break_next("request", 2 * MIB, marker=b"PUT /weir", left=4)
    answers = door.break_next("answer", 10, marker=b"PUT /weir", left=2)
    for n in range(6):
        write_random(tmp_path / "folder" / f"{n}.bin", 7 * MIB)
    run.log_artifact(tmp_path / "folder", "m", "model").wait(100)
    assert breaks.done + answers.done >= 4
    for n in range(6):
        expected = (tmp_path / "folder" / f"{n}.bin").read_bytes()
        assert stored_bytes(objects, gateway, path=f"{n}.bin") == expected
    run.finish(timeout=30)


def test_a_network_that_swallows_everything_for_a_while_is_waited_out(
    root, gateway, objects, door, start_agent, tmp_path
):
    serve(start_agent, root)
    run = open_run(root, gateway.address)
    door.hold()
    file = write_random(tmp_path / "model.bin", 12 * MIB)
    logged = run.log_artifact(file, "m", "model")
    with pytest.raises(TimeoutError):
        logged.wait(3)
    door.let_go()
    logged.wait(100)
    assert stored_bytes(objects, gateway) == file.read_bytes()
    run.finish(timeout=30)


def test_a_file_that_changes_while_it_is_uploaded_is_named_and_nothing_is_committed(
    root, minio, gateway, start_agent, tmp_path
):
    serve(start_agent, root)
    run = open_run(root, gateway.address, upload_mb_per_s=4.0)
    file = write_random(tmp_path / "model.bin", 20 * MIB)
    before = parts_there(minio)
    logged = run.log_artifact(file, "m", "model", copy=False)
    wait_until(lambda: parts_there(minio) > before)
    with file.open("r+b") as writing:
        writing.write(b"other bytes, same size")
    wait_until(lambda: logged.state == "failed")
    wait_until(lambda: events(gateway, "artifact_failed"))
    assert events(gateway, "artifact_failed")[0].attrs["file"] == "model.bin"
    assert not gateway.shelf.versions.get("m")
    assert run.log_artifact(file, "m", "model").wait(100).version == 0
    run.finish(timeout=30)


def test_bytes_that_did_not_arrive_whole_are_read_and_sent_again(
    root, gateway, objects, start_agent, tmp_path
):
    serve(start_agent, root)
    gateway.shelf.problems = 2
    run = open_run(root, gateway.address)
    file = write_random(tmp_path / "model.bin", 6 * MIB)
    run.log_artifact(file, "m", "model").wait(100)
    assert gateway.shelf.asked["FinishBlobs"] == 3
    assert stored_bytes(objects, gateway) == file.read_bytes()
    run.finish(timeout=30)


def test_a_store_that_refuses_our_signature_is_asked_until_it_is_put_right(
    root, minio, open_gateway, start_agent, tmp_path
):
    gateway = open_gateway(minio.objects(secret_key=PASSWORD))
    good = gateway.shelf.objects
    bad = minio.objects(secret_key="wrong password")
    # The server can look but what it signs is not accepted.
    gateway.shelf.objects = _SignsBadly(good, bad)
    serve(start_agent, root)
    run = open_run(root, gateway.address)
    file = write_random(tmp_path / "small.bin", 1000)
    logged = run.log_artifact(file, "m", "model")
    wait_until(lambda: logged.state == "waiting")
    assert "403" in logged.problem
    gateway.shelf.objects = good
    logged.wait(60)
    run.finish(timeout=30)


class _SignsBadly:
    def __init__(self, good, bad):
        self._good, self._bad = good, bad

    def part_url(self, *args, **more):
        return self._bad.part_url(*args, **more)

    def __getattr__(self, name):
        return getattr(self._good, name)


def test_a_token_that_is_refused_keeps_the_files_for_a_sync_with_another(
    root, minio, open_gateway, start_agent, tmp_path
):
    gateway = open_gateway(minio.objects(), token="good")
    gateway.ledger.token = "good"
    agent = serve(start_agent, root, idle_s=3600)
    run = open_run(root, gateway.address, token="bad")
    file = write_random(tmp_path / "model.bin", 1000)
    logged = run.log_artifact(file, "m", "model")
    run.save(file)
    run.log({"loss": 1.0})
    wait_until(lambda: logged.state == "waiting")
    began_s = time.monotonic()
    run.finish(timeout=2)
    assert time.monotonic() - began_s < 20
    file.unlink()
    assert agent.process.poll() is None
    done = command("sync", str(root), "--token", "good", "--timeout", "60")
    assert done.returncode == 0, done.stdout + done.stderr
    assert agent.process.wait(60) == 0, "a sync asks an agent to end that nobody needs any more"
    assert gateway.shelf.versions["m"][0].files == 1
    wait_until(lambda: "model.bin" in run_files(gateway))
    assert not list(list_spools(root))


def test_training_goes_on_when_the_disk_takes_no_order(minio, open_gateway, tmp_path):
    gateway = open_gateway(minio.objects())
    with tiny_disk(tmp_path / "disk", 512) as disk:
        run = open_run(disk / "spool", gateway.address, agent=False)
        file = write_random(tmp_path / "model.bin", MIB)
        logged = run.log_artifact(file, "m", "model", copy=True)
        assert logged.state == "failed"
        assert "No space left" in logged.problem
        run.log({"loss": 1.0})
        run.finish(timeout=0)


def test_a_download_that_does_not_fit_says_so_and_leaves_no_half_file(
    minio, open_gateway, tmp_path, monkeypatch
):
    monkeypatch.setenv("WEIR_ARTIFACT_CACHE_GB", "0")
    gateway = open_gateway(minio.objects())
    write_random(tmp_path / "source" / "a.bin", 100_000)
    write_random(tmp_path / "source" / "b.bin", 2 * MIB)
    done = command(
        "artifact", "put", str(tmp_path / "source"), "--project", "p", "--name", "m",
        "--server", gateway.address,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    with weir.Api(gateway.address) as api, tiny_disk(tmp_path / "disk", 512) as disk:
        artifact = api.artifact("p/m")
        with pytest.raises(OSError, match="do not fit"):
            artifact.download(disk / "out")
        # Where the disk does not tell, it fills while the bytes come.
        monkeypatch.setattr(shutil, "disk_usage", lambda _: os.terminal_size((0, 1 << 40)))
        monkeypatch.setattr(
            "weir._artifacts.download.shutil.disk_usage",
            lambda _: type("Usage", (), {"free": 1 << 40}),
        )
        with pytest.raises(OSError, match="No space left"):
            artifact.download(disk / "out")
        assert not (disk / "out" / "b.bin").exists()
        monkeypatch.undo()
        artifact.download(tmp_path / "elsewhere")
        assert artifact.verify(tmp_path / "elsewhere")


def test_a_huge_sparse_file_is_uploaded_in_bounded_memory(
    root, open_gateway, start_agent, tmp_path
):
    with local_objects(tmp_path / "objects") as objects:
        objects._part_bytes = 64 * MIB
        gateway = open_gateway(objects)
        agent = psutil.Process(serve(start_agent, root).process.pid)
        run = open_run(root, gateway.address)
        run.log_artifact(write_random(tmp_path / "first", 1000), "first", "file").wait(60)
        before = agent.memory_info().rss
        with (tmp_path / "huge").open("wb") as file:
            file.truncate(int(LARGE_GIB * (1 << 30)))
        logged = run.log_artifact(tmp_path / "huge", "huge", "file")
        highest = before
        while logged.state in {"queued", "waiting"}:
            highest = max(highest, agent.memory_info().rss)
            time.sleep(0.02)
        logged.wait(1)
        print(f"\n{LARGE_GIB} GiB: {before / MIB:.0f} MiB before, {highest / MIB:.0f} MiB at most")
        assert highest - before <= 50 * MIB
        assert gateway.shelf.versions["huge"][0].size_bytes == int(LARGE_GIB * (1 << 30))
        run.finish(timeout=30)


def test_twenty_thousand_small_files_become_one_version(root, open_gateway, start_agent, tmp_path):
    folder = tmp_path / "many"
    for n in range(20_000):
        if n % 1_000 == 0:
            (folder / f"{n // 1_000:02d} ☃").mkdir(parents=True)
        (folder / f"{n // 1_000:02d} ☃" / f"{n:05d}").write_bytes(str(n % 300).encode())
    with local_objects(tmp_path / "objects") as objects:
        gateway = open_gateway(objects)
        serve(start_agent, root)
        run = open_run(root, gateway.address)
        began_s = time.perf_counter()
        logged = run.log_artifact(folder, "many", "dataset")
        print(f"\nlog_artifact of 20 000 files: {time.perf_counter() - began_s:.2f} s")
        shutil.rmtree(folder)
        assert logged.wait(150).version == 0
        version = gateway.shelf.versions["many"][0]
        assert (version.files, len(gateway.shelf.blobs)) == (20_000, 300)
        run.finish(timeout=60)
        wait_until(lambda: not list(list_spools(root)), within_s=60)
