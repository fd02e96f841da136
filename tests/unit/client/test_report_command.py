"""`weir report export`: the file is whole or not there, and what went wrong is said."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from click.testing import CliRunner

from weir import cli
from weir.errors import Rejected, Unauthenticated, Unavailable

PAGE = b"<!doctype html><p>gr\xc3\xb6\xc3\x9fer</p>"


@dataclass
class Dashboard:
    url: str
    status: int = 200
    kind: str = "text/html; charset=utf-8"
    asked: list[tuple[str, str]] = field(default_factory=list)


@pytest.fixture
def dashboard() -> Iterator[Dashboard]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            told.asked.append((self.path, self.headers.get("Authorization", "")))
            self.send_response(told.status)
            self.send_header("Content-Type", told.kind)
            self.send_header("Content-Length", str(len(PAGE)))
            self.end_headers()
            self.wfile.write(PAGE)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    told = Dashboard(f"http://127.0.0.1:{server.server_port}")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield told
    server.shutdown()
    server.server_close()


def export(dashboard: str, *more: str):
    arguments = ["report", "export", "abcd2345", "--dashboard", dashboard, *more]
    return CliRunner().invoke(cli.weir_command(), arguments)


def test_the_file_is_what_the_dashboard_wrote(dashboard, tmp_path, monkeypatch):
    monkeypatch.setenv("WEIR_TOKEN", "secret")
    target = tmp_path / "r.html"
    done = export(f"{dashboard.url}/", "-o", str(target))
    assert done.exit_code == 0, done.output
    assert target.read_bytes() == PAGE
    assert dashboard.asked == [("/api/report?id=abcd2345", "Bearer secret")]
    assert [file.name for file in tmp_path.iterdir()] == ["r.html"]


def test_without_a_name_the_file_has_the_reports(dashboard, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert export(dashboard.url).exit_code == 0
    assert (tmp_path / "report-abcd2345.html").read_bytes() == PAGE


@pytest.mark.parametrize(
    ("status", "kind", "error"),
    [
        (404, "application/json", Rejected),
        (401, "application/json", Unauthenticated),
        (303, "text/html", Unauthenticated),
        (503, "application/json", Unavailable),
        (200, "application/json", Unavailable),
    ],
)
def test_what_is_no_report_is_no_file(dashboard, tmp_path, status, kind, error):
    dashboard.status, dashboard.kind = status, kind
    target = tmp_path / "r.html"
    target.write_text("before")
    done = export(dashboard.url, "-o", str(target))
    assert isinstance(done.exception, error)
    assert target.read_text() == "before"


def test_a_dashboard_that_is_not_there_is_named(tmp_path):
    done = export("http://127.0.0.1:9", "-o", str(tmp_path / "r.html"))
    assert isinstance(done.exception, Unavailable)
    assert "127.0.0.1:9" in str(done.exception)
    assert list(tmp_path.iterdir()) == []
