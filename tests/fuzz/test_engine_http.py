"""The engine's door: whatever is said there is answered or hung up on, and nothing of it stays."""

from __future__ import annotations

import random
import socket
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.e2e.fixtures_up import wait_until
from tests.fuzz.bad_requests import bad_request, exchange
from tests.fuzz.session import descriptors
from tests.fuzz.targets import encoding, statement
from tests.integration.fixtures_engine import EngineProcess, running_engine

AT_ONCE = 8


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=600))
def test_any_bytes_may_be_a_packed_body_and_its_pieces_stay_small(data: bytes) -> None:
    encoding(data)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=600))
def test_any_bytes_may_be_a_statement(data: bytes) -> None:
    statement(data)


def say(engine: EngineProcess, seed: int) -> bytes:
    """Say something bad, and return the answer."""
    rng = random.Random(seed)
    return exchange(engine.host, engine.port, bad_request(rng), pieces=rng.choice((1, 1, 1, 3, 40)))


def test_every_bad_request_is_answered_or_hung_up_on_and_the_engine_goes_on(tmp_path: Path) -> None:
    with running_engine(tmp_path / "clickhouse") as engine, ThreadPoolExecutor(AT_ONCE) as clients:
        list(clients.map(lambda seed: say(engine, seed), range(10_000, 10_060)))  # warm up
        process = psutil.Process(engine.pid)
        held, rss = descriptors(engine.pid), process.memory_info().rss
        answers = list(clients.map(lambda seed: say(engine, seed), range(240)))
        assert engine.client().query("SELECT 1").result_rows == [(1,)]
        assert process.is_running()
        # What is pooled may grow by the queries that ran at once, never by the requests.
        wait_until(lambda: descriptors(engine.pid) <= held + 2 * AT_ONCE, "descriptors are closed")
        assert process.memory_info().rss - rss < 300 << 20
    told = Counter(answer[9:12] for answer in answers if answer)
    assert all(answer.startswith(b"HTTP/1.") for answer in answers if answer)
    assert len(told) > 3, told
    assert not [answer for answer in answers if answer.endswith(b"Internal Server Error")]
    assert not [a for a in answers if b"\r\nx-evil" in a.partition(b"\r\n\r\n")[0].lower()]
    assert "Traceback" not in (tmp_path / "clickhouse.stderr").read_text()


def test_slow_talkers_keep_nobody_else_waiting(engine: EngineProcess) -> None:
    """Twenty clients that send a byte now and then; a good one beside them is answered."""
    slow = [socket.create_connection((engine.host, engine.port)) for _ in range(20)]
    try:
        for number, byte in enumerate(b"POST /?query=SELECT+1 HTTP/1.1\r\nHo"):
            for connection in slow:
                connection.sendall(bytes([byte]))
            if number % 10 == 0:
                assert engine.client().query("SELECT 2").result_rows == [(2,)]
    finally:
        for connection in slow:
            connection.close()
    assert engine.client().query("SELECT 3").result_rows == [(3,)]
