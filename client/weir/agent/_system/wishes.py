"""What the runs of a node ask of telemetry. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, Self

from weir.agent._attendance import Attended


class Wishes(NamedTuple):
    """What all runs together ask for.

    Attributes:
        system_period_s: The shortest that any run asks for.
        gpu_period_s: Likewise, of accelerators.
        openmetrics: Pages to read, of any run.
    """

    system_period_s: float
    gpu_period_s: float
    openmetrics: tuple[str, ...]

    @classmethod
    def of(cls, runs: Iterable[Attended]) -> Self:
        """Return what these runs ask for, together."""
        each = [trainer.meta.wishes for run in runs for trainer in list(run.trainers.values())]
        pages = (page for wish in each for page in _texts(wish.get("openmetrics")))
        return cls(
            min((_seconds(wish, "system_period_s", 10.0) for wish in each), default=10.0),
            min((_seconds(wish, "gpu_period_s", 5.0) for wish in each), default=5.0),
            tuple(dict.fromkeys(pages)),
        )


def wants_telemetry(run: Attended) -> bool:
    """Whether any of a run's processes here asks for it. Clients that do not say so do not."""
    return any(trainer.meta.wishes.get("system") is True for trainer in list(run.trainers.values()))


def _seconds(wishes: Mapping[str, Any], name: str, default: float) -> float:
    value = wishes.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not value >= 1:
        return default
    return float(value)


def _texts(value: Any) -> list[str]:
    return (
        [each for each in value if isinstance(each, str)] if isinstance(value, list | tuple) else []
    )
