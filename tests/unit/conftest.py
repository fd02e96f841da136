"""Unit tests record what they log and nothing else: no agent, no console, no look at the machine."""

import pytest

_OFF = ("RECORD_GIT", "RECORD_DIFF", "RECORD_COMMAND", "RECORD_PACKAGES")
_OFF = (*_OFF, "RECORD_MACHINE", "RECORD_VARIABLES", "RECORD_SEEDS")


def record_only_what_is_logged(monkeypatch: pytest.MonkeyPatch) -> None:
    """Switch off, by environment, whatever starts a process or looks at the machine."""
    monkeypatch.setenv("WEIR_AGENT", "0")
    monkeypatch.setenv("WEIR_CONSOLE", "off")
    for name in _OFF:
        monkeypatch.setenv(f"WEIR_{name}", "0")


@pytest.fixture(autouse=True)
def _record_only_what_is_logged(monkeypatch: pytest.MonkeyPatch) -> None:
    record_only_what_is_logged(monkeypatch)
