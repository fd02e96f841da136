"""Asking the server from a training process: in a child, since gRPC does not survive a fork."""

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from weir import errors
from weir._agent_start import child_environment
from weir._artifacts.manifest import ManifestFile
from weir._artifacts.records import Found, Wanted
from weir.errors import Rejected, Unavailable, WeirError


class ChildAsker:
    """Implements `asking.Asker` by `fetch.py` in another process."""

    def __init__(self, server: str, token: str) -> None:
        self._server = server
        self._token = token

    def find(self, wanted: Wanted, run_id: str = "", run_project: str = "") -> Found:
        """See `Asker.find`."""
        answer = self._ask(do="find", wanted=asdict(wanted), run_id=run_id, run_project=run_project)
        answer["aliases"], answer["tags"] = tuple(answer["aliases"]), tuple(answer["tags"])
        return Found(**answer)

    def files(self, wanted: Wanted) -> list[ManifestFile]:
        """See `Asker.files`."""
        return [ManifestFile(**each) for each in self._ask(do="files", wanted=asdict(wanted))]

    def fetch(self, project: str, files: Sequence[ManifestFile], root: Path) -> None:
        """See `Asker.fetch`."""
        listed = [asdict(file) for file in files]
        self._ask(do="fetch", project=project, files=listed, root=str(root))

    def _ask(self, **question: Any) -> Any:
        question |= {"server": self._server, "token": self._token}
        try:
            done = subprocess.run(
                [sys.executable, "-P", "-m", "weir._artifacts.fetch"],
                input=json.dumps(question).encode(),
                stdout=subprocess.PIPE,
                env=child_environment(),
                check=False,
            )
            answer = json.loads(done.stdout)
        except (OSError, ValueError) as error:
            raise Unavailable(f"cannot ask the server from a child process: {error}") from error
        if "error" in answer:
            raise _error_of(answer)
        return answer["answer"]


def _error_of(answer: dict[str, Any]) -> Exception:
    message = str(answer.get("message", ""))
    if answer["error"] == "OSError":
        return OSError(answer.get("errno") or 0, message)
    kind = getattr(errors, answer["error"], None)
    if kind is Rejected:
        return Rejected(message, code=answer.get("code", ""))
    if isinstance(kind, type) and issubclass(kind, WeirError):
        return kind(message)
    return Unavailable(message)
