"""Artifacts as people use them: a run logs files, another reads them, a person promotes the model."""

import hashlib
import os
from pathlib import Path

import pytest

import weir
from tests.e2e.fixtures_up import EmbeddedWeir, wait_until
from tests.integration.fixtures_uploads import MIB, open_run, write_random


@pytest.fixture(autouse=True)
def no_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEIR_ARTIFACT_CACHE_GB", "0")


def test_a_checkpoint_goes_from_one_run_to_another_and_into_the_registry(
    embedded_weir: EmbeddedWeir, tmp_path: Path
) -> None:
    gateway = embedded_weir.gateway
    folder = tmp_path / "checkpoint"
    write_random(folder / "weights.bin", 9 * MIB)
    write_random(folder / "sub" / "naïve ☃.bin", 1_000)
    made = open_run(tmp_path / "spool", gateway)
    artifact = weir.Artifact("ckpt", "model", "of a test", {"epoch": 3})
    artifact.add_dir(folder)
    artifact.add_reference("s3://bucket/data", size=5, etag="e")
    logged = made.log_artifact(artifact, aliases=["best"], tags=["t"]).wait(120)
    assert logged.version == 0
    made.save(folder / "sub")
    made.finish(timeout=60)

    read = open_run(tmp_path / "spool", gateway)
    used = read.use_artifact("ckpt:best")
    assert (used.path, used.run_id, used.metadata) == ("p/ckpt:v0", made.id, {"epoch": 3})
    out = Path(used.download(tmp_path / "out"))
    assert used.verify(out)
    assert (out / "weights.bin").read_bytes() == (folder / "weights.bin").read_bytes()
    os.replace(write_random(tmp_path / "new", 2_000), folder / "sub" / "naïve ☃.bin")
    again = read.log_model(folder, "ckpt", registered_name="resnet").wait(120)
    assert again.version == 1
    read.finish(timeout=60)

    with weir.Api(gateway) as api:
        assert [each.version for each in api.versions("p/ckpt")] == [1, 0]
        edges = {(e.run_id, e.artifact, e.is_output) for e in api.lineage("p/ckpt:v0")}
        assert edges >= {(made.id, "p/ckpt:v0", True), (read.id, "p/ckpt:v0", False)}
        assert api.promote("p/resnet", 1, "production", note="good").stage == "production"
        assert [m.artifact for m in api.models("p")] == ["p/ckpt:v1"]
        digest = hashlib.sha256((out / "weights.bin").read_bytes()).hexdigest()
        files = {file.path: file for file in api.artifact("p/ckpt:v1").files}
        assert files["weights.bin"].sha256 == digest


def test_twelve_thousand_files_are_one_version_of_the_real_server(
    embedded_weir: EmbeddedWeir, tmp_path: Path
) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    for n in range(12_000):
        (folder / f"{n:05d}").write_text(str(n % 40))
    run = open_run(tmp_path / "spool", embedded_weir.gateway)
    logged = run.log_artifact(folder, "many", "dataset").wait(150)
    run.finish(timeout=60)
    with weir.Api(embedded_weir.gateway) as api:
        artifact = api.artifact("p/many")
        assert (artifact.digest, len(artifact.files)) == (logged.digest, 12_000)
    wait_until(
        lambda: not list((tmp_path / "spool").glob("*/*/*/meta.json")), "the spool is removed"
    )
