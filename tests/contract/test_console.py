"""One suite for both readers of console lines."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, NamedTuple
from uuid import uuid4

import pyarrow as pa
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.contract.node_blocks import BORN_S, START_US, NodeLog, process, run_block
from weir_store import clickhouse, tables
from weir_store.base import Block, Inserter
from weir_store.console import limits
from weir_store.console.base import ConsoleReader, LinesQuery, Stream
from weir_store.console.memory import MemoryConsole
from weir_store.console.reader import ClickHouseConsole
from weir_store.console.search import SHOWN_SQL
from weir_store.errors import InvalidQuery
from weir_store.inserter import ClickHouseInserter
from weir_store.memory import MemoryStore
from weir_store.records import RunRef

DATABASE = "console_contract"


class Store(NamedTuple):
    inserter: Inserter
    console: ConsoleReader

    def put(self, *blocks: Block) -> None:
        for block in blocks:
            self.inserter.insert(block, uuid4().hex)

    def read(self, *runs: RunRef, **asked: Any) -> list[str]:
        return self.ask(*runs, **asked)["line"].to_pylist()

    def ask(self, *runs: RunRef, **asked: Any) -> pa.Table:
        return self.console.read_lines(LinesQuery(runs, **asked))


def stored(connection: clickhouse.ClickHouse) -> Store:
    return Store(ClickHouseInserter(connection, DATABASE), ClickHouseConsole(connection, DATABASE))


def in_memory() -> Store:
    store = MemoryStore()
    return Store(store, MemoryConsole(store))


@pytest.fixture(params=["memory", "clickhouse"])
def store(request: pytest.FixtureRequest) -> Store:
    if request.param == "memory":
        return in_memory()
    return stored(request.getfixturevalue("connection"))


@pytest.fixture
def ref(store: Store) -> RunRef:
    made = RunRef(f"p-{uuid4().hex}", "run")
    store.put(run_block(made))
    return made


def said(*numbers: int, **more: Any) -> list[dict[str, Any]]:
    rank = more.get("rank", 0)
    return [{"number": number, "line": f"{rank}:{number}", **more} for number in numbers]


def followed(store: Store, ref: RunRef, cursor: str, **asked: Any) -> tuple[list[str], str]:
    """Return what a follower is given now, and its next cursor."""
    found: list[str] = []
    while True:
        answer = store.ask(ref, after=cursor, **asked)
        if not answer.num_rows:
            return found, cursor
        found += answer["line"].to_pylist()
        assert len(found) < 1_000, "it goes round in circles"
        cursor = answer["cursor"].to_pylist()[-1]


# ── what comes back ─────────────────────────────────────────────────────────


def test_a_line_comes_back_with_everything_known_of_it(store: Store, ref: RunRef) -> None:
    line = {"number": 7, "line": "\x1b[1mgröße\x1b[0m\ttab", "rank": 3, "node": "n2", "level": 30}
    store.put(NodeLog(ref).lines({**line, "stream": "logging"}))
    (found,) = store.ask(ref).to_pylist()
    assert found.pop("cursor")
    assert found == {
        "project": ref.project,
        "run_id": "run",
        "rank": 3,
        "node": "n2",
        "time_unix_us": START_US + 7_000,
        "stream": "logging",
        "level": 30,
        "number": 7,
        "process": process((3, None)).hex,
        "line": "\x1b[1mgröße\x1b[0m\ttab",
    }


def test_lines_of_all_ranks_come_by_time_from_either_end(store: Store, ref: RunRef) -> None:
    store.put(NodeLog(ref).lines(*said(1, 2, 3), *said(1, 2, 3, rank=1)))
    by_time = ["0:1", "1:1", "0:2", "1:2", "0:3", "1:3"]
    assert store.read(ref) == by_time
    assert store.read(ref, limit=3) == by_time[:3]
    assert store.read(ref, limit=3, newest=True) == by_time[3:]
    assert store.read(ref, ranks=(1,), limit=2, newest=True) == ["1:2", "1:3"]
    assert store.read(ref, ranks=(9,)) == []


def test_streams_levels_and_times_choose(store: Store, ref: RunRef) -> None:
    store.put(
        NodeLog(ref).lines(
            {"number": 1, "line": "out"},
            {"number": 2, "line": "err", "stream": "stderr"},
            {"number": 3, "line": "debug", "stream": "logging", "level": 10},
            {"number": 4, "line": "error", "stream": "logging", "level": 40},
        )
    )
    assert store.read(ref, streams=(Stream.STDERR,)) == ["err"]
    assert store.read(ref, streams=(Stream.STDOUT, Stream.LOGGING), min_level=0) == [
        "out", "debug", "error",
    ]  # fmt: skip
    assert store.read(ref, min_level=30) == ["error"]
    between = {"from_unix_us": START_US + 2_000, "to_unix_us": START_US + 4_000}
    assert store.read(ref, **between) == ["err", "debug"]


def test_lines_delivered_twice_are_read_once(store: Store, ref: RunRef) -> None:
    first, second = NodeLog(ref), NodeLog(ref, born_s=BORN_S + 9)
    frame = first.lines(*said(1, 2))
    store.put(frame, frame)  # a replay
    store.put(second.lines(*said(2, 3)))  # an agent died before it could forget the second line
    assert store.read(ref) == ["0:1", "0:2", "0:3"]
    assert store.read(ref, newest=True, limit=2) == ["0:2", "0:3"]
    assert store.read(ref, limit=2) == ["0:1", "0:2"]
    assert store.console.count_lines(LinesQuery((ref,))) == 3


def test_deleted_runs_and_other_runs_say_nothing(store: Store, ref: RunRef) -> None:
    parent = RunRef(ref.project, "parent")
    store.put(run_block(parent), NodeLog(parent).lines(*said(1)), NodeLog(ref).lines(*said(5)))
    assert store.read(ref) == ["0:5"]
    assert store.read(ref, parent) == ["0:1", "0:5"]
    store.put(run_block(parent, deleted=True))
    assert store.read(ref, parent) == ["0:5"]
    assert store.read(parent) == []
    assert store.console.count_lines(LinesQuery((parent,))) == 0


# ── search ──────────────────────────────────────────────────────────────────

SPOKEN = (
    "Epoch 3: loss=0.512 acc=0.91",
    "epoch 13 done",
    "\x1b[1;31mERROR\x1b[0m CUDA out of memory",
    "\x1b]8;;http://x.y/error\x07link\x1b]8;;\x07 to it",
    "RuntimeError: CUDA error: out-of-memory",
    "größe 日本 ÄRGER",
    "==> done <==",
    "",
)


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("epoch", (0, 1)),
        ("EPOCH 3", (0,)),
        ("loss=0.512", (0,)),
        ("loss=0.5", ()),  # digits that stand together are one word
        ("acc=0.91 epoch", (0,)),
        ("error", (2, 4)),  # through colours; not in the address of a link
        ("cuda memory", (2, 4)),
        ("out-of-memory", (4,)),
        ("error:", (4,)),
        ("31merror", ()),
        ("größe 日本", (5,)),
        ("ärger", ()),  # letters beyond ASCII are compared as they are
        ("ÄRGER", (5,)),
        ("==>", (6,)),
        ("  ", tuple(range(8))),
        ("\\ ' \" {p0:String} %", ()),
    ],
)
def test_a_search_finds_lines_with_all_its_words(
    store: Store, ref: RunRef, search: str, found: tuple[int, ...]
) -> None:
    spoken = [{"number": n, "line": line} for n, line in enumerate(SPOKEN)]
    store.put(NodeLog(ref).lines(*spoken))
    assert store.read(ref, search=search) == [SPOKEN[n] for n in found]
    assert store.console.count_lines(LinesQuery((ref,), search=search)) == len(found)


def test_a_search_is_answered_by_the_text_index(connection: clickhouse.ClickHouse) -> None:
    store, ref = stored(connection), RunRef(f"p-{uuid4().hex}", "run")
    many = [{"number": n, "line": f"step {n} fine"} for n in range(60_000)]
    store.put(run_block(ref), NodeLog(ref).lines(*many, {"number": 60_000, "line": "an Oops: 1"}))
    plan = connection.query_rows(
        f"EXPLAIN indexes = 1 SELECT line FROM {DATABASE}_raw.{tables.CONSOLE}"
        f" WHERE project = '{ref.project}' AND hasAllTokens({SHOWN_SQL}, ['oops'])"
        f" AND position({SHOWN_SQL}, 'oops:') > 0"
    )
    text = "\n".join(row[0] for row in plan)
    assert "Name: ix_line" in text, text
    assert "Granules: 1/8" in text, text
    assert store.read(ref, search="oops: 1") == ["an Oops: 1"]


# ── following ───────────────────────────────────────────────────────────────


def test_a_follower_sees_every_line_once_however_late_and_however_dated(
    store: Store, ref: RunRef
) -> None:
    early, late = NodeLog(ref), NodeLog(ref, rank=8, born_s=BORN_S - 50)
    store.put(early.lines(*said(1, 2, 3)))
    tail = store.ask(ref, newest=True, limit=2)
    cursor = tail["cursor"].to_pylist()[-1]
    assert tail["line"].to_pylist() == ["0:2", "0:3"]
    assert tail["cursor"].to_pylist()[0] == ""
    assert followed(store, ref, cursor) == ([], cursor)

    store.put(late.lines(*said(1, 2, rank=8)))  # older in every way: stored later all the same
    found, cursor = followed(store, ref, cursor)
    assert found == ["8:1", "8:2"]
    store.put(early.lines(*said(4)), late.lines(*said(3, rank=8, at_us=-5)))
    assert followed(store, ref, cursor)[0] == ["8:3", "0:4"]


def test_pages_by_time_take_in_everything_and_then_what_came_meanwhile(
    store: Store, ref: RunRef
) -> None:
    log = NodeLog(ref)
    store.put(log.lines(*said(*range(1, 6)), *said(*range(1, 6), rank=1)))
    first = store.ask(ref, limit=4)
    assert first["line"].to_pylist() == ["0:1", "1:1", "0:2", "1:2"]
    store.put(log.lines(*said(9, at_us=0)))  # dated before the page that was read
    found, cursor = followed(store, ref, first["cursor"].to_pylist()[-1], limit=4)
    assert found == ["0:3", "1:3", "0:4", "1:4", "0:9", "0:5", "1:5"]
    assert followed(store, ref, cursor, limit=4)[0] == []


def test_a_follower_is_not_shown_what_an_agent_that_died_wrote_twice(
    store: Store, ref: RunRef
) -> None:
    first, second = NodeLog(ref), NodeLog(ref, born_s=BORN_S + 60)
    store.put(second.lines(*said(3, 4)))
    cursor = store.ask(ref)["cursor"].to_pylist()[-1]
    # What the first life had spooled arrives last, and the second had written part of it again.
    store.put(first.lines(*said(1, 2, 3, 4)))
    assert followed(store, ref, cursor, limit=1)[0] == ["0:1", "0:2"]


def test_what_can_be_read_before_its_commit_is_not_shown_again(store: Store, ref: RunRef) -> None:
    log = NodeLog(ref)
    frame = log.lines(*said(1, 2))
    store.put({tables.CONSOLE: frame[tables.CONSOLE]})
    found, cursor = followed(store, ref, store.ask(ref, limit=1)["cursor"].to_pylist()[-1])
    assert found == ["0:2"]
    store.put(frame)
    assert followed(store, ref, cursor)[0] == []


def test_of_what_a_follower_missed_the_newest_can_be_asked_for(store: Store, ref: RunRef) -> None:
    log = NodeLog(ref)
    store.put(log.lines(*said(*range(1, 5))))
    cursor = store.ask(ref, limit=2)["cursor"].to_pylist()[-1]
    store.put(log.lines(*said(*range(5, 9))))
    answer = store.ask(ref, after=cursor, newest=True, limit=3)
    assert answer["line"].to_pylist() == ["0:6", "0:7", "0:8"]
    assert followed(store, ref, answer["cursor"].to_pylist()[-1])[0] == []
    assert store.console.count_lines(LinesQuery((ref,), after=cursor)) == 6


def test_a_cursor_of_thousands_of_agents_is_looked_up(store: Store, ref: RunRef) -> None:
    logs = [NodeLog(ref, rank=rank) for rank in range(40)]
    store.put(*(log.lines(*said(1, rank=log.rank)) for log in logs))
    cursor = store.ask(ref)["cursor"].to_pylist()[-1]
    store.put(logs[17].lines(*said(2, rank=17)), logs[39].lines(*said(2, rank=39)))
    assert followed(store, ref, cursor)[0] == ["17:2", "39:2"]


def test_wrong_questions_are_refused(store: Store, ref: RunRef) -> None:
    right = LinesQuery((ref,))
    for wrong in (
        {"runs": ()},
        {"runs": (ref,) * 1_001},
        {"limit": 0},
        {"limit": 100_001},
        {"after": "nonsense"},
        {"after": "eJwDAAAAAAE="},
        {"streams": ("stdin",)},
        {"search": " ".join(f"w{n}" for n in range(65))},
        {"search": "x" * 5_000},
    ):
        with pytest.raises(InvalidQuery):
            store.console.read_lines(replace(right, **wrong))


def test_an_answer_ends_at_its_weight_and_its_cursor_goes_on(
    store: Store, ref: RunRef, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = [{"number": n, "line": f"{n}" + "é" * 50} for n in range(7)]
    store.put(NodeLog(ref).lines(*long))
    monkeypatch.setattr(limits, "MOST_TEXT_BYTES", 250)
    first = store.ask(ref)
    assert [line[0] for line in first["line"].to_pylist()] == ["0", "1"]
    found, _ = followed(store, ref, first["cursor"].to_pylist()[-1])
    assert [line[0] for line in found] == ["2", "3", "4", "5", "6"]
    assert [line[0] for line in store.read(ref, newest=True)] == ["5", "6"]
    monkeypatch.setattr(limits, "MOST_TEXT_BYTES", 1)
    assert [line[0] for line in store.read(ref)] == ["0"]


# ── the same answers to the same questions ─────────────────────────────────

few = settings(max_examples=4, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))
WORDS = ("error", "loss=0.5", "0.51", "Epoch 3:", "größe", "\x1b[31mERROR\x1b[0m", "a", "->")


def random_blocks(refs: list[RunRef], draw: random.Random) -> Iterator[Block]:
    """Yield blocks of lines of several agents' lives, with copies, ties and late frames."""
    # Lives that write the same lines are of one node, and so not born in the same second.
    logs = [
        NodeLog(ref, rank=rank, born_s=BORN_S + draw.randint(0, 2) * 10 + rank)
        for ref in refs
        for rank in range(draw.randint(1, 3))
    ]
    for _ in range(draw.randint(3, 14)):
        lines = [
            {
                "number": number,
                "line": f"{WORDS[number % len(WORDS)]} {WORDS[number * 5 % len(WORDS)]} {number}",
                "rank": number % 3,
                "at_us": number // 4 * 10,
                "of": number % 2,
                "stream": ("stdout", "stderr", "logging")[number % 3],
                "level": (0, 0, 30)[number % 3],
            }
            for number in draw.sample(range(30), draw.randint(1, 8))
        ]
        yield draw.choice(logs).lines(*lines)


@pytest.fixture(scope="module")
def pair(connection: clickhouse.ClickHouse) -> Callable[[], tuple[Store, Store]]:
    return lambda: (stored(connection), in_memory())


@few
@given(seed=st.integers(0, 1 << 32))
def test_any_history_is_answered_alike_and_followed_without_loss(
    pair: Callable[[], tuple[Store, Store]], seed: int
) -> None:
    draw, both = random.Random(seed), pair()
    project = f"p-{uuid.uuid4().hex}"
    refs = [RunRef(project, "a"), RunRef(project, "b")]
    query = LinesQuery(tuple(refs), limit=draw.choice((2, 5, 100)))
    followers = {store: ["", []] for store in both}
    for block in [*map(run_block, refs), *random_blocks(refs, draw)]:
        for store in both:
            store.put(block)
        for asked in _questions(query, draw):
            answers = [store.console.read_lines(asked) for store in both]
            without = [answer.drop_columns(["cursor"]).to_pylist() for answer in answers]
            assert without[0] == without[1], asked
            counts = [store.console.count_lines(asked) for store in both]
            assert counts[0] == counts[1], asked
        for store, held in followers.items():
            _follow_once(store, query, held)
    for store, held in followers.items():
        while _follow_once(store, query, held):
            pass
        every = store.console.read_lines(replace(query, limit=100_000)).to_pylist()
        places = [
            (row["run_id"], row["process"], row["number"], row["time_unix_us"]) for row in every
        ]
        assert sorted(held[1]) == sorted(places)


def _questions(query: LinesQuery, draw: random.Random) -> Iterator[LinesQuery]:
    if draw.random() < 0.5:
        yield replace(
            query,
            newest=draw.random() < 0.5,
            search=draw.choice(("", *WORDS)),
            ranks=draw.choice((None, (0,), (1, 2))),
            streams=draw.choice(((), (Stream.STDERR, Stream.LOGGING))),
            min_level=draw.choice((0, 0, 20)),
            from_unix_us=draw.choice((None, START_US + 20)),
            to_unix_us=draw.choice((None, START_US + 50)),
        )


def _follow_once(store: Store, query: LinesQuery, held: list[Any]) -> int:
    answer = store.console.read_lines(replace(query, after=held[0])).to_pylist()
    held[1] += [(r["run_id"], r["process"], r["number"], r["time_unix_us"]) for r in answer]
    if answer:
        held[0] = answer[-1]["cursor"]
    return len(answer)
