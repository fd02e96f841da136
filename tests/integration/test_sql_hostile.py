"""Hostile SQL against the real engine: no row of others, no file, no change, whatever is answered."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.fixtures_engine import EngineProcess, running_engine
from tests.integration.sql_store import (
    CANARY,
    MINE,
    OURS,
    SqlStore,
    drop_store,
    make_store,
    with_reasons,
)
from weir_store.clickhouse import connect
from weir_store.errors import StoreError
from weir_store.sql.base import Limits, Question, Refused, Rights
from weir_store.sql.limits import settings_of

HOSTILE = with_reasons("hostile.sql")
TIGHT = Limits(
    seconds=1, memory_bytes=256 << 20, rows_read=10_000_000, result_bytes=16 << 20, threads=2
)
THROWN = "Code: 395"  # throwIf found what it looked for
BELOW = ("files", "network", "change")


class Target:
    """A store with a canary in the other project and one in a file beside the engine's data."""

    def __init__(self, engine: EngineProcess, store: SqlStore, folder: Path) -> None:
        self.store = store
        self.url = engine.url
        self.folder = folder
        self.file = folder / "canary.txt"
        self.file.write_text(CANARY + "\n")
        self.before = self.state()

    def filled(self, text: str) -> str:
        for word, value in (
            ("RAW", f"{self.store.database}_raw"),
            ("FILE", str(self.file)),
            ("URL", self.url),
            ("DB", self.store.database),
        ):
            text = text.replace(word, value)
        return text

    def state(self) -> object:
        """Return what no statement may change."""
        files = sorted(path.name for path in self.folder.iterdir())
        return self.file.read_text(), files, self.store.fingerprint()


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    folder = tmp_path_factory.mktemp("hostile")
    with running_engine(folder / "clickhouse") as engine:
        clickhouse = connect(engine.url)
        store = make_store(clickhouse)
        yield Target(engine, store, folder)
        drop_store(store)
        clickhouse.close()


def heard(target: Target, text: str, rights: Rights) -> str:
    """Return everything that somebody learns from asking."""
    try:
        answer = target.store.asking.ask(Question(text, rights, limits=TIGHT))
        rows = [list(row.values()) for batch in answer.batches for row in batch.to_pylist()]
    except StoreError as error:
        said = str(error)
        assert THROWN not in said, said
        return "" if CANARY in text else said  # what it said itself it may hear again
    return repr(rows)


def tells(said: str, text: str) -> bool:
    """Whether the canary is in what was heard, and not because the statement held it."""
    return CANARY in said and f"'{CANARY}'" not in text


def test_there_are_hundreds_of_hostile_statements_each_with_its_reason() -> None:
    assert len(HOSTILE) >= 300
    assert all(":" in reason and text for reason, text in HOSTILE)
    assert len({text for _, text in HOSTILE}) == len(HOSTILE)


@pytest.mark.parametrize("projects", [(OURS,), ()], ids=["one project", "no project"])
def test_no_hostile_statement_reads_others_or_a_file_or_changes_anything(
    target: Target, projects: tuple[str, ...]
) -> None:
    for reason, text in HOSTILE:
        written = target.filled(text)
        said = heard(target, written, Rights(projects))
        assert not tells(said, written), reason
        if not projects:
            assert MINE not in said, reason
    assert target.state() == target.before


def test_the_statements_would_find_the_canary_if_they_were_let(target: Target) -> None:
    """The corpus is worth something: without rights kept, its canary is heard."""
    found = [
        reason
        for reason, text in HOSTILE
        if reason.startswith("other projects") and "throwIf" not in text
        if CANARY in said_to_all(target, target.filled(text))
    ]
    assert len(found) > 20


def said_to_all(target: Target, text: str) -> str:
    try:
        answer = target.store.asking.ask(Question(text, Rights(None), limits=TIGHT))
        return repr([batch.to_pylist() for batch in answer.batches])
    except StoreError as error:
        return str(error)


def test_what_the_gate_refuses_by_kind_it_refuses_before_anything_runs(target: Target) -> None:
    must_be_refused = ("raw tables", "system", "files", "network", "who and where", "change")
    reader = target.store.asking
    for reason, text in HOSTILE:
        if reason.startswith(must_be_refused):
            with pytest.raises(Refused):
                reader.admit(Question(target.filled(text), Rights((OURS,))))


def test_below_the_gate_the_engine_refuses_files_networks_and_changes_too(target: Target) -> None:
    settings = settings_of(TIGHT, seconds=2, restricted=True)
    for reason, text in HOSTILE:
        if reason.startswith(BELOW):
            try:
                rows = repr(target.store.clickhouse.query_rows(target.filled(text), None, settings))
            except StoreError as error:
                rows = str(error)
            assert CANARY not in rows, reason
    assert target.state() == target.before
