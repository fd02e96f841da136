"""`weir doctor`: looks at everything a Weir stands on, and says what to do about each finding."""

from __future__ import annotations

import os
import platform
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Final

from pydantic import SecretStr

from weir_server.catalog import Settings
from weir_server.config import Loaded
from weir_server.errors import ServerError, StartupError
from weir_server.objects.open import check_objects
from weir_server.settings import ClickHouseSettings
from weir_server.store import connect_store
from weir_server.stream.redis import check_stream
from weir_server.up import redis_server
from weir_server.up.arrange import wanted_ports
from weir_server.up.data_dir import LEAST_FREE_BYTES, DataDir
from weir_server.up.ports import Wanted, choose_ports
from weir_server.up.probes import http_answers, port_answers, reachable_host
from weir_server.up.state import Running, read_running
from weir_store.clickhouse import ClickHouse
from weir_store.errors import SchemaMismatch, StoreError
from weir_store.migrate import check

_LITTLE_FREE_BYTES: Final = 10 << 30
_MOST_SKEW_S: Final = 2.0


class Verdict(StrEnum):
    """How bad a finding is."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at; `advice` is what to do, empty when all is well."""

    verdict: Verdict
    subject: str
    found: str
    advice: str = ""

    def line(self) -> str:
        """Return what people read."""
        advice = f" — {self.advice}" if self.advice else ""
        return f"{self.verdict.value:<4}  {self.subject:<10}  {self.found}{advice}"

    def as_json(self) -> dict[str, str]:
        """Return the finding as JSON carries it."""
        return asdict(self)


def exit_code(findings: list[Finding]) -> int:
    """Return 1 when something has failed, else 0; a warning is no failure."""
    return int(any(finding.verdict is Verdict.FAIL for finding in findings))


def examine(loaded: Loaded) -> Iterator[Finding]:
    """Look at the Weir that runs in the data directory, else at the one the settings describe."""
    running = read_running(loaded.settings.up.data_dir)
    settings = as_running(loaded.settings, running) if running else loaded.settings
    objects = settings.objects
    if "objects.dir" not in loaded.sources and (running or _means_embedded(loaded)):
        folder = DataDir(settings.up.data_dir.absolute()).objects
        objects = objects.model_copy(update={"dir": folder})
    yield _ok("weir", f"{version('weir')} on Python {platform.python_version()}")
    yield _ok("settings", f"{len(loaded.sources)} given, the others are defaults")
    yield from _examine_data_dir(settings.up.data_dir)
    if running:
        yield _ok("weir up", f"runs, pid {running.pid}, in {settings.up.data_dir}")
    elif _means_embedded(loaded):
        yield _ok("weir up", "does not run here; these are the things it needs")
        yield from _examine_up(settings)
        yield _told("objects", lambda: check_objects(objects))
        return
    yield _examine_redis(settings)
    yield from _examine_clickhouse(settings.clickhouse)
    yield _examine_gateway(settings)
    yield _told("objects", lambda: check_objects(objects))
    if running and running.objects:
        yield _examine_door(running.objects)
    if running and running.dashboard:
        yield _examine_dashboard(running.dashboard)


def _means_embedded(loaded: Loaded) -> bool:
    """Whether nobody named engines of their own, so `weir up` would bring them."""
    return not {"stream.url", "clickhouse.url"} & loaded.sources.keys()


def as_running(settings: Settings, running: Running) -> Settings:
    """Return the settings with the doors of a Weir that runs here."""
    store = running.clickhouse
    host, _, port = running.gateway.rpartition(":")
    return settings.model_copy(
        update={
            "stream": settings.stream.model_copy(update={"url": running.stream}),
            "clickhouse": settings.clickhouse.model_copy(
                update={
                    "url": store["url"],
                    "user": store["user"],
                    "password": SecretStr(store["password"]),
                }
            ),
            "gateway": settings.gateway.model_copy(
                update={"host": host.strip("[]"), "port": int(port)}
            ),
        }
    )


# ── what weir up needs ─────────────────────────────────────────────────────


def _examine_data_dir(path: Path) -> Iterator[Finding]:
    there = next(
        folder for folder in (path.absolute(), *path.absolute().parents) if folder.exists()
    )
    free_bytes = shutil.disk_usage(there).free
    free = f"{free_bytes / 2**30:.1f} GiB free for {path}"
    if free_bytes < LEAST_FREE_BYTES:
        yield _fail("disk", free, f"free at least {LEAST_FREE_BYTES >> 20} MiB")
    elif free_bytes < _LITTLE_FREE_BYTES:
        yield _warn("disk", free, "watch it: a full disk stops the engines")
    else:
        yield _ok("disk", free)
    if not os.access(there, os.W_OK | os.X_OK):
        yield _fail("data dir", f"{there} cannot be written", "point up.data_dir elsewhere")


def _examine_up(settings: Settings) -> Iterator[Finding]:
    yield _told("redis", lambda: f"{redis_server.find_redis(settings.up.redis_server)}")
    for wanted in wanted_ports(settings):
        yield _told("port", partial(_free, wanted))


def _free(wanted: Wanted) -> str:
    choose_ports([wanted])
    return f"{wanted.setting} {wanted.port} is free"


# ── what a running Weir stands on ──────────────────────────────────────────


def _examine_redis(settings: Settings) -> Finding:
    def ask() -> str:
        return f"{check_stream(settings.stream)} at {_without_password(settings.stream.url)}"

    return _told("redis", ask)


def _examine_clickhouse(store: ClickHouseSettings) -> Iterator[Finding]:
    connection = connect_store(
        store.model_copy(update={"query_timeout_s": min(store.query_timeout_s, 10.0)})
    )
    try:
        yield from _examine_store(connection, store)
    except StoreError as error:
        yield _fail("clickhouse", str(error), f"is it up at clickhouse.url = {store.url}?")
    finally:
        connection.close()


def _examine_store(connection: ClickHouse, store: ClickHouseSettings) -> Iterator[Finding]:
    before_s = time.time()
    ((name, now_s),) = connection.query_rows("SELECT version(), toUnixTimestamp64Milli(now64(3))")
    took_s = time.time() - before_s
    yield _ok("clickhouse", f"{name} at {store.url}, answers in {took_s * 1e3:.0f} ms")
    skew_s = now_s / 1e3 - (before_s + took_s / 2)
    clocks = f"ClickHouse and this machine are {abs(skew_s):.2f} s apart"
    if abs(skew_s) > _MOST_SKEW_S + took_s:
        yield _warn("clock", clocks, "let both follow NTP, or times in charts will be off")
    else:
        yield _ok("clock", clocks)
    try:
        check(connection, store.database)
        yield _ok("schema", "is that of this release")
    except SchemaMismatch as error:
        yield _fail("schema", str(error), "" if error.hint else "run `weir migrate`")


def _examine_gateway(settings: Settings) -> Finding:
    host, port = reachable_host(settings.gateway.host), settings.gateway.port
    if port_answers(host, port):
        return _ok("gateway", f"listens on {host}:{port}")
    return _warn("gateway", f"nothing listens on {host}:{port}", "start it: `weir serve gateway`")


def _examine_door(where: str) -> Finding:
    host, _, port = where.rpartition(":")
    if port_answers(host.strip("[]"), int(port)):
        return _ok("door", f"to the object directory, listens on {where}")
    return _fail("door", f"nothing listens on {where}", "see logs/gateway.log")


def _examine_dashboard(url: str) -> Finding:
    if http_answers(f"{url}/_stcore/health"):
        return _ok("dashboard", f"answers at {url}")
    return _fail("dashboard", f"no answer from {url}", "see logs/dashboard.log")


# ── words ──────────────────────────────────────────────────────────────────


def _told(subject: str, ask: Callable[[], str]) -> Finding:
    try:
        return _ok(subject, ask())
    except StartupError as error:
        return _fail(subject, str(error))
    except ServerError as error:
        return _fail(subject, str(error), "" if error.hint else "start it, then ask again")


def _without_password(url: str) -> str:
    scheme, delimiter, rest = url.partition("://")
    return f"{scheme}{delimiter}{rest.rpartition('@')[2]}"


def _ok(subject: str, found: str) -> Finding:
    return Finding(Verdict.OK, subject, found)


def _warn(subject: str, found: str, advice: str) -> Finding:
    return Finding(Verdict.WARN, subject, found, advice)


def _fail(subject: str, found: str, advice: str = "") -> Finding:
    return Finding(Verdict.FAIL, subject, found, advice)
