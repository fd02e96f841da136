"""The writer process: a thread for each shard, and a way to stop them politely."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import uuid
from collections.abc import Sequence

from weir_server import fault
from weir_server.clock import SystemClock
from weir_server.errors import StartupError
from weir_server.log import get_logger
from weir_server.settings import ClickHouseSettings, StreamSettings, WriterSettings
from weir_server.store import connect_store
from weir_server.stream.redis import RedisConsumer, prepare_stream
from weir_server.telemetry_door import open_door
from weir_server.writer.block import Limits
from weir_server.writer.loop import ShardWriter
from weir_server.writer.patience import StorePatience
from weir_store.clickhouse import ClickHouse
from weir_store.errors import SchemaMismatch, StoreUnavailable, WrongCredentials
from weir_store.inserter import ClickHouseInserter
from weir_store.migrate import check


def serve(writer: WriterSettings, stream: StreamSettings, store: ClickHouseSettings) -> int:
    """Carry entries from the stream into the store until SIGTERM or SIGINT; block until done.

    Prints `writer ready` on stdout once every shard has its thread. When told
    to stop, each shard finishes the block at hand and gives its lease back.

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
        prepare_stream(stream)
        if not _schema_fits(clickhouse, store.database, stop):
            return 1
        if stop.is_set():
            return 0
        threads: list[threading.Thread] = []
        door = open_door(
            "writer",
            writer.host,
            writer.metrics_port,
            lambda: stop.is_set() or all(thread.is_alive() for thread in threads),
        )
        threads += _start_shards(writer, stream, store, clickhouse, stop)
        get_logger().info("writer ready", shards=len(threads), metrics_port=door.port)
        sys.stdout.write("writer ready\n")
        sys.stdout.flush()
        for thread in threads:
            thread.join()
        door.close()
    finally:
        clickhouse.close()
    return 0


def _schema_fits(clickhouse: ClickHouse, database: str, stop: threading.Event) -> bool:
    """Wait for the store to answer; then whether its tables are those of this release."""
    log = get_logger()

    def tell(error: BaseException, wait_s: float) -> None:
        log.warning("waiting for the store", error=str(error), wait_s=round(wait_s, 2))

    patience = StorePatience(stop, lambda seconds: _doze(stop, seconds), tell, (StoreUnavailable,))

    def look() -> None:
        try:
            check(clickhouse, database)
        except WrongCredentials as error:
            raise StartupError(str(error)) from error

    try:
        patience.keep_trying(look)
    except SchemaMismatch as error:
        log.error("the tables do not fit this release", error=str(error))
        return False
    except StoreUnavailable:  # told to stop while waiting
        return True
    return True


def _doze(stop: threading.Event, seconds: float) -> None:
    stop.wait(seconds)


def _start_shards(
    writer: WriterSettings,
    stream: StreamSettings,
    store: ClickHouseSettings,
    clickhouse: ClickHouse,
    stop: threading.Event,
) -> Sequence[threading.Thread]:
    owner = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
    limits = Limits(writer.max_block_rows, writer.max_block_bytes, writer.max_block_age_s)

    def run(shard: int) -> None:
        consumer = RedisConsumer(stream, shard, owner=owner, lease_s=writer.lease_s)
        ShardWriter(
            shard,
            consumer,
            ClickHouseInserter(
                clickhouse,
                store.database,
                cluster=store.cluster,
                on_stored=lambda table: fault.hit(f"writer.after_table.{table}"),
            ),
            limits=limits,
            lease_s=writer.lease_s,
            poll_s=writer.poll_s,
            clock=SystemClock(),
            stop=stop,
            log=get_logger().bind(shard=shard),
        ).run()
        consumer.close()

    shards = range(stream.shards) if writer.shards is None else writer.shards
    threads = [
        threading.Thread(target=run, args=(shard,), name=f"weir-shard-{shard}") for shard in shards
    ]
    for thread in threads:
        thread.start()
    return threads
