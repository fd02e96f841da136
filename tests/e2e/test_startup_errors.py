"""What keeps Weir from starting: told in one line that names the cure, before any harm is done."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.fixtures_up import EmbeddedWeir, up_command

PORTS = (
    "gateway.port",
    "gateway.metrics_port",
    "gateway.sql_port",
    "objects.door_port",
    "writer.metrics_port",
    "rules.metrics_port",
    "engine.port",
    "dashboard.port",
)
SERVICES = {
    "gateway": ("gateway.port", "gateway.metrics_port", "gateway.sql_port", "objects.door_port"),
    "writer": ("writer.metrics_port",),
    "rules": ("rules.metrics_port",),
    "engine": ("engine.port",),
    "dashboard": ("dashboard.port",),
}


def run(command: list[str], folder: Path, **environment: str) -> str:
    """Run a command that cannot start; return what it wrote to stderr."""
    done = subprocess.run(
        command,
        env={**os.environ, **environment},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert done.returncode == 1, f"exit code {done.returncode}: {done.stdout}{done.stderr}"
    assert "Traceback" not in done.stdout + done.stderr
    return done.stderr


def up(folder: Path, *flags: str, data_dir: Path | None = None, **environment: str) -> str:
    return run(up_command(data_dir or folder / "data", *flags), folder, **environment)


def one_line(said: str) -> str:
    """Return the only line that was said, gRPC's own word on ports aside."""
    (line,) = [line for line in said.splitlines() if "add_port.cc" not in line]
    assert line.startswith("weir"), line
    return line


def flag(setting: str) -> str:
    return f"--{setting.replace('_', '-')}"


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        yield holder.getsockname()[1]


# ── settings ───────────────────────────────────────────────────────────────


def test_all_faults_of_the_settings_are_told_together_before_anything_is_made(
    tmp_path: Path,
) -> None:
    (tmp_path / "weir.toml").write_text("[writer]\nlease_s = 'long'\n[gateway]\nprot = 1\n")
    said = up(
        tmp_path,
        "--stream.shards", "0",
        "--engine.port", "banana",
        WEIR_LOG__LEVEL="loud",
        WEIR_GATWAY__PORT="1",
    )  # fmt: skip
    faults = (
        "writer.lease_s = 'long' (weir.toml)",
        "gateway.prot (weir.toml): there is no such setting; did you mean gateway.port?",
        "stream.shards = '0' (flag)",
        "engine.port = 'banana' (flag)",
        "log.level = 'loud' (environment)",
        "WEIR_GATWAY__PORT (environment): there is no group gatway; did you mean gateway?",
    )
    for fault in faults:
        assert fault in said
    assert sorted(path.name for path in tmp_path.iterdir()) == ["weir.toml"]


def test_a_settings_file_that_is_no_toml_is_named_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "weir.toml").write_bytes(b"[gateway]\n\xff\x00 = = nonsense")
    assert "weir.toml" in up(tmp_path)
    (tmp_path / "weir.toml").write_text("[gateway]\nport = = 1\n")
    said = up(tmp_path)
    assert "weir.toml" in said
    assert "line 2" in said


def test_a_settings_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert "nowhere.toml: no such file" in up(tmp_path, WEIR_CONFIG="nowhere.toml")


# ── ports ──────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("setting", PORTS)
def test_up_names_the_setting_of_a_taken_port_and_who_has_it(
    setting: str, taken_port: int, tmp_path: Path
) -> None:
    line = one_line(up(tmp_path, flag(setting), str(taken_port)))
    assert f"{setting} {taken_port} is taken by" in line
    assert f"pid {os.getpid()}" in line


def test_up_names_every_taken_port_at_once(taken_port: int, tmp_path: Path) -> None:
    flags = [word for setting in PORTS for word in (flag(setting), str(taken_port))]
    line = one_line(up(tmp_path, *flags))
    assert all(f"{setting} {taken_port}" in line for setting in PORTS)


@pytest.mark.parametrize(
    ("service", "setting"), [(name, port) for name, ports in SERVICES.items() for port in ports]
)
def test_a_service_alone_names_the_setting_of_a_taken_port(
    service: str, setting: str, taken_port: int, tmp_path: Path, embedded_weir: EmbeddedWeir
) -> None:
    environment = {**doors(embedded_weir), "WEIR_ENGINE__PATH": str(tmp_path / "engine")}
    command = [*serve(service), flag(setting), str(taken_port)]
    line = one_line(run(command, tmp_path, **environment))
    assert str(taken_port) in line
    assert setting in line


# ── engines ────────────────────────────────────────────────────────────────


def test_up_without_a_redis_server_says_how_to_get_one(tmp_path: Path) -> None:
    line = one_line(up(tmp_path, "--up.redis-server", str(tmp_path / "none")))
    assert "no redis-server 6.2 or newer" in line
    assert "pip install" in line


def test_up_without_chdb_ends_with_the_engine_s_last_words(tmp_path: Path) -> None:
    (tmp_path / "chdb.py").write_text("raise ImportError(\"No module named 'chdb'\")\n")
    line = one_line(up(tmp_path, PYTHONPATH=str(tmp_path)))
    assert "No module named 'chdb'" in line
    assert "engine.log" in line


@pytest.mark.parametrize("service", ["gateway", "writer", "rules"])
def test_a_wrong_clickhouse_password_ends_the_start(
    service: str, tmp_path: Path, embedded_weir: EmbeddedWeir
) -> None:
    environment = {**doors(embedded_weir), "WEIR_CLICKHOUSE__PASSWORD": "wrong"}
    line = one_line(run(serve(service), tmp_path, **environment))
    assert "check clickhouse.user and clickhouse.password" in line


def test_a_wrong_clickhouse_password_ends_a_migration(
    tmp_path: Path, embedded_weir: EmbeddedWeir
) -> None:
    environment = {**doors(embedded_weir), "WEIR_CLICKHOUSE__PASSWORD": "wrong"}
    line = one_line(run([*weir(), "migrate"], tmp_path, **environment))
    assert "check clickhouse.user and clickhouse.password" in line


def test_a_writer_without_its_tables_says_to_migrate(
    tmp_path: Path, embedded_weir: EmbeddedWeir
) -> None:
    environment = {**doors(embedded_weir), "WEIR_CLICKHOUSE__DATABASE": "unmade"}
    (line,) = run(serve("writer"), tmp_path, **environment).splitlines()
    assert "weir migrate" in line


@pytest.mark.parametrize("service", ["gateway", "writer", "rules"])
def test_a_redis_that_is_away_ends_the_start(
    service: str, tmp_path: Path, embedded_weir: EmbeddedWeir
) -> None:
    environment = {**doors(embedded_weir), "WEIR_STREAM__URL": "redis://127.0.0.1:1/0"}
    line = one_line(run(serve(service), tmp_path, **environment))
    assert "redis://127.0.0.1:1/0" in line


# ── the disk ───────────────────────────────────────────────────────────────


def test_a_data_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    line = one_line(up(tmp_path, data_dir=tmp_path / "file" / "data"))
    assert f"cannot write to the data directory {tmp_path / 'file' / 'data'}" in line
    assert "--data-dir" in line


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_data_directory_that_may_not_be_written_is_named(tmp_path: Path) -> None:
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    assert "cannot write to the data directory" in one_line(up(tmp_path, data_dir=locked / "data"))


def test_a_full_disk_is_told_in_one_line(small_disk: Path) -> None:
    line = one_line(up(small_disk, data_dir=small_disk / "data"))
    assert "MiB are free on the disk of" in line
    assert "free at least" in line


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 16 MiB; only root may mount one."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("needs root and the right to mount a tmpfs")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def weir() -> list[str]:
    return [sys.executable, "-P", "-m", "weir_server"]


def serve(service: str) -> list[str]:
    return [*weir(), "serve", service]


def doors(running: EmbeddedWeir) -> dict[str, str]:
    """The environment of a service that joins a running Weir, on free ports."""
    store = running.state["clickhouse"]
    free = {f"WEIR_{setting.replace('.', '__').upper()}": "0" for setting in PORTS}
    return {
        **free,
        "WEIR_STREAM__URL": running.state["stream"],
        "WEIR_CLICKHOUSE__URL": store["url"],
        "WEIR_CLICKHOUSE__USER": store["user"],
        "WEIR_CLICKHOUSE__PASSWORD": store["password"],
    }
