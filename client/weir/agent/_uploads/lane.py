"""One thread that works off orders, lowest number first, each again and again until it is done."""

import os
import random
import threading
from collections import deque
from contextlib import suppress
from typing import Any, Final

from weir._clock import Clock
from weir.agent._backoff import Backoff
from weir.agent._log import log
from weir.agent._node_log import Findings
from weir.agent._uploads.journal import Journal
from weir.agent._uploads.orders import BadOrder, Desk, carry_out, held_for, title_of
from weir.agent._uploads.sending import NotWhole
from weir.agent._uploads.source import SourceLost
from weir.agent._uploads.stopping import Stopped, Stopping
from weir.errors import Forbidden, Rejected, Unauthenticated
from weir_proto.v1 import ingest_pb2

_REFUSED_AGAIN_S: Final = 60.0  # a token may be put right while we wait
_MOST_ROUNDS: Final = 5  # of reading and sending the same file, when it never arrives whole


class Lane:
    """Orders of one outbox that are done one after the other.

    Attributes:
        refusal: Why the server will not serve us; "" = it does, as far as is known.
        trouble: What went wrong last; "" = nothing since.
    """

    def __init__(self, desk: Desk, *, clock: Clock, stopping: Stopping) -> None:
        self.refusal = ""
        self.trouble = ""
        self._failing_since_s: float | None = None
        self._desk = desk
        self._clock = clock
        self._stopping = stopping
        self._backoff = Backoff(rng=random.Random())
        self._rounds: dict[int, int] = {}
        self._waiting: deque[int] = deque()
        self._known: set[int] = set()
        self._lock = threading.Lock()  # guards the two above, and the life of the thread
        self._thread: threading.Thread | None = None

    def take(self, number: int) -> None:
        """Put an order behind the others, unless it is here already."""
        with self._lock:
            if number in self._known:
                return
            self._known.add(number)
            self._waiting.append(number)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="weir-uploads", daemon=True)
                self._thread.start()

    @property
    def idle(self) -> bool:
        """Whether there is nothing to do."""
        with self._lock:
            return not self._known

    def failing_for_s(self) -> float:
        """Return for how long nothing has worked and no byte has moved, seconds."""
        if self._failing_since_s is None:
            return 0.0
        since_s = max(self._failing_since_s, self._desk.progress.moved_s)
        return self._clock.monotonic_s() - since_s

    def join(self, timeout_s: float) -> None:
        """Wait for the thread, which has been asked to stop."""
        thread = self._thread
        if thread is not None:
            thread.join(timeout_s)

    def _run(self) -> None:
        with suppress(Stopped):
            while (number := self._next()) is not None:
                self._stopping.check()
                if self._try(number):
                    with self._lock:
                        self._waiting.popleft()
                        self._known.discard(number)

    def _next(self) -> int | None:
        """The order to do now; None ends the thread, and the next order begins another."""
        with self._lock:
            if not self._waiting:
                self._thread = None
                return None
            return self._waiting[0]

    def _try(self, number: int) -> bool:
        """Do an order; whether nothing is left of it. Rests after a failure."""
        outbox = self._desk.outbox
        try:
            order = outbox.read(number)
        except FileNotFoundError:  # somebody else, a `weir sync`, has done it
            return True
        except (ValueError, OSError) as error:
            return self._fail(number, {}, f"order {number} cannot be read: {error}")
        try:
            result = carry_out(order, Journal(outbox.journal_path(number)), self._desk)
            outbox.settle(number, held_for(order), result)
        except Stopped:
            raise
        except SourceLost as error:
            return self._fail(number, order, str(error), file=error.name)
        except BadOrder as error:
            return self._fail(number, order, str(error))
        except (Unauthenticated, Forbidden) as error:
            self._stuck(f"the server refuses: {error}", refused=True)
            self._stopping.rest(_REFUSED_AGAIN_S)
            return False
        except (Rejected, NotWhole) as error:
            return self._reconsider(number, order, error)
        except Exception as error:  # noqa: BLE001 - whatever it is, it may work later
            self._stuck(str(error) or repr(error))
            self._stopping.rest(self._backoff.failed())
            return False
        self._went_well()
        return True

    def _reconsider(self, number: int, order: dict[str, Any], error: Exception) -> bool:
        """The server says no. Where it missed a blob, or one did not arrive whole, send again."""
        again = isinstance(error, NotWhole)
        again |= isinstance(error, Rejected) and error.code == "FAILED_PRECONDITION"
        self._rounds[number] = self._rounds.get(number, 0) + 1
        if not again or self._rounds[number] >= _MOST_ROUNDS:
            return self._fail(number, order, str(error))
        Journal(self._desk.outbox.journal_path(number)).forget_stored()
        self._stuck(str(error))
        self._stopping.rest(self._backoff.failed())
        return False

    def _fail(self, number: int, order: dict[str, Any], problem: str, *, file: str = "") -> bool:
        """Give an order up, and say so in the run."""
        # What a watcher ordered it orders again when the file has changed: no need to speak of it.
        try:
            if not order.get("watched"):
                self._tell(order, problem, file)
                log.warning("an upload failed for good", problem=problem, run_id=self._desk.run_id)
            self._desk.outbox.settle(number, held_for(order), {"ok": False, "problem": problem})
        except OSError as error:
            self._stuck(str(error))
            self._stopping.rest(self._backoff.failed())
            return False
        self._rounds.pop(number, None)
        return True

    def _tell(self, order: dict[str, Any], problem: str, file: str) -> None:
        artifact = order.get("order") == "artifact"
        attrs = {"file": file, "name": str(order.get("name", ""))}
        event = ingest_pb2.Event(
            event_id=os.urandom(16),
            time_unix_us=self._clock.unix_us(),
            kind="artifact_failed" if artifact else "upload_failed",
            severity="error",
            title=f"{title_of(order)} was not stored" if order else "an order was not carried out",
            body=problem,
            attrs={name: text for name, text in attrs.items() if text},
        )
        self._desk.log.write(Findings(events=[event]))

    def _stuck(self, why: str, *, refused: bool = False) -> None:
        self.trouble, self.refusal = why, why if refused else ""
        if self._failing_since_s is None:
            self._failing_since_s = self._clock.monotonic_s()
        self._desk.progress.stuck(why)
        log.warning("an upload met trouble, will try again", why=why, run_id=self._desk.run_id)

    def _went_well(self) -> None:
        self.trouble = self.refusal = ""
        self._failing_since_s = None
        self._backoff.succeeded()
