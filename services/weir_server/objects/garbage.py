"""Garbage collection: versions that ended, then bytes that nothing names any more.

Safe beside uploads, on any number of gateways, without a lock:

    collector                            whoever relies on a blob
    1 mark                               1 touch
    2 drop what was touched or is named  2 is it marked? then wait and repeat
    3 take the row away                  3 is it there?
    4 delete the bytes
    5 unmark

Each writes before it looks, so one of the two sees the other: a touch before
the look of step 2 saves the blob; one after it comes after the mark, so that
its owner sees the mark, or finds the row gone. A touch never makes a row. A
collection that dies half way leaves bytes that have no row, and the next one
finds them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain
from typing import Final
from uuid import UUID, uuid4

from weir_server.clock import Clock, SystemClock
from weir_server.errors import ServerError
from weir_server.log import get_logger
from weir_store.artifacts.base import ArtifactReader
from weir_store.artifacts.editor import ArtifactEditor
from weir_store.artifacts.records import LooseBlob, Mark, State, StoredBlob
from weir_store.errors import StoreError
from weir_store.objects.base import ObjectStore, Upload
from weir_store.objects.keys import blob_key, project_prefix

MARK_KEPT_US: Final = 1_800_000_000
"""A mark older than this was left by a collection that was cut off, and binds nobody."""

_DELETE_WITHIN_S: Final = 600.0  # of marking: a third of the above, so that a slow clock is no harm
_BATCH: Final = 5_000
_AT_ONCE: Final = 8
RECEIPT: Final = "garbage_collected"


class CutShort(ServerError):
    """A collection was so slow that its marks may not bind any more; what was marked stays."""

    grpc_status = "ABORTED"


@dataclass(slots=True)
class Receipt:
    """What a collection removed; `receipt` names the event that says so.

    Attributes:
        versions: That had expired, or were deleted.
        blobs: That were removed.
        bytes: That are free now.
        kept_young: Blobs nobody names, within the grace.
        kept_young_bytes: Theirs.
        uploads: Unfinished ones that were given up.
        receipt: Id of the event; "" for a dry run.
    """

    versions: int = 0
    blobs: int = 0
    bytes: int = 0
    kept_young: int = 0
    kept_young_bytes: int = 0
    uploads: int = 0
    receipt: str = ""


class Collector:
    """Collects the garbage of a project; blocks for as long as it takes."""

    def __init__(
        self,
        reader: ArtifactReader,
        editor: ArtifactEditor,
        objects: ObjectStore,
        *,
        grace_s: float,
        settle_s: float = 0.0,
        clock: Clock | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Prepare.

        Args:
            reader: Says what is loose.
            editor: Takes rows away.
            objects: Where the bytes are.
            grace_s: What was touched since so long is left alone.
            settle_s: Waited between marking and looking: longer than replicas lag behind.
            clock: Whose time it is.
            sleep: Waits.
        """
        self._reader = reader
        self._editor = editor
        self._objects = objects
        self._grace_us = int(grace_s * 1e6)
        self._settle_s = settle_s
        self._clock = clock or SystemClock()
        self._sleep = sleep

    def collect(self, project: str, *, by: str, dry_run: bool = False) -> Receipt:
        """Remove what is garbage now; a dry run only counts.

        Raises:
            StoreError: Something was away; what was removed until then is counted nowhere.
            CutShort: It was stopped for minutes between marking and removing.
        """
        now = self._clock.unix_us()
        before = now - self._grace_us
        receipt = Receipt()
        ended = self._reader.list_ended(project, now).versions
        receipt.versions = len(ended)
        if not dry_run:
            self._editor.end_versions(ended, State.GONE, now)
            self._forget_manifests(project, now, before)
            self._give_up_uploads(project, before, receipt)
            self._forget_old_marks(project, now)
        for batch in self._batches(project, now, before, receipt):
            self._remove(project, batch, now, before, receipt, dry_run=dry_run)
        if not dry_run:
            receipt.bytes += self._objects.drop_scraps(before / 1e6)
            receipt.receipt = self._note(project, receipt, by, now)
        return receipt

    # ── what goes before the bytes ────────────────────────────────────────

    def _forget_manifests(self, project: str, now: int, before: int) -> None:
        loose = self._reader.list_loose_manifests(project, now_unix_us=now, before_unix_us=before)
        for digest, seen in loose:
            for files in self._reader.stream_files(project, digest):
                self._editor.remove_files(project, digest, files, seen)

    def _give_up_uploads(self, project: str, before: int, receipt: Receipt) -> None:
        begun = self._reader.list_begun(project, before_unix_us=before)
        for each in begun:
            upload = Upload(
                blob_key(project, each.sha256), each.upload_id, each.size_bytes, each.part_bytes
            )
            arrived = self._arrived(upload)
            self._objects.abort(upload)
            if arrived:
                receipt.uploads += 1
                receipt.bytes += min(arrived * each.part_bytes, each.size_bytes)
        self._editor.note_uploads(project, begun, is_deleted=True)

    def _arrived(self, upload: Upload) -> int:
        try:
            return len(self._objects.list_parts(upload))
        except StoreError as error:
            get_logger().debug("an unfinished upload is not known any more", problem=str(error))
            return 0

    def _forget_old_marks(self, project: str, now: int) -> None:
        marks = self._reader.list_marks(project)
        old = [mark for mark in marks if mark.marked_unix_us < now - MARK_KEPT_US]
        self._editor.remove_marks(project, old)

    # ── the bytes ─────────────────────────────────────────────────────────

    def _batches(
        self, project: str, now: int, before: int, receipt: Receipt
    ) -> Iterator[list[LooseBlob]]:
        """Yield blobs that nothing names and nobody touched, then objects nobody knows of."""
        waiting: list[LooseBlob] = []
        # All at once: an answer of the store must not wait while blobs are removed.
        loose = list(self._loose(project, now))
        for found in chain(loose, self._unknown(project, before)):
            if found.touched_unix_us >= before:
                receipt.kept_young += 1
                receipt.kept_young_bytes += found.size_bytes
                continue
            waiting.append(found)
            if len(waiting) >= _BATCH:
                yield waiting
                waiting = []
        if waiting:
            yield waiting

    def _loose(self, project: str, now: int) -> Iterator[LooseBlob]:
        for piece in self._reader.stream_loose_blobs(project, now):
            yield from piece

    def _unknown(self, project: str, before: int) -> Iterator[LooseBlob]:
        """Yield objects without a row: what was PUT and never finished, or half collected."""
        prefix = f"{project_prefix(project)}blobs/"
        piece: dict[str, LooseBlob] = {}
        for found in self._objects.list_objects(prefix):
            sha256 = found.key.rpartition("/")[2]
            piece[sha256] = LooseBlob(sha256, found.size_bytes, found.modified_unix_us, 0)
            if len(piece) >= 1_000:
                yield from self._without_row(project, piece)
                piece = {}
        yield from self._without_row(project, piece)

    def _without_row(self, project: str, piece: dict[str, LooseBlob]) -> Iterator[LooseBlob]:
        known = self._reader.read_blobs(project, list(piece))
        yield from (found for sha256, found in piece.items() if sha256 not in known)

    def _remove(
        self,
        project: str,
        batch: Sequence[LooseBlob],
        now: int,
        before: int,
        receipt: Receipt,
        *,
        dry_run: bool,
    ) -> None:
        if dry_run:
            receipt.blobs += len(batch)
            receipt.bytes += sum(found.size_bytes for found in batch)
            return
        collection, began_s = uuid4(), self._clock.monotonic_s()
        marked_us = self._clock.unix_us()
        marks = [Mark(found.sha256, collection, marked_us) for found in batch]
        self._editor.add_marks(project, marks)
        if self._settle_s:
            self._sleep(self._settle_s)
        condemned = self._condemned(project, collection, batch, before)
        rows = [
            StoredBlob(found.sha256, found.size_bytes, "", now, found.ver)
            for found in condemned
            if found.ver
        ]
        self._editor.remove_blobs(project, rows)
        freed = self._delete(project, condemned, began_s)
        self._editor.remove_marks(project, marks)
        receipt.blobs += len(freed)
        receipt.bytes += sum(freed)

    def _condemned(
        self, project: str, collection: UUID, batch: Sequence[LooseBlob], before: int
    ) -> list[LooseBlob]:
        found = self._reader.read_condemned(
            project,
            collection,
            now_unix_us=self._clock.unix_us(),
            touched_before_unix_us=before,
        )
        return [each for each in batch if each.sha256 in found]

    def _delete(self, project: str, blobs: Sequence[LooseBlob], began_s: float) -> list[int]:
        """Delete objects; returns the bytes of each that was there before and is not any more."""
        keys = [blob_key(project, blob.sha256) for blob in blobs]
        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="garbage") as asking:
            before = list(asking.map(self._objects.stat, keys))
            if self._clock.monotonic_s() - began_s > _DELETE_WITHIN_S:
                raise CutShort(
                    "the collection took too long between marking and removing",
                    hint="start it again",
                )
            self._objects.delete(keys)
            after = list(asking.map(self._objects.stat, keys))
        return [
            was.size_bytes
            for was, is_ in zip(before, after, strict=True)
            if was is not None and is_ is None
        ]

    def _note(self, project: str, receipt: Receipt, by: str, now: int) -> str:
        attrs = {
            name: str(getattr(receipt, name))
            for name in ("versions", "blobs", "bytes", "kept_young", "kept_young_bytes", "uploads")
        }
        title = f"{receipt.bytes} bytes freed: {receipt.blobs} blobs, {receipt.versions} versions"
        event = self._editor.add_notice(project, RECEIPT, title, now, attrs={**attrs, "by": by})
        return event.hex
