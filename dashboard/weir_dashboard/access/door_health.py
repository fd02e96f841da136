"""How this Weir fares, as far as it is about projects that a viewer may see."""

from __future__ import annotations

from weir_dashboard.access.viewer import Viewer
from weir_store.errors import InvalidQuery
from weir_store.health.base import (
    Allowed,
    Book,
    DeadReason,
    Flow,
    HealthReader,
    Loss,
    NodeHeard,
    Nonfinite,
    StoreState,
)


class HealthDoor:
    """A `HealthReader` for one viewer."""

    def __init__(self, health: HealthReader, viewer: Viewer) -> None:
        self._health = health
        self._viewer = viewer

    def read_flow(self) -> Flow:
        """Return when the newest frame came; how much there is of all projects is not told, but 0."""
        flow = self._health.read_flow()
        return flow if self._viewer.allowed is None else Flow(flow.accepted_unix_us, 0)

    def list_books(self, allowed: Allowed = None) -> list[Book]:
        """Return the accounts."""
        return self._health.list_books(self._both(allowed))

    def list_losses(self, allowed: Allowed = None, *, limit: int = 100) -> list[Loss]:
        """Return runs that lost something."""
        return self._health.list_losses(self._both(allowed), limit=limit)

    def list_dead(self, allowed: Allowed = None, *, limit: int = 100) -> list[DeadReason]:
        """Return dead letters."""
        return self._health.list_dead(self._both(allowed), limit=limit)

    def list_nodes(
        self, now_unix_us: int, since_unix_us: int, allowed: Allowed = None
    ) -> list[NodeHeard]:
        """Return nodes."""
        return self._health.list_nodes(now_unix_us, since_unix_us, self._both(allowed))

    def list_nonfinite(
        self, since_unix_us: int, allowed: Allowed = None, *, limit: int = 20
    ) -> list[Nonfinite]:
        """Return runs with NaN or ±Inf."""
        return self._health.list_nonfinite(since_unix_us, self._both(allowed), limit=limit)

    def read_store(self) -> StoreState:
        """Return how large the store is, to those who may see every project."""
        if self._viewer.allowed is not None:
            raise InvalidQuery("how large the store is, is for those who may see every project")
        return self._health.read_store()

    def _both(self, asked: Allowed) -> Allowed:
        allowed = self._viewer.allowed
        if asked is None or allowed is None:
            return allowed if asked is None else asked
        return tuple(project for project in asked if project in allowed)
