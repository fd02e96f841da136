"""docs/limits.md and the gateway say the same."""

import re
from pathlib import Path

from weir_server.gateway import limits
from weir_server.gateway.ingest import _STATUS
from weir_server.gateway.limits import Code, Limits, Patience
from weir_server.settings import GatewaySettings

PAGE = (Path(__file__).parents[3] / "docs" / "limits.md").read_text(encoding="utf-8")


def test_every_code_is_on_the_page_and_no_other():
    assert set(re.findall(r"^\| `([A-Z_]+)`", PAGE, re.M)) == {*Code, *Patience}


def test_codes_read_as_they_are_named():
    assert all(code.name == code.value for code in Code)


def test_the_settings_named_on_the_page_exist():
    named = set(re.findall(r"\*gateway\.([a-z_]+)\*", PAGE))
    assert named <= set(GatewaySettings.model_fields)
    assert set(Limits.__dataclass_fields__) <= named


def test_the_numbers_on_the_page_are_those_of_the_code():
    def plain(number: int) -> str:
        return f"{number:,}".replace(",", " ")

    settings = GatewaySettings()
    for number in (
        settings.max_frame_points,
        settings.max_metrics_per_run,
        settings.max_text_bytes,
        limits.MAX_BLOCKS,
        limits.MAX_FACTS,
        limits.MAX_PRODUCERS,
    ):
        assert plain(number) in PAGE
    assert f"{settings.max_frame_bytes >> 20} MiB" in PAGE
    assert f"{settings.max_frame_raw_bytes >> 20} MiB" in PAGE


def test_a_refused_append_has_the_status_on_the_page():
    for code, status in re.findall(r"^\| `([A-Z_]+)` .*\| `([A-Z_]+)` \|$", PAGE, re.M):
        found = _STATUS.get(Code(code))
        assert (found.name if found else "FAILED_PRECONDITION") == status
