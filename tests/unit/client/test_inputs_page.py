"""docs/formats/inputs.md names every fact that is recorded, and no section without one."""

import re
import sys
from fnmatch import fnmatch
from pathlib import Path

import pytest

from tests.unit.client.repositories import Repository, request_in
from weir._inputs._collect import SECTIONS, look_at
from weir._redact import Redactor
from weir._seeds import seed_facts
from weir._surroundings import library_facts

PAGE = Path(__file__).parents[3] / "docs/formats/inputs.md"


def documented() -> list[str]:
    """Paths of the first column of the table of facts, `<name>` as `*`."""
    table = PAGE.read_text().partition("## Facts")[2].partition("## Run files")[0]
    cells = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    return [
        re.sub(r"<\w+>", "*", path) for cell in cells for path in re.findall(r"`([^`]+)`", cell)
    ]


@pytest.fixture
def facts(tmp_path: Path) -> dict[str, object]:
    repository = Repository(tmp_path / "code")
    repository.commit("a.py", "x = 1\n")
    for name, content in {"a.py": "x = 2\n", ".env": "A=1", "new.txt": "1"}.items():
        repository.write(name, content)
    found: dict[str, object] = {}
    for section in SECTIONS:
        request = request_in(
            repository.path,
            tmp_path / "spool",
            argv=("python", "a.py"),
            python=sys.version,
            sys_path=tuple(sys.path),
            variables={"SLURM_JOB_ID": "1"},
            options={"name": "d", "path": str(repository.path / "a.py")}
            if section == "data"
            else {},
        )
        findings = look_at(section, request, Redactor(), 60)
        assert f"inputs/problem/{section}" not in findings.facts, findings.facts
        found |= findings.facts
    return {**found, **seed_facts(sys.modules, {}), **library_facts(sys.modules)}


def test_every_fact_is_on_the_page(facts: dict[str, object]) -> None:
    page = documented()
    assert len(facts) > 40
    assert not [path for path in facts if not any(fnmatch(path, each) for each in page)]
