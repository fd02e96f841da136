"""Unit tests record what they log and nothing else: no agent, no console, no look at the machine."""

import pytest

from weir._settings import RECORDS


def record_only_what_is_logged(monkeypatch: pytest.MonkeyPatch) -> None:
    """Switch off, by environment, whatever starts a process or looks at the machine."""
    monkeypatch.setenv("WEIR_AGENT", "0")
    monkeypatch.setenv("WEIR_CONSOLE", "off")
    for name in RECORDS:
        monkeypatch.setenv(f"WEIR_{name.upper()}", "0")


@pytest.fixture(autouse=True)
def _record_only_what_is_logged(monkeypatch: pytest.MonkeyPatch) -> None:
    record_only_what_is_logged(monkeypatch)
