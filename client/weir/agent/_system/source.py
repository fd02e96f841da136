"""What a source of samples is, and the words it speaks."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

Fact = str | int | float | bool


class Sample(NamedTuple):
    """One number that was measured.

    Attributes:
        metric: One of `names.METRICS`, or a plug-in's own.
        device: "" = the node as a whole.
        value: In the metric's unit.
    """

    metric: str
    device: str
    value: float


class Held(NamedTuple):
    """What a process holds of a device; written to the process's run, under `<device>/rank<k>`."""

    metric: str
    device: str
    pid: int
    value: float


class Notice(NamedTuple):
    """Something that happened to the node; an event of every run on it.

    Attributes:
        kind: A word, e.g. `gpu_xid`.
        severity: debug, info, warn, error or critical.
        title: One line.
        body: What it means and what to do.
        attrs: By name.
    """

    kind: str
    severity: str
    title: str
    body: str = ""
    attrs: Mapping[str, str] = {}


class Source:
    """Measures one kind of thing. Used by one thread at a time, and not always by the same.

    It may raise: it is then left alone for a while. Only `sample` must be there.

    Attributes:
        accelerator: Sampled every `gpu_period_s` instead of every `system_period_s`.
    """

    accelerator = False

    def sample(self) -> Iterable[Sample]:
        """Measure now. What is missing on this machine is left out."""
        raise NotImplementedError

    def held(self) -> Sequence[Held]:
        """Return what processes held of devices at the last sampling."""
        return ()

    def facts(self) -> Mapping[str, Fact]:
        """Return what does not change, by path below `node/<node>/`. Asked after a sampling."""
        return {}

    def notices(self) -> Sequence[Notice]:
        """Return what happened since this was asked last."""
        return ()

    def spent_s(self) -> float:
        """Return processor time that was spent in other threads since this was asked last."""
        return 0.0

    def close(self) -> None:
        """Let go of everything."""
