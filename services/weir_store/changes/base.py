"""The words of changes: what was asked, what came of it, and what must not be changed.

asked ─▶ begun ─▶ waiting ─▶ done          each a version of one row of `changes`
  │        └──────────────────▲            begun is gone on with after a crash: every step may be done twice
  └─▶ done, refused                        asked by who cannot carry it out (a dashboard): a gateway takes it up
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, TypeAlias
from uuid import UUID

from weir_store.errors import StoreError
from weir_store.records import Kind, RunRef, Tally

WAITS_UNTIL: Final = "waits_until_unix_us"
"""In a receipt: when bytes are old enough to be collected; 0 = nothing waits."""
REFUSED: Final = "refused"
"""In a receipt: why a change that was asked for was not made."""
MAX_RANGES: Final = 10_000
MAX_CORRECTIONS: Final = 10_000

Steps: TypeAlias = Sequence[tuple[int, int]]
"""Ranges of steps, both ends inclusive; empty = every step."""


class Refusal(StoreError):
    """A change that must not be made now: held, live, or in nobody's interest. Nothing was changed."""


class Held(Refusal):
    """There is a legal hold."""


class ChangeKind(StrEnum):
    """What was asked."""

    CORRECT = "correct"
    DELETE_POINTS = "delete_points"
    DELETE_RUN = "delete_run"
    DELETE_PROJECT = "delete_project"
    MOVE = "move"
    MERGE = "merge"
    RETENTION = "retention"
    ROLL = "roll"
    THAW = "thaw"
    STOP = "stop"  # asks the run's processes to end: changes nothing that is stored


class ChangeState(StrEnum):
    """How far it is."""

    ASKED = "asked"  # nobody has taken it up yet
    BEGUN = "begun"
    WAITING = (
        "waiting"  # hidden and freed but for what others need, or what is too young to be collected
    )
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Change:
    """One change, and its receipt so far.

    Attributes:
        change_id: Names it, and its receipt.
        run_id: Whose; empty = the project's.
        by: Name of the token that asked, or the policy.
        reason: Why, in words; often empty.
        at_unix_us: When it was asked.
        ended_unix_us: When it was done; 0 = not yet.
        request: What was asked, JSON types only.
        receipt: What came of it, JSON types only.
        version: Of what is written down of it, each above the one before; 0 = nothing yet.
    """

    change_id: UUID
    project: str
    run_id: str
    kind: ChangeKind
    by: str
    at_unix_us: int
    reason: str = ""
    state: ChangeState = ChangeState.BEGUN
    ended_unix_us: int = 0
    request: Mapping[str, Any] = field(default_factory=dict)
    receipt: Mapping[str, Any] = field(default_factory=dict)
    version: int = 0

    @property
    def ref(self) -> RunRef:
        """The run."""
        return RunRef(self.project, self.run_id)


@dataclass(frozen=True, slots=True)
class Correction:
    """A new value for a point that is there."""

    step: int
    value: float
    rank: int = 0


@dataclass(frozen=True, slots=True)
class LineChange:
    """What a change took out of the rows of a process life, and put beside them."""

    kind: Kind
    rank: int
    session: int
    removed: Tally = field(default_factory=Tally)
    added: Tally = field(default_factory=Tally)


@dataclass(frozen=True, slots=True)
class Hold:
    """A legal hold; `run_id` is empty when it is on the whole project."""

    project: str
    run_id: str
    reason: str
    by: str
    at_unix_us: int


class What(StrEnum):
    """What a policy of retention is about."""

    METRICS = "metrics"
    CONSOLE = "console"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Policy:
    """How long things of a project are kept, by the age of each point or line.

    Attributes:
        project: Whose.
        what: Metrics, console lines, or system metrics.
        pattern: Glob over the names of metrics; `*` = all. The most exact one that fits counts.
        keep_s: Older ones are deleted; 0 = never.
        thin_after_s: Older ones are thinned; 0 = never. Metrics only.
        thin_points: To about so many buckets per series, each with its first, last, lowest
            and highest value.
        by: Who said so.
        at_unix_us: When.
    """

    project: str
    what: What
    pattern: str = "*"
    keep_s: int = 0
    thin_after_s: int = 0
    thin_points: int = 0
    by: str = ""
    at_unix_us: int = 0
