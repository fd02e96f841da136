"""Objects in a local directory, for a Weir on one machine; the twin of S3 in tests.

```
<root>/objects/<key>                 an object, whole
<root>/etags/<key>                   its ETag and its size when that was taken
<root>/uploads/<upload id>/<number>  a part that has arrived
```
The URLs lead to a door of `weir_server`, which calls `arrive` and `open_object`.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

from weir_store.errors import StoreRejected, StoreUnavailable, UnknownObject
from weir_store.objects import etag
from weir_store.objects.arrival import Arrival
from weir_store.objects.base import ObjectStat, Upload, check_arrived, part_bytes_for
from weir_store.objects.keys import is_key
from weir_store.objects.signing import Signer

_CHUNK_BYTES: Final = 1 << 20


class LocalObjects:
    """Implements base.ObjectStore. What it says is stored is on disk (fsync)."""

    def __init__(
        self, root: Path, signer: Signer, *, unix_s: Callable[[], float], part_bytes: int = 64 << 20
    ) -> None:
        """Prepare; nothing is made on disk before the first object.

        Args:
            root: The directory.
            signer: Makes the URLs; the door checks them with the same one.
            unix_s: The clock.
            part_bytes: Of an upload in parts.
        """
        self.signer = signer
        self._objects, self._etags, self._uploads = (
            root / name for name in ("objects", "etags", "uploads")
        )
        self._unix_s = unix_s
        self._part_bytes = part_bytes

    def begin(self, key: str, size_bytes: int) -> Upload:
        """See `base.ObjectStore.begin`."""
        _check(key)
        if size_bytes <= self._part_bytes:
            return Upload(key, "", size_bytes, self._part_bytes)
        upload_id = secrets.token_hex(16)
        with _translated():
            self._parts(upload_id).mkdir(parents=True)
        return Upload(key, upload_id, size_bytes, part_bytes_for(size_bytes, self._part_bytes))

    def part_url(self, upload: Upload, number: int, *, expires_s: int) -> str:
        """See `base.ObjectStore.part_url`."""
        fields = {"upload": upload.upload_id, "part": str(number)}
        return self.signer.url(
            "PUT", upload.key, expires_unix_s=int(self._unix_s()) + expires_s, **fields
        )

    def list_parts(self, upload: Upload) -> dict[int, str]:
        """See `base.ObjectStore.list_parts`."""
        if not upload.upload_id:
            return {}
        with _translated():
            parts = [path for path in self._parts(upload.upload_id).glob("*") if path.is_file()]
            return {int(path.name): _etag_of_file(path) for path in parts if path.name.isdigit()}

    def finish(self, upload: Upload, etags: Sequence[str]) -> ObjectStat:
        """See `base.ObjectStore.finish`."""
        wanted = etag.plain(etags[0]) if not upload.upload_id else etag.of_parts(etags)
        there = self.stat(upload.key)
        if upload.upload_id and (there is None or there.etag != wanted):
            self._join(upload, etags)
            there = self.stat(upload.key)
        arrived = check_arrived(upload, wanted, there)
        self.abort(upload)
        return arrived

    def abort(self, upload: Upload) -> None:
        """See `base.ObjectStore.abort`."""
        if upload.upload_id:
            shutil.rmtree(self._parts(upload.upload_id), ignore_errors=True)

    def stat(self, key: str) -> ObjectStat | None:
        """See `base.ObjectStore.stat`."""
        _check(key)
        with _translated():
            try:
                found = (self._objects / key).stat()
            except FileNotFoundError:
                return None
            return ObjectStat(key, found.st_size, self._etag(key, found.st_size), _us(found))

    def stat_many(self, keys: Sequence[str], threads: Executor) -> dict[str, ObjectStat]:
        """See `base.ObjectStore.stat_many`."""
        return {found.key: found for found in threads.map(self.stat, keys) if found is not None}

    def url(self, key: str, *, expires_s: int, filename: str = "") -> str:
        """See `base.ObjectStore.url`."""
        fields = {"filename": filename} if filename else {}
        return self.signer.url("GET", key, expires_unix_s=int(self._unix_s()) + expires_s, **fields)

    def read(self, key: str, *, first: int = 0, length: int | None = None) -> Iterator[bytes]:
        """See `base.ObjectStore.read`."""
        with _translated(), self.open_object(key) as file:
            file.seek(first)
            left = float("inf") if length is None else length
            while left > 0 and (chunk := file.read(int(min(_CHUNK_BYTES, left)))):
                left -= len(chunk)
                yield chunk

    def write(self, key: str, content: BinaryIO, size_bytes: int) -> ObjectStat:
        """See `base.ObjectStore.write`."""
        self._put(key, iter(lambda: content.read(_CHUNK_BYTES), b""), size_bytes, "")
        found = self.stat(key)
        if found is None:
            raise StoreUnavailable(f"object {key} was removed while it was stored")
        return found

    def list_objects(self, prefix: str = "") -> Iterator[ObjectStat]:
        """See `base.ObjectStore.list_objects`."""
        for path in _walk(self._objects):
            key = path.relative_to(self._objects).as_posix()
            if key.startswith(prefix) and (found := self.stat(key)) is not None:
                yield found

    def delete(self, keys: Sequence[str]) -> None:
        """See `base.ObjectStore.delete`."""
        with _translated():
            for key in keys:
                _check(key)
                (self._objects / key).unlink(missing_ok=True)
                (self._etags / key).unlink(missing_ok=True)

    def drop_scraps(self, before_unix_s: float) -> int:
        """See `base.ObjectStore.drop_scraps`."""
        freed = 0
        with _translated():
            for scrap in self._uploads.glob("*.new"):
                found = scrap.stat()
                if found.st_mtime < before_unix_s:
                    scrap.unlink(missing_ok=True)
                    freed += found.st_size
        return freed

    # ── for the door ──────────────────────────────────────────────────────

    def arrive(self, key: str, upload_id: str, number: int) -> Arrival:
        """Begin to take a part, or the whole object when there is no upload id.

        Raises:
            StoreRejected: There is no such upload.
        """
        _check(key)
        with _translated():
            if not upload_id:
                return Arrival(self._objects / key, self._uploads)
            folder = self._parts(upload_id)
            if not folder.is_dir():
                raise StoreRejected(f"there is no upload {upload_id}: finished, or given up")
            return Arrival(folder / str(number), self._uploads)

    def open_object(self, key: str) -> BinaryIO:
        """Open an object for reading; raises `UnknownObject`."""
        _check(key)
        try:
            return (self._objects / key).open("rb")
        except FileNotFoundError as error:
            raise UnknownObject(f"no object {key}") from error

    # ── below ─────────────────────────────────────────────────────────────

    def _join(self, upload: Upload, etags: Sequence[str]) -> None:
        arrived = self.list_parts(upload)
        for number, tag in enumerate(etags, 1):
            if arrived.get(number) != etag.plain(tag):
                raise StoreRejected(f"part {number} of {upload.key} is missing or differs")
        folder = self._parts(upload.upload_id)
        chunks = (
            chunk
            for number in range(1, len(etags) + 1)
            for chunk in _chunks_of(folder / str(number))
        )
        self._put(upload.key, chunks, upload.size_bytes, etag.of_parts(etags))

    def _put(self, key: str, chunks: Iterable[bytes], size_bytes: int, tag: str) -> None:
        """Store an object; `tag` is its ETag when that is not the MD5 of its bytes."""
        _check(key)
        with _translated():
            arrival = Arrival(self._objects / key, self._uploads)
            try:
                for chunk in chunks:
                    arrival.write(chunk)
                if arrival.size_bytes != size_bytes:
                    raise StoreRejected(f"{arrival.size_bytes} bytes came, not {size_bytes}")
                arrival.settle()
                if tag:  # before the object is there and after its last write: see `_etag`
                    self._note_etag(key, size_bytes, tag)
                arrival.keep()
            finally:
                arrival.drop()

    def _etag(self, key: str, size_bytes: int) -> str:
        """The ETag noted for an object of this size, else the MD5 of its bytes, noted from now on."""
        note = self._etags / key
        try:
            noted_bytes, tag = note.read_text().split()
            if int(noted_bytes) == size_bytes and note.stat().st_mtime_ns >= self._stored_ns(key):
                return tag
        except (FileNotFoundError, ValueError):
            pass
        tag = _etag_of_file(self._objects / key)
        self._note_etag(key, size_bytes, tag)
        return tag

    def _stored_ns(self, key: str) -> int:
        return (self._objects / key).stat().st_mtime_ns

    def _note_etag(self, key: str, size_bytes: int, tag: str) -> None:
        note = Arrival(self._etags / key, self._uploads)
        try:
            note.write(f"{size_bytes} {tag}".encode())
            note.keep()
        finally:
            note.drop()

    def _parts(self, upload_id: str) -> Path:
        if not upload_id.isalnum():
            raise StoreRejected(f"{upload_id!r} is no upload")
        return self._uploads / upload_id


def _check(key: str) -> None:
    if not is_key(key):
        raise StoreRejected(f"{key!r} is no key")


def _us(found: os.stat_result) -> int:
    return found.st_mtime_ns // 1_000


def _etag_of_file(path: Path) -> str:
    md5 = hashlib.md5(usedforsecurity=False)
    for chunk in _chunks_of(path):
        md5.update(chunk)
    return md5.hexdigest()


def _chunks_of(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            yield chunk


def _walk(folder: Path) -> Iterator[Path]:
    """Yield the files below a folder in the order of their whole paths."""
    try:
        entries = sorted(os.scandir(folder), key=_path_order)
    except FileNotFoundError:
        return
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(Path(entry.path))
        else:
            yield Path(entry.path)


def _path_order(entry: os.DirEntry[str]) -> str:
    return entry.name + ("/" if entry.is_dir(follow_symlinks=False) else "")


@contextmanager
def _translated() -> Iterator[None]:
    """Disk errors as ours."""
    try:
        yield
    except OSError as error:
        raise StoreUnavailable(f"the object directory: {error.strerror or error}") from error
