"""What the parts of a Weir say of themselves, and what follows from it all: rates, sums, findings. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from itertools import pairwise
from types import MappingProxyType
from typing import Final

from prometheus_client.parser import text_string_to_metric_families

from weir_dashboard import units, words
from weir_store.health.base import Book, DeadReason, Disk, NodeHeard

LATE_S: Final = 10.0
"""A point that waits longer than this for the writer is late; usual is a quarter of a second."""

BEHIND_S: Final = 90.0
"""Agents sample every few seconds: a sample that was older than this when it came had to wait in a spool."""

_LITTLE_LEFT: Final = 0.1
_VERY_LITTLE_LEFT: Final = 0.03
_NAMED: Final = 3
_OURS: Final = ("weir_", "process_")


@dataclass(frozen=True, slots=True)
class Part:
    """One process of Weir, as its /metrics page shows it.

    Attributes:
        name: `gateway`, `writer` …
        url: Where the page is.
        problem: Why it could not be read; "" = it was.
        samples: (name, labels, value) of what is on it.
    """

    name: str
    url: str
    problem: str = ""
    samples: tuple[tuple[str, Mapping[str, str], float], ...] = ()

    def total(self, name: str, **labels: str) -> float:
        """Add up a counter or gauge over the labels that are not named; 0 when it is not there."""
        return math.fsum(value for _, value in self._of(name, labels))

    def by(self, name: str, label: str) -> dict[str, float]:
        """Return a gauge by the values of one label."""
        return {found[label]: value for found, value in self._of(name, {}) if label in found}

    def label(self, name: str, label: str) -> str:
        """Return a label of the first sample of this name, "" when there is none."""
        return next((found[label] for found, _ in self._of(name, {}) if label in found), "")

    def _of(
        self, name: str, labels: Mapping[str, str]
    ) -> Iterable[tuple[Mapping[str, str], float]]:
        for known, found, value in self.samples:
            if known == name and all(found.get(key) == want for key, want in labels.items()):
                yield found, value


@dataclass(frozen=True, slots=True)
class Look:
    """Counters at one moment; two of them make a rate.

    Attributes:
        unix_s: When.
        accepted: Points taken in by all gateways since they were started; NaN = no gateway was asked.
        stored: Rows of points at rest; NaN = the store was not asked.
    """

    unix_s: float
    accepted: float = math.nan
    stored: float = math.nan


class Level(IntEnum):
    """How bad a finding is."""

    FINE = 0
    WATCH = 1
    ACT = 2


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing worth knowing; `advice` is what to do, in markdown."""

    level: Level
    text: str
    advice: str = ""


@dataclass(frozen=True, slots=True)
class Seen:
    """Everything that was looked at; what could not be is empty."""

    parts: Sequence[Part] = ()
    books: Sequence[Book] = ()
    dead: Sequence[DeadReason] = ()
    nodes: Sequence[NodeHeard] = ()
    disks: Sequence[Disk] = ()
    now_unix_s: float = 0.0
    problems: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


def parse_page(name: str, url: str, text: str) -> Part:
    """Read a page in Prometheus' format; what is not Weir's is left out, what is no such page is a problem."""
    try:
        samples = tuple(
            (sample.name, dict(sample.labels), float(sample.value))
            for family in text_string_to_metric_families(text)
            if family.name.startswith(_OURS)
            for sample in family.samples
            if not sample.name.endswith(("_bucket", "_created"))
        )
    except (ValueError, KeyError, IndexError):
        return Part(name, url, "the answer is no page of metrics")
    return Part(name, url, "" if samples else "the page has no metrics of Weir", samples)


def split_page(text: str) -> tuple[str, str]:
    """Return name and address of `name=url`."""
    name, _, url = text.partition("=")
    return name, url


def rate(before: Look, after: Look, of: str) -> float:
    """Return how many a second came between two looks; NaN when nobody can tell, as after a restart."""
    passed_s = after.unix_s - before.unix_s
    came: float = getattr(after, of) - getattr(before, of)
    return came / passed_s if passed_s > 0 and came >= 0 else math.nan


def rates(looks: Sequence[Look], of: str) -> list[tuple[float, float]]:
    """Return (Unix seconds, how many a second) between each look and the one before."""
    found = [(after.unix_s, rate(before, after, of)) for before, after in pairwise(looks)]
    return [(at, value) for at, value in found if math.isfinite(value)]


def named(parts: Sequence[Part], name: str) -> list[Part]:
    """Return the parts of this role that answered: `gateway`, `gateway-1` and so on."""
    return [part for part in parts if not part.problem and part.name.startswith(name)]


def shards(parts: Sequence[Part]) -> list[tuple[str, int, int, float, str]]:
    """Return shard, entries, bytes and lag (s) of the stream, and the writer that serves it."""
    holders: dict[str, tuple[int, int, float, str]] = {}
    for writer in named(parts, "writer"):
        leases = writer.by("weir_writer_lease", "shard")
        entries, size = (writer.by(f"weir_stream_{what}", "shard") for what in ("entries", "bytes"))
        lag = writer.by("weir_stream_lag_seconds", "shard")
        for shard, held in leases.items():
            if held or shard not in holders:
                holders[shard] = (
                    int(entries.get(shard, 0)),
                    int(size.get(shard, 0)),
                    lag.get(shard, 0.0),
                    writer.name if held else "",
                )
    return sorted((shard, *found) for shard, found in holders.items())


def lag_s(parts: Sequence[Part]) -> float:
    """Return how long the oldest point waits for the writer, seconds; NaN when no writer was asked."""
    return max((lag for _, _, _, lag, _ in shards(parts)), default=math.nan)


def findings(seen: Seen) -> list[Finding]:
    """Return what is wrong or will be, the worst first; nothing when all is well."""
    found = [
        *_of_parts(seen.parts),
        *_of_stream(seen.parts),
        *_of_books(seen.books),
        *_of_dead(seen.dead),
        *_of_nodes(seen.nodes),
        *_of_disks(seen.disks),
        *(Finding(Level.WATCH, f"{name} could not be asked: {why}") for name, why in seen.problems.items()),
    ]  # fmt: skip
    return sorted(found, key=lambda one: -one.level)


def _of_parts(parts: Sequence[Part]) -> Iterable[Finding]:
    for part in parts:
        if part.problem:
            yield Finding(
                Level.ACT, f"{part.name} shows no /metrics: {part.problem}", "`weir doctor`"
            )


def _of_stream(parts: Sequence[Part]) -> Iterable[Finding]:
    for shard, entries, _, lag, writer in shards(parts):
        waiting = words.count(entries, "entry", "entries")
        if not writer:
            yield Finding(
                Level.ACT, f"nobody writes shard {shard}: {waiting} wait", "start a writer"
            )
        elif lag > LATE_S:
            text = f"points of shard {shard} wait {words.span(lag)} for {writer}, {waiting}"
            yield Finding(Level.ACT, text, "nothing is lost; it comes later")


def _of_books(books: Sequence[Book]) -> Iterable[Finding]:
    for name, text in (
        ("dropped", "were dropped by clients whose queue or disk was full"),
        ("rejected", "were refused by the gateway"),
    ):
        count = sum(getattr(book, name) for book in books)
        if count:
            yield Finding(
                Level.WATCH, f"{words.count(count, 'thing')} {text}", "each is named below"
            )
    gaps = sum(book.gap_frames for book in books)
    if gaps:
        yield Finding(
            Level.WATCH, f"{words.count(gaps, 'frame')} never came", "each run is named below"
        )


def _of_dead(dead: Sequence[DeadReason]) -> Iterable[Finding]:
    letters = sum(one.letters for one in dead)
    if letters:
        text = f"{words.count(letters, 'frame')} could not be stored and wait for a decision"
        yield Finding(Level.ACT, text, "`weir deadletter list`")


def _of_nodes(nodes: Sequence[NodeHeard]) -> Iterable[Finding]:
    silent = [one for one in nodes if one.silent]
    if silent:
        yield Finding(Level.ACT, f"{_who(silent)}: processes fell silent while they ran")
    late = [one for one in nodes if (one.behind_s or 0) > BEHIND_S]
    if late:
        most = max(one.behind_s or 0 for one in late)
        yield Finding(
            Level.WATCH, f"{_who(late)}: spools are up to {words.span(most)} behind, or a clock is"
        )


def _of_disks(disks: Sequence[Disk]) -> Iterable[Finding]:
    for disk in disks:
        left = disk.free_bytes / disk.total_bytes if disk.total_bytes else 1.0
        if left < _LITTLE_LEFT:
            text = f"{units.size(disk.free_bytes)} are left on {disk.path}, {left:.0%}"
            yield Finding(Level.ACT if left < _VERY_LITTLE_LEFT else Level.WATCH, text)


def _who(nodes: Sequence[NodeHeard]) -> str:
    names = ", ".join(one.node for one in nodes[:_NAMED])
    return names if len(nodes) <= _NAMED else f"{names} and {len(nodes) - _NAMED:,} more nodes"
