"""Logging artifacts and files from a run: what it costs, what it leaves for the agent, what it refuses."""

import hashlib
import json
import os
import sys
from datetime import timedelta

import pytest

import weir
from weir._artifacts.manifest import ManifestFile, manifest_digest
from weir._spool import Outbox, SpoolDir
from weir.errors import RunFinished, UsageError


@pytest.fixture
def run(tmp_path):
    run = weir.init("p", mode="offline", dir=tmp_path / "spool", settings={"agent": False})
    yield run
    run.finish(timeout=0)


def orders(run):
    outbox = Outbox(SpoolDir(run._spooler.spool.path))
    return [outbox.read(number) for number in outbox.pending()]


def test_an_artifact_becomes_an_order_that_holds_its_bytes(run, tmp_path):
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "a.bin").write_bytes(b"abc")
    artifact = weir.Artifact("m", "model", "words", {"lr": 0.1, "path": tmp_path, "bad": {1, 2}})
    artifact.add_dir(tmp_path / "d", name="sub")
    artifact.add_reference("s3://b/k", size=3, checksum="c")
    logged = run.log_artifact(artifact, aliases=["best"], tags="one", ttl=timedelta(hours=1))
    assert (logged.state, logged.version, logged.problem) == ("queued", None, "")
    (order,) = orders(run)
    assert order["metadata"] == {"lr": 0.1, "path": str(tmp_path), "bad": [1, 2]}
    assert (order["aliases"], order["tags"], order["ttl_s"]) == (["best"], ["one"], 3600)
    assert order["references"] == [{"path": "k", "uri": "s3://b/k", "size": 3, "etag": "c"}]
    (file,) = order["files"]
    assert (file["path"], file["size"]) == ("sub/a.bin", 3)
    assert file["mtime_ns"] == (tmp_path / "d" / "a.bin").stat().st_mtime_ns
    outbox = Outbox(run._spooler.spool)
    assert outbox.source_path(file["source"]).read_bytes() == b"abc"


def test_the_training_process_loads_no_network_and_no_hashing_to_log_files(tmp_path, run_script):
    (tmp_path / "f").write_text("x")
    done = run_script(
        "import sys, weir\n"
        "run = weir.init('p', settings={'agent': False, 'console': 'off', 'record_seeds': False})\n"
        "run.log_artifact('f'); run.save('f'); run.log_model('f')\n"
        "heavy = {'grpc', 'urllib3', 'rich'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
        "run.finish(timeout=0)\n"
    )
    assert done.returncode == 0, done.stderr


def test_a_file_that_is_made_for_the_artifact_lives_as_long_as_its_order(run, monkeypatch):
    artifact = weir.Artifact("notes", "text")
    with artifact.new_file("a.txt") as file:
        file.write("ä")
    with artifact.new_file("b.bin", "wb") as file:
        file.write(b"\x00")
    run.log_artifact(artifact)
    folder = artifact._folder
    del artifact, file
    (order,) = orders(run)
    outbox = Outbox(run._spooler.spool)
    assert not os.path.exists(folder)
    found = {f["path"]: outbox.source_path(f["source"]).read_bytes() for f in order["files"]}
    assert found == {"a.txt": "ä".encode(), "b.bin": b"\x00"}


def test_a_file_half_made_is_not_added():
    artifact = weir.Artifact("notes", "text")
    with pytest.raises(ZeroDivisionError), artifact.new_file("a.txt"):
        raise ZeroDivisionError
    assert not artifact.files


def test_mistakes_are_told_where_they_are_made(run, tmp_path):
    file = tmp_path / "f"
    file.touch()
    artifact = weir.Artifact("m", "model")
    for mistake in (
        lambda: weir.Artifact("a b", "model"),
        lambda: weir.Artifact("m", ""),
        lambda: weir.Artifact("m", "two words"),
        lambda: artifact.add_file(tmp_path / "none"),
        lambda: artifact.add_file(tmp_path),
        lambda: artifact.add_file(file, "../up"),
        lambda: artifact.add_dir(file),
        lambda: artifact.add_reference("no address"),
        lambda: run.log_artifact(file, aliases=["v3"]),
        lambda: run.log_artifact(file, ttl=-1),
        lambda: run.log_artifact(artifact, name="other"),
        lambda: run.log_artifact(tmp_path / "none"),
        lambda: run.save(tmp_path / "none*"),
        lambda: run.save(file, policy="often"),
        lambda: run.save(file, base_path=tmp_path / "below"),
    ):
        with pytest.raises(UsageError):
            mistake()
    assert orders(run) == []
    assert not list((run._spooler.spool.outbox_path).glob("held/*"))


def test_files_that_clash_are_refused_and_nothing_is_held(run, tmp_path):
    (tmp_path / "f").touch()
    artifact = weir.Artifact("m", "model")
    artifact.add_file(tmp_path / "f", "caf\u00e9")
    artifact.add_file(tmp_path / "f", "cafe\u0301")
    with pytest.raises(UsageError, match="clash"):
        run.log_artifact(artifact)
    assert orders(run) == []


def test_a_file_that_went_before_it_was_logged_leaves_nothing_behind(run, tmp_path):
    for name in "ab":
        (tmp_path / name).touch()
    artifact = weir.Artifact("m", "model")
    artifact.add_file(tmp_path / "a")
    artifact.add_file(tmp_path / "b")
    (tmp_path / "b").unlink()
    with pytest.raises(UsageError, match="gone"):
        run.log_artifact(artifact)
    assert not list((run._spooler.spool.outbox_path).glob("held/*"))


def test_a_full_disk_is_no_error_of_the_training(run, tmp_path, monkeypatch):
    (tmp_path / "f").touch()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Outbox, "put", full)
    logged = run.log_artifact(tmp_path / "f")
    assert logged.state == "failed"
    with pytest.raises(weir.errors.UploadFailed, match="No space left"):
        logged.wait(1)


def test_a_disabled_run_takes_artifacts_and_keeps_nothing(tmp_path):
    (tmp_path / "f").touch()
    run = weir.init("p", mode="disabled", dir=tmp_path / "spool")
    assert run.log_artifact(tmp_path / "f").state == "disabled"
    assert run.log_artifact(tmp_path / "f").wait().version is None
    assert run.save(tmp_path / "f") == ["f"]
    assert not (tmp_path / "spool").exists()
    run.finish()


def test_a_finished_run_takes_no_files(run, tmp_path):
    (tmp_path / "f").touch()
    run.finish(timeout=0)
    with pytest.raises(RunFinished):
        run.log_artifact(tmp_path / "f")


def test_the_agents_answer_is_the_handles(run, tmp_path):
    (tmp_path / "f").touch()
    logged = run.log_artifact(tmp_path / "f")
    with pytest.raises(TimeoutError, match="not stored yet"):
        logged.wait(0.01)
    outbox = Outbox(run._spooler.spool)
    outbox.note_progress({"trouble": "the server is away"})
    assert (logged.state, logged.problem) == ("waiting", "the server is away")
    outbox.settle(1, [], {"ok": True, "version": 7, "digest": "d"})
    assert logged.wait(5) is logged
    assert (logged.state, logged.version, logged.digest) == ("stored", 7, "d")


def test_saved_names_are_relative_to_where_the_pattern_begins(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("conf/a/x.yaml", "conf/y.yaml", "conf/z.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert run.save("conf/**/*.yaml") == ["a/x.yaml", "y.yaml"]
    assert run.save("conf/y.yaml", base_path=".") == ["conf/y.yaml"]
    assert run.save("conf") == ["a/x.yaml", "y.yaml", "z.txt"]
    assert run.save("conf/*.log", policy="end") == []
    assert [order["order"] for order in orders(run)] == ["files"] * 3 + ["watch"]
    assert orders(run)[-1]["base"] == str(tmp_path / "conf")


def test_functions_of_the_module_mean_the_current_run(run, tmp_path):
    (tmp_path / "f").touch()
    weir.log_artifact(tmp_path / "f", "one", "file")
    weir.log_model(tmp_path / "f", "two", registered_name="resnet")
    weir.save(tmp_path / "f")
    assert [order.get("name") for order in orders(run)] == ["one", "two", None]
    assert orders(run)[1]["register_as"] == "resnet"


def test_a_forked_child_leaves_its_files_with_its_own_producer(tmp_path, run_script):
    (tmp_path / "f").write_text("x")
    done = run_script(
        "import os, weir\n"
        "run = weir.init('p', settings={'agent': False, 'console': 'off', 'record_seeds': False})\n"
        "run.log_artifact('f')\n"
        "if os.fork() == 0:\n"
        "    run.log_artifact('f'); run.finish(timeout=1); os._exit(0)\n"
        "assert os.wait()[1] == 0\n"
        "run.finish(timeout=1)\n"
    )
    assert done.returncode == 0, done.stderr
    boxes = list((tmp_path / "spool").glob("*/*/*/outbox"))
    assert sorted(len(list(box.glob("*.json"))) for box in boxes) == [1, 1]


def test_the_digest_is_over_a_line_of_json_for_each_file_by_path():
    files = [
        ManifestFile("b ☃", "0" * 64, 3),
        ManifestFile("a", uri="s3://b/k", etag="e", size_bytes=5),
    ]
    text = '["a","ref:s3://b/k#e",5]\n' + json.dumps(["b ☃", "0" * 64, 3], ensure_ascii=False)
    text = text.replace('", ', '",')
    expected = hashlib.sha256((text + "\n").encode()).hexdigest()
    assert manifest_digest(files) == manifest_digest(files[::-1]) == expected


def test_client_and_server_make_the_same_digest():
    records = pytest.importorskip("weir_store.artifacts.records")
    from weir_store.artifacts.manifest import digest_of

    files = [
        ("z/ä", "1" * 64, 0, "", "", ""),
        ("Z", "", 9, "", "https://x/y?z", "e#1"),
        ('q"\\', "f" * 64, 1 << 40, "text/plain", "", ""),
    ]
    ours = manifest_digest(ManifestFile(*each) for each in files)
    assert ours == digest_of(records.ManifestFile(*each) for each in files)


@pytest.mark.skipif(sys.platform != "linux", reason="counts system calls")
def test_a_large_artifact_is_logged_without_reading_a_byte(run, tmp_path, monkeypatch):
    monkeypatch.setattr("weir._artifacts.staging.COPIED_BYTES", 4_999_999)
    file = tmp_path / "f"
    file.write_bytes(b"x" * 5_000_000)
    os.utime(file, ns=(1_000_000_000, 2_000_000_000))  # reading would move the first of these
    run.log_artifact(file)
    assert file.stat().st_atime_ns == 1_000_000_000


def test_a_small_artifact_may_be_written_into_once_it_is_logged(run, tmp_path):
    file = tmp_path / "checkpoint.pt"
    file.write_bytes(b"first")
    logged = run.log_artifact(file)
    with file.open("r+b") as opened:  # as torch.save does: the same file again
        opened.write(b"other")
    outbox = Outbox(run._spooler.spool)
    (held,) = outbox.read(logged._number)["files"]
    assert (outbox.path / held["source"]).read_bytes() == b"first"


def test_an_artifact_of_many_files_is_linked_not_copied(run, tmp_path):
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(65):
        (folder / f"{number}").write_text("x")
    run.log_artifact(folder)
    assert (folder / "0").stat().st_nlink == 2
