"""Reading artifacts back: whole, checked, resumable, and never outside of the folder they were asked into."""

import json
import os
import shutil
from pathlib import Path

import pytest

import weir
from tests.contract.fixtures_objects import minio, objects
from tests.integration.fixtures_spools import start_agent
from tests.integration.fixtures_spools import weir as command
from tests.integration.fixtures_uploads import MIB, open_gateway, open_run, write_random
from weir_proto.v1 import artifacts_pb2 as pb
from weir_store.objects.keys import blob_key

__all__ = ["minio", "objects", "open_gateway", "start_agent"]


@pytest.fixture
def gateway(objects, open_gateway):
    return open_gateway(objects)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("WEIR_ARTIFACT_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def api(gateway):
    with weir.Api(gateway.address) as api:
        yield api


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "source"
    write_random(folder / "big.bin", 20 * MIB + 5)  # three ranges
    write_random(folder / "sub" / "small.bin", 1000)
    (folder / "empty").write_bytes(b"")
    (folder / "naïve ☃").write_text("text")
    return folder


@pytest.fixture
def stored(gateway, folder):
    done = command(
        "artifact", "put", str(folder), "--project", "p", "--name", "m", "--type", "model",
        "--alias", "best", "--server", gateway.address,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def same(one: Path, other: Path) -> bool:
    names = sorted(p.relative_to(one) for p in one.rglob("*") if p.is_file())
    there = sorted(p.relative_to(other) for p in other.rglob("*") if p.is_file())
    return names == there and all(
        (one / name).read_bytes() == (other / name).read_bytes() for name in names
    )


def gets(gateway) -> int:
    return gateway.shelf.asked.get("BlobUrls", 0)


def test_what_was_put_comes_back_byte_for_byte(api, stored, folder, tmp_path):
    artifact = api.artifact("p/m:best")
    assert (artifact.path, artifact.version) == ("p/m:v0", 0)
    assert artifact.download(tmp_path / "out") == str(tmp_path / "out")
    assert same(folder, tmp_path / "out")
    assert artifact.verify(tmp_path / "out")
    assert [file.path for file in artifact.files] == [
        "big.bin", "empty", "naïve ☃", "sub/small.bin",
    ]  # fmt: skip


def test_a_run_uses_an_artifact_without_loading_grpc(
    gateway, stored, folder, tmp_path, start_agent
):
    import subprocess
    import sys

    script = (
        "import sys; from pathlib import Path\n"
        "from tests.integration.fixtures_uploads import open_run\n"
        "del sys.modules['grpc']\n"
        f"run = open_run(Path({str(tmp_path / 'spool')!r}), {gateway.address!r}, agent=False)\n"
        "artifact = run.use_artifact('m:best')\n"
        f"path = artifact.download({str(tmp_path / 'out')!r})\n"
        "assert artifact.verify(path)\n"
        "assert 'grpc' not in sys.modules and 'urllib3.connection' not in artifact.__dict__\n"
        "print(run.id, artifact.path, artifact.type)\n"
        "run.finish(timeout=0)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 0, done.stderr
    run_id, path, kind = done.stdout.split()
    assert (path, kind) == ("p/m:v0", "model")
    assert gateway.shelf.used == [(run_id, "m", 0)]
    assert same(folder, tmp_path / "out")


def test_a_disabled_run_reads_and_nothing_is_noted(gateway, stored, tmp_path):
    run = open_run(tmp_path / "spool", gateway.address, mode="disabled")
    path = run.use_artifact("p/m:v0").get_path("sub/small.bin", tmp_path / "out")
    assert Path(path).stat().st_size == 1000
    assert gateway.shelf.used == []
    run.finish()


def test_a_version_that_is_not_there_is_said_in_one_line(gateway, stored, tmp_path):
    run = open_run(tmp_path / "spool", gateway.address, agent=False)
    with pytest.raises(weir.errors.Rejected, match="no artifact m:v7"):
        run.use_artifact("m:v7")
    run.finish(timeout=0)


def test_what_is_there_and_whole_is_not_fetched_again(api, gateway, stored, tmp_path, monkeypatch):
    monkeypatch.setenv("WEIR_ARTIFACT_CACHE_GB", "0")
    artifact = api.artifact("p/m")
    artifact.download(tmp_path / "out")
    before = gets(gateway)
    artifact.download(tmp_path / "out")
    assert gets(gateway) == before
    (tmp_path / "out" / "sub" / "small.bin").write_bytes(b"x" * 1000)
    artifact.download(tmp_path / "out")
    assert gets(gateway) == before + 1
    assert artifact.verify(tmp_path / "out")


def test_a_download_goes_on_where_it_broke_off(api, stored, folder, tmp_path, monkeypatch):
    from weir._artifacts import download
    from weir._artifacts.getting import Getter

    monkeypatch.setenv("WEIR_ARTIFACT_CACHE_GB", "0")
    monkeypatch.setattr(download, "_THREADS", 2)
    read, got = Getter.read, []

    def broken(self, url, first, length):
        for chunk in read(self, url, first, length):
            if sum(got) > 17 * MIB:
                raise OSError(5, "the disk, say")
            got.append(len(chunk))
            yield chunk

    monkeypatch.setattr(Getter, "read", broken)
    artifact = api.artifact("p/m")
    with pytest.raises(OSError, match="the disk, say"):
        artifact.download(tmp_path / "out")
    assert not (tmp_path / "out" / "big.bin").exists()
    got.clear()
    counted = []

    def counting(self, url, first, length):
        for chunk in read(self, url, first, length):
            counted.append(len(chunk))
            yield chunk

    monkeypatch.setattr(Getter, "read", counting)
    artifact.download(tmp_path / "out")
    assert same(folder, tmp_path / "out")
    assert sum(counted) <= 12 * MIB + 1_009  # one range at least had come whole


def test_a_part_that_was_tampered_with_is_fetched_anew(api, gateway, stored, folder, tmp_path):
    artifact = api.artifact("p/m")
    artifact.download(tmp_path / "first")
    (file,) = [file for file in artifact.files if file.path == "sub/small.bin"]
    import zlib

    part = f".{file.sha256[:16]}-{zlib.crc32(b'small.bin'):08x}.weir-part"
    (tmp_path / "out" / "sub").mkdir(parents=True)
    (tmp_path / "out" / "sub" / part).write_bytes(b"rubbish")
    shutil.rmtree(tmp_path / "cache")
    artifact.download(tmp_path / "out")
    assert same(folder, tmp_path / "out")


def test_the_cache_saves_the_second_download(api, gateway, stored, folder, tmp_path):
    artifact = api.artifact("p/m")
    artifact.download(tmp_path / "one")
    before = gets(gateway)
    artifact.download(tmp_path / "two")
    assert gets(gateway) == before + 1 or gets(gateway) == before  # the empty file is not kept
    assert same(folder, tmp_path / "two")


def test_a_cached_file_that_was_written_to_is_not_believed(api, stored, folder, tmp_path, cache):
    artifact = api.artifact("p/m")
    artifact.download(tmp_path / "one")
    linked = tmp_path / "one" / "sub" / "small.bin"
    linked.chmod(0o644)
    linked.write_bytes(b"y" * 1000)
    artifact.download(tmp_path / "two")
    assert same(folder, tmp_path / "two")


def test_the_cache_stays_within_its_size(api, stored, tmp_path, cache, monkeypatch):
    monkeypatch.setenv("WEIR_ARTIFACT_CACHE_GB", "0.00001")
    api.artifact("p/m").download(tmp_path / "one")
    size = sum(p.stat().st_size for p in cache.rglob("*") if p.is_file())
    assert 0 < size <= 10_000


def test_bytes_that_are_not_those_that_were_stored_are_refused(api, gateway, stored, tmp_path):
    artifact = api.artifact("p/m")
    (file,) = [file for file in artifact.files if file.path == "sub/small.bin"]
    import io

    gateway.shelf.objects.write(blob_key("p", file.sha256), io.BytesIO(b"z" * 1000), 1000)
    with pytest.raises(weir.errors.NotAsStored, match=r"sub/small\.bin"):
        artifact.download(tmp_path / "out")
    assert not (tmp_path / "out" / "sub" / "small.bin").exists()


HOSTILE = [
    "../escaped", "/tmp/weir-escaped", "a/../../escaped", "a//b", "./a", "C:/x", "a\\..\\b",
    "a/\x00b", "",
]  # fmt: skip


@pytest.mark.parametrize("path", HOSTILE)
def test_hostile_names_in_a_manifest_are_refused_before_anything_is_written(
    api, gateway, stored, tmp_path, path
):
    version = gateway.shelf.versions["m"][0]
    good = gateway.shelf.manifests[version.digest][-1]
    bad = pb.ManifestFile(path=path, sha256=good.sha256, size_bytes=good.size_bytes)
    gateway.shelf.manifests[version.digest].append(bad)
    root = tmp_path / "deep" / "out"
    with pytest.raises(weir.errors.NotAsStored, match="refused"):
        api.artifact("p/m").download(root)
    assert not root.exists()
    assert not (tmp_path / "deep" / "escaped").exists()


def test_names_that_differ_only_in_how_unicode_writes_them_are_refused(
    api, gateway, stored, tmp_path
):
    version = gateway.shelf.versions["m"][0]
    good = gateway.shelf.manifests[version.digest][-1]
    for path in ("caf\u00e9", "cafe\u0301"):
        gateway.shelf.manifests[version.digest].append(
            pb.ManifestFile(path=path, sha256=good.sha256, size_bytes=good.size_bytes)
        )
    with pytest.raises(weir.errors.NotAsStored, match="clash"):
        api.artifact("p/m").download(tmp_path / "out")


def test_nothing_is_written_through_a_link_that_lies_in_the_folder(api, stored, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    root = tmp_path / "out"
    root.mkdir()
    (root / "sub").symlink_to(outside)
    with pytest.raises(weir.errors.NotAsStored, match="link"):
        api.artifact("p/m").download(root)
    assert not list(outside.iterdir())
    (root / "sub").unlink()
    (root / "empty").unlink(missing_ok=True)
    (root / "empty").symlink_to(outside / "target")
    api.artifact("p/m").download(root)
    assert not (outside / "target").exists()
    assert not (root / "empty").is_symlink()


def test_references_are_listed_and_not_fetched(api, gateway, stored, tmp_path):
    version = gateway.shelf.versions["m"][0]
    gateway.shelf.manifests[version.digest].append(
        pb.ManifestFile(path="far", uri="s3://bucket/key", size_bytes=5)
    )
    artifact = api.artifact("p/m")
    artifact.download(tmp_path / "out")
    assert not (tmp_path / "out" / "far").exists()
    assert artifact.verify(tmp_path / "out")
    with pytest.raises(weir.errors.UsageError, match="s3://bucket/key"):
        artifact.get_path("far", tmp_path / "out")


def test_a_folder_that_cannot_be_made_is_said_in_one_line(gateway, stored, tmp_path):
    (tmp_path / "file").touch()
    out = str(tmp_path / "file" / "out")
    done = command("artifact", "get", "p/m:v0", out, "--server", gateway.address)
    assert done.returncode == 1
    assert "it cannot be written" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_command_line_does_all_of_it(gateway, stored, folder, tmp_path):
    def ask(*words: str) -> object:
        done = command(*words, "--server", gateway.address, "--json")
        assert done.returncode in {0, 1}, done.stderr
        return json.loads(done.stdout)

    assert stored.startswith("p/m:v0 (4 files, 20.0 MiB)")
    assert [each["path"] for each in ask("artifact", "ls", "p")] == ["p/m:v0"]
    assert [each["version"] for each in ask("artifact", "ls", "p/m")] == [0]
    assert len(ask("artifact", "ls", "p/m:v0")["files"]) == 4
    assert "prod" in ask("artifact", "alias", "p/m:v0", "--add", "prod")["aliases"]
    out = str(tmp_path / "out")
    assert ask("artifact", "get", "p/m:prod", out)["path"] == out
    assert ask("artifact", "verify", "p/m:prod", out)["ok"] is True
    os.chmod(tmp_path / "out" / "naïve ☃", 0o644)
    (tmp_path / "out" / "naïve ☃").write_text("other")
    (tmp_path / "out" / "empty").unlink()
    (tmp_path / "out" / "more").touch()
    told = ask("artifact", "verify", "p/m:prod", out)
    assert told == {"ok": False, "missing": ["empty"], "changed": ["naïve ☃"], "extra": ["more"]}
    assert ask("model", "register", "resnet", "p/m:v0", "--note", "first")["version"] == 1
    assert ask("model", "promote", "p/resnet", "1", "production")["stage"] == "production"
    assert [each["stage"] for each in ask("model", "ls", "p")] == ["production"]
    assert ask("artifact", "gc", "p", "--dry-run")["size_bytes"] == 3_000
    assert ask("artifact", "lineage", "p/m:v0")[0]["artifact"] == "p/m:v0"
    assert ask("artifact", "rm", "p/m", "--all") == {"versions": 1}
