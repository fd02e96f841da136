"""A source that raises is left alone for a while, longer each time; the others go on."""

from collections.abc import Callable, Mapping, Sequence
from math import isfinite
from typing import Any, Final, TypeVar

from weir._names import name_fault
from weir.agent._log import log
from weir.agent._system.source import Fact, Held, Notice, Sample, Source

T = TypeVar("T")

_FIRST_PAUSE_S: Final = 10.0
_LONGEST_PAUSE_S: Final = 600.0


class Steadied(Source):
    """Wraps a source: never raises, and what comes out can be written.

    Args:
        name: For the agent's log.
        source: A `Source`, or a plug-in's object that has `sample()` and perhaps its other methods.
        monotonic_s: Tells the time.
    """

    def __init__(self, name: str, source: Any, monotonic_s: Callable[[], float]) -> None:
        self.accelerator = bool(getattr(source, "accelerator", False))
        self._name = name
        self._source = source
        self._monotonic_s = monotonic_s
        self._pause_s = 0.0
        self._again_s = float("-inf")
        self._good: set[tuple[str, str]] = set()  # names that were looked at

    def sample(self) -> list[Sample]:
        """Return what can be written of what the source measured; nothing while it rests."""
        if self._monotonic_s() < self._again_s:
            return []
        try:
            samples = [each for each in self._source.sample() if self._is_good(each)]
        except Exception as error:  # noqa: BLE001 - a vendor's library may raise anything
            self._rest(error)
            return []
        self._pause_s = 0.0
        return [Sample(metric, device, float(value)) for metric, device, value in samples]

    def held(self) -> Sequence[Held]:
        """Return what processes hold."""
        return self._ask("held", lambda found: [Held(*each) for each in found], [])

    def facts(self) -> Mapping[str, Fact]:
        """Return what does not change."""
        return self._ask("facts", dict, {})

    def notices(self) -> Sequence[Notice]:
        """Return what happened."""
        return self._ask("notices", lambda found: [Notice(*each) for each in found], [])

    def close(self) -> None:
        """Close the source."""
        self._ask("close", lambda _: None, None)

    def _ask(self, method: str, read: Callable[[Any], T], nothing: T) -> T:
        """Call a method that a plug-in may lack, and read what it returned."""
        try:
            return (
                read(getattr(self._source, method)()) if hasattr(self._source, method) else nothing
            )
        except Exception as error:  # noqa: BLE001 - see above
            log.warning("a source of telemetry gives trouble", source=self._name, error=repr(error))
            return nothing

    def _is_good(self, sample: tuple[str, str, float]) -> bool:
        metric, device, value = sample
        if (metric, device) not in self._good:
            fault = name_fault(metric) or (name_fault(device) if device else None)
            if fault:
                raise ValueError(f"{metric!r} of {device!r}: {fault}")
            self._good.add((metric, device))
        return isfinite(value)

    def _rest(self, error: Exception) -> None:
        self._pause_s = min(max(2 * self._pause_s, _FIRST_PAUSE_S), _LONGEST_PAUSE_S)
        self._again_s = self._monotonic_s() + self._pause_s
        log.warning(
            "a source of telemetry is left alone for a while",
            source=self._name,
            pause_s=self._pause_s,
            error=repr(error),
        )
