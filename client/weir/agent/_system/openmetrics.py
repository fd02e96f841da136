"""Metrics that other programs of the node show on a page: DCGM's exporter, vLLM, node_exporter.

A target is `name=url`, or `name=url#prefix` to keep only the metrics whose names begin so:

    dcgm=http://127.0.0.1:9400/metrics#DCGM_FI_PROF

A line `DCGM_FI_PROF_SM_ACTIVE{gpu="0",Hostname="a"} 0.7` becomes metric `dcgm.DCGM_FI_PROF_SM_ACTIVE`
of device `gpu=0,Hostname=a`.
"""

import time
import urllib.request
from collections.abc import Callable, Iterator
from http.client import HTTPException
from typing import Any, Final, NamedTuple
from urllib.parse import urldefrag

from weir._names import MAX_NAME_BYTES
from weir.agent._system.openmetrics_text import Series, parse
from weir.agent._system.source import Sample, Source

_TIMEOUT_S: Final = 1.0
_MAX_PAGE_BYTES: Final = 4 << 20
_CHUNK_BYTES: Final = 64 << 10
MAX_SERIES: Final = 2_000
"""Of one page; what is beyond is left out and said in the agent's log."""

_NO_LEVELS: Final = ("_bucket", "_created")  # a histogram's buckets would be most of any page


class Target(NamedTuple):
    """One page.

    Attributes:
        name: Begins the names of its metrics.
        prefix: Only metrics whose names begin so; "" = all.
    """

    name: str
    url: str
    prefix: str = ""


def parse_target(text: str) -> Target:
    """Return a target from `name=url` or `name=url#prefix`.

    Raises:
        ValueError: It is neither, or the url is not http(s).
    """
    name, found, rest = text.partition("=")
    url, prefix = urldefrag(rest)
    if not (name.strip() and found and url.startswith(("http://", "https://"))):
        raise ValueError(f"{text!r} is not name=http://… or name=http://…#prefix")
    return Target(name.strip(), url, prefix)


class OpenMetrics(Source):
    """One page, read at each sampling."""

    def __init__(self, target: Target, *, fetch: Callable[[str], str] | None = None) -> None:
        self._target = target
        self._fetch = fetch or fetch_page

    def sample(self) -> Iterator[Sample]:
        """Read the page, for at most a second.

        Raises:
            OSError: It cannot be read.
            ValueError: It is too long, or has too many series.
        """
        taken = 0
        for series in parse(self._fetch(self._target.url)):
            if self._is_wanted(series):
                taken += 1
                if taken > MAX_SERIES:
                    raise ValueError(
                        f"over {MAX_SERIES} series: choose some with {self._target.url}#prefix"
                    )
                yield Sample(f"{self._target.name}.{series.name}", device_of(series), series.value)

    def _is_wanted(self, series: Series) -> bool:
        return series.name.startswith(self._target.prefix) and not series.name.endswith(_NO_LEVELS)


def device_of(series: Series) -> str:
    """Return the labels as the name of a device: `a=1,b=2`; "" without any. Pure."""
    text = ",".join(f"{name}={value}" for name, value in series.labels.items() if value)
    printable = "".join(letter if letter.isprintable() else " " for letter in text)
    return printable.encode()[:MAX_NAME_BYTES].decode(errors="ignore")


def fetch_page(url: str) -> str:
    """Return a page's text.

    Raises:
        OSError: It cannot be had within a second, or is over 4 MiB.
    """
    request = urllib.request.Request(url, headers={"Accept": "text/plain"})
    deadline_s = time.monotonic() + _TIMEOUT_S
    try:
        with _OPENER.open(request, timeout=_TIMEOUT_S) as answer:
            page = b"".join(_chunks(answer, deadline_s))
    except HTTPException as error:
        raise OSError(f"{url}: {error!r}") from error
    return page.decode(errors="replace")


def _chunks(answer: Any, deadline_s: float) -> Iterator[bytes]:
    """Iterate over a page as it comes; the timeout of the socket is for each piece alone."""
    size_bytes = 0
    while chunk := answer.read1(_CHUNK_BYTES):
        size_bytes += len(chunk)
        if size_bytes > _MAX_PAGE_BYTES:
            raise OSError(f"over {_MAX_PAGE_BYTES >> 20} MiB")
        if time.monotonic() > deadline_s:
            raise TimeoutError(f"over {_TIMEOUT_S:g} s")
        yield chunk


# The node's own pages are not behind the proxy that the environment may name.
_OPENER: Final = urllib.request.build_opener(urllib.request.ProxyHandler({}))
