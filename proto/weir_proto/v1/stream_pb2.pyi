from weir_proto.v1 import ingest_pb2 as _ingest_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Entry(_message.Message):
    __slots__ = ("origin", "frame", "run_created_unix_us", "accepted_unix_us", "rejects", "rejected", "unreadable")
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    FRAME_FIELD_NUMBER: _ClassVar[int]
    RUN_CREATED_UNIX_US_FIELD_NUMBER: _ClassVar[int]
    ACCEPTED_UNIX_US_FIELD_NUMBER: _ClassVar[int]
    REJECTS_FIELD_NUMBER: _ClassVar[int]
    REJECTED_FIELD_NUMBER: _ClassVar[int]
    UNREADABLE_FIELD_NUMBER: _ClassVar[int]
    origin: _ingest_pb2.Origin
    frame: _ingest_pb2.Frame
    run_created_unix_us: int
    accepted_unix_us: int
    rejects: _containers.RepeatedCompositeFieldContainer[_ingest_pb2.Reject]
    rejected: _containers.RepeatedCompositeFieldContainer[_ingest_pb2.Tally]
    unreadable: bool
    def __init__(self, origin: _Optional[_Union[_ingest_pb2.Origin, _Mapping]] = ..., frame: _Optional[_Union[_ingest_pb2.Frame, _Mapping]] = ..., run_created_unix_us: _Optional[int] = ..., accepted_unix_us: _Optional[int] = ..., rejects: _Optional[_Iterable[_Union[_ingest_pb2.Reject, _Mapping]]] = ..., rejected: _Optional[_Iterable[_Union[_ingest_pb2.Tally, _Mapping]]] = ..., unreadable: bool = ...) -> None: ...
