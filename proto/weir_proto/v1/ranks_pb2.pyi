from weir_proto.v1 import query_pb2 as _query_pb2
from weir_proto.v1 import runs_pb2 as _runs_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ReduceRequest(_message.Message):
    __slots__ = ("runs", "metrics", "over", "by", "by_default", "reduce", "interval", "quantiles", "max_points", "ranks", "roles", "x_min", "x_max")
    RUNS_FIELD_NUMBER: _ClassVar[int]
    METRICS_FIELD_NUMBER: _ClassVar[int]
    OVER_FIELD_NUMBER: _ClassVar[int]
    BY_FIELD_NUMBER: _ClassVar[int]
    BY_DEFAULT_FIELD_NUMBER: _ClassVar[int]
    REDUCE_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_FIELD_NUMBER: _ClassVar[int]
    QUANTILES_FIELD_NUMBER: _ClassVar[int]
    MAX_POINTS_FIELD_NUMBER: _ClassVar[int]
    RANKS_FIELD_NUMBER: _ClassVar[int]
    ROLES_FIELD_NUMBER: _ClassVar[int]
    X_MIN_FIELD_NUMBER: _ClassVar[int]
    X_MAX_FIELD_NUMBER: _ClassVar[int]
    runs: _containers.RepeatedCompositeFieldContainer[_runs_pb2.RunRef]
    metrics: _containers.RepeatedScalarFieldContainer[str]
    over: str
    by: _containers.RepeatedScalarFieldContainer[str]
    by_default: bool
    reduce: str
    interval: str
    quantiles: _containers.RepeatedScalarFieldContainer[float]
    max_points: int
    ranks: _containers.RepeatedScalarFieldContainer[int]
    roles: _containers.RepeatedScalarFieldContainer[str]
    x_min: int
    x_max: int
    def __init__(self, runs: _Optional[_Iterable[_Union[_runs_pb2.RunRef, _Mapping]]] = ..., metrics: _Optional[_Iterable[str]] = ..., over: _Optional[str] = ..., by: _Optional[_Iterable[str]] = ..., by_default: bool = ..., reduce: _Optional[str] = ..., interval: _Optional[str] = ..., quantiles: _Optional[_Iterable[float]] = ..., max_points: _Optional[int] = ..., ranks: _Optional[_Iterable[int]] = ..., roles: _Optional[_Iterable[str]] = ..., x_min: _Optional[int] = ..., x_max: _Optional[int] = ...) -> None: ...

class RankNames(_message.Message):
    __slots__ = ("step_time", "data", "compute", "comm", "watched")
    STEP_TIME_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    COMPUTE_FIELD_NUMBER: _ClassVar[int]
    COMM_FIELD_NUMBER: _ClassVar[int]
    WATCHED_FIELD_NUMBER: _ClassVar[int]
    step_time: _containers.RepeatedScalarFieldContainer[str]
    data: _containers.RepeatedScalarFieldContainer[str]
    compute: _containers.RepeatedScalarFieldContainer[str]
    comm: _containers.RepeatedScalarFieldContainer[str]
    watched: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, step_time: _Optional[_Iterable[str]] = ..., data: _Optional[_Iterable[str]] = ..., compute: _Optional[_Iterable[str]] = ..., comm: _Optional[_Iterable[str]] = ..., watched: _Optional[_Iterable[str]] = ...) -> None: ...

class ReadStragglersRequest(_message.Message):
    __slots__ = ("run", "metric", "roles", "half_life_steps", "max_points", "x_min", "x_max", "names")
    RUN_FIELD_NUMBER: _ClassVar[int]
    METRIC_FIELD_NUMBER: _ClassVar[int]
    ROLES_FIELD_NUMBER: _ClassVar[int]
    HALF_LIFE_STEPS_FIELD_NUMBER: _ClassVar[int]
    MAX_POINTS_FIELD_NUMBER: _ClassVar[int]
    X_MIN_FIELD_NUMBER: _ClassVar[int]
    X_MAX_FIELD_NUMBER: _ClassVar[int]
    NAMES_FIELD_NUMBER: _ClassVar[int]
    run: _runs_pb2.RunRef
    metric: str
    roles: _containers.RepeatedScalarFieldContainer[str]
    half_life_steps: float
    max_points: int
    x_min: int
    x_max: int
    names: RankNames
    def __init__(self, run: _Optional[_Union[_runs_pb2.RunRef, _Mapping]] = ..., metric: _Optional[str] = ..., roles: _Optional[_Iterable[str]] = ..., half_life_steps: _Optional[float] = ..., max_points: _Optional[int] = ..., x_min: _Optional[int] = ..., x_max: _Optional[int] = ..., names: _Optional[_Union[RankNames, _Mapping]] = ...) -> None: ...

class ReadStragglersResponse(_message.Message):
    __slots__ = ("metric", "from_times", "steps", "median_s", "lost_s", "half_life_steps", "ranks", "nodes", "timeline")
    METRIC_FIELD_NUMBER: _ClassVar[int]
    FROM_TIMES_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    MEDIAN_S_FIELD_NUMBER: _ClassVar[int]
    LOST_S_FIELD_NUMBER: _ClassVar[int]
    HALF_LIFE_STEPS_FIELD_NUMBER: _ClassVar[int]
    RANKS_FIELD_NUMBER: _ClassVar[int]
    NODES_FIELD_NUMBER: _ClassVar[int]
    TIMELINE_FIELD_NUMBER: _ClassVar[int]
    metric: str
    from_times: bool
    steps: int
    median_s: float
    lost_s: float
    half_life_steps: float
    ranks: bytes
    nodes: bytes
    timeline: bytes
    def __init__(self, metric: _Optional[str] = ..., from_times: bool = ..., steps: _Optional[int] = ..., median_s: _Optional[float] = ..., lost_s: _Optional[float] = ..., half_life_steps: _Optional[float] = ..., ranks: _Optional[bytes] = ..., nodes: _Optional[bytes] = ..., timeline: _Optional[bytes] = ...) -> None: ...

class RankNodesRequest(_message.Message):
    __slots__ = ("project", "limit", "names")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    NAMES_FIELD_NUMBER: _ClassVar[int]
    project: str
    limit: int
    names: RankNames
    def __init__(self, project: _Optional[str] = ..., limit: _Optional[int] = ..., names: _Optional[_Union[RankNames, _Mapping]] = ...) -> None: ...

class ReadDivergenceRequest(_message.Message):
    __slots__ = ("run", "metrics", "window_steps", "threshold", "names")
    RUN_FIELD_NUMBER: _ClassVar[int]
    METRICS_FIELD_NUMBER: _ClassVar[int]
    WINDOW_STEPS_FIELD_NUMBER: _ClassVar[int]
    THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    NAMES_FIELD_NUMBER: _ClassVar[int]
    run: _runs_pb2.RunRef
    metrics: _containers.RepeatedScalarFieldContainer[str]
    window_steps: int
    threshold: float
    names: RankNames
    def __init__(self, run: _Optional[_Union[_runs_pb2.RunRef, _Mapping]] = ..., metrics: _Optional[_Iterable[str]] = ..., window_steps: _Optional[int] = ..., threshold: _Optional[float] = ..., names: _Optional[_Union[RankNames, _Mapping]] = ...) -> None: ...

class FindHangsRequest(_message.Message):
    __slots__ = ("projects", "times", "floor_s")
    PROJECTS_FIELD_NUMBER: _ClassVar[int]
    TIMES_FIELD_NUMBER: _ClassVar[int]
    FLOOR_S_FIELD_NUMBER: _ClassVar[int]
    projects: _containers.RepeatedScalarFieldContainer[str]
    times: float
    floor_s: float
    def __init__(self, projects: _Optional[_Iterable[str]] = ..., times: _Optional[float] = ..., floor_s: _Optional[float] = ...) -> None: ...

class FindHangsResponse(_message.Message):
    __slots__ = ("hangs",)
    HANGS_FIELD_NUMBER: _ClassVar[int]
    hangs: _containers.RepeatedCompositeFieldContainer[Hang]
    def __init__(self, hangs: _Optional[_Iterable[_Union[Hang, _Mapping]]] = ...) -> None: ...

class Hang(_message.Message):
    __slots__ = ("run", "role", "title", "body", "since_unix_us", "step", "suspects", "nodes", "last_steps", "silent_s", "limit_s")
    class LastStepsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: int
        value: int
        def __init__(self, key: _Optional[int] = ..., value: _Optional[int] = ...) -> None: ...
    RUN_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    BODY_FIELD_NUMBER: _ClassVar[int]
    SINCE_UNIX_US_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    SUSPECTS_FIELD_NUMBER: _ClassVar[int]
    NODES_FIELD_NUMBER: _ClassVar[int]
    LAST_STEPS_FIELD_NUMBER: _ClassVar[int]
    SILENT_S_FIELD_NUMBER: _ClassVar[int]
    LIMIT_S_FIELD_NUMBER: _ClassVar[int]
    run: _runs_pb2.RunRef
    role: str
    title: str
    body: str
    since_unix_us: int
    step: int
    suspects: _containers.RepeatedScalarFieldContainer[int]
    nodes: _containers.RepeatedScalarFieldContainer[str]
    last_steps: _containers.ScalarMap[int, int]
    silent_s: float
    limit_s: float
    def __init__(self, run: _Optional[_Union[_runs_pb2.RunRef, _Mapping]] = ..., role: _Optional[str] = ..., title: _Optional[str] = ..., body: _Optional[str] = ..., since_unix_us: _Optional[int] = ..., step: _Optional[int] = ..., suspects: _Optional[_Iterable[int]] = ..., nodes: _Optional[_Iterable[str]] = ..., last_steps: _Optional[_Mapping[int, int]] = ..., silent_s: _Optional[float] = ..., limit_s: _Optional[float] = ...) -> None: ...
