"""Which deleted runs are still seen: forks show their ancestors' points. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable


def kept_alive(forks: Iterable[tuple[str, str]], deleted: Collection[str]) -> set[str]:
    """Return the deleted runs that a run which is not deleted was forked from, near or far.

    Args:
        forks: (run, the run it was forked from).
        deleted: Runs that were deleted.
    """
    parents: defaultdict[str, set[str]] = defaultdict(set)
    for child, parent in forks:
        parents[child].add(parent)
    seen: set[str] = set()
    waiting = [child for child in parents if child not in deleted]
    while waiting:
        for parent in parents[waiting.pop()] - seen:
            seen.add(parent)
            waiting.append(parent)
    return seen & set(deleted)
