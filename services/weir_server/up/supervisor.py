"""Starts the parts in order, starts again what dies, stops everything in the opposite order."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from weir_server.clock import Clock
from weir_server.errors import StartupError
from weir_server.lifecycle import StopSignals
from weir_server.up.log_file import roll
from weir_server.up.part import Part, ending
from weir_server.up.pulse import Pulse
from weir_server.up.restarts import Restarts
from weir_server.up.state import PartState

_POLL_S: Final = 0.05
_WATCH_S: Final = 0.2
_ROLL_EVERY_S: Final = 10.0


class Stopped(Exception):
    """Somebody asked us to stop before everything was ready."""


@dataclass(slots=True)
class Watched:
    """A part and what its supervisor knows of it."""

    part: Part
    pulse: Pulse
    restarts: Restarts = field(default_factory=Restarts)
    started_s: float = 0.0
    ready: bool = False
    start_again_at_s: float | None = None


class Supervisor:
    """The parts of one Weir; used by the main thread only.

    `start` → `watch` until asked to stop → `stop`. `changed` is called whenever a pid changes.
    """

    def __init__(
        self,
        signals: StopSignals,
        clock: Clock,
        say: Callable[[str], None],
        changed: Callable[[], None],
    ) -> None:
        self._signals = signals
        self._clock = clock
        self._say = say
        self._changed = changed
        self._watched: list[Watched] = []

    def notes(self) -> dict[str, PartState]:
        """Return what weir-up.json says of the parts."""
        return {w.part.name: w.part.note(w.restarts.count) for w in self._watched}

    def start(self, parts: Sequence[Part]) -> None:
        """Start these side by side and wait until each is ready.

        Raises:
            StartupError: One ended, or was not ready in time.
            Stopped: Somebody asked us to stop.
        """
        fresh = [Watched(part, Pulse(part.spec.patience_s)) for part in parts]
        for watched in fresh:
            watched.started_s = self._clock.monotonic_s()
            watched.part.start()
            self._watched.append(watched)
        self._changed()
        while not all(watched.ready for watched in fresh):
            self._stop_if_asked()
            for watched in self._watched:
                self._expect(watched)
            time.sleep(_POLL_S)

    def run_once(self, part: Part) -> None:
        """Run a part that does one thing, and wait until it has.

        Raises:
            StartupError: It failed, or took too long.
            Stopped: Somebody asked us to stop.
        """
        started_s = self._clock.monotonic_s()
        part.start()
        try:
            while (code := part.poll()) is None:
                self._stop_if_asked()
                if self._clock.monotonic_s() - started_s > part.spec.ready_within_s:
                    raise _late(part)
                time.sleep(_POLL_S)
        finally:
            part.kill()
        if code != 0:
            raise _failed(part, code)

    def watch(self) -> None:
        """Start again what dies, until somebody asks us to stop."""
        rolled_s = self._clock.monotonic_s()
        while not self._signals.asked:
            for watched in self._watched:
                self._keep_alive(watched)
            if self._clock.monotonic_s() - rolled_s > _ROLL_EVERY_S:
                rolled_s = self._clock.monotonic_s()
                for watched in self._watched:
                    roll(watched.part.spec.log)
            time.sleep(_WATCH_S)

    def stop(self) -> None:
        """Stop everything, the last started first; a second signal kills what is left."""
        for watched in reversed(self._watched):
            self._stop(watched.part)

    # ── one part ───────────────────────────────────────────────────────────

    def _expect(self, watched: Watched) -> None:
        """Look whether a part that is being started has got there."""
        if (code := watched.part.poll()) is not None:
            raise _failed(watched.part, code)
        if not watched.ready and watched.part.spec.ready():
            watched.ready = True
        elif not watched.ready and self._age_s(watched) > watched.part.spec.ready_within_s:
            raise _late(watched.part)

    def _keep_alive(self, watched: Watched) -> None:
        """Do the next thing for a part: bury it, start it again, greet it, or nothing."""
        part = watched.part
        if watched.start_again_at_s is not None:
            if self._clock.monotonic_s() >= watched.start_again_at_s:
                self._start_again(watched)
        elif (code := part.poll()) is not None:
            self._bury(watched, code)
        elif not watched.ready:
            self._await(watched)
        else:
            self._feel_pulse(watched)

    def _feel_pulse(self, watched: Watched) -> None:
        """Kill a part that lives and answers nothing; being dead, it is started again."""
        spec, pulse = watched.part.spec, watched.pulse
        now_s = self._clock.monotonic_s()
        if not pulse.due(now_s):
            return
        if pulse.hangs(spec.alive(), now_s):
            self._say(f"{spec.name} has answered nothing for {spec.patience_s:g} s, killing it")
            watched.part.kill()

    def _bury(self, watched: Watched, code: int) -> None:
        watched.part.kill()  # what it has started must not keep its port
        wait_s = watched.restarts.ended(self._age_s(watched))
        watched.start_again_at_s = self._clock.monotonic_s() + wait_s
        watched.ready = False
        said = watched.part.last_words() if code > 0 else ""
        self._say(
            f"{watched.part.name} {ending(code)}, starting it again in {wait_s:g} s"
            f" (see {watched.part.spec.log}){f': {said}' if said else ''}"
        )

    def _start_again(self, watched: Watched) -> None:
        watched.start_again_at_s = None
        watched.pulse.begin()
        watched.started_s = self._clock.monotonic_s()
        try:
            watched.part.start()
        except StartupError as error:
            wait_s = watched.restarts.ended(0.0)
            watched.start_again_at_s = self._clock.monotonic_s() + wait_s
            self._say(f"{error}; trying again in {wait_s:g} s")
            return
        self._changed()

    def _await(self, watched: Watched) -> None:
        if watched.part.spec.ready():
            watched.ready = True
            self._say(f"{watched.part.name} is back after {self._age_s(watched):.1f} s")
        elif self._age_s(watched) > watched.part.spec.ready_within_s:
            self._say(f"{_late(watched.part)}; ending it")
            watched.part.kill()

    def _stop(self, part: Part) -> None:
        part.terminate()
        deadline_s = self._clock.monotonic_s() + part.spec.stop_within_s
        while part.running and not self._signals.insisted:
            if self._clock.monotonic_s() > deadline_s:
                self._say(f"{part.name} did not stop in {part.spec.stop_within_s:g} s, killing it")
                break
            time.sleep(_POLL_S)
        part.kill()

    def _age_s(self, watched: Watched) -> float:
        return self._clock.monotonic_s() - watched.started_s

    def _stop_if_asked(self) -> None:
        if self._signals.asked:
            raise Stopped


def _failed(part: Part, code: int) -> StartupError:
    said = part.last_words()
    return StartupError(
        f"{part.name} {ending(code)}{f': {said}' if said else ''}", hint=f"see {part.spec.log}"
    )


def _late(part: Part) -> StartupError:
    return StartupError(
        f"{part.name} was not ready in {part.spec.ready_within_s:g} s", hint=f"see {part.spec.log}"
    )
