"""What a deleted run leaves outside the tables: bytes in the object store, keys in Redis."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final, Protocol

from weir_server.errors import ServerError
from weir_server.objects.garbage import Collector
from weir_store.changes.base import WAITS_UNTIL, Change, Held
from weir_store.errors import StoreUnavailable

_HELD_US: Final = 3_600_000_000  # look again after so long


class Runs(Protocol):
    """Where runs are remembered by name."""

    def forget(self, project: str, run_ids: Iterable[str]) -> int:
        """Forget them; return how many keys that were."""
        ...


class Leftovers:
    """Implements `weir_store.changes.sweep.Leftovers`."""

    def __init__(
        self,
        collector: Collector,
        runs: Runs,
        *,
        grace_s: float,
        refuse_held: Callable[[str], None],
        now_unix_us: Callable[[], int],
    ) -> None:
        """Prepare.

        Args:
            collector: Frees blobs that nothing names any more.
            runs: Redis.
            grace_s: The collector's: what is younger is left alone.
            refuse_held: Raises `Held` where anything of a project is held: then no bytes of it go.
            now_unix_us: Whose time it is.
        """
        self._collector = collector
        self._runs = runs
        self._grace_us = int(grace_s * 1e6)
        self._refuse_held = refuse_held
        self._now = now_unix_us

    def clear(self, change: Change) -> dict[str, Any]:
        """Free them; return what the receipt has to say.

        Blobs younger than the grace of garbage collection wait: somebody may be about to use the same
        bytes. What was freed before is added up.
        """
        try:
            keys = self._runs.forget(change.project, change.request["runs"])
            self._refuse_held(change.project)
            found = self._collector.collect(change.project, by=change.by)
        except Held:
            return {WAITS_UNTIL: self._now() + _HELD_US}
        except ServerError as error:
            raise StoreUnavailable(str(error)) from error
        objects = dict(change.receipt.get("objects", {}))
        for name in ("blobs", "bytes", "uploads"):
            objects[name] = objects.get(name, 0) + getattr(found, name)
        objects |= {"waiting": found.kept_young, "waiting_bytes": found.kept_young_bytes}
        redis_keys = change.receipt.get("redis_keys", 0) + keys
        until = change.at_unix_us + self._grace_us + 1 if found.kept_young else 0
        return {"objects": objects, "redis_keys": redis_keys, WAITS_UNTIL: until}
