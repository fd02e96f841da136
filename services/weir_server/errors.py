"""What a server process can run into, each with the gRPC status it is answered by.

ServerError
├─ StreamUnavailable    UNAVAILABLE          the client waits and repeats
├─ Overloaded           RESOURCE_EXHAUSTED   the client waits as told
├─ Unauthenticated      UNAUTHENTICATED      the client keeps its spool and says so
├─ Forbidden            PERMISSION_DENIED    the client keeps its spool and says so
├─ UnknownProjectName   NOT_FOUND            the client keeps its spool and says so
├─ NotReady             FAILED_PRECONDITION  the client does first what is missing
├─ InvalidFrame         INVALID_ARGUMENT     answered as a Reject: the seq is consumed
└─ StartupError         (before any port)    a person fixes it
"""


class ServerError(Exception):
    """Anything a server process has to say, with a `hint` that names the next step."""

    grpc_status = "INTERNAL"

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(f"{message} — {hint}" if hint else message)
        self.hint = hint


class StreamUnavailable(ServerError):
    """Redis gives no answer; nothing was decided."""

    grpc_status = "UNAVAILABLE"


class Overloaded(ServerError):
    """The stream is full; come back after `retry_after_s`."""

    grpc_status = "RESOURCE_EXHAUSTED"

    def __init__(self, message: str, *, retry_after_s: float, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.retry_after_s = retry_after_s


class Unauthenticated(ServerError):
    """No token, or one nobody knows."""

    grpc_status = "UNAUTHENTICATED"


class Forbidden(ServerError):
    """A good token that may not do this."""

    grpc_status = "PERMISSION_DENIED"


class UnknownProjectName(ServerError):
    """The project does not exist and runs may not create it."""

    grpc_status = "NOT_FOUND"


class NotReady(ServerError):
    """Something has to happen first: blobs to be sent, aliases to be taken away."""

    grpc_status = "FAILED_PRECONDITION"


class InvalidFrame(ServerError):
    """A frame, or a part of it, that can never be stored; `code` is one of docs/limits.md."""

    grpc_status = "INVALID_ARGUMENT"

    def __init__(self, code: str, field: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.field = field


class StartupError(ServerError):
    """The process cannot start: a port is taken, an engine is missing, a disk is full."""
