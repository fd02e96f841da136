"""Asking within limits: each is kept by the real engine or by the reader, and named when reached."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pyarrow as pa
import pytest

from tests.integration.fixtures_engine import EngineProcess, running_engine
from tests.integration.sql_store import OTHERS, OURS, SqlStore, drop_store, make_store
from weir_store.arrow_stream import BrokenOff
from weir_store.clickhouse import connect
from weir_store.errors import InvalidQuery, StoreError, StoreUnavailable
from weir_store.sql import functions
from weir_store.sql import limits as sql_limits
from weir_store.sql.base import Answer, LimitReached, Limits, Question, Refused, Rights

ENDLESS = "SELECT number FROM numbers(1000000000000)"
OUR_RIGHTS = Rights((OURS,))


@pytest.fixture(scope="module")
def store(engine: EngineProcess) -> Iterator[SqlStore]:
    clickhouse = connect(engine.url)
    made = make_store(clickhouse)
    yield made
    drop_store(made)
    clickhouse.close()


def rows(answer: Answer) -> list[dict[str, object]]:
    return [row for batch in answer.batches for row in batch.to_pylist()]


def limited(text: str, **limits: float) -> Question:
    return Question(text, OUR_RIGHTS, limits=Limits(**limits))  # type: ignore[arg-type]


def endless(asker: str = "") -> Question:
    """Return a question whose answer does not end by itself."""
    most = Limits(rows_read=10**15, result_rows=10**12, result_bytes=10**15)
    return Question(ENDLESS, OUR_RIGHTS, asker=asker, limits=most)


def until(true: Callable[[], bool]) -> None:
    """Wait until it is so; the suite's own time limit ends what never is."""
    while not true():
        time.sleep(0.02)


def running(store: SqlStore, what: str) -> int:
    """Return how many statements run at the server that hold `what`, this question not counted."""
    found = store.clickhouse.query_rows(
        "SELECT count() FROM system.processes WHERE position(query, {a:String}) > 0"
        " AND position(query, 'system.processes') = 0",
        {"a": what},
    )
    return int(found[0][0])


def test_strings_come_as_strings_and_an_empty_answer_has_its_schema(store: SqlStore) -> None:
    answer = store.asking.ask(Question("SELECT name, value FROM runs, params WHERE 0", OUR_RIGHTS))
    assert answer.schema == pa.schema(
        [pa.field("name", pa.string(), False), pa.field("value", pa.string(), False)]
    )
    assert rows(answer) == []
    assert not answer.cut


def test_parameters_are_bound_by_the_server_whatever_they_hold(store: SqlStore) -> None:
    nasty = "x' OR 1 -- \\ \n é %(a)s {a:String}"
    answer = store.asking.ask(
        Question(
            "SELECT {a:String} AS a, {b:Array(UInt8)} AS b, '%(a)s {c:String}' AS c",
            OUR_RIGHTS,
            {"a": nasty, "b": [1, 2], "unused": "x"},
        )
    )
    assert rows(answer) == [{"a": nasty, "b": [1, 2], "c": "%(a)s {c:String}"}]


def test_a_parameter_without_a_value_is_named(store: SqlStore) -> None:
    with pytest.raises(Refused, match=r"\{a:UInt8\}"):
        store.asking.ask(Question("SELECT {a:UInt8}", OUR_RIGHTS))


@pytest.mark.parametrize(
    ("text", "limits", "named"),
    [
        (f"SELECT sum(cityHash64(number)) FROM ({ENDLESS})", {"seconds": 0.5, "rows_read": 10**15}, "seconds"),
        ("SELECT groupArray(number) FROM numbers(1000000000)", {"memory_bytes": 50 << 20}, "memory_bytes"),
        ("SELECT uniqExact(number) FROM numbers(1000000000)", {"memory_bytes": 50 << 20}, "memory_bytes"),
        ("SELECT sum(value) FROM metrics", {"rows_read": 10}, "rows_read"),
        ("SELECT number FROM numbers(1000)", {"result_rows": 10}, "result_rows"),
        ("SELECT number FROM numbers(10000000)", {"result_rows": 5_000_000}, "result_rows"),
        ("SELECT number FROM numbers(10000000)", {"result_bytes": 1 << 20}, "result_bytes"),
        ("SELECT repeat('x', 100000) FROM numbers(1000)", {"result_bytes": 1 << 20}, "result_bytes"),
    ],
)  # fmt: skip
def test_a_limit_that_is_reached_is_named(
    store: SqlStore, text: str, limits: dict[str, float], named: str
) -> None:
    with pytest.raises(LimitReached, match=named):
        rows(store.asking.ask(limited(text, **limits)))


@pytest.mark.parametrize(("given", "kept"), [(10, 10), (999, 999), (100_000, 100_000)])
def test_an_answer_that_may_be_cut_ends_exactly_there_and_says_so(
    store: SqlStore, given: int, kept: int
) -> None:
    answer = store.asking.ask(
        limited("SELECT number FROM numbers(1000000)", result_rows=given, cut=True)
    )
    assert [row["number"] for row in rows(answer)] == list(range(kept))
    assert answer.cut


def test_an_answer_that_just_fits_is_not_called_cut(store: SqlStore) -> None:
    answer = store.asking.ask(
        limited("SELECT number FROM numbers(1000)", result_rows=1000, cut=True)
    )
    assert len(rows(answer)) == 1000
    assert not answer.cut


def test_an_answer_may_be_cut_by_its_bytes(store: SqlStore) -> None:
    question = limited(
        "SELECT number FROM numbers(10000000)", result_bytes=1 << 20, result_rows=10**9, cut=True
    )
    answer = store.asking.ask(question)
    assert sum(batch.nbytes for batch in answer.batches) <= 1 << 20
    assert answer.cut


def test_a_statement_that_fails_midway_never_looks_whole(store: SqlStore) -> None:
    question = limited("SELECT throwIf(number = 5000000) FROM numbers(10000000)", result_rows=10**9)
    with pytest.raises(InvalidQuery, match="throwIf"):
        rows(store.asking.ask(replace(question, rights=Rights())))
    with pytest.raises(StoreError, match="throwIf"):
        list(
            store.clickhouse.stream_arrow("SELECT throwIf(number = 5000000) FROM numbers(10000000)")
        )


def test_who_may_see_some_projects_is_not_told_why_a_statement_failed_midway(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Breaks:
        schema = pa.schema([("value", pa.int64())])

        def __next__(self) -> pa.RecordBatch:
            raise BrokenOff("Code: 395. DB::Exception: a value of theirs: while executing", 395)

        def close(self) -> None: ...

    monkeypatch.setattr(store.clickhouse, "open_arrow", lambda *_: Breaks())
    for rights, said in (
        (OUR_RIGHTS, "behind its first rows"),
        (Rights(), "a value of theirs"),
    ):
        with pytest.raises(InvalidQuery, match=said) as refused:
            rows(store.asking.ask(replace(limited("SELECT 1"), rights=rights)))
        assert ("theirs" in str(refused.value)) is (rights == Rights())


def test_an_engine_that_dies_midway_never_looks_like_an_end(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with running_engine(tmp_path_factory.mktemp("dies") / "clickhouse") as engine:
        stream = connect(engine.url).stream_arrow(ENDLESS)
        next(stream)
        assert engine.process is not None
        engine.process.kill()
        with pytest.raises(StoreUnavailable):
            for _ in stream:
                pass


def test_closing_the_batches_stops_the_statement_at_the_server(store: SqlStore) -> None:
    answer = store.asking.ask(endless())
    next(answer.batches)
    assert running(store, "numbers(1000000000000)")
    answer.batches.close()  # type: ignore[attr-defined]
    until(lambda: not running(store, "numbers(1000000000000)"))
    assert list(answer.batches) == []


def test_letting_go_of_an_answer_stops_the_statement_too(store: SqlStore) -> None:
    answer = store.asking.ask(endless())
    next(answer.batches)
    del answer
    gc.collect()
    until(lambda: not running(store, "numbers(1000000000000)"))


def test_a_reader_that_stops_reading_loses_the_answer_and_frees_its_turn(store: SqlStore) -> None:
    reader = store.reader(at_once=1, each=1, wait_s=30, idle_s=0.3)
    left = reader.ask(endless())
    next(left.batches)
    assert rows(reader.ask(Question("SELECT 1 AS a", OUR_RIGHTS, asker="somebody else"))) == [
        {"a": 1}
    ]
    with pytest.raises(LimitReached, match="nobody took"):
        next(left.batches)


def test_one_asker_cannot_have_more_than_a_share_of_the_turns(store: SqlStore) -> None:
    reader = store.reader(at_once=4, each=2, wait_s=30)
    held = [reader.ask(endless("greedy")) for _ in range(2)]
    with pytest.raises(LimitReached, match="2 statements of yours"):
        reader.ask(Question("SELECT 1", Rights(), asker="greedy"))
    assert rows(reader.ask(Question("SELECT 1 AS a", Rights(), asker="modest"))) == [{"a": 1}]
    for answer in held:
        answer.batches.close()  # type: ignore[attr-defined]
    assert rows(reader.ask(Question("SELECT 2 AS a", Rights(), asker="greedy"))) == [{"a": 2}]


def test_when_all_turns_are_taken_who_waits_too_long_is_told(store: SqlStore) -> None:
    reader = store.reader(at_once=1, each=1, wait_s=0.1)
    held = reader.ask(endless("a"))
    with pytest.raises(LimitReached, match="statements are running"):
        reader.ask(Question("SELECT 1", Rights(), asker="b"))
    held.batches.close()  # type: ignore[attr-defined]


def test_a_statement_that_was_refused_or_failed_gives_its_turn_back(store: SqlStore) -> None:
    reader = store.reader(at_once=1, each=1, wait_s=0.1)
    for text in (
        "SELECT file('x')",
        "SELECT nothing_like_that",
        "SELECT toUInt8('x')",
        "SELECT 1 +",
    ):
        with pytest.raises(StoreError):
            rows(reader.ask(Question(text, OUR_RIGHTS)))
    assert rows(reader.ask(Question("SELECT 1 AS a", OUR_RIGHTS))) == [{"a": 1}]


def test_many_askers_at_once_all_get_their_answers(store: SqlStore) -> None:
    reader = store.reader(at_once=3, each=2, wait_s=60)
    with ThreadPoolExecutor(16) as people:
        answers = people.map(
            lambda n: rows(
                reader.ask(Question(f"SELECT {n} AS n FROM runs LIMIT 1", OUR_RIGHTS, asker=str(n)))
            ),
            range(48),
        )
        assert [answer[0]["n"] for answer in answers] == list(range(48))
    assert threading.active_count() < 64


def test_what_clickhouse_says_of_a_statement_comes_without_addresses_and_our_own_sql(
    store: SqlStore, engine: EngineProcess
) -> None:
    with pytest.raises(InvalidQuery) as error:
        store.asking.ask(Question("SELECT no_such_column FROM runs", OUR_RIGHTS))
    said = str(error.value)
    assert "no_such_column" in said
    assert "UNKNOWN_IDENTIFIER" in said
    assert str(engine.port) not in said
    assert "weir view" not in said
    assert store.database not in said


def test_bytes_that_are_no_text_are_refused_by_name(store: SqlStore) -> None:
    with pytest.raises(InvalidQuery, match=r"hex\(x\)"):
        rows(store.asking.ask(Question("SELECT unhex('ff') AS a", OUR_RIGHTS)))
    with pytest.raises(InvalidQuery, match="name of a column"):
        store.asking.ask(Question("SELECT 1 AS `\\xff`", OUR_RIGHTS))


# ── whose rows a condition sees ──────────────────────────────────────────────

PROBES = [
    "SELECT count() FROM params WHERE throwIf(value LIKE 'c4n4%') = 0",
    "SELECT count() FROM params WHERE run_id = 'r1' AND throwIf(value LIKE 'c4n4%') = 0",
    """SELECT count() FROM runs r JOIN params p USING (run_id) JOIN metrics m USING (run_id)
    WHERE throwIf(p.value LIKE 'c4n4%') = 0""",
    """SELECT sum(t) FROM (SELECT run_id, throwIf(value LIKE 'c4n4%') AS t FROM params WHERE path = 'name') a
    JOIN runs USING (run_id)""",
    "SELECT count() FROM runs WHERE run_id IN (SELECT run_id FROM params WHERE throwIf(value LIKE 'c4n4%') = 0)",
]  # fmt: skip


@pytest.mark.parametrize("text", PROBES)
def test_no_condition_sees_a_row_of_others_so_no_error_can_tell_of_it(
    store: SqlStore, text: str
) -> None:
    assert len(rows(store.asking.ask(Question(text, OUR_RIGHTS)))) == 1
    with pytest.raises(InvalidQuery, match="throwIf"):
        rows(store.asking.ask(Question(text, Rights((OURS, OTHERS)))))


def test_should_clickhouse_join_the_conditions_all_the_same_the_answer_is_asked_for_behind_a_wall(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if a new ClickHouse had a new way to join conditions that no setting of ours stops."""
    monkeypatch.setattr(sql_limits, "BARRIER", {})
    reader = store.reader()
    question = Question(PROBES[0], OUR_RIGHTS)
    plain, settings = reader.admit(question).sql, reader.settings(question)
    with pytest.raises(StoreError):  # the danger is real: this is what the wall is for
        store.clickhouse.query_rows(plain, None, settings)
    for text in PROBES:
        assert len(rows(reader.ask(Question(text, OUR_RIGHTS)))) == 1


def test_no_function_of_the_server_is_let_in_by_being_spelled_alike(store: SqlStore) -> None:
    """The list knows no upper and lower case; ClickHouse does, of some functions."""
    server = store.clickhouse.query_rows(
        "SELECT name, is_aggregate, case_insensitive, alias_to FROM system.functions"
    )
    let_in = {name for name, *_ in server if functions.is_allowed(name)}
    by_letters = {name.lower() for name in functions.NAMES}
    for name, is_aggregate, case_insensitive, alias_to in server:
        if name in let_in - functions.NAMES and name.lower() in by_letters:
            assert case_insensitive or functions.is_allowed(alias_to), name
        if name in let_in and not is_aggregate:
            assert name.lower() in by_letters, name
