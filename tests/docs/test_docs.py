"""A wrong page is worse than none."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    page
    for page in (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("*/README.md"))
    if ".venv" not in page.parts
)
LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(#[^)\s]*)?\)")


def named(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_link_to_a_file_leads_somewhere(page: Path) -> None:
    targets = [target for target, _ in LINK.findall(page.read_text()) if "://" not in target]
    missing = [target for target in targets if not (page.parent / target).exists()]
    assert not missing


@pytest.mark.parametrize("record", sorted((ROOT / "docs/adr").glob("*.md")), ids=named)
def test_every_decision_has_status_context_decision_and_consequences(record: Path) -> None:
    text = record.read_text()
    for part in ("**Status**", "**Context.**", "**Decision.**"):
        assert part in text
    assert "**Consequences.**" in text or "**Decision.**" in text
    assert text.startswith(f"# {record.name[:4]} · ")


def test_every_make_target_that_a_page_names_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    for page in PAGES:
        for target in re.findall(r"`make ([a-z-]+)", page.read_text()):
            assert target in targets, f"{named(page)} names make {target}"


def test_the_changelog_has_an_unreleased_section_or_the_current_version() -> None:
    source = (ROOT / "client/weir/_version.py").read_text()
    version = re.search(r'^__version__ = "(.+)"$', source, re.M)
    assert version
    changelog = (ROOT / "CHANGELOG.md").read_text()
    assert "## [Unreleased]" in changelog or f"## [{version[1]}]" in changelog


def test_every_test_that_a_promise_points_to_exists() -> None:
    page = ROOT / "docs/guarantees.md"
    named_tests = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", page.read_text())
    assert named_tests
    for file, function in named_tests:
        source = (ROOT / file).read_text()
        assert not function or f"def {function}(" in source, f"{file}::{function}"


def test_nothing_committed_carries_a_path_of_the_machine_it_was_written_on() -> None:
    files = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True
    ).stdout.split(b"\0")
    private = re.compile(rb"/(?:work|home)/(?:main|shared|\.library)\b|/root/")
    for name in filter(None, files):
        path = ROOT / name.decode()
        if path.is_file() and path != Path(__file__):
            assert not private.search(path.read_bytes()), name.decode()
