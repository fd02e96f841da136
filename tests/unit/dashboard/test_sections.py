"""A run's metadata is shown where people look for it."""

from __future__ import annotations

from weir_dashboard import sections
from weir_dashboard.colors import STORED
from weir_store.records import Json


def test_the_paths_of_the_collector_and_the_agent_have_a_section_each():
    meta = dict.fromkeys(
        (
            "git/commit", "code/digest", "command/line", "data/c4/kind", "seed/given", "environment/python",
            "library/torch", "machine/cpu", "container/kind", "variables/PATH", "node/n/gpu0.name",
            "inputs/problem/git", "mine/own",
        ),
        "x",
    )  # fmt: skip
    found = sections.sections(meta)
    assert {title: list(facts) for title, facts in found.items()} == {
        "Code": ["code/digest", "git/commit"],
        "Command": ["command/line"],
        "Data": ["data/c4/kind"],
        "Seeds": ["seed/given"],
        "Environment": ["environment/python", "library/torch"],
        "Machine": ["container/kind", "machine/cpu"],
        "Variables": ["variables/PATH"],
        "Nodes": ["node/n/gpu0.name"],
        "Not captured": ["inputs/problem/git"],
        "Other": ["mine/own"],
    }


def test_packages_are_a_section_by_name_and_version():
    found = sections.sections({sections.PACKAGES: Json('{"torch": "2.9.1", "numpy": "2.0"}')})
    assert found == {"Packages": {"numpy": "2.0", "torch": "2.9.1"}}
    assert sections.packages({sections.PACKAGES: Json("not json")}) == {}


def test_what_weir_keeps_for_itself_is_not_shown():
    assert sections.sections({STORED: 3, "metric/loss/summary": "min", "notes": "x"}) == {}


def test_the_commit_is_short_with_its_branch_and_says_when_files_were_changed():
    meta = {"git/commit": "8bee9df0aa11bbccdd", "git/branch": "main", "git/dirty": True}
    assert sections.commit(meta) == "8bee9df0aa main (with local changes)"
    assert sections.commit({"git/commit": "8bee9df0aa11", "git/dirty": False}) == "8bee9df0aa"
    assert sections.commit({"git/branch": "main"}) == ""
