"""The door to bytes at rest: `ObjectStore`, and the words it speaks.

Three implementations judged by one suite (tests/contract/test_objects.py): S3
through `minio`, a local directory, and memory. Bytes do not pass through
whoever holds the door: it hands out URLs that are good for a while, and an
uploader PUTs to them and a downloader GETs from them.

    begin ─▶ part_url 1…n ─▶ PUT each, note its ETag ─▶ finish ─▶ stat
       └──────────────────── abort
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import BinaryIO, Protocol

from weir_store.errors import StoreRejected

MAX_PARTS = 10_000  # of one upload; S3's limit
_MIB = 1 << 20
MIN_PART_BYTES = 5 << 20  # of every part but the last; S3's limit


@dataclass(frozen=True, slots=True)
class ObjectStat:
    """An object that is there.

    Attributes:
        key: Its name in the store.
        size_bytes: How long it is.
        etag: MD5 of its bytes in hex; of an upload in parts, see `etag.of_parts`.
        modified_unix_us: When it was stored.
    """

    key: str
    size_bytes: int
    etag: str
    modified_unix_us: int


@dataclass(frozen=True, slots=True)
class Upload:
    """An upload that was begun; keep it to go on after an interruption.

    Attributes:
        key: Where the bytes will be.
        upload_id: Names the upload; empty when the object is sent in one piece.
        size_bytes: Of the whole object.
        part_bytes: Of every part but the last.
    """

    key: str
    upload_id: str
    size_bytes: int
    part_bytes: int

    @property
    def parts(self) -> int:
        """How many parts there are, at least one."""
        return max(1, -(-self.size_bytes // self.part_bytes))


def check_arrived(upload: Upload, wanted: str, there: ObjectStat | None) -> ObjectStat:
    """Return the object that an upload has become; `wanted` is the ETag that it has to have.

    Raises:
        StoreRejected: It is not there, or is another.
    """
    if there is None or there.etag != wanted or there.size_bytes != upload.size_bytes:
        raise StoreRejected(f"object {upload.key} did not arrive as it was sent")
    return there


def part_bytes_for(size_bytes: int, usual: int) -> int:
    """Return how large the parts of an upload are: as usual, or larger when there would be too many."""
    least = -(-size_bytes // MAX_PARTS)
    return max(usual, -(-least // _MIB) * _MIB)


class ObjectStore(Protocol):
    """Where bytes lie. Safe from any thread; every call may block on the network.

    Keys are relative paths of printable ASCII without `..` (`keys.py` makes
    them). Every method raises `StoreUnavailable` when there is no definite
    answer, `WrongCredentials` when the store does not let us in, and
    `StoreRejected` when it never will take this.
    """

    def begin(self, key: str, size_bytes: int) -> Upload:
        """Begin an upload. Objects up to one part long are sent in one piece."""
        ...

    def part_url(self, upload: Upload, number: int, *, expires_s: int) -> str:
        """Return where to PUT part `number` (from 1); its answer carries the part's ETag."""
        ...

    def list_parts(self, upload: Upload) -> dict[int, str]:
        """Return the ETags of the parts that have arrived, by number; to go on after an interruption."""
        ...

    def finish(self, upload: Upload, etags: Sequence[str]) -> ObjectStat:
        """Make the object out of its parts; it is there as a whole or not at all.

        Repeating it after success is harmless.

        Args:
            upload: What was begun.
            etags: Of every part, in order.

        Raises:
            StoreRejected: A part is missing or differs, or the size is another.
        """
        ...

    def abort(self, upload: Upload) -> None:
        """Forget an upload and its parts; unknown ones are no error."""
        ...

    def stat(self, key: str) -> ObjectStat | None:
        """Return what is known of an object, `None` when it is not there."""
        ...

    def stat_many(self, keys: Sequence[str], threads: Executor) -> dict[str, ObjectStat]:
        """Return what is known of objects by key; those not there are absent. Asks in `threads`."""
        ...

    def url(self, key: str, *, expires_s: int, filename: str = "") -> str:
        """Return where to GET an object, whole or by ranges; `filename` is what a browser calls it."""
        ...

    def read(self, key: str, *, first: int = 0, length: int | None = None) -> Iterator[bytes]:
        """Yield an object's bytes from `first` on, in bounded chunks.

        Raises:
            UnknownObject: It is not there.
        """
        ...

    def write(self, key: str, content: BinaryIO, size_bytes: int) -> ObjectStat:
        """Store an object from here: for small things that the server itself makes."""
        ...

    def list_objects(self, prefix: str = "") -> Iterator[ObjectStat]:
        """Yield objects by key, in bounded memory."""
        ...

    def delete(self, keys: Sequence[str]) -> None:
        """Remove objects; those not there are no error."""
        ...

    def drop_scraps(self, before_unix_s: float) -> int:
        """Remove what writes that were cut off before then have left; return how many bytes that frees."""
        ...
