"""Where an export lies: a folder, or a bucket (`s3://…`). A name means a whole file, or none."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from weir._api_tables import import_late
from weir.errors import UsageError


class Place(Protocol):
    """Takes and gives files by name, with `/`."""

    def new_file(self) -> Path:
        """Return a name on a local disk to write to; `put` then takes it away."""

    def put(self, written: Path, name: str) -> None:
        """Give what was written its name, whole or not at all."""

    def read(self, name: str) -> bytes | None:
        """Return what is there; None when nothing is."""

    @contextmanager
    def local(self, name: str) -> Iterator[Path]:
        """Lend a file as one on a local disk. Raises `FileNotFoundError`."""

    def remove(self, folder: str) -> None:
        """Remove a folder and all below it."""


def place_of(target: str) -> Place:
    """Return the place that people call so. Raises `UsageError`."""
    if "://" in target:
        return _Bucket(target)
    return _Folder(Path(target).expanduser())


def put_text(place: Place, name: str, text: str) -> None:
    """Write a small file."""
    written = place.new_file()
    written.write_text(text)
    place.put(written, name)


class _Folder:
    """On a disk of this machine."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._numbers = iter(range(1 << 62))

    def new_file(self) -> Path:
        self.root.mkdir(parents=True, exist_ok=True)
        return self.root / f".writing-{os.getpid()}-{next(self._numbers)}"

    def put(self, written: Path, name: str) -> None:
        target = self.root / name
        target.parent.mkdir(parents=True, exist_ok=True)
        with written.open("rb") as file:
            os.fsync(file.fileno())
        written.replace(target)

    def read(self, name: str) -> bytes | None:
        try:
            return (self.root / name).read_bytes()
        except FileNotFoundError:
            return None

    @contextmanager
    def local(self, name: str) -> Iterator[Path]:
        path = self.root / name
        if not path.is_file():
            raise FileNotFoundError(name)
        yield path

    def remove(self, folder: str) -> None:
        shutil.rmtree(self.root / folder, ignore_errors=True)
        for left in self.root.glob(".writing-*"):
            left.unlink(missing_ok=True)


class _Bucket:
    """Anything pyarrow knows by a URL: `s3://bucket/prefix`, `gs://…`, `file:///…`."""

    def __init__(self, target: str) -> None:
        fs = import_late("pyarrow.fs")
        try:
            self._files, self._root = fs.FileSystem.from_uri(target)
        except (ValueError, OSError, NotImplementedError) as error:
            raise UsageError(f"{target!r} is no place for an export: {error}") from error
        self._fs = fs
        self._scratch = tempfile.TemporaryDirectory(prefix="weir-export-")
        self._numbers = iter(range(1 << 62))

    def new_file(self) -> Path:
        return Path(self._scratch.name) / str(next(self._numbers))

    def put(self, written: Path, name: str) -> None:
        path = self._path(name)
        self._files.create_dir(path.rpartition("/")[0], recursive=True)
        # A bucket shows an object when all of it is there.
        with written.open("rb") as source, self._files.open_output_stream(path) as sink:
            shutil.copyfileobj(source, sink, 1 << 20)
        written.unlink()

    def read(self, name: str) -> bytes | None:
        try:
            with self._files.open_input_stream(self._path(name)) as source:
                content: bytes = source.read()
        except FileNotFoundError:
            return None
        return content

    @contextmanager
    def local(self, name: str) -> Iterator[Path]:
        copy = self.new_file()
        try:
            with (
                self._files.open_input_stream(self._path(name)) as source,
                copy.open("wb") as sink,
            ):
                shutil.copyfileobj(source, sink, 1 << 20)
            yield copy
        finally:
            copy.unlink(missing_ok=True)

    def remove(self, folder: str) -> None:
        with_it: Any = self._files.get_file_info(self._path(folder))
        if with_it.type != self._fs.FileType.NotFound:
            self._files.delete_dir(self._path(folder))

    def _path(self, name: str) -> str:
        return f"{self._root.rstrip('/')}/{name}"
