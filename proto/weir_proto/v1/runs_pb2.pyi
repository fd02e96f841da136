from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Project(_message.Message):
    __slots__ = ("name", "runs", "running", "last_activity_unix_us")
    NAME_FIELD_NUMBER: _ClassVar[int]
    RUNS_FIELD_NUMBER: _ClassVar[int]
    RUNNING_FIELD_NUMBER: _ClassVar[int]
    LAST_ACTIVITY_UNIX_US_FIELD_NUMBER: _ClassVar[int]
    name: str
    runs: int
    running: int
    last_activity_unix_us: int
    def __init__(self, name: _Optional[str] = ..., runs: _Optional[int] = ..., running: _Optional[int] = ..., last_activity_unix_us: _Optional[int] = ...) -> None: ...

class RunRef(_message.Message):
    __slots__ = ("project", "run_id")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    project: str
    run_id: str
    def __init__(self, project: _Optional[str] = ..., run_id: _Optional[str] = ...) -> None: ...

class ListProjectsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListProjectsResponse(_message.Message):
    __slots__ = ("projects",)
    PROJECTS_FIELD_NUMBER: _ClassVar[int]
    projects: _containers.RepeatedCompositeFieldContainer[Project]
    def __init__(self, projects: _Optional[_Iterable[_Union[Project, _Mapping]]] = ...) -> None: ...

class Value(_message.Message):
    __slots__ = ("float", "int", "bool", "str", "json", "null")
    FLOAT_FIELD_NUMBER: _ClassVar[int]
    INT_FIELD_NUMBER: _ClassVar[int]
    BOOL_FIELD_NUMBER: _ClassVar[int]
    STR_FIELD_NUMBER: _ClassVar[int]
    JSON_FIELD_NUMBER: _ClassVar[int]
    NULL_FIELD_NUMBER: _ClassVar[int]
    float: float
    int: int
    bool: bool
    str: str
    json: str
    null: bool
    def __init__(self, float: _Optional[float] = ..., int: _Optional[int] = ..., bool: bool = ..., str: _Optional[str] = ..., json: _Optional[str] = ..., null: bool = ...) -> None: ...

class Session(_message.Message):
    __slots__ = ("producer", "rank", "local_rank", "world_size", "node", "pid", "launcher", "role", "attempt", "state", "exit_code", "reason", "started_unix_us", "last_seen_unix_us", "committed_seq")
    PRODUCER_FIELD_NUMBER: _ClassVar[int]
    RANK_FIELD_NUMBER: _ClassVar[int]
    LOCAL_RANK_FIELD_NUMBER: _ClassVar[int]
    WORLD_SIZE_FIELD_NUMBER: _ClassVar[int]
    NODE_FIELD_NUMBER: _ClassVar[int]
    PID_FIELD_NUMBER: _ClassVar[int]
    LAUNCHER_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    EXIT_CODE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    STARTED_UNIX_US_FIELD_NUMBER: _ClassVar[int]
    LAST_SEEN_UNIX_US_FIELD_NUMBER: _ClassVar[int]
    COMMITTED_SEQ_FIELD_NUMBER: _ClassVar[int]
    producer: bytes
    rank: int
    local_rank: int
    world_size: int
    node: str
    pid: int
    launcher: str
    role: str
    attempt: int
    state: str
    exit_code: int
    reason: str
    started_unix_us: int
    last_seen_unix_us: int
    committed_seq: int
    def __init__(self, producer: _Optional[bytes] = ..., rank: _Optional[int] = ..., local_rank: _Optional[int] = ..., world_size: _Optional[int] = ..., node: _Optional[str] = ..., pid: _Optional[int] = ..., launcher: _Optional[str] = ..., role: _Optional[str] = ..., attempt: _Optional[int] = ..., state: _Optional[str] = ..., exit_code: _Optional[int] = ..., reason: _Optional[str] = ..., started_unix_us: _Optional[int] = ..., last_seen_unix_us: _Optional[int] = ..., committed_seq: _Optional[int] = ...) -> None: ...

class Run(_message.Message):
    __slots__ = ("project", "run_id", "name", "group", "job_type", "user", "notes", "state", "tags", "created_unix_us", "finished_unix_us", "last_seen_unix_us", "world_size", "ranks", "config", "summary", "meta", "parent_run_id", "fork_step", "rewinds", "files")
    class ConfigEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: Value
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[Value, _Mapping]] = ...) -> None: ...
    class SummaryEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: Value
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[Value, _Mapping]] = ...) -> None: ...
    class MetaEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: Value
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[Value, _Mapping]] = ...) -> None: ...
    class FilesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    GROUP_FIELD_NUMBER: _ClassVar[int]
    JOB_TYPE_FIELD_NUMBER: _ClassVar[int]
    USER_FIELD_NUMBER: _ClassVar[int]
    NOTES_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    CREATED_UNIX_US_FIELD_NUMBER: _ClassVar[int]
    FINISHED_UNIX_US_FIELD_NUMBER: _ClassVar[int]
    LAST_SEEN_UNIX_US_FIELD_NUMBER: _ClassVar[int]
    WORLD_SIZE_FIELD_NUMBER: _ClassVar[int]
    RANKS_FIELD_NUMBER: _ClassVar[int]
    CONFIG_FIELD_NUMBER: _ClassVar[int]
    SUMMARY_FIELD_NUMBER: _ClassVar[int]
    META_FIELD_NUMBER: _ClassVar[int]
    PARENT_RUN_ID_FIELD_NUMBER: _ClassVar[int]
    FORK_STEP_FIELD_NUMBER: _ClassVar[int]
    REWINDS_FIELD_NUMBER: _ClassVar[int]
    FILES_FIELD_NUMBER: _ClassVar[int]
    project: str
    run_id: str
    name: str
    group: str
    job_type: str
    user: str
    notes: str
    state: str
    tags: _containers.RepeatedScalarFieldContainer[str]
    created_unix_us: int
    finished_unix_us: int
    last_seen_unix_us: int
    world_size: int
    ranks: int
    config: _containers.MessageMap[str, Value]
    summary: _containers.MessageMap[str, Value]
    meta: _containers.MessageMap[str, Value]
    parent_run_id: str
    fork_step: int
    rewinds: _containers.RepeatedScalarFieldContainer[int]
    files: _containers.ScalarMap[str, str]
    def __init__(self, project: _Optional[str] = ..., run_id: _Optional[str] = ..., name: _Optional[str] = ..., group: _Optional[str] = ..., job_type: _Optional[str] = ..., user: _Optional[str] = ..., notes: _Optional[str] = ..., state: _Optional[str] = ..., tags: _Optional[_Iterable[str]] = ..., created_unix_us: _Optional[int] = ..., finished_unix_us: _Optional[int] = ..., last_seen_unix_us: _Optional[int] = ..., world_size: _Optional[int] = ..., ranks: _Optional[int] = ..., config: _Optional[_Mapping[str, Value]] = ..., summary: _Optional[_Mapping[str, Value]] = ..., meta: _Optional[_Mapping[str, Value]] = ..., parent_run_id: _Optional[str] = ..., fork_step: _Optional[int] = ..., rewinds: _Optional[_Iterable[int]] = ..., files: _Optional[_Mapping[str, str]] = ...) -> None: ...

class ListRunsRequest(_message.Message):
    __slots__ = ("project", "where", "order_by", "limit", "offset", "columns")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    WHERE_FIELD_NUMBER: _ClassVar[int]
    ORDER_BY_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    COLUMNS_FIELD_NUMBER: _ClassVar[int]
    project: str
    where: str
    order_by: str
    limit: int
    offset: int
    columns: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, project: _Optional[str] = ..., where: _Optional[str] = ..., order_by: _Optional[str] = ..., limit: _Optional[int] = ..., offset: _Optional[int] = ..., columns: _Optional[_Iterable[str]] = ...) -> None: ...

class ListRunsResponse(_message.Message):
    __slots__ = ("runs", "total")
    RUNS_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    runs: _containers.RepeatedCompositeFieldContainer[Run]
    total: int
    def __init__(self, runs: _Optional[_Iterable[_Union[Run, _Mapping]]] = ..., total: _Optional[int] = ...) -> None: ...

class GetRunRequest(_message.Message):
    __slots__ = ("project", "run_id")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    project: str
    run_id: str
    def __init__(self, project: _Optional[str] = ..., run_id: _Optional[str] = ...) -> None: ...

class GetRunResponse(_message.Message):
    __slots__ = ("run", "sessions")
    RUN_FIELD_NUMBER: _ClassVar[int]
    SESSIONS_FIELD_NUMBER: _ClassVar[int]
    run: Run
    sessions: _containers.RepeatedCompositeFieldContainer[Session]
    def __init__(self, run: _Optional[_Union[Run, _Mapping]] = ..., sessions: _Optional[_Iterable[_Union[Session, _Mapping]]] = ...) -> None: ...

class UpdateRunRequest(_message.Message):
    __slots__ = ("project", "run_id", "name", "notes", "add_tags", "remove_tags", "group", "job_type")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    NOTES_FIELD_NUMBER: _ClassVar[int]
    ADD_TAGS_FIELD_NUMBER: _ClassVar[int]
    REMOVE_TAGS_FIELD_NUMBER: _ClassVar[int]
    GROUP_FIELD_NUMBER: _ClassVar[int]
    JOB_TYPE_FIELD_NUMBER: _ClassVar[int]
    project: str
    run_id: str
    name: str
    notes: str
    add_tags: _containers.RepeatedScalarFieldContainer[str]
    remove_tags: _containers.RepeatedScalarFieldContainer[str]
    group: str
    job_type: str
    def __init__(self, project: _Optional[str] = ..., run_id: _Optional[str] = ..., name: _Optional[str] = ..., notes: _Optional[str] = ..., add_tags: _Optional[_Iterable[str]] = ..., remove_tags: _Optional[_Iterable[str]] = ..., group: _Optional[str] = ..., job_type: _Optional[str] = ...) -> None: ...

class UpdateRunResponse(_message.Message):
    __slots__ = ("run",)
    RUN_FIELD_NUMBER: _ClassVar[int]
    run: Run
    def __init__(self, run: _Optional[_Union[Run, _Mapping]] = ...) -> None: ...

class StopRunRequest(_message.Message):
    __slots__ = ("project", "run_id", "reason")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    project: str
    run_id: str
    reason: str
    def __init__(self, project: _Optional[str] = ..., run_id: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class StopRunResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListEventsRequest(_message.Message):
    __slots__ = ("project", "run_id", "kinds", "min_severity", "limit")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    KINDS_FIELD_NUMBER: _ClassVar[int]
    MIN_SEVERITY_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    project: str
    run_id: str
    kinds: _containers.RepeatedScalarFieldContainer[str]
    min_severity: str
    limit: int
    def __init__(self, project: _Optional[str] = ..., run_id: _Optional[str] = ..., kinds: _Optional[_Iterable[str]] = ..., min_severity: _Optional[str] = ..., limit: _Optional[int] = ...) -> None: ...

class RunEvent(_message.Message):
    __slots__ = ("event_id", "time_unix_us", "kind", "severity", "title", "body", "step", "rank", "attrs")
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
    STEP_FIELD_NUMBER: _ClassVar[int]
    RANK_FIELD_NUMBER: _ClassVar[int]
    ATTRS_FIELD_NUMBER: _ClassVar[int]
    event_id: bytes
    time_unix_us: int
    kind: str
    severity: str
    title: str
    body: str
    step: int
    rank: int
    attrs: _containers.ScalarMap[str, str]
    def __init__(self, event_id: _Optional[bytes] = ..., time_unix_us: _Optional[int] = ..., kind: _Optional[str] = ..., severity: _Optional[str] = ..., title: _Optional[str] = ..., body: _Optional[str] = ..., step: _Optional[int] = ..., rank: _Optional[int] = ..., attrs: _Optional[_Mapping[str, str]] = ...) -> None: ...

class ListEventsResponse(_message.Message):
    __slots__ = ("events", "total")
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    events: _containers.RepeatedCompositeFieldContainer[RunEvent]
    total: int
    def __init__(self, events: _Optional[_Iterable[_Union[RunEvent, _Mapping]]] = ..., total: _Optional[int] = ...) -> None: ...

class GetLedgerRequest(_message.Message):
    __slots__ = ("project", "run_id")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    project: str
    run_id: str
    def __init__(self, project: _Optional[str] = ..., run_id: _Optional[str] = ...) -> None: ...

class LedgerLine(_message.Message):
    __slots__ = ("rank", "producers", "kind", "claimed", "sent", "stored", "rejected", "dead", "lost", "dropped", "refused", "sent_digest", "stored_digest", "verdict", "removed", "added")
    RANK_FIELD_NUMBER: _ClassVar[int]
    PRODUCERS_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    CLAIMED_FIELD_NUMBER: _ClassVar[int]
    SENT_FIELD_NUMBER: _ClassVar[int]
    STORED_FIELD_NUMBER: _ClassVar[int]
    REJECTED_FIELD_NUMBER: _ClassVar[int]
    DEAD_FIELD_NUMBER: _ClassVar[int]
    LOST_FIELD_NUMBER: _ClassVar[int]
    DROPPED_FIELD_NUMBER: _ClassVar[int]
    REFUSED_FIELD_NUMBER: _ClassVar[int]
    SENT_DIGEST_FIELD_NUMBER: _ClassVar[int]
    STORED_DIGEST_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    REMOVED_FIELD_NUMBER: _ClassVar[int]
    ADDED_FIELD_NUMBER: _ClassVar[int]
    rank: int
    producers: _containers.RepeatedScalarFieldContainer[bytes]
    kind: str
    claimed: bool
    sent: int
    stored: int
    rejected: int
    dead: int
    lost: int
    dropped: int
    refused: int
    sent_digest: int
    stored_digest: int
    verdict: str
    removed: int
    added: int
    def __init__(self, rank: _Optional[int] = ..., producers: _Optional[_Iterable[bytes]] = ..., kind: _Optional[str] = ..., claimed: bool = ..., sent: _Optional[int] = ..., stored: _Optional[int] = ..., rejected: _Optional[int] = ..., dead: _Optional[int] = ..., lost: _Optional[int] = ..., dropped: _Optional[int] = ..., refused: _Optional[int] = ..., sent_digest: _Optional[int] = ..., stored_digest: _Optional[int] = ..., verdict: _Optional[str] = ..., removed: _Optional[int] = ..., added: _Optional[int] = ...) -> None: ...

class LedgerGap(_message.Message):
    __slots__ = ("producer", "first_seq", "last_seq")
    PRODUCER_FIELD_NUMBER: _ClassVar[int]
    FIRST_SEQ_FIELD_NUMBER: _ClassVar[int]
    LAST_SEQ_FIELD_NUMBER: _ClassVar[int]
    producer: bytes
    first_seq: int
    last_seq: int
    def __init__(self, producer: _Optional[bytes] = ..., first_seq: _Optional[int] = ..., last_seq: _Optional[int] = ...) -> None: ...

class LedgerProducer(_message.Message):
    __slots__ = ("producer", "rank", "claimed_seq", "committed_seq", "accepted_seq")
    PRODUCER_FIELD_NUMBER: _ClassVar[int]
    RANK_FIELD_NUMBER: _ClassVar[int]
    CLAIMED_SEQ_FIELD_NUMBER: _ClassVar[int]
    COMMITTED_SEQ_FIELD_NUMBER: _ClassVar[int]
    ACCEPTED_SEQ_FIELD_NUMBER: _ClassVar[int]
    producer: bytes
    rank: int
    claimed_seq: int
    committed_seq: int
    accepted_seq: int
    def __init__(self, producer: _Optional[bytes] = ..., rank: _Optional[int] = ..., claimed_seq: _Optional[int] = ..., committed_seq: _Optional[int] = ..., accepted_seq: _Optional[int] = ...) -> None: ...

class GetLedgerResponse(_message.Message):
    __slots__ = ("verdict", "lines", "gaps", "producers", "rows_at_rest")
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    LINES_FIELD_NUMBER: _ClassVar[int]
    GAPS_FIELD_NUMBER: _ClassVar[int]
    PRODUCERS_FIELD_NUMBER: _ClassVar[int]
    ROWS_AT_REST_FIELD_NUMBER: _ClassVar[int]
    verdict: str
    lines: _containers.RepeatedCompositeFieldContainer[LedgerLine]
    gaps: _containers.RepeatedCompositeFieldContainer[LedgerGap]
    producers: _containers.RepeatedCompositeFieldContainer[LedgerProducer]
    rows_at_rest: int
    def __init__(self, verdict: _Optional[str] = ..., lines: _Optional[_Iterable[_Union[LedgerLine, _Mapping]]] = ..., gaps: _Optional[_Iterable[_Union[LedgerGap, _Mapping]]] = ..., producers: _Optional[_Iterable[_Union[LedgerProducer, _Mapping]]] = ..., rows_at_rest: _Optional[int] = ...) -> None: ...
