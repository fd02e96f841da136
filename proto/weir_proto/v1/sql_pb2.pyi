from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class AskRequest(_message.Message):
    __slots__ = ("text", "parameters", "limit", "seconds")
    class ParametersEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    TEXT_FIELD_NUMBER: _ClassVar[int]
    PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    SECONDS_FIELD_NUMBER: _ClassVar[int]
    text: str
    parameters: _containers.ScalarMap[str, str]
    limit: int
    seconds: float
    def __init__(self, text: _Optional[str] = ..., parameters: _Optional[_Mapping[str, str]] = ..., limit: _Optional[int] = ..., seconds: _Optional[float] = ...) -> None: ...

class AskReply(_message.Message):
    __slots__ = ("arrow", "end")
    ARROW_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    arrow: bytes
    end: AskEnd
    def __init__(self, arrow: _Optional[bytes] = ..., end: _Optional[_Union[AskEnd, _Mapping]] = ...) -> None: ...

class AskEnd(_message.Message):
    __slots__ = ("rows", "cut", "seconds")
    ROWS_FIELD_NUMBER: _ClassVar[int]
    CUT_FIELD_NUMBER: _ClassVar[int]
    SECONDS_FIELD_NUMBER: _ClassVar[int]
    rows: int
    cut: bool
    seconds: float
    def __init__(self, rows: _Optional[int] = ..., cut: bool = ..., seconds: _Optional[float] = ...) -> None: ...

class ListViewsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListViewsResponse(_message.Message):
    __slots__ = ("views", "functions")
    VIEWS_FIELD_NUMBER: _ClassVar[int]
    FUNCTIONS_FIELD_NUMBER: _ClassVar[int]
    views: _containers.RepeatedCompositeFieldContainer[SqlView]
    functions: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, views: _Optional[_Iterable[_Union[SqlView, _Mapping]]] = ..., functions: _Optional[_Iterable[str]] = ...) -> None: ...

class SqlView(_message.Message):
    __slots__ = ("name", "about", "columns", "example")
    NAME_FIELD_NUMBER: _ClassVar[int]
    ABOUT_FIELD_NUMBER: _ClassVar[int]
    COLUMNS_FIELD_NUMBER: _ClassVar[int]
    EXAMPLE_FIELD_NUMBER: _ClassVar[int]
    name: str
    about: str
    columns: _containers.RepeatedCompositeFieldContainer[SqlColumn]
    example: str
    def __init__(self, name: _Optional[str] = ..., about: _Optional[str] = ..., columns: _Optional[_Iterable[_Union[SqlColumn, _Mapping]]] = ..., example: _Optional[str] = ...) -> None: ...

class SqlColumn(_message.Message):
    __slots__ = ("name", "type", "unit", "about")
    NAME_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    ABOUT_FIELD_NUMBER: _ClassVar[int]
    name: str
    type: str
    unit: str
    about: str
    def __init__(self, name: _Optional[str] = ..., type: _Optional[str] = ..., unit: _Optional[str] = ..., about: _Optional[str] = ...) -> None: ...
