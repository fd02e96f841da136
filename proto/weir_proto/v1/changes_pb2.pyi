from weir_proto.v1 import query_pb2 as _query_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class StepRange(_message.Message):
    __slots__ = ("first", "last")
    FIRST_FIELD_NUMBER: _ClassVar[int]
    LAST_FIELD_NUMBER: _ClassVar[int]
    first: int
    last: int
    def __init__(self, first: _Optional[int] = ..., last: _Optional[int] = ...) -> None: ...

class PointCorrection(_message.Message):
    __slots__ = ("step", "rank", "value")
    STEP_FIELD_NUMBER: _ClassVar[int]
    RANK_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    step: int
    rank: int
    value: float
    def __init__(self, step: _Optional[int] = ..., rank: _Optional[int] = ..., value: _Optional[float] = ...) -> None: ...

class CorrectPointsRequest(_message.Message):
    __slots__ = ("project", "run_id", "metric", "points", "reason")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    METRIC_FIELD_NUMBER: _ClassVar[int]
    POINTS_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    project: str
    run_id: str
    metric: str
    points: _containers.RepeatedCompositeFieldContainer[PointCorrection]
    reason: str
    def __init__(self, project: _Optional[str] = ..., run_id: _Optional[str] = ..., metric: _Optional[str] = ..., points: _Optional[_Iterable[_Union[PointCorrection, _Mapping]]] = ..., reason: _Optional[str] = ...) -> None: ...

class DeletePointsRequest(_message.Message):
    __slots__ = ("project", "run_id", "metric", "steps", "ranks", "reason")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    METRIC_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    RANKS_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    project: str
    run_id: str
    metric: str
    steps: _containers.RepeatedCompositeFieldContainer[StepRange]
    ranks: _containers.RepeatedScalarFieldContainer[int]
    reason: str
    def __init__(self, project: _Optional[str] = ..., run_id: _Optional[str] = ..., metric: _Optional[str] = ..., steps: _Optional[_Iterable[_Union[StepRange, _Mapping]]] = ..., ranks: _Optional[_Iterable[int]] = ..., reason: _Optional[str] = ...) -> None: ...

class ReadVersionsRequest(_message.Message):
    __slots__ = ("project", "run_id", "metric", "steps", "ranks", "limit")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    METRIC_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    RANKS_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    project: str
    run_id: str
    metric: str
    steps: _containers.RepeatedCompositeFieldContainer[StepRange]
    ranks: _containers.RepeatedScalarFieldContainer[int]
    limit: int
    def __init__(self, project: _Optional[str] = ..., run_id: _Optional[str] = ..., metric: _Optional[str] = ..., steps: _Optional[_Iterable[_Union[StepRange, _Mapping]]] = ..., ranks: _Optional[_Iterable[int]] = ..., limit: _Optional[int] = ...) -> None: ...

class DeleteRequest(_message.Message):
    __slots__ = ("project", "run_id", "reason")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    project: str
    run_id: str
    reason: str
    def __init__(self, project: _Optional[str] = ..., run_id: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class MoveRequest(_message.Message):
    __slots__ = ("project", "run_ids", "target", "reason")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    RUN_IDS_FIELD_NUMBER: _ClassVar[int]
    TARGET_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    project: str
    run_ids: _containers.RepeatedScalarFieldContainer[str]
    target: str
    reason: str
    def __init__(self, project: _Optional[str] = ..., run_ids: _Optional[_Iterable[str]] = ..., target: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class MergeRequest(_message.Message):
    __slots__ = ("project", "run_ids", "at_steps", "reason")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    RUN_IDS_FIELD_NUMBER: _ClassVar[int]
    AT_STEPS_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    project: str
    run_ids: _containers.RepeatedScalarFieldContainer[str]
    at_steps: _containers.RepeatedScalarFieldContainer[int]
    reason: str
    def __init__(self, project: _Optional[str] = ..., run_ids: _Optional[_Iterable[str]] = ..., at_steps: _Optional[_Iterable[int]] = ..., reason: _Optional[str] = ...) -> None: ...

class GetReceiptRequest(_message.Message):
    __slots__ = ("change_id",)
    CHANGE_ID_FIELD_NUMBER: _ClassVar[int]
    change_id: str
    def __init__(self, change_id: _Optional[str] = ...) -> None: ...

class ListReceiptsRequest(_message.Message):
    __slots__ = ("project", "run_id", "limit")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    project: str
    run_id: str
    limit: int
    def __init__(self, project: _Optional[str] = ..., run_id: _Optional[str] = ..., limit: _Optional[int] = ...) -> None: ...

class Receipt(_message.Message):
    __slots__ = ("change_id", "project", "run_id", "kind", "state", "by", "reason", "asked_unix_us", "ended_unix_us", "request", "result")
    CHANGE_ID_FIELD_NUMBER: _ClassVar[int]
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    BY_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    ASKED_UNIX_US_FIELD_NUMBER: _ClassVar[int]
    ENDED_UNIX_US_FIELD_NUMBER: _ClassVar[int]
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    change_id: str
    project: str
    run_id: str
    kind: str
    state: str
    by: str
    reason: str
    asked_unix_us: int
    ended_unix_us: int
    request: str
    result: str
    def __init__(self, change_id: _Optional[str] = ..., project: _Optional[str] = ..., run_id: _Optional[str] = ..., kind: _Optional[str] = ..., state: _Optional[str] = ..., by: _Optional[str] = ..., reason: _Optional[str] = ..., asked_unix_us: _Optional[int] = ..., ended_unix_us: _Optional[int] = ..., request: _Optional[str] = ..., result: _Optional[str] = ...) -> None: ...

class ListReceiptsResponse(_message.Message):
    __slots__ = ("receipts",)
    RECEIPTS_FIELD_NUMBER: _ClassVar[int]
    receipts: _containers.RepeatedCompositeFieldContainer[Receipt]
    def __init__(self, receipts: _Optional[_Iterable[_Union[Receipt, _Mapping]]] = ...) -> None: ...

class SetHoldRequest(_message.Message):
    __slots__ = ("project", "run_id", "reason", "lift")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    LIFT_FIELD_NUMBER: _ClassVar[int]
    project: str
    run_id: str
    reason: str
    lift: bool
    def __init__(self, project: _Optional[str] = ..., run_id: _Optional[str] = ..., reason: _Optional[str] = ..., lift: bool = ...) -> None: ...

class ListHoldsRequest(_message.Message):
    __slots__ = ("project",)
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    project: str
    def __init__(self, project: _Optional[str] = ...) -> None: ...

class Hold(_message.Message):
    __slots__ = ("project", "run_id", "reason", "by", "at_unix_us")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    BY_FIELD_NUMBER: _ClassVar[int]
    AT_UNIX_US_FIELD_NUMBER: _ClassVar[int]
    project: str
    run_id: str
    reason: str
    by: str
    at_unix_us: int
    def __init__(self, project: _Optional[str] = ..., run_id: _Optional[str] = ..., reason: _Optional[str] = ..., by: _Optional[str] = ..., at_unix_us: _Optional[int] = ...) -> None: ...

class ListHoldsResponse(_message.Message):
    __slots__ = ("holds",)
    HOLDS_FIELD_NUMBER: _ClassVar[int]
    holds: _containers.RepeatedCompositeFieldContainer[Hold]
    def __init__(self, holds: _Optional[_Iterable[_Union[Hold, _Mapping]]] = ...) -> None: ...

class Policy(_message.Message):
    __slots__ = ("project", "what", "pattern", "keep_s", "thin_after_s", "thin_points", "by", "at_unix_us")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    WHAT_FIELD_NUMBER: _ClassVar[int]
    PATTERN_FIELD_NUMBER: _ClassVar[int]
    KEEP_S_FIELD_NUMBER: _ClassVar[int]
    THIN_AFTER_S_FIELD_NUMBER: _ClassVar[int]
    THIN_POINTS_FIELD_NUMBER: _ClassVar[int]
    BY_FIELD_NUMBER: _ClassVar[int]
    AT_UNIX_US_FIELD_NUMBER: _ClassVar[int]
    project: str
    what: str
    pattern: str
    keep_s: int
    thin_after_s: int
    thin_points: int
    by: str
    at_unix_us: int
    def __init__(self, project: _Optional[str] = ..., what: _Optional[str] = ..., pattern: _Optional[str] = ..., keep_s: _Optional[int] = ..., thin_after_s: _Optional[int] = ..., thin_points: _Optional[int] = ..., by: _Optional[str] = ..., at_unix_us: _Optional[int] = ...) -> None: ...

class SetPolicyRequest(_message.Message):
    __slots__ = ("policy", "remove")
    POLICY_FIELD_NUMBER: _ClassVar[int]
    REMOVE_FIELD_NUMBER: _ClassVar[int]
    policy: Policy
    remove: bool
    def __init__(self, policy: _Optional[_Union[Policy, _Mapping]] = ..., remove: bool = ...) -> None: ...

class ListPoliciesRequest(_message.Message):
    __slots__ = ("project",)
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    project: str
    def __init__(self, project: _Optional[str] = ...) -> None: ...

class ListPoliciesResponse(_message.Message):
    __slots__ = ("policies",)
    POLICIES_FIELD_NUMBER: _ClassVar[int]
    policies: _containers.RepeatedCompositeFieldContainer[Policy]
    def __init__(self, policies: _Optional[_Iterable[_Union[Policy, _Mapping]]] = ...) -> None: ...

class PreviewRetentionRequest(_message.Message):
    __slots__ = ("project",)
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    project: str
    def __init__(self, project: _Optional[str] = ...) -> None: ...

class RetentionStep(_message.Message):
    __slots__ = ("run_id", "what", "metrics", "before_unix_us", "thin_points", "rows")
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    WHAT_FIELD_NUMBER: _ClassVar[int]
    METRICS_FIELD_NUMBER: _ClassVar[int]
    BEFORE_UNIX_US_FIELD_NUMBER: _ClassVar[int]
    THIN_POINTS_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    run_id: str
    what: str
    metrics: _containers.RepeatedScalarFieldContainer[str]
    before_unix_us: int
    thin_points: int
    rows: int
    def __init__(self, run_id: _Optional[str] = ..., what: _Optional[str] = ..., metrics: _Optional[_Iterable[str]] = ..., before_unix_us: _Optional[int] = ..., thin_points: _Optional[int] = ..., rows: _Optional[int] = ...) -> None: ...

class PreviewRetentionResponse(_message.Message):
    __slots__ = ("steps",)
    STEPS_FIELD_NUMBER: _ClassVar[int]
    steps: _containers.RepeatedCompositeFieldContainer[RetentionStep]
    def __init__(self, steps: _Optional[_Iterable[_Union[RetentionStep, _Mapping]]] = ...) -> None: ...
