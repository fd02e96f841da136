from weir_proto.v1 import runs_pb2 as _runs_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class PutRuleRequest(_message.Message):
    __slots__ = ("project", "definition_json", "dry_run")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    DEFINITION_JSON_FIELD_NUMBER: _ClassVar[int]
    DRY_RUN_FIELD_NUMBER: _ClassVar[int]
    project: str
    definition_json: str
    dry_run: bool
    def __init__(self, project: _Optional[str] = ..., definition_json: _Optional[str] = ..., dry_run: bool = ...) -> None: ...

class PutRuleResponse(_message.Message):
    __slots__ = ("outcome", "changes", "version")
    class Outcome(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        OUTCOME_UNSPECIFIED: _ClassVar[PutRuleResponse.Outcome]
        MADE: _ClassVar[PutRuleResponse.Outcome]
        CHANGED: _ClassVar[PutRuleResponse.Outcome]
        UNCHANGED: _ClassVar[PutRuleResponse.Outcome]
    OUTCOME_UNSPECIFIED: PutRuleResponse.Outcome
    MADE: PutRuleResponse.Outcome
    CHANGED: PutRuleResponse.Outcome
    UNCHANGED: PutRuleResponse.Outcome
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    CHANGES_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    outcome: PutRuleResponse.Outcome
    changes: _containers.RepeatedCompositeFieldContainer[RuleChange]
    version: int
    def __init__(self, outcome: _Optional[_Union[PutRuleResponse.Outcome, str]] = ..., changes: _Optional[_Iterable[_Union[RuleChange, _Mapping]]] = ..., version: _Optional[int] = ...) -> None: ...

class RuleChange(_message.Message):
    __slots__ = ("key", "before", "after")
    KEY_FIELD_NUMBER: _ClassVar[int]
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    key: str
    before: str
    after: str
    def __init__(self, key: _Optional[str] = ..., before: _Optional[str] = ..., after: _Optional[str] = ...) -> None: ...

class DeleteRuleRequest(_message.Message):
    __slots__ = ("project", "name", "dry_run")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    DRY_RUN_FIELD_NUMBER: _ClassVar[int]
    project: str
    name: str
    dry_run: bool
    def __init__(self, project: _Optional[str] = ..., name: _Optional[str] = ..., dry_run: bool = ...) -> None: ...

class DeleteRuleResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListRulesRequest(_message.Message):
    __slots__ = ("project", "name", "groups")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    project: str
    name: str
    groups: int
    def __init__(self, project: _Optional[str] = ..., name: _Optional[str] = ..., groups: _Optional[int] = ...) -> None: ...

class ListRulesResponse(_message.Message):
    __slots__ = ("rules",)
    RULES_FIELD_NUMBER: _ClassVar[int]
    rules: _containers.RepeatedCompositeFieldContainer[Rule]
    def __init__(self, rules: _Optional[_Iterable[_Union[Rule, _Mapping]]] = ...) -> None: ...

class Rule(_message.Message):
    __slots__ = ("name", "definition_json", "version", "by", "at_unix_us", "health", "groups", "groups_total", "state", "sql")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DEFINITION_JSON_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    BY_FIELD_NUMBER: _ClassVar[int]
    AT_UNIX_US_FIELD_NUMBER: _ClassVar[int]
    HEALTH_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    GROUPS_TOTAL_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    SQL_FIELD_NUMBER: _ClassVar[int]
    name: str
    definition_json: str
    version: int
    by: str
    at_unix_us: int
    health: RuleHealth
    groups: _containers.RepeatedCompositeFieldContainer[RuleGroup]
    groups_total: int
    state: str
    sql: str
    def __init__(self, name: _Optional[str] = ..., definition_json: _Optional[str] = ..., version: _Optional[int] = ..., by: _Optional[str] = ..., at_unix_us: _Optional[int] = ..., health: _Optional[_Union[RuleHealth, _Mapping]] = ..., groups: _Optional[_Iterable[_Union[RuleGroup, _Mapping]]] = ..., groups_total: _Optional[int] = ..., state: _Optional[str] = ..., sql: _Optional[str] = ...) -> None: ...

class RuleHealth(_message.Message):
    __slots__ = ("evaluated_unix_us", "took_s", "groups", "firing", "is_cut", "error", "failures", "every_s", "evaluations", "spent_s")
    EVALUATED_UNIX_US_FIELD_NUMBER: _ClassVar[int]
    TOOK_S_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    FIRING_FIELD_NUMBER: _ClassVar[int]
    IS_CUT_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    FAILURES_FIELD_NUMBER: _ClassVar[int]
    EVERY_S_FIELD_NUMBER: _ClassVar[int]
    EVALUATIONS_FIELD_NUMBER: _ClassVar[int]
    SPENT_S_FIELD_NUMBER: _ClassVar[int]
    evaluated_unix_us: int
    took_s: float
    groups: int
    firing: int
    is_cut: bool
    error: str
    failures: int
    every_s: float
    evaluations: int
    spent_s: float
    def __init__(self, evaluated_unix_us: _Optional[int] = ..., took_s: _Optional[float] = ..., groups: _Optional[int] = ..., firing: _Optional[int] = ..., is_cut: bool = ..., error: _Optional[str] = ..., failures: _Optional[int] = ..., every_s: _Optional[float] = ..., evaluations: _Optional[int] = ..., spent_s: _Optional[float] = ...) -> None: ...

class RuleGroup(_message.Message):
    __slots__ = ("run_id", "rank", "node", "state", "since_unix_us", "value", "message", "told")
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    RANK_FIELD_NUMBER: _ClassVar[int]
    NODE_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    SINCE_UNIX_US_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    TOLD_FIELD_NUMBER: _ClassVar[int]
    run_id: str
    rank: int
    node: str
    state: str
    since_unix_us: int
    value: float
    message: str
    told: bool
    def __init__(self, run_id: _Optional[str] = ..., rank: _Optional[int] = ..., node: _Optional[str] = ..., state: _Optional[str] = ..., since_unix_us: _Optional[int] = ..., value: _Optional[float] = ..., message: _Optional[str] = ..., told: bool = ...) -> None: ...

class TestRuleRequest(_message.Message):
    __slots__ = ("project", "definition_json", "name", "limit")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    DEFINITION_JSON_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    project: str
    definition_json: str
    name: str
    limit: int
    def __init__(self, project: _Optional[str] = ..., definition_json: _Optional[str] = ..., name: _Optional[str] = ..., limit: _Optional[int] = ...) -> None: ...

class TestRuleResponse(_message.Message):
    __slots__ = ("found", "total", "is_cut", "took_s")
    FOUND_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    IS_CUT_FIELD_NUMBER: _ClassVar[int]
    TOOK_S_FIELD_NUMBER: _ClassVar[int]
    found: _containers.RepeatedCompositeFieldContainer[RuleGroup]
    total: int
    is_cut: bool
    took_s: float
    def __init__(self, found: _Optional[_Iterable[_Union[RuleGroup, _Mapping]]] = ..., total: _Optional[int] = ..., is_cut: bool = ..., took_s: _Optional[float] = ...) -> None: ...

class ListAlertsRequest(_message.Message):
    __slots__ = ("project", "run_id", "rule", "limit")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    RULE_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    project: str
    run_id: str
    rule: str
    limit: int
    def __init__(self, project: _Optional[str] = ..., run_id: _Optional[str] = ..., rule: _Optional[str] = ..., limit: _Optional[int] = ...) -> None: ...

class ListAlertsResponse(_message.Message):
    __slots__ = ("alerts",)
    ALERTS_FIELD_NUMBER: _ClassVar[int]
    alerts: _containers.RepeatedCompositeFieldContainer[Alert]
    def __init__(self, alerts: _Optional[_Iterable[_Union[Alert, _Mapping]]] = ...) -> None: ...

class Alert(_message.Message):
    __slots__ = ("run_id", "source", "event")
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    EVENT_FIELD_NUMBER: _ClassVar[int]
    run_id: str
    source: str
    event: _runs_pb2.RunEvent
    def __init__(self, run_id: _Optional[str] = ..., source: _Optional[str] = ..., event: _Optional[_Union[_runs_pb2.RunEvent, _Mapping]] = ...) -> None: ...

class ListDeliveriesRequest(_message.Message):
    __slots__ = ("project", "states", "rule", "limit")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    STATES_FIELD_NUMBER: _ClassVar[int]
    RULE_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    project: str
    states: _containers.RepeatedScalarFieldContainer[str]
    rule: str
    limit: int
    def __init__(self, project: _Optional[str] = ..., states: _Optional[_Iterable[str]] = ..., rule: _Optional[str] = ..., limit: _Optional[int] = ...) -> None: ...

class ListDeliveriesResponse(_message.Message):
    __slots__ = ("deliveries",)
    DELIVERIES_FIELD_NUMBER: _ClassVar[int]
    deliveries: _containers.RepeatedCompositeFieldContainer[Delivery]
    def __init__(self, deliveries: _Optional[_Iterable[_Union[Delivery, _Mapping]]] = ...) -> None: ...

class Delivery(_message.Message):
    __slots__ = ("delivery_id", "rule", "alert_id", "run_id", "kind", "target", "title", "state", "tries", "problem", "at_unix_us", "tried_unix_us")
    DELIVERY_ID_FIELD_NUMBER: _ClassVar[int]
    RULE_FIELD_NUMBER: _ClassVar[int]
    ALERT_ID_FIELD_NUMBER: _ClassVar[int]
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    TARGET_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    TRIES_FIELD_NUMBER: _ClassVar[int]
    PROBLEM_FIELD_NUMBER: _ClassVar[int]
    AT_UNIX_US_FIELD_NUMBER: _ClassVar[int]
    TRIED_UNIX_US_FIELD_NUMBER: _ClassVar[int]
    delivery_id: str
    rule: str
    alert_id: str
    run_id: str
    kind: str
    target: str
    title: str
    state: str
    tries: int
    problem: str
    at_unix_us: int
    tried_unix_us: int
    def __init__(self, delivery_id: _Optional[str] = ..., rule: _Optional[str] = ..., alert_id: _Optional[str] = ..., run_id: _Optional[str] = ..., kind: _Optional[str] = ..., target: _Optional[str] = ..., title: _Optional[str] = ..., state: _Optional[str] = ..., tries: _Optional[int] = ..., problem: _Optional[str] = ..., at_unix_us: _Optional[int] = ..., tried_unix_us: _Optional[int] = ...) -> None: ...

class RetryDeliveryRequest(_message.Message):
    __slots__ = ("project", "delivery_id")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    DELIVERY_ID_FIELD_NUMBER: _ClassVar[int]
    project: str
    delivery_id: str
    def __init__(self, project: _Optional[str] = ..., delivery_id: _Optional[str] = ...) -> None: ...

class ListTemplatesRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListTemplatesResponse(_message.Message):
    __slots__ = ("templates",)
    TEMPLATES_FIELD_NUMBER: _ClassVar[int]
    templates: _containers.RepeatedCompositeFieldContainer[RuleTemplate]
    def __init__(self, templates: _Optional[_Iterable[_Union[RuleTemplate, _Mapping]]] = ...) -> None: ...

class RuleTemplate(_message.Message):
    __slots__ = ("name", "about", "sql", "parameters", "every_s", "for_s", "window_s", "severity")
    class Parameter(_message.Message):
        __slots__ = ("name", "default_json", "about")
        NAME_FIELD_NUMBER: _ClassVar[int]
        DEFAULT_JSON_FIELD_NUMBER: _ClassVar[int]
        ABOUT_FIELD_NUMBER: _ClassVar[int]
        name: str
        default_json: str
        about: str
        def __init__(self, name: _Optional[str] = ..., default_json: _Optional[str] = ..., about: _Optional[str] = ...) -> None: ...
    NAME_FIELD_NUMBER: _ClassVar[int]
    ABOUT_FIELD_NUMBER: _ClassVar[int]
    SQL_FIELD_NUMBER: _ClassVar[int]
    PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    EVERY_S_FIELD_NUMBER: _ClassVar[int]
    FOR_S_FIELD_NUMBER: _ClassVar[int]
    WINDOW_S_FIELD_NUMBER: _ClassVar[int]
    SEVERITY_FIELD_NUMBER: _ClassVar[int]
    name: str
    about: str
    sql: str
    parameters: _containers.RepeatedCompositeFieldContainer[RuleTemplate.Parameter]
    every_s: float
    for_s: float
    window_s: float
    severity: str
    def __init__(self, name: _Optional[str] = ..., about: _Optional[str] = ..., sql: _Optional[str] = ..., parameters: _Optional[_Iterable[_Union[RuleTemplate.Parameter, _Mapping]]] = ..., every_s: _Optional[float] = ..., for_s: _Optional[float] = ..., window_s: _Optional[float] = ..., severity: _Optional[str] = ...) -> None: ...
