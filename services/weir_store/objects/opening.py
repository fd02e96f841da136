"""Plain values → where bytes lie, for every process that needs them: the gateway, the dashboard."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from weir_store.errors import StoreUnavailable
from weir_store.objects.base import ObjectStore
from weir_store.objects.local import LocalObjects
from weir_store.objects.s3 import S3Objects
from weir_store.objects.signing import Signer

_SECRET_FILE: Final = "door.secret"


@dataclass(frozen=True, slots=True)
class Place:
    """Where bytes lie: a directory of this machine, or a bucket of any S3.

    Attributes:
        kind: `local` or `s3`.
        dir: The directory.
        url: The door to the directory, as clients reach it; empty = nobody said.
        endpoint: The S3 as this process reaches it, `https://host[:port]`.
        public_endpoint: As clients reach it; empty = the same.
        access_key: Whose the bucket is.
        secret_key: Its password.
        bucket: Holds everything.
        region: The bucket's.
        part_bytes: Of an upload in parts.
    """

    kind: str = "local"
    dir: Path = Path("weir-data/objects")
    url: str = ""
    endpoint: str = ""
    public_endpoint: str = ""
    access_key: str = ""
    secret_key: str = ""
    bucket: str = "weir"
    region: str = "us-east-1"
    part_bytes: int = 64 << 20


def open_for_reading(place: Place) -> ObjectStore:
    """Return the store for those who read and hand out addresses; nothing is sent or made yet."""
    if place.kind == "s3":
        return connect_s3(place)
    return _ReadLocal(place.dir, place.url.rstrip("/"), unix_s=time.time)


def connect_s3(place: Place) -> S3Objects:
    """Return the bucket; nothing is sent yet."""
    return S3Objects(
        place.endpoint,
        place.bucket,
        access_key=place.access_key,
        secret_key=place.secret_key,
        region=place.region,
        public_endpoint=place.public_endpoint,
        part_bytes=place.part_bytes,
    )


def read_or_make_secret(folder: Path) -> bytes:
    """Return what signs the addresses of a directory: made once, readable by this user alone.

    Raises:
        OSError: The directory cannot be written.
    """
    path = folder / _SECRET_FILE
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not path.exists():
        _make_secret(path)
    return read_secret(folder)


def read_secret(folder: Path) -> bytes:
    """Return the same, where it was made before. Raises `OSError`."""
    return (folder / _SECRET_FILE).read_bytes().strip()


class _ReadLocal(LocalObjects):
    """The directory as another process than the gateway sees it: the gateway may make it later."""

    def __init__(self, root: Path, url: str, *, unix_s: Callable[[], float]) -> None:
        super().__init__(root, Signer(url, b""), unix_s=unix_s)
        self._root = root

    def url(self, key: str, *, expires_s: int, filename: str = "") -> str:
        """See `base.ObjectStore.url`."""
        if not self.signer.base_url:
            raise StoreUnavailable(
                "nobody said where the door to the objects is", hint="set objects.url"
            )
        try:
            self.signer = replace(self.signer, secret=read_secret(self._root))
        except OSError as error:
            raise StoreUnavailable(
                f"the door to {self._root} has no secret yet: {error.strerror or error}",
                hint="the gateway makes it when it starts",
            ) from error
        return super().url(key, expires_s=expires_s, filename=filename)


def _make_secret(path: Path) -> None:
    """Write it beside and link it into place: of two that start at once, one wins for both."""
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}.tmp")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_urlsafe(32).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
    except FileExistsError:
        return
    finally:
        draft.unlink(missing_ok=True)
