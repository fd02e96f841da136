"""Health: what parts say of themselves, what follows, and the page over it."""

from __future__ import annotations

import math
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from streamlit.testing.v1 import AppTest

from tests.unit.dashboard.test_states import said, show
from tests.unit.dashboard.whole import whole
from weir_dashboard import health
from weir_dashboard.data_health import HealthAsked
from weir_dashboard.health import Level, Look, Seen
from weir_store.errors import InvalidQuery, StoreUnavailable
from weir_store.health.base import (
    Book,
    DeadReason,
    Disk,
    Flow,
    Loss,
    NodeHeard,
    StoreState,
    TableSize,
)
from weir_store.records import Kind, RunRef

GATEWAY = """# TYPE weir_ingest_points_total counter
weir_ingest_points_total{outcome="accepted"} %d
weir_ingest_points_total{outcome="rejected"} 0
weir_build_info{version="1.2.3"} 1
process_start_time_seconds 100
process_resident_memory_bytes 209715200
"""
WRITER = """weir_writer_lease{shard="0"} %d
weir_stream_entries{shard="0"} 12
weir_stream_bytes{shard="0"} 4096
weir_stream_lag_seconds{shard="0"} %g
"""
S = 1_000_000


def part(name: str, text: str) -> health.Part:
    return health.parse_page(name, f"http://{name}/metrics", text)


def texts(seen: Seen) -> list[str]:
    return [one.text for one in health.findings(seen)]


def test_a_page_of_metrics_is_read_and_anything_else_is_a_problem() -> None:
    gateway = part("gateway", GATEWAY % 7)
    assert gateway.total("weir_ingest_points_total") == 7
    assert gateway.total("weir_ingest_points_total", outcome="rejected") == 0
    assert gateway.label("weir_build_info", "version") == "1.2.3"
    assert part("gateway", "<html>who are you</html>").problem
    assert part("gateway", "go_threads 7\n").problem == "the page has no metrics of Weir"


def test_two_looks_make_a_rate_and_a_restart_makes_none() -> None:
    looks = [Look(0, 100, 50), Look(10, 300, 50), Look(20, 5, 90), Look(30, 25)]
    assert health.rates(looks, "accepted") == [(10, 20.0), (30, 2.0)]
    assert health.rates(looks, "stored") == [(10, 0.0), (20, 4.0)]
    assert math.isnan(health.rate(looks[0], looks[0], "accepted"))


def test_the_writer_that_holds_a_shard_speaks_for_it() -> None:
    one, other = part("writer-1", WRITER % (0, 99)), part("writer-2", WRITER % (1, 0.2))
    assert health.shards([one, other]) == [("0", 12, 4096, 0.2, "writer-2")]
    assert health.shards([other, one]) == health.shards([one, other])
    assert math.isnan(health.lag_s([part("gateway", GATEWAY % 1)]))


def test_nothing_is_found_when_all_is_well() -> None:
    node = NodeHeard("a", 1, 8, 0, 100 * S, 95 * S, 100 * S)
    disk = Disk("default", "/", 50, 100)
    books = [Book(Kind.POINTS, sent=1_000_000, refused=3)]
    parts = [part("gateway", GATEWAY % 7), part("writer", WRITER % (1, 0.2))]
    assert texts(Seen(parts, books, [], [node], [disk])) == []


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        (Seen([health.Part("writer", "http://x", "refused")]), "writer shows no /metrics: refused"),
        (Seen([part("writer", WRITER % (0, 1))]), "nobody writes shard 0: 12 entries wait"),
        (Seen([part("writer", WRITER % (1, 30))]), "points of shard 0 wait 30 s for writer"),
        (Seen(books=[Book(Kind.POINTS, 9, dropped=4)]), "4 things were dropped by clients"),
        (Seen(books=[Book(Kind.LINES, 9, rejected=1)]), "1 thing were refused by the gateway"),
        (Seen(books=[Book(Kind.POINTS, 9, gap_frames=2)]), "2 frames never came"),
        (Seen(dead=[DeadReason("p", "odd", 3, 1)]), "3 frames could not be stored"),
        (Seen(nodes=[NodeHeard("n7", 1, 8, 2, S, S, S)]), "n7: processes fell silent"),
        (Seen(nodes=[NodeHeard("n7", 1, 8, 0, 900 * S, S, 901 * S)]), "n7: spools are up to 15 min behind"),
        (Seen(disks=[Disk("d", "/data", 5, 100)]), "5 B are left on /data, 5%"),
        (Seen(problems={"nodes": "timeout"}), "nodes could not be asked: timeout"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_in_words(seen: Seen, words: str) -> None:
    (found,) = texts(seen)
    assert words in found


def test_the_worst_comes_first() -> None:
    seen = Seen(books=[Book(Kind.POINTS, 1, dropped=1)], disks=[Disk("d", "/", 1, 100)])
    assert [one.level for one in health.findings(seen)] == [Level.ACT, Level.WATCH]


# ── asking ───────────────────────────────────────────────────────────────────


class Told:
    """A `HealthReader` that says what it is told to; `down` or refusing like a door of somebody."""

    def __init__(self, points: int = 0, **said: object) -> None:
        self.points = points
        self.said = said
        self.error: Exception | None = None

    def __getattr__(self, name: str):
        def answer(*_: object, **__: object) -> object:
            if self.error is not None and name in ("read_flow", "read_store"):
                raise self.error
            return self.said.get(name, [])

        return answer

    def read_flow(self) -> Flow:
        if self.error is not None:
            raise self.error
        return Flow(1_700_000_000 * S, self.points)


def test_looks_are_taken_no_more_often_than_every_few_seconds() -> None:
    now, reader = [100.0], Told(points=10)
    pages = {"http://g": GATEWAY % 100}
    asked = HealthAsked(reader, ("gateway=http://g",), pages.__getitem__, lambda: now[0])
    assert len(asked.looks()) == len(asked.looks()) == 1
    now[0], reader.points, pages["http://g"] = 105.0, 60, GATEWAY % 600
    looks = asked.looks()
    assert health.rates(looks, "accepted") == [(105.0, 100.0)]
    assert health.rates(looks, "stored") == [(105.0, 10.0)]
    reader.error = StoreUnavailable("gone")
    now[0] = 110.0
    assert math.isnan(asked.looks()[-1].stored)


def test_parts_are_read_over_http_and_one_that_is_not_there_says_why() -> None:
    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write((GATEWAY % 7).encode())

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    there = f"http://127.0.0.1:{server.server_port}/metrics"
    try:
        pages = (f"gateway={there}", "writer=http://127.0.0.1:9/metrics", "odd=ftp://x")
        gateway, writer, odd = HealthAsked(None, pages).parts()
    finally:
        server.shutdown()
        server.server_close()
    assert (gateway.problem, gateway.total("weir_ingest_points_total")) == ("", 7)
    assert "refused" in writer.problem.lower()
    assert odd.problem


# ── the page ─────────────────────────────────────────────────────────────────


def page(reader: Told, parts: tuple[str, ...] | None = ()) -> AppTest:
    test = show("health", replace(whole(), health=reader, parts=parts))
    assert not test.exception
    return test


SIZES = (TableSize("points", 10, 50, 2),)
STORE = StoreState("26.9", 3_700, "9 documents", SIZES, (Disk("d", "/", 60, 100),))


def test_the_page_says_that_all_is_well_and_that_nothing_is_lost() -> None:
    books = [Book(Kind.POINTS, sent=1_234_567)]
    test = page(Told(list_books=books, read_store=STORE))
    assert "Everything that was looked at is well." in said(test)
    assert "1,234,567" in said(test)
    assert "<dt>Lost</dt><dd>0</dd>" in said(test)
    assert "dashboard.metrics" in said(test)


def test_the_page_names_runs_that_lost_something_and_why_frames_are_dead() -> None:
    told = Told(
        list_books=[Book(Kind.POINTS, 9, dropped=4)],
        list_losses=[Loss(RunRef("gpt-small", "r0001"), 0, 0, 0, 4)],
        list_dead=[DeadReason("gpt-small", "<b>odd</b>", 2, 1)],
        list_nodes=[NodeHeard("n7", 1, 8, 2, S, S, 900 * S)],
        read_store=STORE,
    )
    test = page(told)
    tables = {name: table for table in test.dataframe for name in table.value.columns}
    assert tables["why"].value["why"].tolist() == ["<b>odd</b>"]
    assert "r0001" in tables["run"].value["run"][0]
    assert tables["behind"].value["behind"].tolist() == ["14 min 59 s"]
    assert "4 things were dropped" in said(test)


def test_who_may_not_see_every_project_sees_neither_parts_nor_the_store() -> None:
    told = Told(list_books=[Book(Kind.POINTS, 9)], read_store=STORE)
    told.error = InvalidQuery("this is about every project")
    test = page(told, parts=None)
    assert "are shown to who may see every project" in said(test)
    assert "ClickHouse" not in said(test)
    assert not test.error


def test_a_page_without_its_store_keeps_the_rest() -> None:
    told = Told(list_books=[Book(Kind.POINTS, 9)])
    told.error = StoreUnavailable("system tables are closed")
    assert "system tables are closed" in said(page(told))
