"""Pages of metrics: the text format, a target, and a real HTTP server."""

import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from prometheus_client.parser import text_string_to_metric_families

from weir._settings import Settings
from weir.agent._system.openmetrics import (
    MAX_SERIES,
    OpenMetrics,
    Target,
    device_of,
    fetch_page,
    parse_target,
)
from weir.agent._system.openmetrics_text import Series, parse
from weir.agent._system.source import Sample
from weir.errors import ConfigError

DCGM = """\
# HELP DCGM_FI_DEV_GPU_UTIL GPU utilization (in %).
# TYPE DCGM_FI_DEV_GPU_UTIL gauge
DCGM_FI_DEV_GPU_UTIL{gpu="0",UUID="GPU-1",modelName="NVIDIA H100 80GB HBM3",Hostname="a"} 97
DCGM_FI_PROF_SM_ACTIVE{gpu="0",err_msg="it said \\"no\\", twice\\\\n"} 0.731 1700000000000
# TYPE latency histogram
latency_bucket{le="0.1"} 3
latency_bucket{le="+Inf"} 4
latency_sum 0.5
latency_count 4

plain 1e3
weird{} NaN
high +Inf
"""


def test_a_page_reads_as_prometheus_own_parser_reads_it() -> None:
    ours = [(series.name, dict(series.labels), repr(series.value)) for series in parse(DCGM)]
    families = text_string_to_metric_families(DCGM)
    theirs = [
        (s.name, s.labels, repr(float(s.value))) for family in families for s in family.samples
    ]
    assert sorted(ours, key=str) == sorted(theirs, key=str)
    assert len(ours) == 9


def test_lines_that_are_none_are_passed_over() -> None:
    page = 'a 1\nb{x="1" 2\nc{x=1} 2\nd\ne five\n{} 3\n<html>\nf 2 # {trace="1"} 0.5\n'
    assert list(parse(page)) == [Series("a", {}, 1.0), Series("f", {}, 2.0)]


def test_a_target_names_its_metrics_and_may_choose_some() -> None:
    assert parse_target("dcgm=http://h:9400/metrics#DCGM_FI") == Target(
        "dcgm", "http://h:9400/metrics", "DCGM_FI"
    )
    assert parse_target("vllm=https://h/m?a=b").prefix == ""
    for wrong in ("http://h/m", "x=file:///etc/passwd", "=http://h", "x="):
        with pytest.raises(ValueError, match="name=http"):
            parse_target(wrong)


def test_a_wrong_target_is_refused_where_it_is_given() -> None:
    with pytest.raises(ConfigError, match="openmetrics"):
        Settings.resolve({}, {"WEIR_OPENMETRICS": "dcgm=file:///etc/passwd"})
    good = Settings.resolve({}, {"WEIR_OPENMETRICS": "a=http://x/m, b=http://y/m"})
    assert good.openmetrics == ("a=http://x/m", "b=http://y/m")


def test_labels_become_the_device_and_buckets_are_left_out() -> None:
    target = Target("dcgm", "http://h", "")
    found = {
        (s.metric, s.device): s.value for s in OpenMetrics(target, fetch=lambda _: DCGM).sample()
    }
    of = "gpu=0,UUID=GPU-1,modelName=NVIDIA H100 80GB HBM3,Hostname=a"
    assert found["dcgm.DCGM_FI_DEV_GPU_UTIL", of] == 97
    assert found["dcgm.latency_sum", ""] == 0.5
    assert not any("bucket" in metric for metric, _ in found)
    assert len(device_of(Series("a", {"x": "é" * 600}, 1)).encode()) <= 512
    assert device_of(Series("a", {"x": "1\n2", "y": ""}, 1)) == "x=1 2"


def test_only_metrics_with_the_prefix_are_taken() -> None:
    source = OpenMetrics(Target("d", "http://h", "DCGM_FI_PROF"), fetch=lambda _: DCGM)
    assert [sample.metric for sample in source.sample()] == ["d.DCGM_FI_PROF_SM_ACTIVE"]


def test_a_page_with_too_many_series_is_refused_with_advice() -> None:
    page = "".join(f"m{i} 1\n" for i in range(MAX_SERIES + 1))
    with pytest.raises(ValueError, match="#prefix"):
        list(OpenMetrics(Target("d", "http://h"), fetch=lambda _: page).sample())


# ── over HTTP ────────────────────────────────────────────────────────────────


class _Pages(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = b"#" * (5 << 20) if self.path == "/long" else DCGM.encode()
        self.send_response(500 if self.path == "/broken" else 200)
        self.end_headers()
        with suppress(OSError):
            if self.path == "/slow":
                for _ in range(100):  # never a second between two bytes
                    self.wfile.write(b"#")
                    time.sleep(0.1)
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def url() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), _Pages)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_real_page_is_read_past_any_proxy(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    samples = list(OpenMetrics(parse_target(f"x={url}/metrics#plain")).sample())
    assert samples == [Sample("x.plain", "", 1000.0)]


def test_a_page_that_cannot_be_had_is_an_os_error(url: str) -> None:
    for path in ("/broken", "/long", "/slow"):
        with pytest.raises(OSError):  # noqa: PT011 - urllib's own are OSErrors
            fetch_page(url + path)
    with pytest.raises(OSError):  # noqa: PT011
        fetch_page("http://127.0.0.1:9/metrics")
