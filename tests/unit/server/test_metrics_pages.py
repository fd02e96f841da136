"""`dashboard.metrics`: what names a page, and what `weir up` makes of it."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from weir_server.dashboard import command_line
from weir_server.settings import DashboardSettings


@pytest.mark.parametrize(
    "given", ["gateway=http://g:7710/metrics, writer=https://w/metrics", ["a=http://g"], "", []]
)
def test_pages_are_named_addresses(given) -> None:
    pages = DashboardSettings(metrics=given).metrics
    assert all("=http" in page for page in pages or [])
    assert len(pages or []) == (given.count("=") if isinstance(given, str) else len(given))


@pytest.mark.parametrize("given", ["http://g:7710/metrics", "gateway=g:7710", "=http://g", ["x"]])
def test_what_names_no_page_is_refused_with_an_example(given) -> None:
    with pytest.raises(ValidationError, match="is not name=http://host:port/metrics"):
        DashboardSettings(metrics=given)


def test_the_dashboard_is_told_every_page() -> None:
    from weir_server.config import load

    settings = load({"dashboard.metrics": "a=http://x,b=http://y"}).settings
    words = command_line(settings)
    assert [words[at + 1] for at, word in enumerate(words) if word == "--metrics"] == [
        "a=http://x",
        "b=http://y",
    ]
