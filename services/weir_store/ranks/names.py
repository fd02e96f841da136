"""Finding metrics by what they are called. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

_MILLISECONDS = "_ms"


def find_metric(logged: Iterable[str], wanted: Sequence[str]) -> str:
    """Return the first wanted name that a run logs, whole or as the last part of a path; "" = none.

    Of several paths that end in it the shortest counts, then the first by name.
    """
    known = sorted(logged, key=lambda name: (len(name), name))
    for name in wanted:
        for each in known:
            if is_called(each, name):
                return each
    return ""


def find_all(logged: Iterable[str], wanted: Sequence[str]) -> list[str]:
    """Return every metric that is called like one of those wanted, by name."""
    return sorted(each for each in logged if any(is_called(each, name) for name in wanted))


def is_called(metric: str, name: str) -> bool:
    """Tell whether a metric has this name: whole, or as its last part when the name has no `/`."""
    return metric == name or ("/" not in name and metric.rpartition("/")[2] == name)


def seconds_in(metric: str) -> float:
    """Return how many seconds a unit of the metric is, by its name."""
    return 1e-3 if metric.endswith(_MILLISECONDS) else 1.0
