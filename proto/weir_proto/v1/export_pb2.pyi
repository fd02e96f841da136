from weir_proto.v1 import runs_pb2 as _runs_pb2
from weir_proto.v1 import query_pb2 as _query_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ListTablesRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class TableOfExport(_message.Message):
    __slots__ = ("name", "of_artifacts")
    NAME_FIELD_NUMBER: _ClassVar[int]
    OF_ARTIFACTS_FIELD_NUMBER: _ClassVar[int]
    name: str
    of_artifacts: bool
    def __init__(self, name: _Optional[str] = ..., of_artifacts: bool = ...) -> None: ...

class ListTablesResponse(_message.Message):
    __slots__ = ("tables",)
    TABLES_FIELD_NUMBER: _ClassVar[int]
    tables: _containers.RepeatedCompositeFieldContainer[TableOfExport]
    def __init__(self, tables: _Optional[_Iterable[_Union[TableOfExport, _Mapping]]] = ...) -> None: ...

class ReadRowsRequest(_message.Message):
    __slots__ = ("table", "project", "run_ids", "whole_project")
    TABLE_FIELD_NUMBER: _ClassVar[int]
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    RUN_IDS_FIELD_NUMBER: _ClassVar[int]
    WHOLE_PROJECT_FIELD_NUMBER: _ClassVar[int]
    table: str
    project: str
    run_ids: _containers.RepeatedScalarFieldContainer[str]
    whole_project: bool
    def __init__(self, table: _Optional[str] = ..., project: _Optional[str] = ..., run_ids: _Optional[_Iterable[str]] = ..., whole_project: bool = ...) -> None: ...

class RunIdentity(_message.Message):
    __slots__ = ("run", "created_unix_us")
    RUN_FIELD_NUMBER: _ClassVar[int]
    CREATED_UNIX_US_FIELD_NUMBER: _ClassVar[int]
    run: _runs_pb2.RunRef
    created_unix_us: int
    def __init__(self, run: _Optional[_Union[_runs_pb2.RunRef, _Mapping]] = ..., created_unix_us: _Optional[int] = ...) -> None: ...

class MeetRunsRequest(_message.Message):
    __slots__ = ("runs",)
    RUNS_FIELD_NUMBER: _ClassVar[int]
    runs: _containers.RepeatedCompositeFieldContainer[RunIdentity]
    def __init__(self, runs: _Optional[_Iterable[_Union[RunIdentity, _Mapping]]] = ...) -> None: ...

class MeetRunsResponse(_message.Message):
    __slots__ = ("runs",)
    RUNS_FIELD_NUMBER: _ClassVar[int]
    runs: _containers.RepeatedCompositeFieldContainer[MetRun]
    def __init__(self, runs: _Optional[_Iterable[_Union[MetRun, _Mapping]]] = ...) -> None: ...

class MetRun(_message.Message):
    __slots__ = ("found", "created_unix_us")
    class Found(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        ABSENT: _ClassVar[MetRun.Found]
        SAME: _ClassVar[MetRun.Found]
        OTHER: _ClassVar[MetRun.Found]
        DELETED: _ClassVar[MetRun.Found]
    ABSENT: MetRun.Found
    SAME: MetRun.Found
    OTHER: MetRun.Found
    DELETED: MetRun.Found
    FOUND_FIELD_NUMBER: _ClassVar[int]
    CREATED_UNIX_US_FIELD_NUMBER: _ClassVar[int]
    found: MetRun.Found
    created_unix_us: int
    def __init__(self, found: _Optional[_Union[MetRun.Found, str]] = ..., created_unix_us: _Optional[int] = ...) -> None: ...

class VersionIdentity(_message.Message):
    __slots__ = ("project", "name", "version", "digest")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    project: str
    name: str
    version: int
    digest: str
    def __init__(self, project: _Optional[str] = ..., name: _Optional[str] = ..., version: _Optional[int] = ..., digest: _Optional[str] = ...) -> None: ...

class MeetVersionsRequest(_message.Message):
    __slots__ = ("versions",)
    VERSIONS_FIELD_NUMBER: _ClassVar[int]
    versions: _containers.RepeatedCompositeFieldContainer[VersionIdentity]
    def __init__(self, versions: _Optional[_Iterable[_Union[VersionIdentity, _Mapping]]] = ...) -> None: ...

class MeetVersionsResponse(_message.Message):
    __slots__ = ("others",)
    OTHERS_FIELD_NUMBER: _ClassVar[int]
    others: _containers.RepeatedCompositeFieldContainer[VersionIdentity]
    def __init__(self, others: _Optional[_Iterable[_Union[VersionIdentity, _Mapping]]] = ...) -> None: ...

class WriteRowsRequest(_message.Message):
    __slots__ = ("table", "data")
    TABLE_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    table: str
    data: bytes
    def __init__(self, table: _Optional[str] = ..., data: _Optional[bytes] = ...) -> None: ...

class WriteRowsResponse(_message.Message):
    __slots__ = ("rows",)
    ROWS_FIELD_NUMBER: _ClassVar[int]
    rows: int
    def __init__(self, rows: _Optional[int] = ...) -> None: ...
