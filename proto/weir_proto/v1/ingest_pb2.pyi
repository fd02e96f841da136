from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Codec(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CODEC_RAW: _ClassVar[Codec]
    CODEC_ZSTD: _ClassVar[Codec]
CODEC_RAW: Codec
CODEC_ZSTD: Codec

class ClientMessage(_message.Message):
    __slots__ = ("hello", "frame", "bye")
    HELLO_FIELD_NUMBER: _ClassVar[int]
    FRAME_FIELD_NUMBER: _ClassVar[int]
    BYE_FIELD_NUMBER: _ClassVar[int]
    hello: Hello
    frame: Frame
    bye: Bye
    def __init__(self, hello: _Optional[_Union[Hello, _Mapping]] = ..., frame: _Optional[_Union[Frame, _Mapping]] = ..., bye: _Optional[_Union[Bye, _Mapping]] = ...) -> None: ...

class ServerMessage(_message.Message):
    __slots__ = ("producer", "welcome", "ack", "goaway", "control", "refusal")
    PRODUCER_FIELD_NUMBER: _ClassVar[int]
    WELCOME_FIELD_NUMBER: _ClassVar[int]
    ACK_FIELD_NUMBER: _ClassVar[int]
    GOAWAY_FIELD_NUMBER: _ClassVar[int]
    CONTROL_FIELD_NUMBER: _ClassVar[int]
    REFUSAL_FIELD_NUMBER: _ClassVar[int]
    producer: bytes
    welcome: Welcome
    ack: Ack
    goaway: Goaway
    control: Control
    refusal: Refusal
    def __init__(self, producer: _Optional[bytes] = ..., welcome: _Optional[_Union[Welcome, _Mapping]] = ..., ack: _Optional[_Union[Ack, _Mapping]] = ..., goaway: _Optional[_Union[Goaway, _Mapping]] = ..., control: _Optional[_Union[Control, _Mapping]] = ..., refusal: _Optional[_Union[Refusal, _Mapping]] = ...) -> None: ...

class AppendRequest(_message.Message):
    __slots__ = ("hello", "frames")
    HELLO_FIELD_NUMBER: _ClassVar[int]
    FRAMES_FIELD_NUMBER: _ClassVar[int]
    hello: Hello
    frames: _containers.RepeatedCompositeFieldContainer[Frame]
    def __init__(self, hello: _Optional[_Union[Hello, _Mapping]] = ..., frames: _Optional[_Iterable[_Union[Frame, _Mapping]]] = ...) -> None: ...

class AppendResponse(_message.Message):
    __slots__ = ("welcome", "ack", "control")
    WELCOME_FIELD_NUMBER: _ClassVar[int]
    ACK_FIELD_NUMBER: _ClassVar[int]
    CONTROL_FIELD_NUMBER: _ClassVar[int]
    welcome: Welcome
    ack: Ack
    control: Control
    def __init__(self, welcome: _Optional[_Union[Welcome, _Mapping]] = ..., ack: _Optional[_Union[Ack, _Mapping]] = ..., control: _Optional[_Union[Control, _Mapping]] = ...) -> None: ...

class Origin(_message.Message):
    __slots__ = ("producer", "project", "run_id", "rank", "local_rank", "world_size", "node", "pid", "started_unix_us", "launcher", "attempt", "role")
    PRODUCER_FIELD_NUMBER: _ClassVar[int]
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    RANK_FIELD_NUMBER: _ClassVar[int]
    LOCAL_RANK_FIELD_NUMBER: _ClassVar[int]
    WORLD_SIZE_FIELD_NUMBER: _ClassVar[int]
    NODE_FIELD_NUMBER: _ClassVar[int]
    PID_FIELD_NUMBER: _ClassVar[int]
    STARTED_UNIX_US_FIELD_NUMBER: _ClassVar[int]
    LAUNCHER_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    producer: bytes
    project: str
    run_id: str
    rank: int
    local_rank: int
    world_size: int
    node: str
    pid: int
    started_unix_us: int
    launcher: str
    attempt: int
    role: str
    def __init__(self, producer: _Optional[bytes] = ..., project: _Optional[str] = ..., run_id: _Optional[str] = ..., rank: _Optional[int] = ..., local_rank: _Optional[int] = ..., world_size: _Optional[int] = ..., node: _Optional[str] = ..., pid: _Optional[int] = ..., started_unix_us: _Optional[int] = ..., launcher: _Optional[str] = ..., attempt: _Optional[int] = ..., role: _Optional[str] = ...) -> None: ...

class Hello(_message.Message):
    __slots__ = ("origin", "first_available", "last_spooled", "protocol", "client_version")
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    FIRST_AVAILABLE_FIELD_NUMBER: _ClassVar[int]
    LAST_SPOOLED_FIELD_NUMBER: _ClassVar[int]
    PROTOCOL_FIELD_NUMBER: _ClassVar[int]
    CLIENT_VERSION_FIELD_NUMBER: _ClassVar[int]
    origin: Origin
    first_available: int
    last_spooled: int
    protocol: int
    client_version: str
    def __init__(self, origin: _Optional[_Union[Origin, _Mapping]] = ..., first_available: _Optional[int] = ..., last_spooled: _Optional[int] = ..., protocol: _Optional[int] = ..., client_version: _Optional[str] = ...) -> None: ...

class Welcome(_message.Message):
    __slots__ = ("accepted_seq", "committed_seq", "window_frames", "window_bytes", "max_frame_bytes", "server_time_unix_us", "run_existed", "has_last_step", "last_step", "server_version")
    ACCEPTED_SEQ_FIELD_NUMBER: _ClassVar[int]
    COMMITTED_SEQ_FIELD_NUMBER: _ClassVar[int]
    WINDOW_FRAMES_FIELD_NUMBER: _ClassVar[int]
    WINDOW_BYTES_FIELD_NUMBER: _ClassVar[int]
    MAX_FRAME_BYTES_FIELD_NUMBER: _ClassVar[int]
    SERVER_TIME_UNIX_US_FIELD_NUMBER: _ClassVar[int]
    RUN_EXISTED_FIELD_NUMBER: _ClassVar[int]
    HAS_LAST_STEP_FIELD_NUMBER: _ClassVar[int]
    LAST_STEP_FIELD_NUMBER: _ClassVar[int]
    SERVER_VERSION_FIELD_NUMBER: _ClassVar[int]
    accepted_seq: int
    committed_seq: int
    window_frames: int
    window_bytes: int
    max_frame_bytes: int
    server_time_unix_us: int
    run_existed: bool
    has_last_step: bool
    last_step: int
    server_version: str
    def __init__(self, accepted_seq: _Optional[int] = ..., committed_seq: _Optional[int] = ..., window_frames: _Optional[int] = ..., window_bytes: _Optional[int] = ..., max_frame_bytes: _Optional[int] = ..., server_time_unix_us: _Optional[int] = ..., run_existed: bool = ..., has_last_step: bool = ..., last_step: _Optional[int] = ..., server_version: _Optional[str] = ...) -> None: ...

class Frame(_message.Message):
    __slots__ = ("producer", "seq", "codec", "crc32", "raw_bytes", "body", "flags")
    PRODUCER_FIELD_NUMBER: _ClassVar[int]
    SEQ_FIELD_NUMBER: _ClassVar[int]
    CODEC_FIELD_NUMBER: _ClassVar[int]
    CRC32_FIELD_NUMBER: _ClassVar[int]
    RAW_BYTES_FIELD_NUMBER: _ClassVar[int]
    BODY_FIELD_NUMBER: _ClassVar[int]
    FLAGS_FIELD_NUMBER: _ClassVar[int]
    producer: bytes
    seq: int
    codec: Codec
    crc32: int
    raw_bytes: int
    body: bytes
    flags: int
    def __init__(self, producer: _Optional[bytes] = ..., seq: _Optional[int] = ..., codec: _Optional[_Union[Codec, str]] = ..., crc32: _Optional[int] = ..., raw_bytes: _Optional[int] = ..., body: _Optional[bytes] = ..., flags: _Optional[int] = ...) -> None: ...

class Bye(_message.Message):
    __slots__ = ("producer",)
    PRODUCER_FIELD_NUMBER: _ClassVar[int]
    producer: bytes
    def __init__(self, producer: _Optional[bytes] = ...) -> None: ...

class Ack(_message.Message):
    __slots__ = ("accepted_seq", "committed_seq", "expect_seq", "retry_after_ms", "points_accepted", "points_rejected", "rejects", "server_time_unix_us", "retry_reason")
    ACCEPTED_SEQ_FIELD_NUMBER: _ClassVar[int]
    COMMITTED_SEQ_FIELD_NUMBER: _ClassVar[int]
    EXPECT_SEQ_FIELD_NUMBER: _ClassVar[int]
    RETRY_AFTER_MS_FIELD_NUMBER: _ClassVar[int]
    POINTS_ACCEPTED_FIELD_NUMBER: _ClassVar[int]
    POINTS_REJECTED_FIELD_NUMBER: _ClassVar[int]
    REJECTS_FIELD_NUMBER: _ClassVar[int]
    SERVER_TIME_UNIX_US_FIELD_NUMBER: _ClassVar[int]
    RETRY_REASON_FIELD_NUMBER: _ClassVar[int]
    accepted_seq: int
    committed_seq: int
    expect_seq: int
    retry_after_ms: int
    points_accepted: int
    points_rejected: int
    rejects: _containers.RepeatedCompositeFieldContainer[Reject]
    server_time_unix_us: int
    retry_reason: str
    def __init__(self, accepted_seq: _Optional[int] = ..., committed_seq: _Optional[int] = ..., expect_seq: _Optional[int] = ..., retry_after_ms: _Optional[int] = ..., points_accepted: _Optional[int] = ..., points_rejected: _Optional[int] = ..., rejects: _Optional[_Iterable[_Union[Reject, _Mapping]]] = ..., server_time_unix_us: _Optional[int] = ..., retry_reason: _Optional[str] = ...) -> None: ...

class Reject(_message.Message):
    __slots__ = ("seq", "code", "field", "message", "count")
    SEQ_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    FIELD_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    seq: int
    code: str
    field: str
    message: str
    count: int
    def __init__(self, seq: _Optional[int] = ..., code: _Optional[str] = ..., field: _Optional[str] = ..., message: _Optional[str] = ..., count: _Optional[int] = ...) -> None: ...

class Refusal(_message.Message):
    __slots__ = ("code", "message", "retry")
    CODE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    RETRY_FIELD_NUMBER: _ClassVar[int]
    code: str
    message: str
    retry: bool
    def __init__(self, code: _Optional[str] = ..., message: _Optional[str] = ..., retry: bool = ...) -> None: ...

class Goaway(_message.Message):
    __slots__ = ("reconnect_after_ms", "reason")
    RECONNECT_AFTER_MS_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    reconnect_after_ms: int
    reason: str
    def __init__(self, reconnect_after_ms: _Optional[int] = ..., reason: _Optional[str] = ...) -> None: ...

class Control(_message.Message):
    __slots__ = ("stop", "reason", "by")
    STOP_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    BY_FIELD_NUMBER: _ClassVar[int]
    stop: bool
    reason: str
    by: str
    def __init__(self, stop: bool = ..., reason: _Optional[str] = ..., by: _Optional[str] = ...) -> None: ...

class Body(_message.Message):
    __slots__ = ("schema", "names", "points", "texts", "attrs", "events", "session", "losses", "tallies", "branch", "system", "lines")
    SCHEMA_FIELD_NUMBER: _ClassVar[int]
    NAMES_FIELD_NUMBER: _ClassVar[int]
    POINTS_FIELD_NUMBER: _ClassVar[int]
    TEXTS_FIELD_NUMBER: _ClassVar[int]
    ATTRS_FIELD_NUMBER: _ClassVar[int]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    SESSION_FIELD_NUMBER: _ClassVar[int]
    LOSSES_FIELD_NUMBER: _ClassVar[int]
    TALLIES_FIELD_NUMBER: _ClassVar[int]
    BRANCH_FIELD_NUMBER: _ClassVar[int]
    SYSTEM_FIELD_NUMBER: _ClassVar[int]
    LINES_FIELD_NUMBER: _ClassVar[int]
    schema: int
    names: _containers.RepeatedScalarFieldContainer[str]
    points: _containers.RepeatedCompositeFieldContainer[PointBlock]
    texts: _containers.RepeatedCompositeFieldContainer[TextBlock]
    attrs: _containers.RepeatedCompositeFieldContainer[Attr]
    events: _containers.RepeatedCompositeFieldContainer[Event]
    session: SessionUpdate
    losses: _containers.RepeatedCompositeFieldContainer[Loss]
    tallies: _containers.RepeatedCompositeFieldContainer[Tally]
    branch: Branch
    system: _containers.RepeatedCompositeFieldContainer[SystemBlock]
    lines: _containers.RepeatedCompositeFieldContainer[LineBlock]
    def __init__(self, schema: _Optional[int] = ..., names: _Optional[_Iterable[str]] = ..., points: _Optional[_Iterable[_Union[PointBlock, _Mapping]]] = ..., texts: _Optional[_Iterable[_Union[TextBlock, _Mapping]]] = ..., attrs: _Optional[_Iterable[_Union[Attr, _Mapping]]] = ..., events: _Optional[_Iterable[_Union[Event, _Mapping]]] = ..., session: _Optional[_Union[SessionUpdate, _Mapping]] = ..., losses: _Optional[_Iterable[_Union[Loss, _Mapping]]] = ..., tallies: _Optional[_Iterable[_Union[Tally, _Mapping]]] = ..., branch: _Optional[_Union[Branch, _Mapping]] = ..., system: _Optional[_Iterable[_Union[SystemBlock, _Mapping]]] = ..., lines: _Optional[_Iterable[_Union[LineBlock, _Mapping]]] = ...) -> None: ...

class Tally(_message.Message):
    __slots__ = ("kind", "count", "digest")
    class Kind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        KIND_UNSPECIFIED: _ClassVar[Tally.Kind]
        POINT: _ClassVar[Tally.Kind]
        TEXT: _ClassVar[Tally.Kind]
        ATTR: _ClassVar[Tally.Kind]
        EVENT: _ClassVar[Tally.Kind]
        SYSTEM: _ClassVar[Tally.Kind]
        LINE: _ClassVar[Tally.Kind]
    KIND_UNSPECIFIED: Tally.Kind
    POINT: Tally.Kind
    TEXT: Tally.Kind
    ATTR: Tally.Kind
    EVENT: Tally.Kind
    SYSTEM: Tally.Kind
    LINE: Tally.Kind
    KIND_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    kind: Tally.Kind
    count: int
    digest: int
    def __init__(self, kind: _Optional[_Union[Tally.Kind, str]] = ..., count: _Optional[int] = ..., digest: _Optional[int] = ...) -> None: ...

class Branch(_message.Message):
    __slots__ = ("parent_run_id", "step", "launch")
    PARENT_RUN_ID_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    LAUNCH_FIELD_NUMBER: _ClassVar[int]
    parent_run_id: str
    step: int
    launch: str
    def __init__(self, parent_run_id: _Optional[str] = ..., step: _Optional[int] = ..., launch: _Optional[str] = ...) -> None: ...

class PointBlock(_message.Message):
    __slots__ = ("width", "metric", "step", "time_unix_us", "value", "rewrites")
    WIDTH_FIELD_NUMBER: _ClassVar[int]
    METRIC_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    TIME_UNIX_US_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    REWRITES_FIELD_NUMBER: _ClassVar[int]
    width: int
    metric: bytes
    step: bytes
    time_unix_us: bytes
    value: bytes
    rewrites: bool
    def __init__(self, width: _Optional[int] = ..., metric: _Optional[bytes] = ..., step: _Optional[bytes] = ..., time_unix_us: _Optional[bytes] = ..., value: _Optional[bytes] = ..., rewrites: bool = ...) -> None: ...

class TextBlock(_message.Message):
    __slots__ = ("metric", "step", "time_unix_us", "value", "kind")
    class Kind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        TEXT: _ClassVar[TextBlock.Kind]
        MEDIA: _ClassVar[TextBlock.Kind]
    TEXT: TextBlock.Kind
    MEDIA: TextBlock.Kind
    METRIC_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    TIME_UNIX_US_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    metric: bytes
    step: bytes
    time_unix_us: bytes
    value: _containers.RepeatedScalarFieldContainer[str]
    kind: TextBlock.Kind
    def __init__(self, metric: _Optional[bytes] = ..., step: _Optional[bytes] = ..., time_unix_us: _Optional[bytes] = ..., value: _Optional[_Iterable[str]] = ..., kind: _Optional[_Union[TextBlock.Kind, str]] = ...) -> None: ...

class SystemBlock(_message.Message):
    __slots__ = ("metric", "device", "time_unix_us", "value")
    METRIC_FIELD_NUMBER: _ClassVar[int]
    DEVICE_FIELD_NUMBER: _ClassVar[int]
    TIME_UNIX_US_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    metric: bytes
    device: bytes
    time_unix_us: bytes
    value: bytes
    def __init__(self, metric: _Optional[bytes] = ..., device: _Optional[bytes] = ..., time_unix_us: _Optional[bytes] = ..., value: _Optional[bytes] = ...) -> None: ...

class LineBlock(_message.Message):
    __slots__ = ("process", "rank", "number", "time_unix_us", "stream", "level", "line")
    class Stream(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        STREAM_UNSPECIFIED: _ClassVar[LineBlock.Stream]
        STDOUT: _ClassVar[LineBlock.Stream]
        STDERR: _ClassVar[LineBlock.Stream]
        LOGGING: _ClassVar[LineBlock.Stream]
    STREAM_UNSPECIFIED: LineBlock.Stream
    STDOUT: LineBlock.Stream
    STDERR: LineBlock.Stream
    LOGGING: LineBlock.Stream
    PROCESS_FIELD_NUMBER: _ClassVar[int]
    RANK_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    TIME_UNIX_US_FIELD_NUMBER: _ClassVar[int]
    STREAM_FIELD_NUMBER: _ClassVar[int]
    LEVEL_FIELD_NUMBER: _ClassVar[int]
    LINE_FIELD_NUMBER: _ClassVar[int]
    process: bytes
    rank: int
    number: bytes
    time_unix_us: bytes
    stream: bytes
    level: bytes
    line: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, process: _Optional[bytes] = ..., rank: _Optional[int] = ..., number: _Optional[bytes] = ..., time_unix_us: _Optional[bytes] = ..., stream: _Optional[bytes] = ..., level: _Optional[bytes] = ..., line: _Optional[_Iterable[str]] = ...) -> None: ...

class Attr(_message.Message):
    __slots__ = ("namespace", "path", "float", "int", "bool", "str", "json", "null", "deleted")
    class Namespace(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        NAMESPACE_UNSPECIFIED: _ClassVar[Attr.Namespace]
        CONFIG: _ClassVar[Attr.Namespace]
        TAG: _ClassVar[Attr.Namespace]
        SUMMARY: _ClassVar[Attr.Namespace]
        META: _ClassVar[Attr.Namespace]
        FILE: _ClassVar[Attr.Namespace]
    NAMESPACE_UNSPECIFIED: Attr.Namespace
    CONFIG: Attr.Namespace
    TAG: Attr.Namespace
    SUMMARY: Attr.Namespace
    META: Attr.Namespace
    FILE: Attr.Namespace
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    FLOAT_FIELD_NUMBER: _ClassVar[int]
    INT_FIELD_NUMBER: _ClassVar[int]
    BOOL_FIELD_NUMBER: _ClassVar[int]
    STR_FIELD_NUMBER: _ClassVar[int]
    JSON_FIELD_NUMBER: _ClassVar[int]
    NULL_FIELD_NUMBER: _ClassVar[int]
    DELETED_FIELD_NUMBER: _ClassVar[int]
    namespace: Attr.Namespace
    path: str
    float: float
    int: int
    bool: bool
    str: str
    json: str
    null: bool
    deleted: bool
    def __init__(self, namespace: _Optional[_Union[Attr.Namespace, str]] = ..., path: _Optional[str] = ..., float: _Optional[float] = ..., int: _Optional[int] = ..., bool: bool = ..., str: _Optional[str] = ..., json: _Optional[str] = ..., null: bool = ..., deleted: bool = ...) -> None: ...

class Event(_message.Message):
    __slots__ = ("event_id", "time_unix_us", "kind", "severity", "title", "body", "has_step", "step", "attrs")
    class AttrsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    TIME_UNIX_US_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    SEVERITY_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    BODY_FIELD_NUMBER: _ClassVar[int]
    HAS_STEP_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    ATTRS_FIELD_NUMBER: _ClassVar[int]
    event_id: bytes
    time_unix_us: int
    kind: str
    severity: str
    title: str
    body: str
    has_step: bool
    step: int
    attrs: _containers.ScalarMap[str, str]
    def __init__(self, event_id: _Optional[bytes] = ..., time_unix_us: _Optional[int] = ..., kind: _Optional[str] = ..., severity: _Optional[str] = ..., title: _Optional[str] = ..., body: _Optional[str] = ..., has_step: bool = ..., step: _Optional[int] = ..., attrs: _Optional[_Mapping[str, str]] = ...) -> None: ...

class SessionUpdate(_message.Message):
    __slots__ = ("state", "exit_code", "reason", "time_unix_us")
    class State(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        STATE_UNSPECIFIED: _ClassVar[SessionUpdate.State]
        RUNNING: _ClassVar[SessionUpdate.State]
        FINISHED: _ClassVar[SessionUpdate.State]
        FAILED: _ClassVar[SessionUpdate.State]
        INTERRUPTED: _ClassVar[SessionUpdate.State]
        CRASHED: _ClassVar[SessionUpdate.State]
    STATE_UNSPECIFIED: SessionUpdate.State
    RUNNING: SessionUpdate.State
    FINISHED: SessionUpdate.State
    FAILED: SessionUpdate.State
    INTERRUPTED: SessionUpdate.State
    CRASHED: SessionUpdate.State
    STATE_FIELD_NUMBER: _ClassVar[int]
    EXIT_CODE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    TIME_UNIX_US_FIELD_NUMBER: _ClassVar[int]
    state: SessionUpdate.State
    exit_code: int
    reason: str
    time_unix_us: int
    def __init__(self, state: _Optional[_Union[SessionUpdate.State, str]] = ..., exit_code: _Optional[int] = ..., reason: _Optional[str] = ..., time_unix_us: _Optional[int] = ...) -> None: ...

class Loss(_message.Message):
    __slots__ = ("reason", "first_seq", "last_seq", "points", "message")
    REASON_FIELD_NUMBER: _ClassVar[int]
    FIRST_SEQ_FIELD_NUMBER: _ClassVar[int]
    LAST_SEQ_FIELD_NUMBER: _ClassVar[int]
    POINTS_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    reason: str
    first_seq: int
    last_seq: int
    points: int
    message: str
    def __init__(self, reason: _Optional[str] = ..., first_seq: _Optional[int] = ..., last_seq: _Optional[int] = ..., points: _Optional[int] = ..., message: _Optional[str] = ...) -> None: ...
