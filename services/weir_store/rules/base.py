"""How rules are asked about: `RuleReader`. What is written goes through `editor.py`.

Two implementations judged by one suite (tests/contract/test_rules.py):
ClickHouse and memory. Safe from any thread; every call may raise
`StoreUnavailable`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from weir_store.rules.records import Alert, Delivery, DeliveryState, GroupState, Health, Rule


class RuleReader(Protocol):
    """Which rules there are, where they stand, and what became of their actions."""

    def list_rules(self, project: str = "") -> list[Rule]:
        """Return the rules by project, then name; "" = of every project."""
        ...

    def list_states(self, project: str, rule_id: UUID) -> list[GroupState]:
        """Return where the groups of a rule stand, by group; those that are ok are absent."""
        ...

    def list_health(self, project: str = "") -> list[Health]:
        """Return how rules fare; "" = of every project. Rules never evaluated are absent."""
        ...

    def list_deliveries(
        self,
        project: str = "",
        *,
        states: Sequence[DeliveryState] = (),
        rule: str = "",
        limit: int = 1_000,
    ) -> list[Delivery]:
        """Return deliveries, newest first: of every project where "", in any state where none is named."""
        ...

    def get_delivery(self, project: str, delivery_id: UUID) -> Delivery | None:
        """Return one delivery, None when there is none."""
        ...

    def list_alerts(
        self, project: str, *, run_id: str = "", rule: str = "", limit: int = 100
    ) -> list[Alert]:
        """Return alerts of a project, newest first: of rules and of `run.alert`.

        Those of deleted runs are not here.
        """
        ...
