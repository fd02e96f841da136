"""An order for the agent: what an artifact's files are now, and their bytes held until it has them."""

import json
import os
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any, Final

from weir._artifacts.artifact import Artifact, LocalFile
from weir._artifacts.paths import alias_fault
from weir._spool import Outbox
from weir.errors import UsageError

COPIED_FILES: Final = 64
COPIED_BYTES: Final = 1 << 30
"""An artifact of at most so many files and bytes is copied when it is logged, unless told otherwise."""


def order_for(
    artifact: Artifact,
    outbox: Outbox,
    *,
    aliases: Sequence[str] = (),
    tags: Sequence[str] = (),
    ttl_s: int = 0,
    copy: bool | None = None,
) -> dict[str, Any]:
    """Look at every file, hold on to its bytes, and return the order that asks to upload them.

    Costs a stat and a link per file where bytes are not copied; see `copies`.

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
        now = copies([file.path for file in artifact.files.values()], copy)
        files = [stage(name, file, outbox, held, copy=now) for name, file in artifact.files.items()]
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
    files: Sequence[tuple[str, str]], outbox: Outbox, *, copy: bool | None = None
) -> dict[str, Any]:
    """Return the order that asks to upload files of the run, given as (name, path)."""
    held: list[str] = []
    try:
        now = copies([path for _, path in files], copy)
        staged = [stage(name, LocalFile(path), outbox, held, copy=now) for name, path in files]
    except BaseException:
        for source in held:
            outbox.drop(source)
        raise
    return {"order": "files", "files": staged}


def copies(paths: Sequence[str], copy: bool | None) -> bool:
    """Return whether files whose blocks cannot be shared are copied, so that they may be written into.

    When asked; and of its own accord where that is quick: a checkpoint that is saved over the last
    one, as `torch.save` does, is then still the one that was logged.
    """
    if copy is not None:
        return copy
    if len(paths) > COPIED_FILES:
        return False
    with suppress(OSError):  # one is gone: `stage` says so
        return sum(map(os.path.getsize, paths)) <= COPIED_BYTES
    return False


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
