"""Every page of the navigation in every state: nothing there, slow, silent, silent half way, old, hostile.

A page that is added to `navigation` is judged here without anybody thinking of it.
"""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from tests.unit.dashboard.synthetic import START_US, SyntheticReader, two_projects
from tests.unit.dashboard.whole import (
    HOSTILE,
    PROJECT,
    SCRIPT,
    Fate,
    hostile_runs,
    report_id,
    whole,
)
from weir_dashboard import data, navigation
from weir_dashboard.last_good import LastGood
from weir_dashboard.sources import Sources
from weir_store.records import RunRef

GATEWAY = "gateway.example:7700"
PAGES = navigation.names()
# Where a page begins; one that is not here is opened with a project.
ADDRESSES: dict[str, dict[str, list[str]]] = {
    "home": {},
    "compare": {"run": ["gpt-small/r0000", "gpt-small/r0001"]},
    "ranks": {"run": ["ddp/ddp16"]},
    "run": {"project": ["gpt-small"], "id": ["r0000"]},
    "sql": {"sql": ["SELECT 1"]},
    "health": {},
}
# These ask nothing of the store by themselves: a statement has to be run first; links lie elsewhere.
ASKS_NOTHING = {"sql", "links"}
NONSENSE = {
    "project": [SCRIPT], "id": ["\0"], "run": ["x", "a/b/c", "/"], "q": ["(("], "p": ["-1"], "sort": ["nope"],
    "col": ["config.\0", "nope"], "tab": ["nope"], "m": ["["], "x": ["nope"], "win": ["1,0"], "color": [":"],
    "rule": ["nope"], "edit": ["nope"], "metric": ["nope"], "role": ["nope"], "cell": ["nope"], "who": ["nope"],
    "rows": ["nope"], "nodes": ["nope"], "art_q": ["nope"], "sqlz": ["nope"], "file": ["nope"], "v": ["nope"],
    "base": ["nope"], "g": ["nope"], "h_slow": ["nope"], "find": [SCRIPT], "all": ["nope"],
}  # fmt: skip


def script(name: str) -> None:
    import importlib  # Streamlit runs the text of this function alone

    import streamlit as st

    from weir_dashboard import navigation

    pages = {other: navigation.page(other) for other in navigation.names()}
    st.navigation(list(pages.values()), position="hidden")
    importlib.import_module(navigation._PAGES[name][1]).render()


def show(name: str, sources: Sources, **address: list[str]) -> AppTest:
    data.use(sources, GATEWAY)
    test = AppTest.from_function(script, kwargs={"name": name}, default_timeout=60)
    known = {"id": [report_id(sources)]} if name == "report" else {}
    for key, value in (ADDRESSES.get(name, {"project": [PROJECT]}) | known | address).items():
        test.query_params[key] = value
    return test.run()


def said(test: AppTest) -> str:
    """Return all that a page says in words."""
    kinds = (
        test.info,
        test.error,
        test.warning,
        test.caption,
        test.markdown,
        test.code,
        test.success,
    )
    found = [str(one.value) for kind in kinds for one in kind]
    return "\n".join([*found, *(str(one.proto.body) for one in test.get("html"))])


def grow_old() -> None:
    """Let every answer that was kept be years old."""
    asked = data.ask()
    for part in (asked, *vars(asked).values()):
        for kept in vars(part).values() if hasattr(part, "__dict__") else ():
            if isinstance(kept, LastGood):
                kept._clock = lambda: 4e9


@pytest.mark.parametrize("name", PAGES)
def test_a_page_over_everything_shows_no_error(name: str) -> None:
    test = show(name, whole())
    assert not test.exception
    assert not test.error
    assert test.main.children


@pytest.mark.parametrize("name", PAGES)
def test_a_page_over_an_empty_store_says_what_to_do_next(name: str) -> None:
    test = show(name, whole(SyntheticReader([])))
    assert not test.exception
    assert len(said(test)) > 20
    asks_for_runs = name in ("home", "runs", "workspace", "ranks", "rules", "artifacts")
    assert (GATEWAY in said(test)) >= asks_for_runs


@pytest.mark.parametrize("name", PAGES)
def test_a_page_over_a_silent_store_says_so_and_comes_back_when_asked_again(name: str) -> None:
    fate = Fate()
    sources = whole(fate=fate)
    fate.silence()
    test = show(name, sources)
    assert not test.exception
    if name in ASKS_NOTHING:
        return
    assert "does not answer" in said(test)
    (retry,) = [button for button in test.button if button.label == "Retry"]
    fate.restore()
    retry.click().run()
    assert not test.exception
    assert not test.error


@pytest.mark.parametrize("name", PAGES)
def test_a_store_that_falls_silent_at_any_question_breaks_no_page(name: str) -> None:
    fate = Fate()
    sources = whole(fate=fate)
    show(name, sources)
    questions, fate.asked = fate.asked, 0
    assert questions or name in ASKS_NOTHING
    for answers in range(1, questions):
        fate.answers, fate.asked = answers, 0
        test = show(name, sources)
        assert not test.exception, f"after {answers} answers: {test.exception}"


@pytest.mark.parametrize("name", PAGES)
def test_a_page_shows_what_it_knew_when_the_store_falls_silent_and_since_when(name: str) -> None:
    fate = Fate()
    test = show(name, whole(fate=fate))
    before = len(said(test))
    fate.silence()
    grow_old()
    test.run()
    assert not test.exception
    if name not in ASKS_NOTHING:
        assert "showing" in said(test)
        assert len(said(test)) > before / 2


@pytest.mark.parametrize("name", PAGES)
def test_an_address_full_of_nonsense_breaks_no_page(name: str) -> None:
    test = show(name, whole(), **NONSENSE)
    assert not test.exception
    assert SCRIPT not in "".join(str(one.proto.body) for one in test.get("html"))


@pytest.mark.parametrize("name", PAGES)
def test_an_old_link_to_a_run_that_is_gone_breaks_no_page(name: str) -> None:
    gone = {
        "project": ["gpt-small"],
        "id": ["gone"],
        "run": ["gpt-small/gone"],
        "show": ["gpt-small/gone"],
    }
    test = show(name, whole(), **gone)  # fmt: skip
    assert not test.exception
    if name in ("run", "compare", "ranks"):
        assert "gone" in said(test)


@pytest.mark.parametrize("name", PAGES)
def test_hostile_names_are_text_on_every_page(name: str) -> None:
    runs = hostile_runs()
    reader = SyntheticReader([*runs, *two_projects(1).runs[1:]])
    ids, sources = [run.run_id for run in runs], whole(reader)
    for run_id in ids if name == "run" else ids[:1]:
        address = {"run": [f"gpt-small/{one}" for one in ids]} if name == "compare" else {}
        address |= {"id": [run_id]} if name == "run" else {}
        test = show(name, sources, **address)
        assert not test.exception
        bodies = "".join(str(one.proto.body) for one in test.get("html"))
        assert "<script" not in bodies
        assert "<img" not in bodies
        words = "\n".join(str(one.value) for one in (*test.markdown, *test.caption, *test.info))
        assert HOSTILE[3][:20] not in words  # its marks are escaped, so that nothing is bold


@pytest.mark.parametrize("name", ["run", "workspace", "compare"])
def test_a_project_whose_steps_reach_the_end_of_numbers_is_drawn(name: str) -> None:
    reader = two_projects(3)
    reader._steps = lambda run: 3  # type: ignore[method-assign]
    points = reader._points
    reader._points = lambda *of: (points(*of)[0] + 2**53 - 4, points(*of)[1])  # type: ignore[method-assign]
    test = show(name, whole(reader))
    assert not test.exception
    assert reader.get_run(RunRef("gpt-small", "r0000")).created_unix_us < START_US
