from weir_proto.v1 import runs_pb2 as _runs_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class XAxis(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    X_STEP: _ClassVar[XAxis]
    X_TIME: _ClassVar[XAxis]
    X_RELATIVE: _ClassVar[XAxis]
    X_METRIC: _ClassVar[XAxis]

class Reduce(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REDUCE_NONE: _ClassVar[Reduce]
    REDUCE_RANKS: _ClassVar[Reduce]
X_STEP: XAxis
X_TIME: XAxis
X_RELATIVE: XAxis
X_METRIC: XAxis
REDUCE_NONE: Reduce
REDUCE_RANKS: Reduce

class ReadSystemRequest(_message.Message):
    __slots__ = ("run", "metrics", "nodes", "devices", "max_points", "from_unix_us", "to_unix_us")
    RUN_FIELD_NUMBER: _ClassVar[int]
    METRICS_FIELD_NUMBER: _ClassVar[int]
    NODES_FIELD_NUMBER: _ClassVar[int]
    DEVICES_FIELD_NUMBER: _ClassVar[int]
    MAX_POINTS_FIELD_NUMBER: _ClassVar[int]
    FROM_UNIX_US_FIELD_NUMBER: _ClassVar[int]
    TO_UNIX_US_FIELD_NUMBER: _ClassVar[int]
    run: _runs_pb2.RunRef
    metrics: _containers.RepeatedScalarFieldContainer[str]
    nodes: _containers.RepeatedScalarFieldContainer[str]
    devices: _containers.RepeatedScalarFieldContainer[str]
    max_points: int
    from_unix_us: int
    to_unix_us: int
    def __init__(self, run: _Optional[_Union[_runs_pb2.RunRef, _Mapping]] = ..., metrics: _Optional[_Iterable[str]] = ..., nodes: _Optional[_Iterable[str]] = ..., devices: _Optional[_Iterable[str]] = ..., max_points: _Optional[int] = ..., from_unix_us: _Optional[int] = ..., to_unix_us: _Optional[int] = ...) -> None: ...

class ReadLinesRequest(_message.Message):
    __slots__ = ("runs", "search", "ranks", "streams", "min_level", "limit", "newest", "after", "from_unix_us", "to_unix_us")
    RUNS_FIELD_NUMBER: _ClassVar[int]
    SEARCH_FIELD_NUMBER: _ClassVar[int]
    RANKS_FIELD_NUMBER: _ClassVar[int]
    STREAMS_FIELD_NUMBER: _ClassVar[int]
    MIN_LEVEL_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    NEWEST_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    FROM_UNIX_US_FIELD_NUMBER: _ClassVar[int]
    TO_UNIX_US_FIELD_NUMBER: _ClassVar[int]
    runs: _containers.RepeatedCompositeFieldContainer[_runs_pb2.RunRef]
    search: str
    ranks: _containers.RepeatedScalarFieldContainer[int]
    streams: _containers.RepeatedScalarFieldContainer[str]
    min_level: int
    limit: int
    newest: bool
    after: str
    from_unix_us: int
    to_unix_us: int
    def __init__(self, runs: _Optional[_Iterable[_Union[_runs_pb2.RunRef, _Mapping]]] = ..., search: _Optional[str] = ..., ranks: _Optional[_Iterable[int]] = ..., streams: _Optional[_Iterable[str]] = ..., min_level: _Optional[int] = ..., limit: _Optional[int] = ..., newest: bool = ..., after: _Optional[str] = ..., from_unix_us: _Optional[int] = ..., to_unix_us: _Optional[int] = ...) -> None: ...

class ArrowChunk(_message.Message):
    __slots__ = ("data",)
    DATA_FIELD_NUMBER: _ClassVar[int]
    data: bytes
    def __init__(self, data: _Optional[bytes] = ...) -> None: ...

class ListMetricsRequest(_message.Message):
    __slots__ = ("project", "runs", "search", "limit", "after")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    RUNS_FIELD_NUMBER: _ClassVar[int]
    SEARCH_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    project: str
    runs: _containers.RepeatedCompositeFieldContainer[_runs_pb2.RunRef]
    search: str
    limit: int
    after: str
    def __init__(self, project: _Optional[str] = ..., runs: _Optional[_Iterable[_Union[_runs_pb2.RunRef, _Mapping]]] = ..., search: _Optional[str] = ..., limit: _Optional[int] = ..., after: _Optional[str] = ...) -> None: ...

class Metric(_message.Message):
    __slots__ = ("name", "runs", "min_step", "max_step", "has_nonfinite", "is_text", "is_media")
    NAME_FIELD_NUMBER: _ClassVar[int]
    RUNS_FIELD_NUMBER: _ClassVar[int]
    MIN_STEP_FIELD_NUMBER: _ClassVar[int]
    MAX_STEP_FIELD_NUMBER: _ClassVar[int]
    HAS_NONFINITE_FIELD_NUMBER: _ClassVar[int]
    IS_TEXT_FIELD_NUMBER: _ClassVar[int]
    IS_MEDIA_FIELD_NUMBER: _ClassVar[int]
    name: str
    runs: int
    min_step: int
    max_step: int
    has_nonfinite: bool
    is_text: bool
    is_media: bool
    def __init__(self, name: _Optional[str] = ..., runs: _Optional[int] = ..., min_step: _Optional[int] = ..., max_step: _Optional[int] = ..., has_nonfinite: bool = ..., is_text: bool = ..., is_media: bool = ...) -> None: ...

class ListMetricsResponse(_message.Message):
    __slots__ = ("metrics", "total")
    METRICS_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    metrics: _containers.RepeatedCompositeFieldContainer[Metric]
    total: int
    def __init__(self, metrics: _Optional[_Iterable[_Union[Metric, _Mapping]]] = ..., total: _Optional[int] = ...) -> None: ...

class ReadSeriesRequest(_message.Message):
    __slots__ = ("runs", "metrics", "max_points", "x", "x_metric", "ranks", "reduce", "x_min", "x_max", "encoded")
    RUNS_FIELD_NUMBER: _ClassVar[int]
    METRICS_FIELD_NUMBER: _ClassVar[int]
    MAX_POINTS_FIELD_NUMBER: _ClassVar[int]
    X_FIELD_NUMBER: _ClassVar[int]
    X_METRIC_FIELD_NUMBER: _ClassVar[int]
    RANKS_FIELD_NUMBER: _ClassVar[int]
    REDUCE_FIELD_NUMBER: _ClassVar[int]
    X_MIN_FIELD_NUMBER: _ClassVar[int]
    X_MAX_FIELD_NUMBER: _ClassVar[int]
    ENCODED_FIELD_NUMBER: _ClassVar[int]
    runs: _containers.RepeatedCompositeFieldContainer[_runs_pb2.RunRef]
    metrics: _containers.RepeatedScalarFieldContainer[str]
    max_points: int
    x: XAxis
    x_metric: str
    ranks: _containers.RepeatedScalarFieldContainer[int]
    reduce: Reduce
    x_min: float
    x_max: float
    encoded: bool
    def __init__(self, runs: _Optional[_Iterable[_Union[_runs_pb2.RunRef, _Mapping]]] = ..., metrics: _Optional[_Iterable[str]] = ..., max_points: _Optional[int] = ..., x: _Optional[_Union[XAxis, str]] = ..., x_metric: _Optional[str] = ..., ranks: _Optional[_Iterable[int]] = ..., reduce: _Optional[_Union[Reduce, str]] = ..., x_min: _Optional[float] = ..., x_max: _Optional[float] = ..., encoded: bool = ...) -> None: ...

class ReadLatestRequest(_message.Message):
    __slots__ = ("runs", "metrics")
    RUNS_FIELD_NUMBER: _ClassVar[int]
    METRICS_FIELD_NUMBER: _ClassVar[int]
    runs: _containers.RepeatedCompositeFieldContainer[_runs_pb2.RunRef]
    metrics: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, runs: _Optional[_Iterable[_Union[_runs_pb2.RunRef, _Mapping]]] = ..., metrics: _Optional[_Iterable[str]] = ...) -> None: ...

class CompareRunsRequest(_message.Message):
    __slots__ = ("runs", "only_different")
    RUNS_FIELD_NUMBER: _ClassVar[int]
    ONLY_DIFFERENT_FIELD_NUMBER: _ClassVar[int]
    runs: _containers.RepeatedCompositeFieldContainer[_runs_pb2.RunRef]
    only_different: bool
    def __init__(self, runs: _Optional[_Iterable[_Union[_runs_pb2.RunRef, _Mapping]]] = ..., only_different: bool = ...) -> None: ...

class ReadTextRequest(_message.Message):
    __slots__ = ("run", "metric", "limit", "after")
    RUN_FIELD_NUMBER: _ClassVar[int]
    METRIC_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    run: _runs_pb2.RunRef
    metric: str
    limit: int
    after: TextPlace
    def __init__(self, run: _Optional[_Union[_runs_pb2.RunRef, _Mapping]] = ..., metric: _Optional[str] = ..., limit: _Optional[int] = ..., after: _Optional[_Union[TextPlace, _Mapping]] = ...) -> None: ...

class TextPlace(_message.Message):
    __slots__ = ("rank", "step")
    RANK_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    rank: int
    step: int
    def __init__(self, rank: _Optional[int] = ..., step: _Optional[int] = ...) -> None: ...
