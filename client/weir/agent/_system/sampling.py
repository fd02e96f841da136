"""Sources that are sampled together, and what one look at the node found."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from weir.agent._system.nvidia_watch import TROUBLE_BITS
from weir.agent._system.pace import Restlessness, period_s
from weir.agent._system.source import Held, Notice, Sample, Source


@dataclass(slots=True)
class Sampling:
    """What one look at the node found.

    Attributes:
        with_processes: Those of the runs were looked at too.
    """

    time_unix_us: int
    now_s: float
    with_processes: bool = False
    samples: list[Sample] = field(default_factory=list)
    held: list[Held] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)


@dataclass(slots=True)
class Group:
    """Sources that have one period.

    Attributes:
        sampled_s: When they were sampled last.
    """

    sources: list[Source]
    sampled_s: float = float("-inf")
    _restless: Restlessness = field(default_factory=Restlessness)

    def due_in_s(self, now_s: float, *, asked_s: float, youngest_s: float) -> float:
        """Return seconds until it is to be sampled; see `pace.period_s`."""
        restless = self._restless.at(now_s)
        every_s = period_s(asked_s=asked_s, youngest_s=youngest_s, restless=restless)
        return self.sampled_s + every_s - now_s

    def note(self, samples: Iterable[Sample], now_s: float) -> None:
        """Take what a sampling brought."""
        self._restless.note(levels(samples), now_s)
        self.sampled_s = now_s


def levels(samples: Iterable[Sample]) -> dict[str, float]:
    """Return what a sharp change shows in: utilisation, and whether cards are slowed down. Pure."""
    found = {}
    for sample in samples:
        if sample.metric in {"gpu.utilization", "accelerator.utilization"} or (
            sample.metric == "cpu.percent" and not sample.device
        ):
            found[f"{sample.metric}/{sample.device}"] = sample.value
        elif sample.metric == "gpu.throttle_reasons":
            slowed = int(sample.value) & TROUBLE_BITS != 0
            found[f"{sample.metric}/{sample.device}"] = 100.0 if slowed else 0.0
    return found
