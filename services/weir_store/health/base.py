"""The door to how a Weir fares: `HealthReader`, and the words it speaks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from weir_store.records import Kind, RunRef

Allowed = Sequence[str] | None
"""Projects that the caller may see; None = all."""


@dataclass(frozen=True, slots=True)
class Flow:
    """What has come so far.

    Attributes:
        accepted_unix_us: Server's clock when the newest committed frame was accepted; 0 = none yet.
        points: Rows of points at rest, replays that are not merged yet included.
    """

    accepted_unix_us: int
    points: int


@dataclass(frozen=True, slots=True)
class Book:
    """The accounts of one kind of thing, summed up over all runs (docs/formats/ledger.md).

    Attributes:
        kind: What is counted.
        sent: Claimed by the clients.
        rejected: Refused by gateways, with a reason.
        dead: Set aside by writers and not retried.
        gap_frames: Frames declared lost.
        dropped: Never sent: a queue or disk of a client was full.
        refused: Never sent: `log()` took it for no number, text or name.
    """

    kind: Kind
    sent: int = 0
    rejected: int = 0
    dead: int = 0
    gap_frames: int = 0
    dropped: int = 0
    refused: int = 0

    @property
    def lost(self) -> int:
        """What should be stored and is not, and frames of which nobody knows what they held."""
        return self.rejected + self.dead + self.gap_frames + self.dropped


@dataclass(frozen=True, slots=True)
class Loss:
    """A run that lost something; the numbers are sums over its kinds."""

    ref: RunRef
    rejected: int
    dead: int
    gap_frames: int
    dropped: int


@dataclass(frozen=True, slots=True)
class DeadReason:
    """Dead letters of a project that wait for a decision, of one reason."""

    project: str
    reason: str
    letters: int
    newest_unix_us: int


@dataclass(frozen=True, slots=True)
class NodeHeard:
    """A node with processes that run, or fell silent while they did.

    Attributes:
        node: Its name.
        runs: How many runs are on it.
        processes: How many processes of training are.
        silent: … and how many of these are silent.
        heard_unix_us: Server's clock: the newest frame of any of them.
        sampled_unix_us: Node's clock: the newest sample of its agent that is stored; 0 = none. Samples
            are taken every few seconds, so how old the newest is says how far the spool is behind.
        agent_heard_unix_us: Server's clock: the newest frame of its agents; 0 = none.
    """

    node: str
    runs: int
    processes: int
    silent: int
    heard_unix_us: int
    sampled_unix_us: int
    agent_heard_unix_us: int

    @property
    def behind_s(self) -> float | None:
        """How old the newest sample was when it came, seconds; None = nothing is measured here."""
        if not (self.sampled_unix_us and self.agent_heard_unix_us):
            return None
        return max(0.0, (self.agent_heard_unix_us - self.sampled_unix_us) / 1e6)


@dataclass(frozen=True, slots=True)
class Nonfinite:
    """A run in which NaN or ±Inf was logged.

    Attributes:
        ref: The run.
        metric: One of its metrics that has it; a loss, where there is one.
        metrics: How many of its metrics have it.
        last_point_unix_us: Client's clock: the newest point of these metrics.
    """

    ref: RunRef
    metric: str
    metrics: int
    last_point_unix_us: int


@dataclass(frozen=True, slots=True)
class TableSize:
    """One table at rest, on the server that answered."""

    name: str
    rows: int
    bytes: int
    parts: int


@dataclass(frozen=True, slots=True)
class Disk:
    """A disk of the server that answered."""

    name: str
    path: str
    free_bytes: int
    total_bytes: int


@dataclass(frozen=True, slots=True)
class StoreState:
    """The store itself, as the server that answered sees it.

    Attributes:
        version: ClickHouse's.
        uptime_s: Since it was started.
        schema: Number and name of the newest migration, `8 changes`.
        tables: Largest first.
        disks: Where it lies; none where the server does not say.
    """

    version: str
    uptime_s: int
    schema: str
    tables: tuple[TableSize, ...]
    disks: tuple[Disk, ...]


class HealthReader(Protocol):
    """Asks how a Weir fares. Safe from any thread; raises `StoreUnavailable` when no answer comes.

    Runs that were deleted count nowhere.
    """

    def read_flow(self) -> Flow:
        """Return how much has come, and when the newest came."""
        ...

    def list_books(self, allowed: Allowed = None) -> list[Book]:
        """Return one book for each kind of thing that somebody claims or lost."""
        ...

    def list_losses(self, allowed: Allowed = None, *, limit: int = 100) -> list[Loss]:
        """Return runs that lost something, the most first."""
        ...

    def list_dead(self, allowed: Allowed = None, *, limit: int = 100) -> list[DeadReason]:
        """Return dead letters that wait for a decision, newest first."""
        ...

    def list_nodes(
        self, now_unix_us: int, since_unix_us: int, allowed: Allowed = None
    ) -> list[NodeHeard]:
        """Return nodes that run something, or fell silent since then, longest silent first."""
        ...

    def list_nonfinite(
        self, since_unix_us: int, allowed: Allowed = None, *, limit: int = 20
    ) -> list[Nonfinite]:
        """Return runs with NaN or ±Inf whose metrics had points since then, newest first."""
        ...

    def read_store(self) -> StoreState:
        """Return how large the store is, and how much room is left."""
        ...
