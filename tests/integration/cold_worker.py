"""A process that rolls or thaws a run and may be made to die on the way: `WEIR_FAULT`."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from uuid import UUID

from weir_server import fault
from weir_store.changes.sweep import Changes
from weir_store.clickhouse import connect
from weir_store.cold.place import DirectoryPlace
from weir_store.inserter import ClickHouseInserter
from weir_store.objects.local import LocalObjects
from weir_store.objects.signing import Signer
from weir_store.reader import ClickHouseReader


def changes(url: str, database: str, folder: Path) -> Changes:
    """Return the changes of a store whose objects lie in a folder."""
    clickhouse = connect(url)
    return Changes(
        clickhouse,
        database,
        ClickHouseInserter(clickhouse, database),
        ClickHouseReader(clickhouse, database),
        now_unix_us=lambda: time.time_ns() // 1_000,
        objects=LocalObjects(folder, Signer("http://nowhere", b"s" * 32), unix_s=time.time),
        place=DirectoryPlace(folder),
        hit=fault.hit,
    )


if __name__ == "__main__":
    store = changes(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
    store.carry_out(store.book.get(UUID(sys.argv[4])))
