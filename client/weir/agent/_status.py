"""What a gRPC status means for us: wait and repeat, or say so and keep the spool. Pure.

The table is total: a status it does not name, also one a later gRPC invents, is `Unavailable`,
because waiting loses nothing.
"""

from typing import Final

from weir.errors import (
    Forbidden,
    Overloaded,
    Rejected,
    TransportError,
    Unauthenticated,
    Unavailable,
)

_CHECK_TOKEN = "check WEIR_TOKEN"
_HINTED = " — "  # a Weir server has said already what to do
_CHECK_SERVER = "check that client and server are of versions that fit, and the server's address"

WAITING: Final = frozenset(
    {"OK", "CANCELLED", "UNKNOWN", "DEADLINE_EXCEEDED", "ABORTED", "INTERNAL", "UNAVAILABLE"}
)
# Repeating the same bytes cannot change these; the spool is kept and asked again slowly, because
# a server can be upgraded or configured while we wait.
REFUSING: Final = frozenset(
    {
        "INVALID_ARGUMENT",
        "NOT_FOUND",
        "ALREADY_EXISTS",
        "FAILED_PRECONDITION",
        "OUT_OF_RANGE",
        "UNIMPLEMENTED",
        "DATA_LOSS",
    }
)


def error_for(status: str, details: str) -> TransportError:
    """Return the error that says what to do about a status.

    Args:
        status: Name of a `grpc.StatusCode`, e.g. `"UNAVAILABLE"`.
        details: What the server, or gRPC itself, said.
    """
    text = details.strip() or status.lower().replace("_", " ")
    if status == "UNAUTHENTICATED":
        return Unauthenticated(text, hint="" if _HINTED in text else _CHECK_TOKEN)
    if status == "PERMISSION_DENIED":
        return Forbidden(text, hint="" if _HINTED in text else _CHECK_TOKEN)
    if status == "RESOURCE_EXHAUSTED":
        return Overloaded(text)
    if status in REFUSING:
        return Rejected(text, code=status, hint=_CHECK_SERVER)
    return Unavailable(text)
