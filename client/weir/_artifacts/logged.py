"""LoggedArtifact: an artifact on its way to the server, or there."""

import time
from typing import Any, Final, Literal

from weir._spool import Outbox
from weir.errors import UploadFailed

State = Literal["queued", "waiting", "stored", "failed", "disabled", "unknown"]
_LOOK_EVERY_S: Final = 0.05


class LoggedArtifact:
    """What `run.log_artifact` returns. Looking costs a look at the disk.

    Attributes:
        name: Of the artifact.
        type: Of the artifact.
    """

    def __init__(
        self, name: str, type: str, outbox: Outbox | None, number: int, problem: str = ""
    ) -> None:
        self.name = name
        self.type = type
        self._outbox = outbox
        self._number = number
        self._result: dict[str, Any] | None = {"ok": False, "problem": problem} if problem else None

    @property
    def state(self) -> State:
        """Where it is.

        `queued` the agent has it to do; `waiting` something is in the way, see `problem`;
        `stored`; `failed` for good; `disabled` the run is; `unknown` it was brought after this
        process had finished its run, and nobody noted the outcome.
        """
        if self._outbox is None and self._result is None:
            return "disabled"
        if (result := self.look()) is not None:
            return "stored" if result.get("ok") else "failed"
        if self._outbox is not None and self._number not in self._outbox.pending():
            return "unknown" if self.look() is None else self.state
        return "waiting" if self.problem else "queued"

    @property
    def version(self) -> int | None:
        """Its number, from 0; None while it is not known."""
        return (self.look() or {}).get("version")

    @property
    def digest(self) -> str:
        """Of its manifest; "" while it is not known."""
        return str((self.look() or {}).get("digest", ""))

    @property
    def problem(self) -> str:
        """Why it failed, or what it waits for; "" when all goes well."""
        result = self.look()
        if result is not None:
            return str(result.get("problem", ""))
        return str(self._outbox.progress().get("trouble", "")) if self._outbox else ""

    def wait(self, timeout: float | None = None) -> "LoggedArtifact":
        """Wait until it is stored; returns itself, with its version.

        Args:
            timeout: Seconds; None = as long as it takes.

        Raises:
            UploadFailed: It cannot be stored; says why.
            TimeoutError: It is not stored yet. It goes on, and so may you.
        """
        deadline_s = None if timeout is None else time.monotonic() + timeout
        while (state := self.state) in {"queued", "waiting"}:
            if deadline_s is not None and time.monotonic() >= deadline_s:
                said = self.problem or "it is on its way"
                raise TimeoutError(f"artifact {self.name} is not stored yet: {said}")
            time.sleep(_LOOK_EVERY_S)
        if state == "failed":
            raise UploadFailed(f"artifact {self.name} was not stored: {self.problem}")
        return self

    def look(self) -> dict[str, Any] | None:
        """Look whether the outcome is known; once it is, it is remembered."""
        if self._result is None and self._outbox is not None:
            self._result = self._outbox.result(self._number)
        return self._result

    def __repr__(self) -> str:
        version = "" if self.version is None else f":v{self.version}"
        return f"<weir.LoggedArtifact {self.name}{version} {self.state}>"
