"""What can go wrong at the store, sorted by what the caller should do.

StoreError
├─ StoreUnavailable   wait and repeat: nothing was decided
│   ├─ WrongCredentials   … and somebody has to correct the user or the password
│   └─ WrongSetup         … and somebody has to make a bucket, or set a clock
├─ StoreRejected      give this block up: repeating cannot help (→ dead letter)
├─ InvalidQuery       fix the question
│   ├─ UnknownProject
│   ├─ UnknownRun
│   ├─ UnknownArtifact
│   └─ UnknownObject
└─ SchemaMismatch     run `weir migrate`
"""

from __future__ import annotations


class StoreError(Exception):
    """Anything the store has to say, with a `hint` that names the next step."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(f"{message} — {hint}" if hint else message)
        self.hint = hint


class StoreUnavailable(StoreError):
    """No definite answer: the store is down, slow, full or in doubt. Repeating is safe."""


class WrongCredentials(StoreUnavailable):
    """The store does not know this user or password.

    A process that starts gives up; a running one waits, because passwords get changed.
    """


class WrongSetup(StoreUnavailable):
    """The store is there and cannot be used as it is: no bucket, clocks too far apart.

    A process that starts gives up; a running one waits, because buckets get made and clocks set.
    """


class StoreRejected(StoreError):
    """The store will never take these rows. Repeating them cannot help."""


class InvalidQuery(StoreError):
    """The question is wrong: a bad filter, an unknown column, a limit exceeded."""


class UnknownProject(InvalidQuery):
    """No such project, or none that the caller may see."""


class UnknownRun(InvalidQuery):
    """No such run in the project."""

    @classmethod
    def of(cls, project: str, run_id: str) -> UnknownRun:
        """Return the error for a run that was asked for by name."""
        return cls(f"no run {run_id!r} in project {project!r}")


class UnknownArtifact(InvalidQuery):
    """No such artifact, version, alias or model in the project."""


class UnknownObject(InvalidQuery):
    """No such object in the object store."""


class SchemaMismatch(StoreError):
    """The tables are older or newer than this release."""
