"""The rules process: put it together, and stop it politely."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import uuid
from typing import Final

from weir_server.clock import SystemClock
from weir_server.errors import StartupError
from weir_server.log import get_logger
from weir_server.rules.actions.base import Acts
from weir_server.rules.actions.mail import Mail
from weir_server.rules.actions.runs import Runs
from weir_server.rules.actions.web import Web
from weir_server.rules.deliver import Deliverer
from weir_server.rules.evaluate import Evaluator
from weir_server.rules.loop import RulesLoop
from weir_server.rules.stopping import Stopping
from weir_server.rules.tenure import Tenure
from weir_server.settings import (
    ClickHouseSettings,
    GatewaySettings,
    RulesSettings,
    StreamSettings,
)
from weir_server.store import connect_store
from weir_server.stream import keys
from weir_server.stream.redis import RedisLease, check_stream
from weir_server.telemetry_door import open_door
from weir_store.clickhouse import ClickHouse
from weir_store.editor import Editor
from weir_store.errors import SchemaMismatch, StoreUnavailable, WrongCredentials
from weir_store.inserter import ClickHouseInserter
from weir_store.migrate import check
from weir_store.ranks.clickhouse import ClickHouseRanks
from weir_store.reader import ClickHouseReader
from weir_store.rules.ask import Asking, limits_of
from weir_store.rules.clickhouse import ClickHouseRules
from weir_store.rules.editor import RuleEditor
from weir_store.rules.hangs import Hangs
from weir_store.sql.reader import ClickHouseSql

_AGAIN_S: Final = 2.0


def serve(
    rules: RulesSettings,
    gateway: GatewaySettings,
    stream: StreamSettings,
    store: ClickHouseSettings,
) -> int:
    """Evaluate rules until SIGTERM or SIGINT; block until what is under way has ended.

    Several may run: one evaluates, the others wait for its lease. Prints `rules ready` on stdout.

    Returns:
        Exit code: 0 after a polite stop, 1 when the tables are not those of this release.

    Raises:
        StartupError: Redis is away or unfit, the store does not know the password, or the port of
            /metrics is taken.
    """
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    clickhouse = connect_store(store)
    try:
        check_stream(stream)
        if not _schema_fits(clickhouse, store.database, stop):
            return 1
        loop = make_loop(rules, gateway, stream, store, clickhouse, stop)
        door = open_door("rules", rules.host, rules.metrics_port, lambda: loop.alive)
        get_logger().info("rules ready", metrics_port=door.port)
        sys.stdout.write("rules ready\n")
        sys.stdout.flush()
        loop.run()
        door.close()
    finally:
        clickhouse.close()
    return 0


def make_loop(
    rules: RulesSettings,
    gateway: GatewaySettings,
    stream: StreamSettings,
    store: ClickHouseSettings,
    clickhouse: ClickHouse,
    stop: threading.Event,
) -> RulesLoop:
    """Return the process's loop over real engines."""
    clock = SystemClock()
    inserter = ClickHouseInserter(clickhouse, store.database, cluster=store.cluster)
    reader, editor = ClickHouseRules(clickhouse, store.database), RuleEditor(inserter)
    owner = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
    lease = RedisLease(stream, keys.rules_lease(), owner=owner, lease_s=rules.lease_s)
    tenure = Tenure(lease, rules.lease_s, clock)
    runs = Runs(
        ClickHouseReader(clickhouse, store.database), Editor(inserter), Stopping(stream), clock
    )
    web = Web(gateway.webhooks_anywhere, rules.delivery_s)
    acts: Acts = {**web.acts(), **Mail(rules).acts(), **runs.acts()}
    deliverer = Deliverer(acts, editor, clock, tenure.require, most_tries=rules.tries)
    evaluator = Evaluator(
        reader,
        editor,
        make_asking(rules, store, clickhouse),
        clock,
        tenure.require,
        deliverer.offer,
    )
    return RulesLoop(
        reader,
        editor,
        evaluator,
        deliverer,
        tenure,
        clock,
        stop,
        at_once=rules.at_once,
        poll_s=rules.poll_s,
    )


def make_asking(rules: RulesSettings, store: ClickHouseSettings, clickhouse: ClickHouse) -> Asking:
    """Return how rules are asked, within the limits of the settings."""
    return Asking(
        ClickHouseSql(clickhouse, store.database),
        limits_of(rules.query_s, rules.query_memory_bytes, rules.query_rows),
        Hangs(ClickHouseRanks(clickhouse, store.database)),
    )


def _schema_fits(clickhouse: ClickHouse, database: str, stop: threading.Event) -> bool:
    """Wait for the store to answer; then whether its tables are those of this release."""
    while not stop.is_set():
        try:
            check(clickhouse, database)
        except WrongCredentials as error:
            raise StartupError(str(error)) from error
        except SchemaMismatch as error:
            get_logger().error("the tables do not fit this release", error=str(error))
            return False
        except StoreUnavailable as error:
            get_logger().warning("waiting for the store", error=str(error))
            stop.wait(_AGAIN_S)
            continue
        return True
    return True
