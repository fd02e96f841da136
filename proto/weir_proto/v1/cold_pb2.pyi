from weir_proto.v1 import changes_pb2 as _changes_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class RollRunRequest(_message.Message):
    __slots__ = ("project", "run_id", "reason")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    project: str
    run_id: str
    reason: str
    def __init__(self, project: _Optional[str] = ..., run_id: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class ThawRunRequest(_message.Message):
    __slots__ = ("project", "run_id", "reason")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    project: str
    run_id: str
    reason: str
    def __init__(self, project: _Optional[str] = ..., run_id: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class ListColdRunsRequest(_message.Message):
    __slots__ = ("project",)
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    project: str
    def __init__(self, project: _Optional[str] = ...) -> None: ...

class ColdFile(_message.Message):
    __slots__ = ("table", "key", "rows", "size_bytes", "sha256")
    TABLE_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    table: str
    key: str
    rows: int
    size_bytes: int
    sha256: str
    def __init__(self, table: _Optional[str] = ..., key: _Optional[str] = ..., rows: _Optional[int] = ..., size_bytes: _Optional[int] = ..., sha256: _Optional[str] = ...) -> None: ...

class ColdRun(_message.Message):
    __slots__ = ("project", "run_id", "files", "by", "at_unix_us")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    FILES_FIELD_NUMBER: _ClassVar[int]
    BY_FIELD_NUMBER: _ClassVar[int]
    AT_UNIX_US_FIELD_NUMBER: _ClassVar[int]
    project: str
    run_id: str
    files: _containers.RepeatedCompositeFieldContainer[ColdFile]
    by: str
    at_unix_us: int
    def __init__(self, project: _Optional[str] = ..., run_id: _Optional[str] = ..., files: _Optional[_Iterable[_Union[ColdFile, _Mapping]]] = ..., by: _Optional[str] = ..., at_unix_us: _Optional[int] = ...) -> None: ...

class ListColdRunsResponse(_message.Message):
    __slots__ = ("runs",)
    RUNS_FIELD_NUMBER: _ClassVar[int]
    runs: _containers.RepeatedCompositeFieldContainer[ColdRun]
    def __init__(self, runs: _Optional[_Iterable[_Union[ColdRun, _Mapping]]] = ...) -> None: ...

class ColdRule(_message.Message):
    __slots__ = ("project", "after_s", "by", "at_unix_us")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    AFTER_S_FIELD_NUMBER: _ClassVar[int]
    BY_FIELD_NUMBER: _ClassVar[int]
    AT_UNIX_US_FIELD_NUMBER: _ClassVar[int]
    project: str
    after_s: int
    by: str
    at_unix_us: int
    def __init__(self, project: _Optional[str] = ..., after_s: _Optional[int] = ..., by: _Optional[str] = ..., at_unix_us: _Optional[int] = ...) -> None: ...

class SetColdRuleRequest(_message.Message):
    __slots__ = ("rule", "remove")
    RULE_FIELD_NUMBER: _ClassVar[int]
    REMOVE_FIELD_NUMBER: _ClassVar[int]
    rule: ColdRule
    remove: bool
    def __init__(self, rule: _Optional[_Union[ColdRule, _Mapping]] = ..., remove: bool = ...) -> None: ...

class ListColdRulesRequest(_message.Message):
    __slots__ = ("project",)
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    project: str
    def __init__(self, project: _Optional[str] = ...) -> None: ...

class ListColdRulesResponse(_message.Message):
    __slots__ = ("rules",)
    RULES_FIELD_NUMBER: _ClassVar[int]
    rules: _containers.RepeatedCompositeFieldContainer[ColdRule]
    def __init__(self, rules: _Optional[_Iterable[_Union[ColdRule, _Mapping]]] = ...) -> None: ...
