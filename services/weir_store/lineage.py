"""Which points a run shows: its own but for what it was rewound over, and its ancestors' up to the fork.

Pure, and the one place that decides. Nothing is copied or deleted (ADR 11): both
readers ask a `Lineage` which rows of which runs can be seen.

    run A   0 ──────────────── 60 ── 70 ── 80       rewound to 60, after C was forked
                                └─ 61 ── 62 …       what A shows beyond 60 now
    run C                             └─ 71 ── 72   forked from A at 70: still shows A's old 61 … 70

A session is the second a process life began, the upper half of its rows' `ver` (ADR 4).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

MAX_STEP: Final = (1 << 63) - 1
_NEVER: Final = 1 << 32  # later than every session


@dataclass(frozen=True, slots=True)
class Branch:
    """What one process said when it took a run up at a step: a row of `branches`."""

    run_id: str
    producer: str
    rank: int
    world_size: int  # 0 = unknown
    parent_run_id: str  # the run itself: a rewind
    step: int  # the last one kept
    launch: str  # the same for all processes started together; "" = nothing told
    session: int

    @property
    def age(self) -> tuple[int, int, str]:
        """Orders branches from old to new."""
        return self.session, self.rank, self.producer


@dataclass(frozen=True, slots=True)
class ByRank:
    """A number for every rank: its own, or that of all others."""

    others: int
    own: tuple[tuple[int, int], ...] = ()  # (rank, number), by rank

    def of(self, rank: int) -> int:
        """Return the number of a rank."""
        return dict(self.own).get(rank, self.others) if self.own else self.others

    def at_most(self, number: int, ranks: Iterable[int] | None = None) -> ByRank:
        """Return it lowered to `number`: for these ranks, or for all when None."""
        if ranks is None:
            own = {rank: min(held, number) for rank, held in self.own}
            return ByRank(min(self.others, number), tuple(sorted(own.items())))
        own = dict(self.own) | {rank: min(self.of(rank), number) for rank in ranks}
        return ByRank(self.others, tuple(sorted(own.items())))


@dataclass(frozen=True, slots=True)
class Cut:
    """Hides what lies beyond `step` of sessions before `since`, or from it on when `later`."""

    step: int
    since: ByRank
    later: bool = False

    def hides(self, rank: int, step: int, session: int) -> bool:
        """Tell whether a row is cut off."""
        since = self.since.of(rank)
        return step > self.step and (session >= since if self.later else session < since)


@dataclass(frozen=True, slots=True)
class Piece:
    """What is shown of the rows of one run.

    Attributes:
        run_id: Whose rows.
        upto: Last step shown.
        cuts: None of them may hide a row that is shown.
    """

    run_id: str
    upto: ByRank = ByRank(MAX_STEP)
    cuts: tuple[Cut, ...] = ()

    @property
    def shows_all(self) -> bool:
        """Whether nothing is hidden."""
        return not self.cuts and self.upto == ByRank(MAX_STEP)

    def shows(self, rank: int, step: int, session: int) -> bool:
        """Tell whether a row can be seen."""
        return step <= self.upto.of(rank) and not any(
            cut.hides(rank, step, session) for cut in self.cuts
        )


@dataclass(frozen=True, slots=True)
class Lineage:
    """Where the points of a run lie.

    Attributes:
        pieces: The run itself, its parent, and so on. Where several have a point of the same
            metric, step and rank, the first that has one wins, whatever the versions.
        parent_run_id: The run it was forked from; empty = none.
        fork_step: Last step inherited, when there is a parent.
        rewinds: Steps it was rewound to, oldest first.
    """

    pieces: tuple[Piece, ...]
    parent_run_id: str = ""
    fork_step: int = 0
    rewinds: tuple[int, ...] = ()

    @property
    def is_plain(self) -> bool:
        """Whether the run simply shows all it has."""
        return len(self.pieces) == 1 and self.pieces[0].shows_all

    @property
    def edges(self) -> tuple[int, ...]:
        """Steps after which something may be hidden, in order."""
        ends = {
            end for piece in self.pieces for _, end in (*piece.upto.own, (0, piece.upto.others))
        }
        cuts = {cut.step for piece in self.pieces for cut in piece.cuts}
        return tuple(sorted((ends | cuts) - {MAX_STEP}))


@dataclass
class _Rewind:
    """Announcements that are one rewind.

    Attributes:
        step: The last one kept.
        at: Session of the first process that announced it.
        all_ranks: Whether it holds for ranks that announced nothing, since `at`.
        own: Sessions that announced it, by rank.
    """

    step: int
    at: int
    all_ranks: bool
    own: dict[int, list[int]] = field(default_factory=dict)

    def cut(self, *, later: bool) -> Cut:
        pick = min if later else max
        unsaid = _NEVER if later else 0
        own = {rank: pick(sessions) for rank, sessions in sorted(self.own.items())}
        since = self.at if self.all_ranks else unsaid
        return Cut(self.step, ByRank(since, _unlike(own, since)), later)


def lineage_of(run_id: str, branches: Mapping[str, Sequence[Branch]]) -> Lineage:
    """Return where a run's points lie.

    Args:
        run_id: The run.
        branches: By run: everything that it and its ancestors announced. A run that is absent
            announced nothing.
    """
    own = branches.get(run_id, ())
    fork = fork_of(own)
    return Lineage(
        tuple(_pieces(run_id, branches)),
        parent_run_id=fork.parent_run_id if fork else "",
        fork_step=fork.step if fork else 0,
        rewinds=tuple(rewind.step for rewind in _rewinds(own)),
    )


def fork_of(branches: Iterable[Branch]) -> Branch | None:
    """Return the fork among a run's branches, which all its processes announce: the earliest."""
    forks = [branch for branch in branches if branch.parent_run_id != branch.run_id]
    return min(forks, key=lambda branch: branch.age, default=None)


def _pieces(run_id: str, branches: Mapping[str, Sequence[Branch]]) -> Iterable[Piece]:
    """Walk from the run to its ancestors; a circle ends where it began."""
    upto, as_of, seen = ByRank(MAX_STEP), _NEVER, set[str]()
    while run_id not in seen:
        seen.add(run_id)
        rewinds = _rewinds(branches.get(run_id, ()))
        # What a run was rewound to after a child left it is none of the child's business.
        cuts = [rewind.cut(later=rewind.at >= as_of) for rewind in rewinds]
        yield Piece(run_id, upto, _needed(cuts))
        fork = fork_of(branches.get(run_id, ()))
        if fork is None:
            return
        upto = upto.at_most(fork.step)
        for rewind in rewinds:
            if fork.session <= rewind.at < as_of:
                upto = upto.at_most(rewind.step, None if rewind.all_ranks else rewind.own)
        run_id, as_of = fork.parent_run_id, fork.session


def _rewinds(branches: Sequence[Branch]) -> list[_Rewind]:
    """Put the announcements of each rewind together, oldest first.

    Those of one launch belong together. Without a launch, so do those of as
    many ranks in a row, until one of them speaks again.
    """
    found: list[_Rewind] = []
    newest: dict[tuple[int, str, int], _Rewind] = {}
    for each in sorted(branches, key=lambda branch: branch.age):
        if each.parent_run_id != each.run_id:
            continue
        key = (each.step, each.launch, 0 if each.launch else each.world_size)
        rewind = newest.get(key)
        if rewind is None or (not each.launch and each.rank in rewind.own):
            whole = bool(each.launch) or each.world_size <= 1
            rewind = newest[key] = _Rewind(each.step, each.session, whole)
            found.append(rewind)
        rewind.own.setdefault(each.rank, []).append(each.session)
    return found


def _unlike(own: Mapping[int, int], others: int) -> tuple[tuple[int, int], ...]:
    return tuple((rank, number) for rank, number in own.items() if number != others)


def _needed(cuts: Sequence[Cut]) -> tuple[Cut, ...]:
    """Leave out cuts that hide nothing a later one does not hide: all are asked about every row."""
    kept: list[Cut] = []
    for cut in reversed(cuts):
        if not any(_covers(other, cut) for other in kept):
            kept.append(cut)
    return tuple(reversed(kept))


def _covers(one: Cut, other: Cut) -> bool:
    if one.later is not other.later or one.step > other.step:
        return False
    ranks = {rank for rank, _ in (*one.since.own, *other.since.own)}
    pairs = [(one.since.of(rank), other.since.of(rank)) for rank in ranks]
    pairs.append((one.since.others, other.since.others))
    return all(mine <= theirs if one.later else mine >= theirs for mine, theirs in pairs)
