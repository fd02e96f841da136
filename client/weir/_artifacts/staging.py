"""An order for the agent: what an artifact's files are now, and their bytes held until it has them."""

import json
import os
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from weir._artifacts.artifact import Artifact, LocalFile
from weir._artifacts.paths import alias_fault
from weir._spool import Outbox
from weir.errors import UsageError


def order_for(
    artifact: Artifact,
    outbox: Outbox,
    *,
    aliases: Sequence[str] = (),
    tags: Sequence[str] = (),
    ttl_s: int = 0,
    copy: bool = False,
) -> dict[str, Any]:
    """Look at every file, hold on to its bytes, and return the order that asks to upload them.

    Costs a stat and a link per file; bytes are read only with `copy`, or where a file that the
    artifact made itself lies on another file system.

    Raises:
        UsageError: A file is gone, or the names do not go together.
        OSError: The disk does not take it. Nothing is left behind.
    """
    artifact.check()
    for alias in aliases:
        if fault := alias_fault(alias):
            raise UsageError(f"alias {alias!r}: {fault}")
    held: list[str] = []
    try:
        files = [
            stage(name, file, outbox, held, copy=copy) for name, file in artifact.files.items()
        ]
    except BaseException:
        for source in held:
            outbox.drop(source)
        raise
    references = [
        {"path": name, "uri": found.uri, "size": found.size_bytes, "etag": found.etag}
        for name, found in artifact.references.items()
    ]
    return {
        "order": "artifact",
        "name": artifact.name,
        "type": artifact.type,
        "description": artifact.description,
        "metadata": json.loads(artifact.metadata_json()),
        "aliases": list(aliases),
        "tags": list(tags),
        "ttl_s": ttl_s,
        "register_as": artifact.register_as,
        "files": files,
        "references": references,
    }


def files_order(
    files: Iterable[tuple[str, str]], outbox: Outbox, *, copy: bool = False
) -> dict[str, Any]:
    """Return the order that asks to upload files of the run, given as (name, path)."""
    held: list[str] = []
    try:
        staged = [stage(name, LocalFile(path), outbox, held, copy=copy) for name, path in files]
    except BaseException:
        for source in held:
            outbox.drop(source)
        raise
    return {"order": "files", "files": staged}


def stage(
    name: str, file: LocalFile, outbox: Outbox, held: list[str], *, copy: bool
) -> dict[str, Any]:
    """Hold on to one file; return what an order says of it. What is held is added to `held`."""
    try:
        source, found = outbox.hold_now(file.path, copy=copy)
        if file.owned and os.path.isabs(source):  # it goes with the artifact
            source, found = outbox.hold_now(file.path, copy=True)
        held.append(source)
    except (FileNotFoundError, IsADirectoryError) as error:
        raise UsageError(f"{file.path} is gone: it was to be {name}") from error
    return {
        "path": name,
        "source": source,
        "size": found.st_size,
        "mtime_ns": found.st_mtime_ns,
    }


def seconds_of(ttl: float | timedelta | None) -> int:
    """Return a lifetime in whole seconds; 0 = for ever.

    Raises:
        UsageError: It is below a second.
    """
    if ttl is None:
        return 0
    seconds = int(ttl.total_seconds() if isinstance(ttl, timedelta) else ttl)
    if seconds < 1:
        raise UsageError(f"ttl = {ttl} is no time to live", hint="seconds, or a timedelta")
    return seconds
