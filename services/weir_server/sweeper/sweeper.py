"""The sweeper: one thread that carries out what takes long, and looks round from time to time.

asked ─▶ submit ─▶ ┐
                   ├─▶ carry out, one after the other
every period_s ──▶ ┤    (whoever has the turn: one gateway of all)
every asked_s ───▶ ┘    what dashboards wrote down and cannot do (every gateway: a turn may be that of a dead one)
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Final

from weir_server.clock import Clock
from weir_server.errors import ServerError
from weir_server.log import get_logger
from weir_server.stream.lease import Lease
from weir_store.changes.base import REFUSED, Change, Refusal
from weir_store.changes.sweep import Changes
from weir_store.errors import StoreError

PERIOD_S: Final = 300.0
ASKED_S: Final = 2.0
_FIRST_AFTER_S: Final = 5.0
_QUIET_US: Final = 60_000_000  # what nobody touched for so long was cut off


class Sweeper:
    """Runs in a gateway. `start`, then `stop`, once each; `submit` in between."""

    def __init__(
        self,
        changes: Changes,
        clock: Clock,
        *,
        lease: Lease | None = None,
        period_s: float = PERIOD_S,
        asked_s: float = ASKED_S,
    ) -> None:
        """Prepare; nothing is done yet.

        Args:
            changes: What is carried out.
            clock: Whose time it is.
            lease: Held by the one gateway of all that looks round; None = this one does.
            period_s: How often.
            asked_s: How often it looks for what others asked for.
        """
        self._asked_s = asked_s
        self._changes = changes
        self._clock = clock
        self._period_s = period_s
        self._lease = lease
        self._asked: queue.Queue[Change | None] = queue.Queue()
        self._thread = threading.Thread(target=self._run, name="sweeper", daemon=True)
        self._stopping = False

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def submit(self, change: Change) -> None:
        """Carry a change out soon. One that is never reached is found again by looking round."""
        self._asked.put(change)

    def stop(self, longest_s: float) -> None:
        """End after the step under way, at the latest then; what was not done is gone on with later."""
        self._stopping = True
        self._asked.put(None)
        if self._thread.is_alive():
            self._thread.join(longest_s)
        if self._lease is not None:
            with suppress(ServerError):  # then it ends by itself
                self._lease.release()
            self._lease.close()

    def look_round(self) -> None:
        """Go on with what was cut off, do what retention asks for, free what came late.

        Should the lease run out meanwhile, another gateway does the same, which does no harm.
        """
        if self._lease is not None and not self._lease.acquire():
            return
        resumed = self._changes.resume(quiet_us=_QUIET_US)
        kept = self._changes.apply_policies(go_on=self._may_go_on)
        late = self._changes.free_late()
        rolled = self._changes.roll_by_rules(go_on=self._may_go_on)
        if resumed or kept or late or rolled:
            counts = {"retention": len(kept), "late_rows": late, "rolled": len(rolled)}
            get_logger().info("swept", resumed=resumed, **counts)

    def take_up(self) -> None:
        """Carry out what dashboards asked for."""
        for change in self._changes.take_up():
            refused = change.receipt.get(REFUSED, "")
            get_logger().info("change taken up", kind=change.kind, by=change.by, refused=refused)

    def _may_go_on(self) -> bool:
        return not self._stopping and (self._lease is None or self._lease.keep())

    def _run(self) -> None:
        due_s = self._clock.monotonic_s() + min(_FIRST_AFTER_S, self._period_s)
        while not self._stopping:
            left_s = max(0.0, due_s - self._clock.monotonic_s())
            try:
                change = self._asked.get(timeout=min(left_s, self._asked_s))
            except queue.Empty:
                self._try(self.take_up)
                if self._clock.monotonic_s() >= due_s:
                    self._try(self.look_round)
                    due_s = self._clock.monotonic_s() + self._period_s
                continue
            if change is not None and not self._stopping:
                self._try(partial(self._changes.carry_out, change))

    def _try(self, what: Callable[[], object]) -> None:
        try:
            what()
        except Refusal as error:
            get_logger().info("change held up", problem=str(error))
        except (StoreError, ServerError) as error:
            get_logger().warning("change not carried out yet", problem=str(error))
        except Exception:  # noqa: BLE001 - one odd change must not end the sweeping of all others
            get_logger().exception("change failed")
