"""The server's commands as people type them, in fresh interpreters."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

MODULE = [sys.executable, "-P", "-m", "weir_server"]


def weir(
    *words: str, cwd: Path, code: int = 0, **environment: str
) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("WEIR_")}
    done = subprocess.run(
        [*MODULE, *words],
        cwd=cwd,
        env={**kept, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done


def test_config_tells_each_value_and_its_source_and_masks_secrets(tmp_path: Path) -> None:
    (tmp_path / "weir.toml").write_text("[clickhouse]\npassword = 'opensesame'\n")
    done = weir("config", "--json", "--gateway.port", "7800", cwd=tmp_path, WEIR_LOG__LEVEL="debug")
    found = json.loads(done.stdout)
    assert found["gateway.port"] == {"value": "7800", "source": "flag"}
    assert found["log.level"] == {"value": "debug", "source": "environment"}
    assert found["clickhouse.password"]["source"] == "weir.toml"
    assert found["engine.port"] == {"value": "7702", "source": "default"}
    assert "opensesame" not in done.stdout


@pytest.mark.parametrize(
    "words",
    [
        *(("serve", name) for name in ("gateway", "writer", "rules", "engine")),
        ("up",),
        ("migrate",),
    ],
)
def test_wrong_settings_end_every_command_before_a_port_opens(
    words: tuple[str, ...], tmp_path: Path
) -> None:
    done = weir(*words, "--log.level", "loud", cwd=tmp_path, code=1, WEIR_GATEWAY__PORT="-1")
    assert "log.level = 'loud' (flag)" in done.stderr
    assert "gateway.port = '-1' (environment)" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_up_on_a_taken_port_names_the_setting_and_leaves_nothing_running(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        done = weir(
            "up", "--data-dir", "d", "--port", str(port), "--engine.port", "0", "--dashboard.port",
            "0", "--gateway.metrics-port", "0", "--writer.metrics-port", "0",
            "--rules.metrics-port", "0", "--gateway.sql-port", "0", cwd=tmp_path, code=1,
        )  # fmt: skip
    assert done.stderr.startswith(f"weir: gateway.port {port} is taken by ")
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "d" / "weir-up.json").exists()


def test_up_without_a_redis_is_one_line(tmp_path: Path) -> None:
    done = weir("up", "--up.redis-server", "/nowhere/redis", cwd=tmp_path, code=1)
    assert len(done.stderr.splitlines()) == 1
    assert "/nowhere/redis cannot be run" in done.stderr


def test_up_in_a_directory_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = weir("up", "--data-dir", "file/d", cwd=tmp_path, code=1)
    assert len(done.stderr.splitlines()) == 1
    assert "up.data_dir" in done.stderr


def test_migrate_without_a_clickhouse_is_one_line(tmp_path: Path) -> None:
    done = weir("migrate", "--clickhouse.url", "http://127.0.0.1:9", cwd=tmp_path, code=1)
    assert len(done.stderr.splitlines()) == 1


def test_a_token_is_shown_once_listed_and_revoked(tmp_path: Path) -> None:
    made = weir("token", "create", "--name", "ci", "--project", "vision", cwd=tmp_path)
    secret = made.stdout.strip()
    assert secret.startswith("weir_")
    assert secret not in (tmp_path / "tokens.toml").read_text()
    assert weir("token", "list", cwd=tmp_path).stdout.split() == ["ci", "writer", "vision"]
    weir("token", "revoke", "ci", cwd=tmp_path)
    assert weir("token", "list", cwd=tmp_path).stdout == ""
    weir("token", "revoke", "ci", cwd=tmp_path, code=1)


def test_doctor_on_a_fresh_machine_says_what_is_there_and_fails_over_what_is_not(
    tmp_path: Path,
) -> None:
    good = weir("doctor", "--json", "--gateway.port", "0", "--engine.port", "0",
                "--dashboard.port", "0", "--gateway.metrics-port", "0",
                "--writer.metrics-port", "0", "--rules.metrics-port", "0", cwd=tmp_path)  # fmt: skip
    assert {finding["verdict"] for finding in json.loads(good.stdout)} <= {"ok", "warn"}
    bad = weir("doctor", "--up.redis-server", "/nowhere", cwd=tmp_path, code=1)
    assert "fail  redis" in bad.stdout
    assert " — " in bad.stdout
    gone = weir("doctor", "--stream.url", "redis://127.0.0.1:9", cwd=tmp_path, code=1)
    assert "fail  redis" in gone.stdout
    assert "fail  clickhouse" in gone.stdout
