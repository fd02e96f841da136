"""What can go wrong in the client, sorted by what the caller should do.

WeirError (hint)
├─ ConfigError           fix the settings     raised by init(), every fault at once
├─ UsageError            fix the call         raised where the call is
│   ├─ InvalidPoint      a value or name that cannot be logged (only with settings.strict)
│   └─ RunFinished       log() after finish()
├─ TransportError        raised to whoever asked the server; never by log()
│   ├─ Retryable         just wait: nothing was decided
│   │   ├─ Unavailable
│   │   └─ Overloaded    (retry_after_s)
│   └─ Permanent         repeating will not help
│       ├─ Unauthenticated
│       ├─ Forbidden
│       └─ Rejected      (code)
├─ UploadFailed          a file or artifact cannot be stored; raised to whoever waits for it
├─ NotAsStored           what was downloaded, or lies in a folder, is not what was stored
└─ SpoolError            the disk
    ├─ SpoolFull         no room: the frame was not written
    ├─ QueueFull         log() found no room (only with settings.on_full = "raise")
    └─ SpoolCorrupt      (path) bytes that are not what was written
"""

from pathlib import Path


class WeirError(Exception):
    """Anything Weir has to say, with a `hint` that names the next step."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(f"{message} — {hint}" if hint else message)
        self.hint = hint


class ConfigError(WeirError):
    """The settings cannot be used. The message lists every fault found."""


class UsageError(WeirError):
    """The call was wrong: fix it where it is made."""


class InvalidPoint(UsageError):
    """A metric's name or value cannot be logged. Raised only when `settings.strict` is on."""


class RunFinished(UsageError):
    """The run was finished before this call."""


class TransportError(WeirError):
    """The server did not do what it was asked."""


class Retryable(TransportError):
    """Nothing was decided; the same request may be sent again."""


class Unavailable(Retryable):
    """The server is away, restarting, or did not answer in time."""


class Overloaded(Retryable):
    """The server asks for patience.

    Attributes:
        retry_after_s: How long to wait before asking again.
    """

    def __init__(self, message: str, *, retry_after_s: float = 1.0, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.retry_after_s = retry_after_s


class Permanent(TransportError):
    """Repeating the request cannot help until somebody changes something."""


class Unauthenticated(Permanent):
    """The server does not know this token."""


class Forbidden(Permanent):
    """The token may not do this."""


class Rejected(Permanent):
    """The server refused what was asked for.

    Attributes:
        code: The refusal's name, e.g. `UNKNOWN_PROJECT`.
    """

    def __init__(self, message: str, *, code: str = "", hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.code = code


class UploadFailed(WeirError):
    """A file or an artifact could not be stored, and trying again does not help. Says why."""


class NotAsStored(WeirError):
    """Bytes that came, or a folder that was looked at, are not what was stored."""


class SpoolError(WeirError):
    """The spool on disk cannot be written or read."""


class SpoolFull(SpoolError):
    """The disk has no room, or the spool has reached its cap. Nothing was written."""


class QueueFull(SpoolError):
    """The disk takes nothing and memory is at its bound. Raised only with `on_full="raise"`.

    Nothing of the call was recorded; it may be repeated once there is room.
    """


class SpoolCorrupt(SpoolError):
    """The spool holds bytes that are not what was written.

    Attributes:
        path: The file that holds them.
    """

    def __init__(self, message: str, *, path: Path, hint: str = "") -> None:
        super().__init__(f"{message}: {path}", hint=hint)
        self.path = path
