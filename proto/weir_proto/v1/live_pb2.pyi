from weir_proto.v1 import runs_pb2 as _runs_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class UpdateKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    UPDATE_KIND_UNSPECIFIED: _ClassVar[UpdateKind]
    UPDATE_KIND_POINTS: _ClassVar[UpdateKind]
    UPDATE_KIND_TEXTS: _ClassVar[UpdateKind]
    UPDATE_KIND_EVENTS: _ClassVar[UpdateKind]
    UPDATE_KIND_STATES: _ClassVar[UpdateKind]
UPDATE_KIND_UNSPECIFIED: UpdateKind
UPDATE_KIND_POINTS: UpdateKind
UPDATE_KIND_TEXTS: UpdateKind
UPDATE_KIND_EVENTS: UpdateKind
UPDATE_KIND_STATES: UpdateKind

class SubscribeRequest(_message.Message):
    __slots__ = ("runs", "project", "kinds", "metrics", "ranks", "after", "from_start")
    RUNS_FIELD_NUMBER: _ClassVar[int]
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    KINDS_FIELD_NUMBER: _ClassVar[int]
    METRICS_FIELD_NUMBER: _ClassVar[int]
    RANKS_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    FROM_START_FIELD_NUMBER: _ClassVar[int]
    runs: _containers.RepeatedCompositeFieldContainer[_runs_pb2.RunRef]
    project: str
    kinds: _containers.RepeatedScalarFieldContainer[UpdateKind]
    metrics: _containers.RepeatedScalarFieldContainer[str]
    ranks: _containers.RepeatedScalarFieldContainer[int]
    after: Marks
    from_start: bool
    def __init__(self, runs: _Optional[_Iterable[_Union[_runs_pb2.RunRef, _Mapping]]] = ..., project: _Optional[str] = ..., kinds: _Optional[_Iterable[_Union[UpdateKind, str]]] = ..., metrics: _Optional[_Iterable[str]] = ..., ranks: _Optional[_Iterable[int]] = ..., after: _Optional[_Union[Marks, _Mapping]] = ..., from_start: bool = ...) -> None: ...

class Mark(_message.Message):
    __slots__ = ("run", "rank", "born_unix_s", "seq")
    RUN_FIELD_NUMBER: _ClassVar[int]
    RANK_FIELD_NUMBER: _ClassVar[int]
    BORN_UNIX_S_FIELD_NUMBER: _ClassVar[int]
    SEQ_FIELD_NUMBER: _ClassVar[int]
    run: int
    rank: int
    born_unix_s: int
    seq: int
    def __init__(self, run: _Optional[int] = ..., rank: _Optional[int] = ..., born_unix_s: _Optional[int] = ..., seq: _Optional[int] = ...) -> None: ...

class Marks(_message.Message):
    __slots__ = ("runs", "marks", "events_unix_us")
    RUNS_FIELD_NUMBER: _ClassVar[int]
    MARKS_FIELD_NUMBER: _ClassVar[int]
    EVENTS_UNIX_US_FIELD_NUMBER: _ClassVar[int]
    runs: _containers.RepeatedCompositeFieldContainer[_runs_pb2.RunRef]
    marks: _containers.RepeatedCompositeFieldContainer[Mark]
    events_unix_us: int
    def __init__(self, runs: _Optional[_Iterable[_Union[_runs_pb2.RunRef, _Mapping]]] = ..., marks: _Optional[_Iterable[_Union[Mark, _Mapping]]] = ..., events_unix_us: _Optional[int] = ...) -> None: ...

class Update(_message.Message):
    __slots__ = ("points", "texts", "event", "state", "marks")
    POINTS_FIELD_NUMBER: _ClassVar[int]
    TEXTS_FIELD_NUMBER: _ClassVar[int]
    EVENT_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    MARKS_FIELD_NUMBER: _ClassVar[int]
    points: LivePoints
    texts: LiveTexts
    event: LiveEvent
    state: LiveState
    marks: Marks
    def __init__(self, points: _Optional[_Union[LivePoints, _Mapping]] = ..., texts: _Optional[_Union[LiveTexts, _Mapping]] = ..., event: _Optional[_Union[LiveEvent, _Mapping]] = ..., state: _Optional[_Union[LiveState, _Mapping]] = ..., marks: _Optional[_Union[Marks, _Mapping]] = ...) -> None: ...

class LivePoints(_message.Message):
    __slots__ = ("run", "metrics", "metric", "rank", "step", "time_unix_us", "value")
    RUN_FIELD_NUMBER: _ClassVar[int]
    METRICS_FIELD_NUMBER: _ClassVar[int]
    METRIC_FIELD_NUMBER: _ClassVar[int]
    RANK_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    TIME_UNIX_US_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    run: _runs_pb2.RunRef
    metrics: _containers.RepeatedScalarFieldContainer[str]
    metric: bytes
    rank: bytes
    step: bytes
    time_unix_us: bytes
    value: bytes
    def __init__(self, run: _Optional[_Union[_runs_pb2.RunRef, _Mapping]] = ..., metrics: _Optional[_Iterable[str]] = ..., metric: _Optional[bytes] = ..., rank: _Optional[bytes] = ..., step: _Optional[bytes] = ..., time_unix_us: _Optional[bytes] = ..., value: _Optional[bytes] = ...) -> None: ...

class LiveTexts(_message.Message):
    __slots__ = ("run", "metrics", "metric", "rank", "step", "time_unix_us", "values", "is_media")
    RUN_FIELD_NUMBER: _ClassVar[int]
    METRICS_FIELD_NUMBER: _ClassVar[int]
    METRIC_FIELD_NUMBER: _ClassVar[int]
    RANK_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    TIME_UNIX_US_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    IS_MEDIA_FIELD_NUMBER: _ClassVar[int]
    run: _runs_pb2.RunRef
    metrics: _containers.RepeatedScalarFieldContainer[str]
    metric: bytes
    rank: bytes
    step: bytes
    time_unix_us: bytes
    values: _containers.RepeatedScalarFieldContainer[str]
    is_media: _containers.RepeatedScalarFieldContainer[bool]
    def __init__(self, run: _Optional[_Union[_runs_pb2.RunRef, _Mapping]] = ..., metrics: _Optional[_Iterable[str]] = ..., metric: _Optional[bytes] = ..., rank: _Optional[bytes] = ..., step: _Optional[bytes] = ..., time_unix_us: _Optional[bytes] = ..., values: _Optional[_Iterable[str]] = ..., is_media: _Optional[_Iterable[bool]] = ...) -> None: ...

class LiveEvent(_message.Message):
    __slots__ = ("run", "event")
    RUN_FIELD_NUMBER: _ClassVar[int]
    EVENT_FIELD_NUMBER: _ClassVar[int]
    run: _runs_pb2.RunRef
    event: _runs_pb2.RunEvent
    def __init__(self, run: _Optional[_Union[_runs_pb2.RunRef, _Mapping]] = ..., event: _Optional[_Union[_runs_pb2.RunEvent, _Mapping]] = ...) -> None: ...

class LiveState(_message.Message):
    __slots__ = ("run", "state", "world_size", "ranks")
    RUN_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    WORLD_SIZE_FIELD_NUMBER: _ClassVar[int]
    RANKS_FIELD_NUMBER: _ClassVar[int]
    run: _runs_pb2.RunRef
    state: str
    world_size: int
    ranks: int
    def __init__(self, run: _Optional[_Union[_runs_pb2.RunRef, _Mapping]] = ..., state: _Optional[str] = ..., world_size: _Optional[int] = ..., ranks: _Optional[int] = ...) -> None: ...
