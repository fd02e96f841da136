from pathlib import Path

import pytest

from weir import Settings
from weir.errors import ConfigError


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "weir.toml"
    path.write_text('[client]\nserver = "file:1"\nproject = "file"\ntags = ["a", "b"]\n')
    return path


def test_an_argument_beats_the_environment_beats_a_file_beats_the_default(file: Path) -> None:
    environ = {"WEIR_PROJECT": "env", "WEIR_MODE": "offline"}
    settings = Settings.resolve({"mode": "disabled", "server": None}, environ, (file,))
    assert (settings.mode, settings.project, settings.server) == ("disabled", "env", "file:1")
    assert settings.tags == ("a", "b")
    assert settings.heartbeat_s == 15
    assert settings.sources == {
        "mode": "argument",
        "project": "WEIR_PROJECT",
        "server": str(file),
        "tags": str(file),
    }


def test_the_nearer_file_beats_the_farther(file: Path, tmp_path: Path) -> None:
    far = tmp_path / "far.toml"
    far.write_text('[client]\nproject = "far"\nrole = "far"\n')
    settings = Settings.resolve({}, {}, (file, far))
    assert (settings.project, settings.role) == ("file", "far")


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    path = tmp_path / "weir.toml"
    path.write_text('[client]\naddress = "x"\n')
    environ = {"WEIR_MODE": "onlin", "WEIR_HEARTBEAT_S": "soon", "WEIR_QUEUE_MAX_BYTES": "1"}
    with pytest.raises(ConfigError) as caught:
        Settings.resolve({"project": "a\nb", "flush_interval_s": 0}, environ, (path,))
    for word in ("address", "onlin", "'soon'", "queue_max_bytes", "a\\nb", "flush_interval_s"):
        assert word in str(caught.value)


@pytest.mark.parametrize(
    ("text", "value"), [("1", True), ("yes", True), ("TRUE", True), ("0", False), ("off", False)]
)
def test_flags_are_read_from_words(text: str, value: bool) -> None:
    assert Settings.resolve({}, {"WEIR_STRICT": text}).strict is value


def test_a_broken_file_is_a_fault_and_an_absent_one_is_not(tmp_path: Path) -> None:
    path = tmp_path / "weir.toml"
    assert Settings.resolve({}, {}, (path,)) == Settings()
    path.write_text("[client")
    with pytest.raises(ConfigError, match="cannot be read"):
        Settings.resolve({}, {}, (path,))


def test_secrets_are_masked_and_every_value_says_where_it_came_from() -> None:
    settings = Settings.resolve({}, {"WEIR_TOKEN": "hush"})
    assert "hush" not in repr(list(settings.describe()))
    assert ("token", "***", "WEIR_TOKEN") in list(settings.describe())
    assert ("mode", "online", "default") in list(settings.describe())
    assert "hush" not in repr(settings)


def test_every_setting_says_what_it_is() -> None:
    from weir._settings import _FIELDS

    assert all(declared.metadata["help"] for declared in _FIELDS.values())
