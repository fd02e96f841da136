"""docs/telemetry.md says what the processes say."""

from __future__ import annotations

from pathlib import Path

from weir_server.telemetry_page import render

PAGE = Path(__file__).parents[2] / "docs/telemetry.md"


def test_the_telemetry_page_is_current() -> None:
    assert PAGE.read_text() == render(), (
        "run: python -m weir_server.telemetry_page > docs/telemetry.md"
    )
