"""How long calls took: a histogram in a file, which stays whole when its process is killed."""

from __future__ import annotations

import mmap
from array import array
from collections.abc import Iterable
from pathlib import Path
from typing import Final

_SUB_BITS: Final = 4  # sixteen buckets per power of two: a bucket is at most 1/16 wide
_BUCKETS: Final = 64 << _SUB_BITS
_MAX: Final = _BUCKETS - 1  # this one holds the longest call itself, in ns
_SIZE_BYTES: Final = 8 * _BUCKETS

Counts = array  # of "Q": calls per bucket; the last one is the longest call in ns


class Pauses:
    """Counts calls by how long they took. One process writes; anybody may read the file."""

    def __init__(self, path: Path) -> None:
        path.write_bytes(bytes(_SIZE_BYTES))
        with path.open("r+b") as file:
            self._counts = memoryview(mmap.mmap(file.fileno(), _SIZE_BYTES)).cast("Q")

    def add(self, taken_ns: int) -> None:
        """Count one call."""
        self._counts[bucket(taken_ns)] += 1
        if taken_ns > self._counts[_MAX]:
            self._counts[_MAX] = taken_ns


def bucket(taken_ns: int) -> int:
    """Return the bucket of a duration; below 16 ns each has its own. Pure."""
    spare = max(0, taken_ns.bit_length() - _SUB_BITS - 1)
    return (spare << _SUB_BITS) + (taken_ns >> spare)


def highest_ns(index: int) -> int:
    """Return the longest duration, in ns, that falls into a bucket. Pure."""
    spare = max(0, (index >> _SUB_BITS) - 1)
    return ((index - (spare << _SUB_BITS)) + 1 << spare) - 1


def read_counts(path: Path) -> Counts[int]:
    """Read a histogram; an empty one when the process never began it."""
    raw = path.read_bytes() if path.exists() else b""
    return array("Q", raw if len(raw) == _SIZE_BYTES else bytes(_SIZE_BYTES))


def merged(histograms: Iterable[Counts[int]]) -> Counts[int]:
    """Return the sum of several, and the longest of all."""
    total = array("Q", bytes(_SIZE_BYTES))
    for counts in histograms:
        longest = max(total[_MAX], counts[_MAX])
        total = array("Q", map(sum, zip(total, counts, strict=True)))
        total[_MAX] = longest
    return total


def percentiles(counts: Counts[int]) -> dict[str, float]:
    """Return calls and p50, p99, p99.9, p99.99 and the longest, in µs."""
    calls = sum(counts[:_MAX])
    result = {"calls": float(calls)}
    for name, share in (("p50", 0.5), ("p99", 0.99), ("p99.9", 0.999), ("p99.99", 0.9999)):
        result[f"{name}_us"] = _at(counts, share * calls) / 1e3
    return {**result, "max_us": counts[_MAX] / 1e3}


def _at(counts: Counts[int], rank: float) -> int:
    seen = 0
    for index, count in enumerate(counts[:_MAX]):
        seen += count
        if count and seen >= rank:
            return min(highest_ns(index), counts[_MAX])
    return 0
