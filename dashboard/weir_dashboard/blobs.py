"""Bytes of files that pages show, kept while there is room: blobs never change, so they never go stale."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Final

from weir_dashboard.access.questions import ObjectQuestions
from weir_store.errors import StoreUnavailable
from weir_store.objects.keys import blob_key

KEPT_BYTES: Final = 128 << 20
MOST_SHOWN_BYTES: Final = 32 << 20
"""A file larger than this is offered for download, not shown."""


class TooLarge(Exception):
    """The file has more bytes than a page shows."""


class Blobs:
    """Reads blobs of the object store. Safe from any thread; two may read one blob at once."""

    def __init__(self, objects: ObjectQuestions | None, kept_bytes: int = KEPT_BYTES) -> None:
        self._objects = objects
        self._kept_bytes = kept_bytes
        self._lock = threading.Lock()  # guards both below
        self._kept: OrderedDict[str, bytes] = OrderedDict()
        self._held_bytes = 0

    def read(self, project: str, sha256: str, *, most_bytes: int = MOST_SHOWN_BYTES) -> bytes:
        """Return a blob's bytes.

        Raises:
            TooLarge: It has more than `most_bytes`.
            UnknownObject: It is not there (yet).
            StoreUnavailable: The object store does not answer, or none was given.
        """
        key = blob_key(project, sha256)
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        content = b"".join(self._store.read(key, length=most_bytes + 1))
        if len(content) > most_bytes:
            raise TooLarge(f"over {most_bytes} bytes")
        self._keep(key, content)
        return content

    def url(self, project: str, sha256: str, filename: str, *, expires_s: int = 3_600) -> str:
        """Return where a browser may fetch a blob for a while."""
        return self._store.url(blob_key(project, sha256), expires_s=expires_s, filename=filename)

    @property
    def _store(self) -> ObjectQuestions:
        if self._objects is None:
            raise StoreUnavailable("this dashboard was started without an object store")
        return self._objects

    def _keep(self, key: str, content: bytes) -> None:
        with self._lock:
            self._held_bytes += len(content) - len(self._kept.pop(key, b""))
            self._kept[key] = content
            while self._held_bytes > self._kept_bytes and self._kept:
                _, dropped = self._kept.popitem(last=False)
                self._held_bytes -= len(dropped)
