"""The words of rules. Value types only; times are Unix µs, spans seconds."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, TypeAlias
from uuid import UUID

from weir_store.records import Event

NOBODY: Final = UUID(int=0)
"""The alert of a group that has none."""

ALERT: Final = "alert"
"""The kind of event that rules and `run.alert` leave."""

Parameter: TypeAlias = str | int | float | bool | list[str]


class Check(StrEnum):
    """How a rule finds what fires."""

    SQL = "sql"  # the rows of a SELECT
    HANG = "hang"  # what weir_store/ranks finds to stand still


class ActionKind(StrEnum):
    """What a rule can do."""

    WEBHOOK = "webhook"
    SLACK = "slack"
    DISCORD = "discord"
    EMAIL = "email"
    TAG = "tag"
    NOTE = "note"
    STOP = "stop"


OF_RUNS: Final = frozenset({ActionKind.TAG, ActionKind.NOTE, ActionKind.STOP})
"""Actions that change the run a group names; the others tell somebody."""


@dataclass(frozen=True, slots=True)
class Action:
    """One thing to do when a group fires.

    Attributes:
        kind: What.
        target: URL, address, tag or note; of a stop its reason, often empty.
        secret: Signs a webhook's body; "" = not signed.
    """

    kind: ActionKind
    target: str = ""
    secret: str = ""


@dataclass(frozen=True, slots=True)
class Definition:
    """What a rule says, as its owner wrote it (docs/rules.md).

    Attributes:
        name: Unique in the project.
        check: SQL, or a built-in check.
        sql: The SELECT; "" where a template or a check has it.
        template: Name of the template that has the SELECT; "" = none.
        parameters: Values of `{name:Type}`.
        every_s: How often.
        for_s: How long a group must be found without a break before it fires; 0 = at once.
        window_s: The value of `{window:…}`.
        cool_down_s: After an alert, a group is silent for so long.
        severity: Of the alerts: debug, info, warn, error, critical.
        title: Of the alerts; "" = the rule's name.
        max_alerts: More groups than this firing at once make one alert that sums them up.
        tell_resolved: Whether those who are told hear of the end too.
        enabled: Whether it is evaluated.
        actions: What to do, beside the event that is always left.
        unreadable: Why nothing else is known of it: another release stored it. "" = all is known.
    """

    name: str
    check: Check = Check.SQL
    sql: str = ""
    template: str = ""
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    every_s: float = 30.0
    for_s: float = 0.0
    window_s: float = 600.0
    cool_down_s: float = 600.0
    severity: str = "warn"
    title: str = ""
    max_alerts: int = 20
    tell_resolved: bool = False
    enabled: bool = True
    actions: tuple[Action, ...] = ()
    unreadable: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """A definition in a project; `rule_id` lasts from its making to its deletion."""

    project: str
    rule_id: UUID
    definition: Definition
    version: int
    by: str
    at_unix_us: int

    @property
    def name(self) -> str:
        """Unique in the project."""
        return self.definition.name


@dataclass(frozen=True, slots=True, order=True)
class Group:
    """What fires or does not: a run, a rank of it, a node; all empty = the project as a whole."""

    run_id: str = ""
    rank: int = -1  # -1 = no rank
    node: str = ""

    def __str__(self) -> str:
        rank = f"rank {self.rank}" if self.rank >= 0 else ""
        return " ".join(filter(None, (self.run_id, rank, self.node))) or "the project"


@dataclass(frozen=True, slots=True)
class Found:
    """One row of a rule's answer; NaN = no value."""

    group: Group
    value: float = math.nan
    message: str = ""


@dataclass(frozen=True, slots=True)
class Findings:
    """What one evaluation found: each group once. `is_cut`: there are more, nobody knows which."""

    found: tuple[Found, ...]
    is_cut: bool = False


class State(StrEnum):
    """Where a group stands; one that is simply ok has no state."""

    PENDING = "pending"  # found, and not for long enough
    FIRING = "firing"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class GroupState:
    """Where one group of a rule stands.

    Attributes:
        group: Which.
        state: Where.
        since_unix_us: Since when.
        value: When it came to this state.
        message: Likewise.
        alert_id: The event that tells of it; `NOBODY` = none.
        told: Whether that event is stored and the actions are on their way.
        told_unix_us: When a group was told of last; 0 = never.
    """

    group: Group
    state: State
    since_unix_us: int
    value: float = math.nan
    message: str = ""
    alert_id: UUID = NOBODY
    told: bool = False
    told_unix_us: int = 0

    @property
    def is_owed(self) -> bool:
        """Whether an alert was noted and not raised yet."""
        return self.alert_id != NOBODY and not self.told


@dataclass(frozen=True, slots=True)
class Health:
    """How a rule fares, and what it costs.

    Attributes:
        project: Its project.
        rule_id: Its id.
        version: Of the definition that was evaluated.
        evaluated_unix_us: When last.
        took_s: How long that took.
        groups: How many it found.
        firing: How many of its groups fire.
        is_cut: It found more than a rule may.
        error: What is wrong with it; "" = nothing.
        failures: Evaluations in a row that failed.
        every_s: How often it is evaluated now: longer than wanted when it is slow or broken.
        evaluations: So far.
        spent_s: On all of them.
    """

    project: str
    rule_id: UUID
    version: int = 0
    evaluated_unix_us: int = 0
    took_s: float = 0.0
    groups: int = 0
    firing: int = 0
    is_cut: bool = False
    error: str = ""
    failures: int = 0
    every_s: float = 0.0
    evaluations: int = 0
    spent_s: float = 0.0


class DeliveryState(StrEnum):
    """Where a delivery stands."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    DEAD = "dead"  # given up; a person may have it tried again


@dataclass(frozen=True, slots=True)
class Delivery:
    """One action of one alert.

    Attributes:
        project: Of the rule.
        delivery_id: Its id; receivers know repetitions by it.
        rule_id: Whose.
        rule: Its name then.
        alert_id: The event.
        run_id: What it is about; "" = the project.
        action: What is to be done.
        payload: What is told: JSON's values.
        state: Where it stands.
        tries: So far.
        problem: Why the last try failed.
        at_unix_us: When it was made.
        tried_unix_us: When it was tried last; 0 = never.
        ver: Changes so far; the highest wins.
    """

    project: str
    delivery_id: UUID
    rule_id: UUID
    rule: str
    alert_id: UUID
    run_id: str
    action: Action
    payload: Mapping[str, Any]
    at_unix_us: int
    state: DeliveryState = DeliveryState.WAITING
    tries: int = 0
    problem: str = ""
    tried_unix_us: int = 0
    ver: int = 0


@dataclass(frozen=True, slots=True)
class Alert:
    """An event of kind `alert`: told by a process of the run (`client`), or found by a rule (`server`)."""

    project: str
    run_id: str
    source: str
    event: Event


@dataclass(frozen=True, slots=True)
class RaisedAlert:
    """An alert on its way into the store."""

    alert_id: UUID
    run_id: str
    rank: int
    severity: str
    title: str
    body: str
    attrs: Mapping[str, str]
    at_unix_us: int


def firing(states: Sequence[GroupState]) -> int:
    """Return how many of these groups fire."""
    return sum(each.state is State.FIRING for each in states)
