"""Objects in any S3 (MinIO, SeaweedFS, Ceph, AWS …): the one file that knows `minio`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, BinaryIO, Final
from urllib.parse import quote, urlsplit

import urllib3
from minio import Minio
from minio.datatypes import Part
from minio.deleteobjects import DeleteObject
from minio.error import InvalidResponseError, MinioException, S3Error, ServerError

from weir_store.errors import (
    StoreError,
    StoreRejected,
    StoreUnavailable,
    UnknownObject,
    WrongCredentials,
    WrongSetup,
)
from weir_store.objects import etag, lookup
from weir_store.objects.base import ObjectStat, Upload, check_arrived, part_bytes_for
from weir_store.objects.keys import is_key

_CHUNK_BYTES: Final = 1 << 20
_ABSENT: Final = frozenset({"NoSuchKey", "NoSuchObject", "NoSuchUpload"})
_CREDENTIALS: Final = frozenset(
    {"AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken"}
)
_FINAL: Final = frozenset({"InvalidPart", "InvalidPartOrder", "EntityTooSmall", "EntityTooLarge"})
_RETRIES: Final = urllib3.Retry(total=2, backoff_factor=0.2, status_forcelist=[500, 502, 503, 504])


class S3Objects:
    """Implements base.ObjectStore on one bucket, which has to exist (`ensure_bucket`).

    Args:
        endpoint: `https://host:port`, as this process reaches it.
        public_endpoint: As uploaders and downloaders do; empty = the same.
        bucket: Holds all objects.
        access_key: Whose the bucket is.
        secret_key: Its password.
        region: Told to the signer, so that no request is needed to find out.
        part_bytes: Of an upload in parts, at least 5 MiB.
    """

    def __init__(
        self,
        endpoint: str,
        bucket: str,
        *,
        access_key: str,
        secret_key: str,
        region: str = "us-east-1",
        public_endpoint: str = "",
        part_bytes: int = 64 << 20,
        timeout_s: float = 30.0,
    ) -> None:
        self._bucket = bucket
        self._part_bytes = part_bytes
        pool = urllib3.PoolManager(timeout=timeout_s, retries=_RETRIES, maxsize=16)

        def client(url: str) -> Minio:
            address = urlsplit(url)
            return Minio(
                address.netloc,
                access_key=access_key,
                secret_key=secret_key,
                secure=address.scheme == "https",
                region=region,
                http_client=pool,
            )

        self._minio = client(endpoint)
        self._signing = client(public_endpoint or endpoint)  # sends nothing

    def check(self) -> None:
        """Ask the bucket for something, so that what is wrong with it is told at once.

        Raises:
            WrongSetup: There is no such bucket, or the clocks are too far apart.
        """
        with _translated():
            # By GET: the answer to a HEAD has no body, hence no word of what is wrong.
            for _ in self._minio.list_objects(self._bucket, "weir-looks-whether-it-may/"):
                return

    def ensure_bucket(self) -> None:
        """Create the bucket when it is not there."""
        with _translated():
            if not self._minio.bucket_exists(self._bucket):
                self._minio.make_bucket(self._bucket)

    def begin(self, key: str, size_bytes: int) -> Upload:
        """See `base.ObjectStore.begin`."""
        _check(key)
        if size_bytes <= self._part_bytes:
            return Upload(key, "", size_bytes, self._part_bytes)
        with _translated():
            # The package offers multipart uploads only of bytes that it sends itself.
            upload_id = self._minio._create_multipart_upload(self._bucket, key, {})
        return Upload(key, upload_id, size_bytes, part_bytes_for(size_bytes, self._part_bytes))

    def part_url(self, upload: Upload, number: int, *, expires_s: int) -> str:
        """See `base.ObjectStore.part_url`."""
        query: dict[str, Any] = {}
        if upload.upload_id:
            query = {"uploadId": upload.upload_id, "partNumber": str(number)}
        with _translated():
            return self._signing.get_presigned_url(
                "PUT",
                self._bucket,
                upload.key,
                expires=timedelta(seconds=expires_s),
                extra_query_params=query,
            )

    def list_parts(self, upload: Upload) -> dict[int, str]:
        """See `base.ObjectStore.list_parts`."""
        if not upload.upload_id:
            return {}
        found: dict[int, str] = {}
        marker = 0
        with _translated():
            while True:
                page = self._minio._list_parts(
                    self._bucket, upload.key, upload.upload_id, part_number_marker=str(marker)
                )
                found |= {part.part_number: etag.plain(part.etag) for part in page.parts}
                if not page.is_truncated:
                    return found
                marker = max(found)

    def finish(self, upload: Upload, etags: Sequence[str]) -> ObjectStat:
        """See `base.ObjectStore.finish`."""
        wanted = etag.plain(etags[0]) if not upload.upload_id else etag.of_parts(etags)
        there = self.stat(upload.key)
        if upload.upload_id and (there is None or there.etag != wanted):
            parts = [Part(number, tag) for number, tag in enumerate(etags, 1)]
            with _translated():
                self._minio._complete_multipart_upload(
                    self._bucket, upload.key, upload.upload_id, parts
                )
            there = self.stat(upload.key)
        return check_arrived(upload, wanted, there)

    def abort(self, upload: Upload) -> None:
        """See `base.ObjectStore.abort`."""
        if not upload.upload_id:
            return
        try:
            with _translated():
                self._minio._abort_multipart_upload(self._bucket, upload.key, upload.upload_id)
        except UnknownObject:
            return

    def stat(self, key: str) -> ObjectStat | None:
        """See `base.ObjectStore.stat`."""
        _check(key)
        try:
            with _translated():
                return _stat(self._minio.stat_object(self._bucket, key))
        except UnknownObject:
            return None

    def stat_many(self, keys: Sequence[str], threads: Executor) -> dict[str, ObjectStat]:
        """See `base.ObjectStore.stat_many`."""
        wanted = sorted(set(keys))
        found: dict[str, ObjectStat] = {}
        answered = 0
        if len(wanted) >= lookup.LEAST:
            prefix, after = lookup.listing_begins(wanted)
            with _translated():
                listed = self._minio.list_objects(
                    self._bucket, prefix, recursive=True, start_after=after
                )
                found, answered = lookup.pick(wanted, map(_stat, listed))
        asked = threads.map(self.stat, wanted[answered:])
        return found | {each.key: each for each in asked if each is not None}

    def url(self, key: str, *, expires_s: int, filename: str = "") -> str:
        """See `base.ObjectStore.url`."""
        _check(key)
        headers: dict[str, Any] = {}
        if filename:
            disposition = f"attachment; filename*=UTF-8''{quote(filename, safe='')}"
            headers["response-content-disposition"] = disposition
        with _translated():
            return self._signing.get_presigned_url(
                "GET",
                self._bucket,
                key,
                expires=timedelta(seconds=expires_s),
                response_headers=headers,
            )

    def read(self, key: str, *, first: int = 0, length: int | None = None) -> Iterator[bytes]:
        """See `base.ObjectStore.read`."""
        _check(key)
        if length == 0:
            return
        with _translated():
            answer = self._minio.get_object(self._bucket, key, offset=first, length=length or 0)
            try:
                yield from answer.stream(_CHUNK_BYTES)
            finally:
                answer.close()
                answer.release_conn()

    def write(self, key: str, content: BinaryIO, size_bytes: int) -> ObjectStat:
        """See `base.ObjectStore.write`."""
        _check(key)
        with _translated():
            try:
                self._minio.put_object(self._bucket, key, content, size_bytes)
            except OSError as error:  # so the package says that the content was too short
                raise StoreRejected(f"object {key} is not {size_bytes} bytes long") from error
        found = self.stat(key)
        if found is None:
            raise StoreUnavailable(f"object {key} was removed while it was stored")
        return found

    def list_objects(self, prefix: str = "") -> Iterator[ObjectStat]:
        """See `base.ObjectStore.list_objects`."""
        with _translated():
            for found in self._minio.list_objects(self._bucket, prefix, recursive=True):
                yield _stat(found)

    def delete(self, keys: Sequence[str]) -> None:
        """See `base.ObjectStore.delete`."""
        with _translated():
            wanted = [DeleteObject(key) for key in keys]
            for refused in self._minio.remove_objects(self._bucket, wanted):
                if refused.code not in _ABSENT:
                    raise StoreUnavailable(f"{refused.name} was not deleted: {refused.message}")

    def drop_scraps(self, before_unix_s: float) -> int:
        """See `base.ObjectStore.drop_scraps`: S3 keeps nothing of a write that was cut off."""
        del before_unix_s
        return 0


def _check(key: str) -> None:
    if not is_key(key):
        raise StoreRejected(f"{key!r} is no key")


def _stat(found: Any) -> ObjectStat:
    modified = found.last_modified or datetime.now(UTC)
    return ObjectStat(
        found.object_name,
        found.size or 0,
        etag.plain(found.etag or ""),
        int(modified.timestamp() * 1e6),
    )


@contextmanager
def _translated() -> Iterator[None]:
    """The package's errors, and those of the HTTP library below it, as ours."""
    try:
        yield
    except S3Error as error:
        raise _of_s3(error) from error
    except (InvalidResponseError, ServerError, MinioException) as error:
        raise StoreUnavailable(f"the object store answers strangely: {error}") from error
    except (urllib3.exceptions.HTTPError, ConnectionError, TimeoutError) as error:
        raise StoreUnavailable(f"the object store does not answer: {error}") from error


def _of_s3(error: S3Error) -> StoreError:
    text = f"the object store refuses: {error.message} ({error.code})"
    if error.code in _ABSENT:
        return UnknownObject(text)
    if error.code in _CREDENTIALS:
        return WrongCredentials(text, hint="check objects.access_key and objects.secret_key")
    if error.code == "RequestTimeTooSkewed":
        return WrongSetup(text, hint="set the clocks of this machine and of the object store")
    if error.code == "NoSuchBucket":
        return WrongSetup(
            text, hint="create the bucket (objects.create_bucket), or correct objects.bucket"
        )
    if error.code in _FINAL:
        return StoreRejected(text)
    return StoreUnavailable(text)
