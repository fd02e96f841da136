"""A source in a thread of its own: a driver, a page or a plug-in that hangs keeps nobody else waiting."""

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Final

from weir.agent._log import log
from weir.agent._system.source import Fact, Held, Notice, Sample, Source

PATIENCE_S: Final = 5.0


@dataclass(slots=True)
class _Answer:
    """What one sampling found, and what it cost."""

    samples: Sequence[Sample] = ()
    held: Sequence[Held] = ()
    facts: Mapping[str, Fact] = field(default_factory=dict)
    cpu_s: float = 0.0


class _Worker(threading.Thread):
    """Does one thing after the other; nobody waits for it at the end of the process."""

    def __init__(self, name: str) -> None:
        super().__init__(name=f"weir-{name}", daemon=True)
        self.asked: SimpleQueue[Callable[[], None]] = SimpleQueue()

    def run(self) -> None:
        while True:
            self.asked.get()()


class Aside(Source):
    """Wraps a source that never raises. Its own calls return within `patience_s`.

    Args:
        name: For the agent's log.
        source: The source; only ever called by this one's thread.
        patience_s: How long a sampling may take. What comes later is not used.
    """

    def __init__(self, name: str, source: Source, *, patience_s: float = PATIENCE_S) -> None:
        self.accelerator = source.accelerator
        self._name = name
        self._source = source
        self._patience_s = patience_s
        self._worker: _Worker | None = None
        self._done: threading.Event | None = None
        self._answer = _Answer()
        self._notices: deque[Notice] = deque()  # one thread extends, another takes
        self._cpu_s = 0.0

    def sample(self) -> Sequence[Sample]:
        """Measure; nothing while an earlier sampling hangs."""
        found: list[_Answer] = []
        if not self._ask(lambda: found.append(self._look())):
            self._answer = _Answer(facts=self._answer.facts)
            return ()
        self._answer = found[0]
        self._cpu_s += self._answer.cpu_s
        return self._answer.samples

    def held(self) -> Sequence[Held]:
        """Return what processes held at the last sampling."""
        return self._answer.held

    def facts(self) -> Mapping[str, Fact]:
        """Return what was known at the last sampling."""
        return self._answer.facts

    def notices(self) -> Sequence[Notice]:
        """Return what happened, each once."""
        return [self._notices.popleft() for _ in range(len(self._notices))]

    def spent_s(self) -> float:
        """Return the processor time that samplings took since this was asked last."""
        taken, self._cpu_s = self._cpu_s, 0.0
        return taken

    def close(self) -> None:
        """Close the source, if it answers."""
        if self._worker is not None:
            self._ask(self._source.close)

    def _look(self) -> _Answer:
        """Everything at once, in the source's thread."""
        began_s = time.thread_time()
        answer = _Answer(list(self._source.sample()))
        answer.held, answer.facts = self._source.held(), self._source.facts()
        self._notices.extend(self._source.notices())  # told also when this comes too late
        answer.cpu_s = time.thread_time() - began_s
        return answer

    def _ask(self, work: Callable[[], None]) -> bool:
        """Have something done; whether it was, in time."""
        if self._done is not None and not self._done.is_set():
            return False  # it still hangs
        if self._worker is None:
            self._worker = _Worker(self._name)
            self._worker.start()
        done = self._done = threading.Event()

        def do() -> None:
            try:
                work()
            finally:
                done.set()

        self._worker.asked.put(do)
        if done.wait(self._patience_s):
            return True
        log.warning("a source of telemetry hangs", source=self._name, patience_s=self._patience_s)
        return False
