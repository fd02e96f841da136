"""Bytes in and out: addresses to PUT to and to GET from, and the proof that everything arrived.

A blob may be relied on from here to the grace of garbage collection, because
whoever relies on one touches it first, then looks whether a collection has
marked it, and only then whether it is there (docs/artifacts.md, "Collecting
garbage"). The order is the whole point: do not change it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final

from weir_proto.v1 import artifacts_pb2 as pb
from weir_server.clock import Clock
from weir_server.gateway.artifact_checks import check_blob, check_blobs, check_etags
from weir_server.objects.garbage import MARK_KEPT_US
from weir_server.settings import ObjectsSettings
from weir_store.artifacts.base import ArtifactReader
from weir_store.artifacts.editor import ArtifactEditor
from weir_store.artifacts.records import BegunUpload, StoredBlob
from weir_store.errors import InvalidQuery, StoreRejected, StoreUnavailable, UnknownObject
from weir_store.objects import etag
from weir_store.objects.base import MAX_PARTS, ObjectStat, ObjectStore, Upload, check_arrived
from weir_store.objects.keys import blob_key

_FIRST_URLS: Final = 16  # of one upload in parts
_MOST_URLS: Final = 4_000  # in one answer: clients take messages of 4 MiB
_AT_ONCE: Final = 8  # questions to the object store


class BlobDesk:
    """Blocks on the store and the object store; safe from any thread."""

    def __init__(
        self,
        reader: ArtifactReader,
        editor: ArtifactEditor,
        objects: ObjectStore,
        settings: ObjectsSettings,
        clock: Clock,
    ) -> None:
        self._reader = reader
        self._editor = editor
        self._objects = objects
        self._expires_s = settings.url_expires_s
        self._young_us = int(settings.grace_s * 1e6) // 2
        self._clock = clock
        self._asking = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="objects")

    def prepare(self, project: str, blobs: Sequence[pb.Blob]) -> pb.PrepareBlobsResponse:
        """Return which blobs are there, and where to PUT the others."""
        check_blobs(blobs)
        stored = self.rely_on(project, {blob.sha256 for blob in blobs})
        for blob in blobs:
            if blob.sha256 in stored and stored[blob.sha256].size_bytes != blob.size_bytes:
                raise InvalidQuery(f"blob {blob.sha256} is not {blob.size_bytes} bytes long")
        urls = max(1, min(_FIRST_URLS, _MOST_URLS // max(1, len(blobs))))

        def begin(blob: pb.Blob) -> tuple[Upload | None, pb.BlobUpload]:
            if blob.sha256 in stored:
                return None, pb.BlobUpload(sha256=blob.sha256, exists=True)
            upload = self._objects.begin(blob_key(project, blob.sha256), blob.size_bytes)
            return upload, pb.BlobUpload(
                sha256=blob.sha256,
                upload_id=upload.upload_id,
                part_bytes=upload.part_bytes,
                urls=self._part_urls(upload, range(1, min(upload.parts, urls) + 1)),
            )

        begun = list(self._asking.map(begin, blobs))
        now = self._clock.unix_us()
        self._editor.note_uploads(
            project,
            [
                BegunUpload(blob.sha256, upload.upload_id, blob.size_bytes, upload.part_bytes, now)
                for blob, (upload, _) in zip(blobs, begun, strict=True)
                if upload and upload.upload_id
            ],
        )
        return pb.PrepareBlobsResponse(
            uploads=[message for _, message in begun], expires_unix_us=self._expires_unix_us()
        )

    def part_urls(self, request: pb.PartUrlsRequest) -> pb.PartUrlsResponse:
        """Return more addresses of an upload that was begun, and what has arrived of it."""
        check_blob(request.blob)
        upload = _upload(request.project, request.blob, request.upload_id, request.part_bytes)
        wrong = [number for number in request.numbers if not 1 <= number <= upload.parts]
        if wrong or len(request.numbers) > _MOST_URLS:
            raise InvalidQuery(
                f"parts go from 1 to {upload.parts}, at most {_MOST_URLS} at once",
                hint=f"not {wrong[:3] or len(request.numbers)}",
            )
        try:
            arrived = {} if request.numbers else self._objects.list_parts(upload)
        except UnknownObject:
            arrived = {}  # given up, or never begun: nothing has arrived
        return pb.PartUrlsResponse(
            urls=self._part_urls(upload, request.numbers),
            arrived=arrived,
            expires_unix_us=self._expires_unix_us(),
        )

    def finish(self, project: str, blobs: Sequence[pb.FinishedBlob]) -> list[str]:
        """Make blobs of what was PUT; returns what is wrong with each, "" = it is there and whole.

        Raises:
            StoreUnavailable: Garbage is being collected that was the same; repeat it.
        """
        check_blobs(each.blob for each in blobs)
        etags = [check_etags(each.etags) for each in blobs]
        self._touch(project, {each.blob.sha256 for each in blobs})
        pieces = [blob_key(project, each.blob.sha256) for each in blobs if not each.upload_id]
        there = self._objects.stat_many(pieces, self._asking)
        finish = partial(self._finish, project, there)
        outcomes = list(self._asking.map(finish, blobs, etags))
        now = self._clock.unix_us()
        kept = [
            StoredBlob(each.blob.sha256, found.size_bytes, found.etag, now, now)
            for each, found in zip(blobs, outcomes, strict=True)
            if isinstance(found, ObjectStat)
        ]
        self._editor.add_blobs(project, kept)
        ended = [
            BegunUpload(
                each.blob.sha256, each.upload_id, each.blob.size_bytes, each.part_bytes, now
            )
            for each, found in zip(blobs, outcomes, strict=True)
            if each.upload_id and isinstance(found, ObjectStat)
        ]
        self._editor.note_uploads(project, ended, is_deleted=True)
        return ["" if isinstance(found, ObjectStat) else found for found in outcomes]

    def urls(self, project: str, blobs: Sequence[pb.Blob], filename: str) -> pb.BlobUrlsResponse:
        """Return where to GET blobs; "" for those that are not there."""
        check_blobs(blobs)
        stored = self._reader.read_blobs(project, sorted({blob.sha256 for blob in blobs}))
        urls = [
            self._objects.url(
                blob_key(project, blob.sha256), expires_s=self._expires_s, filename=filename
            )
            if blob.sha256 in stored
            else ""
            for blob in blobs
        ]
        return pb.BlobUrlsResponse(urls=urls, expires_unix_us=self._expires_unix_us())

    def rely_on(self, project: str, sha256s: Iterable[str]) -> dict[str, StoredBlob]:
        """Return those of these blobs that are there, and will be for half the grace at least.

        Raises:
            StoreUnavailable: Garbage is being collected that is among them; repeat it.
        """
        wanted = sorted(set(sha256s))
        there = self._reader.read_blobs(project, wanted)
        touched = self._reader.read_touches(project, sorted(there))
        young_since = self._clock.unix_us() - self._young_us
        old = [sha256 for sha256 in there if touched.get(sha256, 0) <= young_since]
        if not old:
            return dict(there)
        self._touch(project, old)
        return dict(self._reader.read_blobs(project, wanted))

    def close(self) -> None:
        """Let go of the threads."""
        self._asking.shutdown(wait=False, cancel_futures=True)

    # ── below ─────────────────────────────────────────────────────────────

    def _touch(self, project: str, sha256s: Iterable[str]) -> None:
        """Touch blobs, then see to it that no collection is about to remove them."""
        now = self._clock.unix_us()
        wanted = sorted(set(sha256s))
        self._editor.touch_blobs(project, wanted, now)
        marked = self._reader.read_marked(project, wanted, since_unix_us=now - MARK_KEPT_US)
        if marked:
            raise being_collected(len(marked))

    def _finish(
        self,
        project: str,
        there: Mapping[str, ObjectStat],
        each: pb.FinishedBlob,
        etags: list[str],
    ) -> ObjectStat | str:
        """Return what a blob has become, or what is wrong with it; `there` has those sent in one piece."""
        try:
            upload = _upload(project, each.blob, each.upload_id, each.part_bytes)
            if upload.parts != len(etags):
                return f"{upload.parts} parts make the blob, not {len(etags)}"
            if not upload.upload_id:
                return check_arrived(upload, etag.plain(etags[0]), there.get(upload.key))
            return self._objects.finish(upload, etags)
        except (StoreRejected, InvalidQuery) as error:
            return str(error)

    def _part_urls(self, upload: Upload, numbers: Iterable[int]) -> list[str]:
        sign: Callable[[int], str] = lambda number: self._objects.part_url(  # noqa: E731
            upload, number, expires_s=self._expires_s
        )
        return [sign(number) for number in numbers]

    def _expires_unix_us(self) -> int:
        return self._clock.unix_us() + self._expires_s * 1_000_000


def being_collected(count: int) -> StoreUnavailable:
    """Return the error for blobs that a garbage collection is just removing."""
    return StoreUnavailable(
        f"{count} of these blobs are being removed as garbage", hint="ask again in a few seconds"
    )


def _upload(project: str, blob: pb.Blob, upload_id: str, part_bytes: int) -> Upload:
    if not upload_id:
        part_bytes = max(1, blob.size_bytes)
    if part_bytes < 1 or -(-blob.size_bytes // part_bytes) > MAX_PARTS:
        raise InvalidQuery(f"parts of {part_bytes} bytes", hint="send what PrepareBlobs answered")
    return Upload(blob_key(project, blob.sha256), upload_id, blob.size_bytes, part_bytes)
