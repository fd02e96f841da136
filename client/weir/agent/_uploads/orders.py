"""What an order asks for, and doing it: blobs, files of the run, an artifact."""

import json
import mimetypes
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from weir._artifacts.manifest import ManifestFile
from weir._spool import Outbox
from weir.agent._node_log import Findings, NodeLog
from weir.agent._uploads.committing import commit, register
from weir.agent._uploads.journal import Journal
from weir.agent._uploads.progress import Progress
from weir.agent._uploads.sending import Sender
from weir.agent._uploads.source import Fingerprint, Source
from weir_proto.v1 import ingest_pb2

ATTRS_PER_FRAME: Final = 500
KINDS: Final = ("blobs", "files", "artifact", "watch")


class BadOrder(ValueError):
    """It cannot be read: nothing can be done about it."""


@dataclass(frozen=True, slots=True)
class Desk:
    """Where the orders of one outbox are seen to.

    Attributes:
        log: Takes what is to be told of the run.
    """

    run_id: str
    outbox: Outbox
    sender: Sender
    log: NodeLog
    progress: Progress


def kind_of(order: dict[str, Any]) -> str:
    """Return what an order asks for. Raises BadOrder."""
    kind = order.get("order")
    if kind not in KINDS:
        raise BadOrder(f"no such order {kind!r}")
    return str(kind)


def title_of(order: dict[str, Any]) -> str:
    """Return an order in a few words, whatever is in it."""
    files = order.get("files")
    files = files if isinstance(files, list) else []
    alone = files[0] if len(files) == 1 and isinstance(files[0], dict) else {}
    count = str(alone.get("path", "a file")) if len(files) == 1 else f"{len(files)} files"
    if order.get("order") == "artifact":
        return f"artifact {order.get('name')} ({count})"
    return {"blobs": f"media ({count})", "files": f"run files ({count})"}.get(
        str(order.get("order")), "files"
    )


def sources_of(order: dict[str, Any], outbox: Outbox) -> list[Source]:
    """Return the files to send. Raises BadOrder."""
    blobs = order.get("order") == "blobs"
    try:
        return [
            Source(
                name=str(each["path"]),
                path=outbox.source_path(str(each["path" if blobs else "source"])),
                size_bytes=int(each["size"]),
                mtime_ns=int(each.get("mtime_ns") or 0),
                sha256=str(each.get("sha256") or ""),
            )
            for each in order.get("files") or ()
        ]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadOrder(f"its files cannot be read: {error!r}") from error


def held_for(order: dict[str, Any]) -> list[str]:
    """Return the names in the outbox that only this order needs."""
    key = "path" if order.get("order") == "blobs" else "source"
    files = order.get("files")
    if not isinstance(files, list):
        return []
    return [str(each[key]) for each in files if isinstance(each, dict) and key in each]


def carry_out(order: dict[str, Any], journal: Journal, desk: Desk) -> dict[str, Any] | None:
    """Do what an order asks for; may be done again.

    Returns:
        What to tell who waits for it; None = nobody does.

    Raises:
        BadOrder: It cannot be read.
        SourceLost, TransportError, Stopped: See `Sender.bring`.
    """
    sources = sources_of(order, desk.outbox)
    desk.progress.begin(title_of(order), sum(source.size_bytes for source in sources))
    prints = desk.sender.bring(sources, journal, desk.progress)
    match kind_of(order):
        case "artifact":
            return _commit(order, prints, desk)
        case "files":
            _name_files(order, prints, desk.log)
            return {"ok": True}
    return None


def _commit(order: dict[str, Any], prints: list[Fingerprint], desk: Desk) -> dict[str, Any]:
    files = [
        ManifestFile(
            path=each["path"],
            sha256=found.sha256,
            size_bytes=found.size_bytes,
            mime=each.get("mime") or guessed_mime(each["path"]),
        )
        for each, found in zip(order.get("files") or (), prints, strict=True)
    ]
    files += [
        ManifestFile(
            path=each["path"],
            size_bytes=int(each.get("size") or 0),
            uri=each["uri"],
            etag=each.get("etag") or "",
        )
        for each in order.get("references") or ()
    ]
    sender = desk.sender
    version = commit(sender.transport, order, files, project=sender.project, run_id=desk.run_id)
    if model := order.get("register_as"):
        register(sender.transport, version, model)
    return {
        "ok": True,
        "version": version.version,
        "digest": version.digest,
        "existed": version.existed,
    }


def _name_files(order: dict[str, Any], prints: list[Fingerprint], log: NodeLog) -> None:
    """Say in the run which files it has, and which blobs they are."""
    attrs = (
        ingest_pb2.Attr(
            namespace=ingest_pb2.Attr.FILE,
            path=each["path"],
            json=json.dumps(
                {
                    "sha256": found.sha256,
                    "size": found.size_bytes,
                    "mime": each.get("mime") or guessed_mime(each["path"]),
                }
            ),
        )
        for each, found in zip(order.get("files") or (), prints, strict=True)
    )
    for some in _by(ATTRS_PER_FRAME, attrs):
        log.write(Findings(attrs=some))


def guessed_mime(path: str) -> str:
    """Return what a file's name says it holds; "" when that is not known."""
    return mimetypes.guess_type(path)[0] or ""


def _by(count: int, attrs: Iterable[ingest_pb2.Attr]) -> Iterable[list[ingest_pb2.Attr]]:
    left = iter(attrs)
    while some := list(islice(left, count)):
        yield some
