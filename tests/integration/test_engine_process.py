"""The engine as a process: one per directory, bounded memory, nothing lost when it is killed."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.integration.fixtures_engine import EngineProcess, running_engine, start_engine

_DEADLINE_S = 30.0
_RUNNING = "SELECT count() FROM system.processes WHERE query LIKE '%{mark}%' AND query NOT LIKE '%system.processes%'"


@pytest.fixture
def running(tmp_path: Path) -> Iterator[EngineProcess]:
    with running_engine(tmp_path / "data") as engine:
        yield engine


def ask(engine: EngineProcess, sql: str, body: bytes = b"") -> bytes:
    request = urllib.request.Request(f"{engine.url}/", data=sql.encode() + body)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return bytes(answer.read())


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _DEADLINE_S
    while not true():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def memory_bytes(engine: EngineProcess) -> int:
    pages = Path(f"/proc/{engine.pid}/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def refused(path: Path, *options: str) -> tuple[int, str]:
    command = [sys.executable, "-m", "weir_server.engine", "--path", str(path), *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    return done.returncode, done.stderr


def open_stream(engine: EngineProcess, sql: str) -> http.client.HTTPConnection:
    connection = http.client.HTTPConnection(engine.host, engine.port, timeout=60)
    connection.request("POST", "/", sql.encode())
    return connection


def test_a_result_read_slowly_does_not_grow_the_process(running: EngineProcess) -> None:
    ask(running, "SELECT number FROM numbers(1000000) FORMAT Native")
    before = memory_bytes(running)
    connection = open_stream(running, "SELECT number FROM numbers(1000000000) FORMAT Native")
    answer = connection.getresponse()
    for _ in range(100):
        assert len(answer.read(1 << 20)) == 1 << 20
        assert memory_bytes(running) - before < 100 << 20
    connection.close()


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT number AS gone FROM numbers(1000000000000) FORMAT Native",
        "SELECT count() AS gone FROM numbers(1000000000000) WHERE NOT ignore(sipHash64(number))",
    ],
)
def test_a_client_that_goes_away_takes_its_query_along(running: EngineProcess, sql: str) -> None:
    asked = _RUNNING.format(mark="AS gone")
    connection = open_stream(running, sql)
    until(lambda: ask(running, asked) == b"1\n")
    connection.close()
    if connection.sock is not None:
        connection.sock.close()
    until(lambda: ask(running, asked) == b"0\n")


def test_an_insert_that_breaks_off_writes_nothing(running: EngineProcess) -> None:
    ask(running, "CREATE TABLE t (a Int64) ENGINE = MergeTree ORDER BY a")
    failures = b'weir_engine_failures_total{error="CLIENT_GONE"} 1.0'
    with socket.create_connection((running.host, running.port)) as raw:
        raw.sendall(
            b"POST /?query=INSERT+INTO+t+FORMAT+TSV HTTP/1.1\r\nHost: x\r\n"
            b"Content-Length: 100000000\r\n\r\n" + b"1\n" * 1_000_000
        )
    until(lambda: failures in urllib.request.urlopen(f"{running.url}/metrics").read())
    assert ask(running, "SELECT count() FROM t") == b"0\n"


def test_committed_inserts_survive_sigkill(tmp_path: Path) -> None:
    path = tmp_path / "data"
    engine = start_engine(path)
    ask(
        engine,
        "CREATE TABLE t (a Int64) ENGINE = MergeTree ORDER BY a SETTINGS fsync_after_insert = 1",
    )
    for block in range(10):
        rows = b"".join(b"%d\n" % (block * 1_000 + i) for i in range(1_000))
        ask(engine, "INSERT INTO t FORMAT TSV\n", rows)
    assert engine.stop(signal.SIGKILL) == -signal.SIGKILL
    with running_engine(path) as again:
        assert ask(again, "SELECT count(), uniqExact(a) FROM t") == b"10000\t10000\n"


def test_tables_in_any_database_are_there_after_a_restart(tmp_path: Path) -> None:
    for turn in range(3):
        with running_engine(tmp_path / "data") as engine:
            ask(engine, "CREATE DATABASE IF NOT EXISTS d")
            for table in ("default.t", "d.t"):
                ask(
                    engine,
                    f"CREATE TABLE IF NOT EXISTS {table} (a Int8) ENGINE = MergeTree ORDER BY a",
                )
                ask(engine, f"INSERT INTO {table} VALUES (1)")
                assert ask(engine, f"SELECT count() FROM {table}") == b"%d\n" % (turn + 1)


def test_a_directory_whose_default_database_is_empty_opens_again(tmp_path: Path) -> None:
    for turn in range(4):  # never a table, a table, a table dropped
        with running_engine(tmp_path / "data") as engine:
            if turn == 1:
                ask(engine, "CREATE TABLE t (a Int8) ENGINE = MergeTree ORDER BY a")
            if turn == 2:
                assert ask(engine, "SELECT count() FROM t") == b"0\n"
                ask(engine, "DROP TABLE t SYNC")
            assert ask(engine, "SELECT 1") == b"1\n"


@pytest.mark.parametrize(
    ("number", "leaves"), [(signal.SIGTERM, False), (signal.SIGINT, True), (signal.SIGINT, False)]
)
def test_a_signal_ends_it_cleanly_whatever_its_clients_do(
    tmp_path: Path, number: int, leaves: bool
) -> None:
    engine = start_engine(tmp_path / "data")
    connection = open_stream(engine, "SELECT number FROM numbers(1000000000000) FORMAT Native")
    answer = connection.getresponse()
    answer.read(1_000)
    if leaves:
        answer.close()
        connection.close()
    assert engine.stop(number) == 0
    answer.close()
    connection.close()


def test_a_second_engine_on_the_directory_says_who_holds_it(
    running: EngineProcess, tmp_path: Path
) -> None:
    code, words = refused(tmp_path / "data")
    assert code == 1
    assert f"held by another engine, pid {running.pid}" in words
    assert len(words.splitlines()) == 1


def test_a_port_that_is_taken_is_named(running: EngineProcess, tmp_path: Path) -> None:
    code, words = refused(tmp_path / "other", "--port", str(running.port))
    assert code == 1
    assert str(running.port) in words
    assert len(words.splitlines()) == 1


def test_a_damaged_directory_is_one_line_and_an_exit_code(tmp_path: Path) -> None:
    path = tmp_path / "data"
    with running_engine(path) as engine:
        ask(engine, "CREATE DATABASE d")
        ask(engine, "CREATE TABLE d.t (a Int8) ENGINE = MergeTree ORDER BY a")
    (path / "metadata" / "d.sql").write_text("this is no SQL")
    code, words = refused(path)
    assert code == 1
    assert str(path) in words
    assert len(words.splitlines()) == 1


def test_a_path_that_is_no_directory_is_one_line_and_an_exit_code(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    code, words = refused(tmp_path / "file" / "data")
    assert code == 1
    assert len(words.splitlines()) == 1


def test_the_world_is_let_in_only_with_a_password(tmp_path: Path) -> None:
    code, words = refused(tmp_path / "data", "--host", "0.0.0.0")
    assert code == 1
    assert "engine.password" in words


def test_metrics_count_what_was_done(running: EngineProcess) -> None:
    ask(running, "CREATE TABLE t (a Int64) ENGINE = MergeTree ORDER BY a")
    ask(running, "INSERT INTO t FORMAT TSV\n", b"1\n2\n3\n")
    page = urllib.request.urlopen(f"{running.url}/metrics").read()
    assert b"weir_engine_inserted_rows_total 3.0" in page
    assert b"weir_engine_insert_bytes_total 6.0" in page
    assert b'weir_engine_seconds_count{kind="insert"} 1.0' in page
