"""What an evaluation changes: pure, with no clock of its own.

    (no state) ──found──▶ pending ──for `for_s`──▶ firing ──not found──▶ resolved ──found──▶ pending …
                             └──not found──▶ (no state)                     └──long ago──▶ (no state)

With `for_s` 0 a group fires at once. A group that fires within `cool_down_s` of its last alert fires
silently; does it still do so when that time has passed, it is told of then.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from weir_store.rules.records import (
    NOBODY,
    Definition,
    Findings,
    Found,
    Group,
    GroupState,
    State,
)

KEPT_S: Final = 86_400
"""A group that is resolved for so long, and has cooled down, is forgotten."""

Named = Callable[[], UUID]


@dataclass(frozen=True, slots=True)
class Judgement:
    """What becomes of the groups.

    Attributes:
        changed: New states; those with an `alert_id` that is not told yet are to be alerted of.
        resolved: Groups that fired, were told of, and fire no more; also in `changed`.
        forgotten: Groups that are ok, or were resolved long ago.
    """

    changed: tuple[GroupState, ...]
    resolved: tuple[GroupState, ...]
    forgotten: tuple[Group, ...]

    @property
    def fired(self) -> tuple[GroupState, ...]:
        """Groups to be alerted of."""
        return tuple(each for each in self.changed if each.is_owed)


def judge(
    definition: Definition,
    before: Mapping[Group, GroupState],
    findings: Findings,
    now_unix_us: int,
    new_id: Named = uuid.uuid4,
) -> Judgement:
    """Hold what was found against where the groups stood.

    Args:
        definition: The rule.
        before: Where its groups stood.
        findings: What fires now. Were they cut, groups that are absent stay as they are.
        now_unix_us: The moment of the evaluation.
        new_id: Names a new alert.
    """
    found = {each.group: each for each in findings.found}
    changed = list(_found(definition, before, found, now_unix_us, new_id))
    absent = (
        [] if findings.is_cut else [each for each in before.values() if each.group not in found]
    )
    forgotten = {each.group for each in absent if _is_over(each, definition, now_unix_us)}
    ended = [
        replace(each, state=State.RESOLVED, since_unix_us=now_unix_us)
        for each in absent
        if each.state is not State.RESOLVED and each.group not in forgotten
    ]
    resolved = [each for each in ended if before[each.group].state is State.FIRING and each.told]
    return Judgement((*changed, *ended), tuple(resolved), tuple(sorted(forgotten)))


def _found(
    definition: Definition,
    before: Mapping[Group, GroupState],
    found: Mapping[Group, Found],
    now_unix_us: int,
    new_id: Named,
) -> Iterator[GroupState]:
    """Yield the new states of groups that were found and do not stay as they are."""
    for group, row in found.items():
        was = before.get(group)
        is_new = was is None or was.state is State.RESOLVED
        since_unix_us = now_unix_us if was is None or is_new else was.since_unix_us
        told_unix_us = was.told_unix_us if was else 0
        if was is not None and was.state is State.FIRING:
            silent = was.alert_id == NOBODY and _cooled(definition, told_unix_us, now_unix_us)
            if silent:
                yield replace(was, alert_id=new_id(), told=False)
        elif now_unix_us - since_unix_us >= definition.for_s * 1e6:
            tells = _cooled(definition, told_unix_us, now_unix_us)
            alert_id = new_id() if tells else NOBODY
            yield GroupState(
                group, State.FIRING, now_unix_us, row.value, row.message, alert_id,
                told_unix_us=told_unix_us,
            )  # fmt: skip
        elif is_new:
            yield GroupState(
                group, State.PENDING, now_unix_us, row.value, row.message,
                told_unix_us=told_unix_us,
            )  # fmt: skip


def _cooled(definition: Definition, told_unix_us: int, now_unix_us: int) -> bool:
    return not told_unix_us or now_unix_us - told_unix_us >= definition.cool_down_s * 1e6


def _is_over(was: GroupState, definition: Definition, now_unix_us: int) -> bool:
    """Whether nothing need be remembered of a group that was not found."""
    if was.state is State.PENDING:
        # … but its cool-down: a group that flickers is not told of more often than that.
        return _cooled(definition, was.told_unix_us, now_unix_us)
    kept_us = max(KEPT_S, definition.cool_down_s) * 1e6
    return was.state is State.RESOLVED and now_unix_us - was.since_unix_us >= kept_us
