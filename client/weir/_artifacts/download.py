"""Bytes to a folder: parallel, resumable, checked before a file gets its name."""

import errno
import os
import random
import shutil
import threading
import zlib
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed, wait
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Final

from weir._artifacts.addresses import Addresses
from weir._artifacts.cache import Cache
from weir._artifacts.getting import AddressRefused, Getter
from weir._artifacts.landing import Landing, landing
from weir._artifacts.manifest import ManifestFile
from weir._artifacts.paths import set_fault
from weir._artifacts.verifying import PART_SUFFIX, sha256_of
from weir.agent._backoff import Backoff
from weir.agent._transport import ArtifactsTransport
from weir.errors import NotAsStored, Unavailable

Passed = Callable[[int], None]

_THREADS: Final = 8
_RANGE_BYTES: Final = (
    8 << 20
)  # larger files come in ranges side by side; one that breaks off is lost
_TRIES: Final = 6  # in a row without a single byte
_CHUNK_BYTES: Final = 1 << 20


class Downloader:
    """Fetches files of one project.

    Args:
        transport: Asks for addresses.
        project: Whose the blobs are.
        cache: Content that is here already; None = none.
    """

    def __init__(self, transport: ArtifactsTransport, project: str, *, cache: Cache | None) -> None:
        self._transport = transport
        self._project = project
        self._cache = cache
        self._getter = Getter(_THREADS)
        self._stop = threading.Event()

    def fetch(self, files: Sequence[ManifestFile], root: Path, passed: Passed) -> None:
        """Put files below a folder; what is there and whole is left alone. References are not fetched.

        Args:
            files: Of one manifest.
            root: The folder, made when it is not there.
            passed: Told how many bytes are done, from any thread.

        Raises:
            NotAsStored: A name is hostile, or what came is not what was stored.
            TransportError: The server or the store is away. Call again: what came is kept.
            OSError: The disk does not take it.
        """
        if fault := set_fault(file.path for file in files):
            raise NotAsStored(f"the manifest is refused: {fault}")
        wanted = [file for file in files if not file.is_reference]
        root.mkdir(parents=True, exist_ok=True)
        self._check_room(wanted, root)
        addresses = Addresses(self._transport, self._project, wanted)
        with ThreadPoolExecutor(_THREADS, "weir-download") as pool:
            try:
                self._fetch(wanted, root, passed, addresses, pool)
            except BaseException:
                self._stop.set()
                pool.shutdown(wait=True, cancel_futures=True)
                raise
        self._getter.close()
        if self._cache is not None:
            self._cache.trim()

    def _fetch(
        self,
        wanted: list[ManifestFile],
        root: Path,
        passed: Passed,
        addresses: Addresses,
        pool: ThreadPoolExecutor,
    ) -> None:
        small = [file for file in wanted if file.size_bytes <= _RANGE_BYTES]
        large = [file for file in wanted if file.size_bytes > _RANGE_BYTES]
        under_way = [pool.submit(self._one, file, root, passed, addresses, None) for file in small]
        for file in large:  # their ranges share the pool, their order is ours
            self._one(file, root, passed, addresses, pool)
        for done in as_completed(under_way):
            done.result()

    def _one(
        self,
        file: ManifestFile,
        root: Path,
        passed: Passed,
        addresses: Addresses,
        pool: ThreadPoolExecutor | None,
    ) -> None:
        self._check_stop()
        with landing(root, file.path) as place:
            if self._is_there(file, place):
                passed(file.size_bytes)
                return
            part = f".{file.sha256[:16]}-{zlib.crc32(place.leaf.encode()):08x}{PART_SUFFIX}"
            if self._cache is not None and self._cache.take(file, place, part):
                passed(file.size_bytes)
            else:
                self._bring(file, place, part, passed, addresses, pool)
                if self._cache is not None:
                    self._cache.give(file, place, part)
            place.rename(part)
            place.remove(_notes_of(part))

    def _bring(
        self,
        file: ManifestFile,
        place: Landing,
        part: str,
        passed: Passed,
        addresses: Addresses,
        pool: ThreadPoolExecutor | None,
    ) -> None:
        for last_try in (False, True):
            if pool is None:
                digest = self._bring_in_one(file, place, part, passed, addresses)
            else:
                digest = self._bring_in_ranges(file, place, part, passed, addresses, pool)
            if digest == file.sha256:
                return
            place.remove(part)
            place.remove(_notes_of(part))
            passed(-file.size_bytes)
            if last_try:
                raise NotAsStored(
                    f"{file.path}: the bytes that came are not those that were stored"
                )

    def _bring_in_one(
        self, file: ManifestFile, place: Landing, part: str, passed: Passed, addresses: Addresses
    ) -> str:
        """Fetch a file from where it broke off; returns the SHA-256 of all of it."""
        digest = sha256()
        with open(place.open(part, os.O_RDWR | os.O_CREAT), "r+b") as writing:
            while chunk := writing.read(_CHUNK_BYTES):
                digest.update(chunk)
            first = writing.tell()
            if first > file.size_bytes:  # not a piece of this file
                writing.truncate(0)
                writing.seek(0)
                digest, first = sha256(), 0
            passed(first)

            def sink(_: int, chunk: bytes) -> None:
                digest.update(chunk)
                writing.write(chunk)
                passed(len(chunk))

            self._read(file, first, file.size_bytes - first, sink, addresses)
        return digest.hexdigest()

    def _bring_in_ranges(
        self,
        file: ManifestFile,
        place: Landing,
        part: str,
        passed: Passed,
        addresses: Addresses,
        pool: ThreadPoolExecutor,
    ) -> str:
        """Fetch what is missing side by side, hashing behind it in order."""
        spans = [
            (first, min(_RANGE_BYTES, file.size_bytes - first))
            for first in range(0, file.size_bytes, _RANGE_BYTES)
        ]
        notes = _Notes(place, _notes_of(part))
        descriptor = place.open(part, os.O_RDWR | os.O_CREAT)
        futures: dict[int, Future[None]] = {}
        try:
            if os.fstat(descriptor).st_size != file.size_bytes:
                notes.forget()
                os.ftruncate(descriptor, file.size_bytes)

            def bring(number: int) -> None:
                def sink(at: int, chunk: bytes) -> None:
                    _write_at(descriptor, chunk, at)
                    passed(len(chunk))

                self._read(file, *spans[number], sink, addresses)
                notes.add(number)

            for number, (_, length) in enumerate(spans):
                if number in notes.there:
                    passed(length)
                else:
                    futures[number] = pool.submit(bring, number)
            digest = sha256()
            for number, (first, length) in enumerate(spans):
                if number in futures:
                    futures[number].result()
                for at in range(first, first + length, _CHUNK_BYTES):
                    digest.update(os.pread(descriptor, min(_CHUNK_BYTES, first + length - at), at))
            return digest.hexdigest()
        finally:
            for future in futures.values():
                future.cancel()
            wait(futures.values())  # they write to what is closed now
            os.close(descriptor)

    def _read(
        self,
        file: ManifestFile,
        first: int,
        length: int,
        sink: Callable[[int, bytes], None],
        addresses: Addresses,
    ) -> None:
        """Read a range, going on where it broke off, until it is whole or nothing comes any more."""
        done, tries, refused = 0, 0, ""
        backoff = Backoff(rng=random.Random())
        while done < length:
            url = addresses.url(file, refused=refused)
            try:
                for chunk in self._getter.read(url, first + done, length - done):
                    self._check_stop()
                    sink(first + done, chunk)
                    done, tries = done + len(chunk), 0
            except Unavailable as error:
                tries += 1
                if tries >= _TRIES:
                    raise Unavailable(f"{file.path}: {error}") from error
                refused = url if isinstance(error, AddressRefused) else ""
                self._stop.wait(0.0 if refused and tries == 1 else backoff.failed())

    def _is_there(self, file: ManifestFile, place: Landing) -> bool:
        found = place.stat(place.leaf)
        if found is None or found.st_size != file.size_bytes:
            return False
        return not place.path.is_symlink() and sha256_of(place.path) == file.sha256

    def _check_room(self, wanted: list[ManifestFile], root: Path) -> None:
        """Say before the first byte that they will not fit, where the disk tells."""
        need = sum(f.size_bytes for f in wanted if not (root / f.path).exists())
        free = shutil.disk_usage(root).free
        if need > free and not _partly_there(root):
            said = f"{need} bytes do not fit into {root}: {free} are free"
            raise OSError(errno.ENOSPC, said)

    def _check_stop(self) -> None:
        if self._stop.is_set():
            raise Unavailable("another file could not be fetched")


class _Notes:
    """Which ranges of a file have come: numbers, one per line, in a file beside it."""

    def __init__(self, place: Landing, name: str) -> None:
        self.there: set[int] = set()
        self._place = place
        self._name = name
        self._lock = threading.Lock()
        with suppress(OSError), open(place.open(name, os.O_RDONLY)) as reading:
            lines = reading.read().split("\n")[:-1]  # the last one may be torn
            self.there = {int(line) for line in lines if line.isdigit()}

    def add(self, number: int) -> None:
        with self._lock:
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
            with open(self._place.open(self._name, flags), "a") as writing:
                writing.write(f"{number}\n")

    def forget(self) -> None:
        self.there.clear()
        self._place.remove(self._name)


def _notes_of(part: str) -> str:
    return f"{part}s"


def _write_at(descriptor: int, chunk: bytes, at: int) -> None:
    view = memoryview(chunk)
    while view:
        written = os.pwrite(descriptor, view, at)
        view, at = view[written:], at + written


def _partly_there(root: Path) -> bool:
    return any(root.rglob(f"*{PART_SUFFIX}"))
