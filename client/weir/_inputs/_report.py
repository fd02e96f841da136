"""What the collector leaves behind: facts in `inputs/`, files and orders in `outbox/`.

Every file appears whole, so the agent may look at any time. docs/formats/inputs.md
"""

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from weir._spool import Outbox, SpoolDir

FORMAT: Final = 1
_MAX_FACT_LETTERS: Final = 60_000  # 64 KiB is what the server takes


@dataclass(slots=True)
class Findings:
    """What one section found.

    Attributes:
        facts: By META path: scalars, lists and mappings (those become JSON).
        files: Run files by path: their bytes.
        orders: For the outbox, in its format, beside those for `files`.
    """

    facts: dict[str, Any] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    orders: list[dict[str, Any]] = field(default_factory=list)

    def problem(self, section: str, why: object) -> None:
        """Say what could not be had: the fact `inputs/problem/<section>`."""
        self.facts[f"inputs/problem/{section}"] = " ".join(str(why).split())[:500]


def write_report(spool: SpoolDir, name: str, findings: Findings) -> None:
    """Leave what a section found for the agent: files first, then the facts that speak of them."""
    outbox = Outbox(spool)
    if findings.files:
        files = [_kept(outbox, path, content) for path, content in findings.files.items()]
        outbox.put({"order": "files", "files": files})
    for order in findings.orders:
        outbox.put(order)
    if findings.facts:
        facts = {path: _bounded(value) for path, value in findings.facts.items()}
        text = json.dumps({"format": FORMAT, "facts": facts}).encode()
        replace_file(spool.inputs_path / f"{name}.json", text)


def _kept(outbox: Outbox, path: str, content: bytes) -> dict[str, Any]:
    sha256, size_bytes, source = outbox.write_blob(content)
    mime = "application/json" if path.endswith(".json") else "text/plain"
    return {"path": path, "source": source, "sha256": sha256, "size": size_bytes, "mime": mime}


def write_working(inputs_path: Path, job: str, *, until_unix_s: float, pid: int = 0) -> None:
    """Say that a collector is at work, and until when at most: the agent waits for it so long."""
    told = {"format": FORMAT, "until_unix_s": until_unix_s, "pid": pid}
    # Not brought to the disk: it is of no use once this machine has gone down.
    replace_file(inputs_path / f"{job}.working", json.dumps(told).encode(), durable=False)


def replace_file(path: Path, content: bytes, *, durable: bool = True) -> None:
    """Write a file of which readers see all or nothing; on the disk before this returns if `durable`."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    _write(temporary, content, durable=durable)
    os.replace(temporary, path)


def _write(path: Path, content: bytes, *, durable: bool) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        if durable:
            file.flush()
            os.fsync(file.fileno())


def _bounded(value: Any) -> Any:
    """A fact that the server takes: texts are cut, lists shortened until they fit."""
    if isinstance(value, str):
        clean = value.encode(errors="replace").decode()
        return (
            clean if len(clean.encode()) <= _MAX_FACT_LETTERS else clean[: _MAX_FACT_LETTERS // 4]
        )
    while isinstance(value, list) and len(json.dumps(value)) > _MAX_FACT_LETTERS:
        value = value[: len(value) // 2]
    if isinstance(value, dict) and len(json.dumps(value)) > _MAX_FACT_LETTERS:
        return {"left_out": f"{len(value)} entries are over {_MAX_FACT_LETTERS} bytes"}
    return value
