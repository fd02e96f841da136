"""Dead letters on a real engine: looked at, stored after all, or given up, and the ledger knows."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from click.testing import CliRunner, Result

from tests.contract.told_frames import Teller, everything
from tests.integration.fixtures_engine import EngineProcess
from tests.unit.server import frames
from tests.unit.server.test_writer_loop import append, drained, serving, wait_until
from weir_proto.v1 import ingest_pb2
from weir_server.deadletter.commands import deadletter
from weir_server.stream.base import StreamEntry
from weir_server.stream.memory import MemoryStream
from weir_store import tables
from weir_store.base import Block
from weir_store.clickhouse import ClickHouse, connect
from weir_store.errors import StoreRejected
from weir_store.inserter import ClickHouseInserter
from weir_store.ledger import verdict_of
from weir_store.migrate import migrate
from weir_store.reader import ClickHouseReader
from weir_store.records import Kind, Ledger

POISON_STEP = 1_000


class Picky:
    """The store, but it refuses one step, and that only after some tables of its block are stored."""

    def __init__(self, clickhouse: ClickHouse, database: str) -> None:
        self._inserter = ClickHouseInserter(clickhouse, database)

    def insert(self, block: Block, token: str) -> None:
        points = block.get(tables.POINTS)
        if points is not None and POISON_STEP in points["step"].to_pylist():
            self._inserter.insert({tables.POINTS: points}, token)
            raise StoreRejected("poison")
        self._inserter.insert(block, token)

    def read_committed(self, producers: Sequence[UUID]) -> Mapping[UUID, int]:
        return self._inserter.read_committed(producers)


class House:
    """A store, a writer for it, and the command line of whoever looks after both."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url, self.folder, self.database = url, folder, f"d{uuid4().hex[:8]}"
        self.clickhouse = connect(url)
        migrate(self.clickhouse, self.database)
        self.reader = ClickHouseReader(self.clickhouse, self.database)
        self.stream = MemoryStream(shards=1, max_bytes=1 << 24)
        self.store = Picky(self.clickhouse, self.database)
        self.run = Teller()
        self.sent = 0

    def send(self, *bodies: ingest_pb2.Body) -> list[StreamEntry]:
        first = self.sent + 1
        sources = [self.run.entry(body, seq) for seq, body in enumerate(bodies, first)]
        append(self.stream, *sources, after=self.sent)
        self.sent += len(bodies)
        return sources

    def write(self) -> None:
        with serving(self.stream, self.store):
            wait_until(lambda: drained(self.stream))

    def weir(self, *words: str, code: int = 0, stdin: str = "") -> Result:
        where = ["--clickhouse.url", self.url, "--clickhouse.database", self.database]
        command, *rest = words
        done = CliRunner().invoke(
            deadletter, [command, *where, "--data-dir", str(self.folder), *rest], input=stdin
        )
        assert done.exit_code == code, done.output + done.stderr
        return done

    def listed(self, *more: str) -> list[dict[str, object]]:
        found: list[dict[str, object]] = json.loads(self.weir("list", "--json", *more).stdout)
        return found

    def ledger(self) -> Ledger:
        return self.reader.read_ledger(self.run.ref)

    def points(self) -> int:
        ((count,),) = self.clickhouse.query_rows(
            f"SELECT count() FROM {self.database}_raw.points FINAL"
        )
        return int(count)

    def close(self) -> None:
        self.clickhouse.command(f"DROP DATABASE {self.database}_raw")
        self.clickhouse.close()


@pytest.fixture
def house(
    engine: EngineProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[House]:
    monkeypatch.chdir(tmp_path)  # no weir.toml of this machine
    opened = House(engine.url, tmp_path)
    yield opened
    opened.close()


def verdicts(ledger: Ledger) -> set[str]:
    return {verdict_of(line) for line in ledger.lines}


def dead_points(ledger: Ledger) -> int:
    return next(line.dead.count for line in ledger.lines if line.kind is Kind.POINTS)


POISON = f"{frames.producer().hex()}:2"


@pytest.fixture
def poisoned(house: House) -> House:
    house.send(everything(0), everything(POISON_STEP), everything(3))
    house.write()
    return house


def test_a_refused_frame_is_listed_retried_and_stored_once(poisoned: House) -> None:
    house = poisoned
    (letter,) = house.listed()
    assert (letter["id"], letter["state"], letter["reason"]) == (POISON, "kept", "poison")
    assert dead_points(house.ledger()) == 6
    assert verdicts(house.ledger()) == {"whole"}

    assert "stored, 7 points" in house.weir("retry", POISON).stdout

    ledger = house.ledger()
    assert verdicts(ledger) == {"whole"}
    assert dead_points(ledger) == 0
    assert house.points() == 18
    (letter,) = house.listed()
    assert letter["state"] == "retried"
    assert "@" in str(letter["by"])
    assert house.listed("--state", "kept") == []


def test_a_letter_retried_again_changes_nothing(poisoned: House) -> None:
    for _ in range(3):
        poisoned.weir("retry", POISON)
    assert poisoned.points() == 18
    assert verdicts(poisoned.ledger()) == {"whole"}
    events = poisoned.reader.list_events(poisoned.run.ref, kinds=["dead_letter"])
    assert sorted(event.severity for event in events.events) == ["error", "info"]


def test_a_retry_while_the_writer_runs_harms_nothing(house: House) -> None:
    house.send(everything(0), everything(POISON_STEP))
    house.write()
    with serving(house.stream, house.store, rows=5):
        for step in range(10, 100, 10):
            house.send(everything(step))
            house.weir("retry", "--all")
        wait_until(lambda: drained(house.stream))

    ledger = house.ledger()
    assert verdicts(ledger) == {"whole"}
    assert house.points() == 11 * 6
    assert ledger.producers[0].committed_seq == 11


def test_a_writer_that_repeats_its_block_does_not_bring_a_retried_letter_back(
    poisoned: House,
) -> None:
    poisoned.weir("retry", POISON)
    # As after a writer that died between its inserts and the commit.
    poisoned.clickhouse.command(f"TRUNCATE TABLE {poisoned.database}_raw.ingest_commits")
    poisoned.stream.flush()
    again = Teller()
    again.ref = poisoned.run.ref
    bodies = [everything(0), everything(POISON_STEP), everything(3)]
    append(poisoned.stream, *(again.entry(body, seq) for seq, body in enumerate(bodies, 1)))
    poisoned.write()

    (letter,) = poisoned.listed()
    assert letter["state"] == "retried"
    assert dead_points(poisoned.ledger()) == 0


def test_a_letter_that_is_still_refused_stays_as_it_is_and_the_reason_is_told(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = StreamEntry(
        "0-0", frames.producer(), 2, house.run.entry(everything(9), 2).payload[:-5]
    )
    sources = [house.run.entry(everything(0), 1), broken, house.run.entry(everything(3), 3)]
    append(house.stream, *sources)
    house.write()
    before = house.listed()

    done = house.weir("retry", "--all", code=1)

    assert "still dead: it can not be read" in done.stderr
    assert house.listed() == before


def test_a_letter_given_up_stays_counted_and_the_run_says_by_whom(poisoned: House) -> None:
    poisoned.weir("drop", POISON, code=1, stdin="n\n")
    assert [letter["state"] for letter in poisoned.listed()] == ["kept"]

    poisoned.weir("drop", POISON, "--yes")
    poisoned.weir("drop", POISON, "--yes")

    (letter,) = poisoned.listed("--state", "dropped")
    assert dead_points(poisoned.ledger()) == 6
    page = poisoned.reader.list_events(poisoned.run.ref, kinds=["dead_letter"], min_severity="warn")
    given_up = [event for event in page.events if event.severity == "warn"]
    assert [event.attrs["by"] for event in given_up] == [letter["by"]]
    assert poisoned.points() == 18  # its points had been stored before another table refused it

    poisoned.weir("retry", POISON)  # somebody thinks better of it
    assert dead_points(poisoned.ledger()) == 0
    assert "is stored" in poisoned.weir("drop", POISON, "--yes", code=1).stderr


def test_show_prints_what_is_in_a_letter(poisoned: House) -> None:
    shown = poisoned.weir("show", POISON).stdout
    for words in ("poison", "rank 0 of 2, pid 7 on n1", "6 points, 1 texts", '"loss", "acc"'):
        assert words in shown
    assert f'step {POISON_STEP}  "loss" = {POISON_STEP}.0' in shown
    assert f'step {POISON_STEP}  "acc" = {POISON_STEP}.1' in shown


@pytest.mark.parametrize(
    "words",
    [
        ("show", "nonsense"),
        ("retry", "nonsense"),
        ("retry", f"{'0' * 32}:1"),
        ("retry",),
        ("retry", POISON, "--all"),
        ("drop", "nonsense", "--yes"),
    ],
)
def test_what_is_no_letter_is_told_in_a_line(house: House, words: tuple[str, ...]) -> None:
    done = house.weir(*words, code=1)
    assert done.stderr.startswith("weir: ")
    assert done.stderr.count("\n") == 1


def test_lists_are_narrowed_by_project_and_run(poisoned: House) -> None:
    ref = poisoned.run.ref
    assert len(poisoned.listed("--project", ref.project, "--run", ref.run_id)) == 1
    assert poisoned.listed("--project", "another") == []
    assert poisoned.listed("--run", "another") == []
    assert POISON in poisoned.weir("list").stdout
