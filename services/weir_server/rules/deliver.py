"""Deliveries: each is tried, again after longer and longer pauses, and given up with its reason in the end.

What waits is in the store; this only remembers what it has seen. A delivery may be tried twice where a
process died after a try and before it was noted: receivers know it by its id.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Final
from uuid import UUID

from weir_server import fault
from weir_server.clock import Clock
from weir_server.log import get_logger
from weir_server.rules.actions.base import Acts, NeverTaken, NotTaken
from weir_server.rules.telling import shown_place
from weir_server.rules.tenure import NotOurs
from weir_server.telemetry import RULES_DELIVERIES, RULES_WAITING
from weir_store.rules.editor import RuleEditor
from weir_store.rules.records import Delivery, DeliveryState

_PAUSES_S: Final = (1.0, 5.0, 30.0, 120.0, 600.0)
_AT_ONCE: Final = 8
_OF_A_PROJECT: Final = 2
_REMEMBERED: Final = 100_000
_MOST_PROBLEM: Final = 500


def pause_s(tries: int) -> float:
    """Return how long to wait after so many tries; 0 before the first."""
    return _PAUSES_S[min(tries, len(_PAUSES_S)) - 1] if tries else 0.0


def judged(
    delivery: Delivery, outcome: str | Exception, *, most_tries: int, now_unix_us: int
) -> Delivery:
    """Return what becomes of a delivery after a try: pure.

    Args:
        delivery: Before it.
        outcome: What there is to say, when it was taken; else why not.
        most_tries: Then it is given up.
        now_unix_us: When.
    """
    tries = delivery.tries + 1
    if isinstance(outcome, str):
        state, problem = DeliveryState.DELIVERED, outcome
    else:
        dead = isinstance(outcome, NeverTaken) or tries >= most_tries
        state = DeliveryState.DEAD if dead else DeliveryState.WAITING
        problem = str(outcome) or type(outcome).__name__
    return replace(
        delivery,
        state=state,
        tries=tries,
        problem=problem[:_MOST_PROBLEM],
        tried_unix_us=now_unix_us,
        ver=delivery.ver + 1,
    )


class Deliverer:
    """offer, poll, close. `offer` from any thread, the rest from one.

    Eight at once, of a project two: addresses that hang hold up their own project only.
    """

    def __init__(
        self,
        acts: Acts,
        editor: RuleEditor,
        clock: Clock,
        require: Callable[[], None],
        *,
        most_tries: int,
    ) -> None:
        self._acts = acts
        self._editor = editor
        self._clock = clock
        self._require = require
        self._most_tries = most_tries
        self._lock = threading.Lock()  # guards everything below
        self._waiting: dict[UUID, Delivery] = {}
        self._busy: dict[UUID, str] = {}  # → project
        self._tried: dict[UUID, Delivery] = {}  # and not stored yet
        self._seen: dict[UUID, int] = {}  # the newest version known
        self._pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="weir-deliver")

    def offer(self, deliveries: Iterable[Delivery]) -> None:
        """Take up what waits; what is known, and what is older than that, is left out."""
        with self._lock:
            for each in deliveries:
                if each.state is DeliveryState.WAITING and each.ver > self._seen.get(
                    each.delivery_id, -1
                ):
                    self._waiting[each.delivery_id] = each
                    self._see(each)

    def poll(self) -> None:
        """Store what was tried, and begin what is due. Raises `StoreError`: nothing is lost."""
        self._store()
        now_us = self._clock.unix_us()
        with self._lock:
            for each in list(self._waiting.values()):
                if self._may_begin(each, now_us):
                    del self._waiting[each.delivery_id]
                    self._busy[each.delivery_id] = each.project
                    self._pool.submit(self._try, each)
            RULES_WAITING.set(len(self._waiting) + len(self._busy))

    def forget(self) -> None:
        """Forget what waits: it is another's now, or will be read again. What was done stays done."""
        with self._lock:
            self._waiting.clear()
            ended = {k: v for k, v in self._tried.items() if v.state is not DeliveryState.WAITING}
            self._tried = ended
            self._seen = {each.delivery_id: each.ver for each in ended.values()}

    def close(self) -> None:
        """Wait for what is under way, which is bounded, and store it; what waits stays in the store."""
        self._pool.shutdown(cancel_futures=True)
        self._store()

    # ── below ─────────────────────────────────────────────────────────────

    def _may_begin(self, each: Delivery, now_us: int) -> bool:
        if len(self._busy) >= _AT_ONCE or each.delivery_id in self._tried:
            return False
        if Counter(self._busy.values())[each.project] >= _OF_A_PROJECT:
            return False
        return now_us >= each.tried_unix_us + pause_s(each.tries) * 1e6

    def _try(self, delivery: Delivery) -> None:
        outcome: str | Exception
        try:
            self._require()
            outcome = self._acts[delivery.action.kind](delivery)
            fault.hit("rules.after_delivery")
        except NotOurs:
            with self._lock:
                self._busy.pop(delivery.delivery_id, None)
            return
        except (NotTaken, NeverTaken) as error:
            outcome = error
        except Exception as error:  # noqa: BLE001  a bug in one kind of action must not end the others
            get_logger().exception("delivery failed")
            outcome = NotTaken(f"{type(error).__name__}: {error}")
        after = judged(
            delivery, outcome, most_tries=self._most_tries, now_unix_us=self._clock.unix_us()
        )
        self._tell(after)
        with self._lock:
            self._busy.pop(delivery.delivery_id, None)
            self._tried[after.delivery_id] = after
            self._see(after)

    def _store(self) -> None:
        with self._lock:
            tried = dict(self._tried)
        if not tried:
            return
        self._require()
        self._editor.put_deliveries(list(tried.values()))
        with self._lock:
            for delivery_id, each in tried.items():
                self._tried.pop(delivery_id, None)
                if each.state is DeliveryState.WAITING:
                    self._waiting[delivery_id] = each

    def _see(self, each: Delivery) -> None:
        if len(self._seen) >= _REMEMBERED:  # what is forgotten is at worst looked at once more
            for old in list(self._seen)[: _REMEMBERED // 2]:
                del self._seen[old]
        self._seen[each.delivery_id] = each.ver

    def _tell(self, after: Delivery) -> None:
        outcome = "again" if after.state is DeliveryState.WAITING else after.state.value
        RULES_DELIVERIES.labels(after.action.kind.value, outcome).inc()
        if after.state is not DeliveryState.DELIVERED:
            get_logger().warning(
                "alert not delivered", project=after.project, rule=after.rule,
                to=shown_place(after), tries=after.tries, outcome=outcome, problem=after.problem,
            )  # fmt: skip
