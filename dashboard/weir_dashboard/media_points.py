"""Media points as a page shows them: which steps there are, and what lies at one. Pure.

The JSON comes from training jobs: whatever it holds, nothing here raises; what cannot be understood
comes out as a value of the type `unknown`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

UNKNOWN: Final = "unknown"


@dataclass(frozen=True, slots=True)
class Shown:
    """One value.

    Attributes:
        rank: Which process logged it.
        index: Its place in the list that was logged.
        facts: What the point says of it, docs/formats/media.md.
    """

    rank: int
    index: int
    facts: Mapping[str, Any]

    @property
    def type(self) -> str:
        """`image`, `table` …, or `unknown`."""
        found = self.facts.get("type")
        return found if isinstance(found, str) else UNKNOWN

    @property
    def title(self) -> str:
        """The caption; empty when there is none."""
        found = self.facts.get("caption")
        return found if isinstance(found, str) else ""


def steps_of(points: pa.Table) -> list[int]:
    """Return the steps at which something was logged, rising."""
    return sorted(set(points.column("step").to_pylist()))


def shown_at(points: pa.Table, step: int) -> list[Shown]:
    """Return what was logged at a step, by rank, then place in its list."""
    rows = points.filter(pc.equal(points.column("step"), step))
    pairs = zip(rows.column("rank").to_pylist(), rows.column("value").to_pylist(), strict=True)
    shown = [one for rank, text in pairs for one in _values(rank, text)]
    return sorted(shown, key=lambda one: (one.rank, one.index))


def _values(rank: int, text: str) -> Iterator[Shown]:
    found = facts_in(text)
    for index, facts in enumerate(found if isinstance(found, list) else [found]):
        yield Shown(rank, index, facts if isinstance(facts, dict) else {})


def facts_in(text: Any) -> Any:
    """Return what a JSON text says; an empty object when it is none."""
    try:
        return json.loads(text)
    except (TypeError, ValueError, RecursionError):
        return {}


def blob_in(named: Any) -> tuple[str, int] | None:
    """Return (SHA-256, size) of what names a blob; None when it does not."""
    if not isinstance(named, Mapping):
        return None
    digest, size_bytes = named.get("sha256"), named.get("size")
    good = isinstance(digest, str) and len(digest) == 64 and set(digest) <= _HEX
    return (str(digest), size_bytes) if good and isinstance(size_bytes, int) else None


_HEX: Final = frozenset("0123456789abcdef")


def mapping_in(facts: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """Return a mapping that facts hold; empty when they hold none of that name."""
    found = facts.get(key)
    return found if isinstance(found, Mapping) else {}


def boxes_in(facts: Mapping[str, Any]) -> list[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """Return (box, group it is in) of every box."""
    found: list[tuple[Mapping[str, Any], Mapping[str, Any]]] = []
    for group in mapping_in(facts, "boxes").values():
        listed = group.get("boxes") if isinstance(group, Mapping) else None
        boxes = listed if isinstance(listed, list) else []
        found += [(box, group) for box in boxes if isinstance(box, Mapping)]
    return found


def class_name(number: Any, *names: Any) -> str:
    """Return what a class is called in the first mapping that knows it; else its number."""
    for each in names:
        if isinstance(each, Mapping) and str(number) in each:
            return str(each[str(number)])
    return "" if number is None else str(number)


def pages_of(rows: int, per_page: int) -> int:
    """Return how many pages so many rows take; at least one."""
    return max(1, -(-rows // per_page))


def ranks_in(shown: Sequence[Shown]) -> list[int]:
    """Return the ranks of what is shown, rising."""
    return sorted({one.rank for one in shown})
