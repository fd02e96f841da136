"""Rules and alerts, as far as a viewer may see their projects; changed by those who may change things there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from weir_dashboard.access.door_edits import check_may_edit
from weir_dashboard.access.questions import RuleTrial, RuleWrites
from weir_dashboard.access.viewer import Viewer
from weir_store.rules.base import RuleReader
from weir_store.rules.records import (
    Alert,
    Definition,
    Delivery,
    DeliveryState,
    Findings,
    GroupState,
    Health,
    Rule,
)

if TYPE_CHECKING:
    from weir_dashboard.data_rules import RuleDoors


def rule_doors(doors: RuleDoors, viewer: Viewer) -> RuleDoors:
    """Return the doors of rules for one viewer; readers and share links have no editor."""
    may_change = viewer.may_edit_anything
    return type(doors)(
        RulesDoor(doors.reader, viewer),
        EditorDoor(doors.editor, viewer) if doors.editor and may_change else None,
        TrialDoor(doors.try_out, viewer) if doors.try_out and may_change else None,
    )


class RulesDoor:
    """A `RuleReader` for one viewer. Rules belong to projects: chosen runs alone have alerts only."""

    def __init__(self, rules: RuleReader, viewer: Viewer) -> None:
        self._rules = rules
        self._viewer = viewer

    def list_rules(self, project: str = "") -> list[Rule]:
        """Return the rules of the projects they may see."""
        if project and not self._sees(project):
            return []
        return [one for one in self._rules.list_rules(project) if self._sees(one.project)]

    def list_states(self, project: str, rule_id: UUID) -> list[GroupState]:
        """Return where the groups of a rule stand."""
        return self._rules.list_states(project, rule_id) if self._sees(project) else []

    def list_health(self, project: str = "") -> list[Health]:
        """Return how rules fare."""
        if project and not self._sees(project):
            return []
        return [one for one in self._rules.list_health(project) if self._sees(one.project)]

    def list_deliveries(
        self,
        project: str = "",
        *,
        states: Sequence[DeliveryState] = (),
        rule: str = "",
        limit: int = 1_000,
    ) -> list[Delivery]:
        """Return deliveries, newest first."""
        found: list[Delivery] = []
        for one in self._projects(project):
            found += self._rules.list_deliveries(one, states=states, rule=rule, limit=limit)
        return sorted(found, key=lambda each: each.at_unix_us, reverse=True)[:limit]

    def get_delivery(self, project: str, delivery_id: UUID) -> Delivery | None:
        """Return one delivery."""
        return self._rules.get_delivery(project, delivery_id) if self._sees(project) else None

    def list_alerts(
        self, project: str, *, run_id: str = "", rule: str = "", limit: int = 100
    ) -> list[Alert]:
        """Return alerts of a project, newest first: of chosen runs where they may see these alone."""
        if not self._viewer.may_see(project):
            return []
        if self._viewer.runs is None:
            return self._rules.list_alerts(project, run_id=run_id, rule=rule, limit=limit)
        ids = {ref.run_id for ref in self._viewer.runs if ref.project == project}
        found: list[Alert] = []
        for one in sorted(ids & {run_id} if run_id else ids):
            found += self._rules.list_alerts(project, run_id=one, rule=rule, limit=limit)
        return sorted(found, key=lambda each: each.event.time_unix_us, reverse=True)[:limit]

    def _sees(self, project: str) -> bool:
        return self._viewer.may_see_all(project)

    def _projects(self, asked: str) -> Sequence[str]:
        """Return what to ask for: the project, "" = all of them where all are theirs."""
        allowed = self._viewer.allowed
        if asked:
            return [asked] if self._sees(asked) else []
        if self._viewer.runs is not None:
            return []
        return [""] if allowed is None else list(dict.fromkeys(allowed))


class EditorDoor:
    """What pages change of rules, in the projects where one viewer may."""

    def __init__(self, editor: RuleWrites, viewer: Viewer) -> None:
        self._editor = editor
        self._viewer = viewer

    def put_rule(self, rule: Rule) -> None:
        """Store a rule."""
        check_may_edit(self._viewer, rule.project)
        self._editor.put_rule(rule)

    def delete_rule(
        self, rule: Rule, states: Sequence[GroupState], waiting: Sequence[Delivery]
    ) -> None:
        """Take a rule away."""
        check_may_edit(self._viewer, rule.project)
        self._editor.delete_rule(rule, states, waiting)

    def put_deliveries(self, deliveries: Sequence[Delivery]) -> None:
        """Store where deliveries stand."""
        for delivery in deliveries:
            check_may_edit(self._viewer, delivery.project)
        self._editor.put_deliveries(deliveries)


class TrialDoor:
    """Trying rules, in the projects where one viewer may change them."""

    def __init__(self, trial: RuleTrial, viewer: Viewer) -> None:
        self._trial = trial
        self._viewer = viewer

    def find(self, project: str, definition: Definition, now_unix_us: int) -> Findings:
        """Evaluate a rule once."""
        check_may_edit(self._viewer, project)
        return self._trial.find(project, definition, now_unix_us)
