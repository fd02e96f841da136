"""Settings: where a value comes from, and how faults are told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from weir_server.catalog import list_settings
from weir_server.config import load, page, variables
from weir_server.errors import StartupError

ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def _nothing_around(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("WEIR_CONFIG", raising=False)
    for setting in list_settings():
        monkeypatch.delenv(setting.variable, raising=False)


def faults_of(flags: dict[str, str], file: Path | None = None) -> str:
    with pytest.raises(StartupError) as caught:
        load(flags, file=file)
    return str(caught.value)


def test_a_flag_beats_the_environment_beats_the_file_beats_the_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "weir.toml").write_text(
        "[gateway]\nport = 1\nmetrics_port = 1\nwindow_frames = 1\n"
    )
    monkeypatch.setenv("WEIR_GATEWAY__PORT", "2")
    monkeypatch.setenv("WEIR_GATEWAY__METRICS_PORT", "2")
    loaded = load({"gateway.port": "3"})
    gateway = loaded.settings.gateway
    assert (gateway.port, gateway.metrics_port, gateway.window_frames) == (3, 2, 1)
    assert [
        loaded.source(f"gateway.{field}")
        for field in ("port", "metrics_port", "window_frames", "host")
    ] == ["flag", "environment", "weir.toml", "default"]


def test_weir_config_names_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "other.toml"
    file.write_text("[log]\nlevel = 'debug'\n")
    monkeypatch.setenv("WEIR_CONFIG", str(file))
    assert load().settings.log.level == "debug"
    assert load().source("log.level") == str(file)


def test_every_fault_is_told_at_once_with_value_source_and_what_is_allowed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "weir.toml").write_text("[log]\nlevel = 'loud'\n[writer]\nblock = 1\n")
    monkeypatch.setenv("WEIR_ENGINE__PORT", "http")
    monkeypatch.setenv("WEIR_GATWAY__PORT", "1")
    said = faults_of({"gateway.port": "70000", "gateway.tls_cert": "x"})
    for fault in (
        "log.level = 'loud' (weir.toml): must be debug or info or warning or error",
        "writer.block (weir.toml): there is no such setting",
        "engine.port = 'http' (environment): must be a whole number ≥ 0 ≤ 65535",
        "WEIR_GATWAY__PORT (environment): there is no group gatway; did you mean gateway?",
        "gateway.port = '70000' (flag): must be a whole number",
    ):
        assert fault in said


def test_settings_that_are_wrong_only_together_are_told() -> None:
    said = faults_of({"gateway.tls_cert": "/nowhere/cert.pem"})
    assert "tls_cert and gateway.tls_key: give both or neither" in said
    assert "/nowhere/cert.pem (flag): no such file" in said


def test_a_misspelt_name_is_guessed_at() -> None:
    assert "did you mean gateway.port?" in faults_of({"gateway.prot": "1"})


def test_a_file_that_cannot_be_read_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_text("[gateway\n")
    assert "bad.toml" in faults_of({}, tmp_path / "bad.toml")
    assert "no such file" in faults_of({}, tmp_path / "none.toml")


def test_a_wrong_secret_is_not_shown(tmp_path: Path) -> None:
    (tmp_path / "weir.toml").write_text("[clickhouse]\npassword = 271828\n")
    assert "271828" not in faults_of({})


def test_the_sdk_may_keep_its_settings_in_the_same_file(tmp_path: Path) -> None:
    (tmp_path / "weir.toml").write_text("[client]\nserver = 'there:7700'\n")
    assert load().sources == {}


def test_lists_are_written_with_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load({"writer.shards": "0,3"}).settings.writer.shards == [0, 3]
    monkeypatch.setenv("WEIR_WRITER__SHARDS", "1")
    assert load().settings.writer.shards == [1]


def test_variables_make_another_process_load_the_same_settings(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    flags = {
        "clickhouse.password": "s3cret",
        "writer.shards": "0,1",
        "up.dashboard": "false",
        "stream.url": "unix:///tmp/redis.sock",
    }
    settings = load(flags).settings
    for name, value in variables(settings).items():
        monkeypatch.setenv(name, value)
    assert load().settings == settings


def test_docs_settings_is_current() -> None:
    current = (ROOT / "docs/settings.md").read_text()
    assert current == page(), "run: python -m weir_server.config --docs > docs/settings.md"


def test_every_setting_says_what_it_is() -> None:
    assert not [setting.name for setting in list_settings() if not setting.info.description]
    assert json.dumps([setting.flag for setting in list_settings()]).isascii()
