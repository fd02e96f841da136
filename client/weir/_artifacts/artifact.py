"""Artifact: files to be kept under one name, as their user puts them together."""

import json
import math
import os
import weakref
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any, Final

from weir._artifacts.paths import (
    as_artifact_name,
    clash_fault,
    name_of_artifact_fault,
    path_fault,
    portable,
    word_fault,
)
from weir._artifacts.walking import walk
from weir.errors import UsageError

MAX_FILES: Final = 1_000_000
_MAX_METADATA_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A file of ours that is to be in an artifact.

    Attributes:
        owned: It was made by `new_file` and goes with the artifact.
    """

    path: str
    owned: bool = False


@dataclass(frozen=True, slots=True)
class Reference:
    """Bytes that stay where they are.

    Attributes:
        size_bytes: 0 = not known.
        etag: What tells one content from another; "" = not known.
    """

    uri: str
    size_bytes: int = 0
    etag: str = ""


class Artifact:
    """Files to be kept under one name. Nothing is read before `run.log_artifact(artifact)`.

        artifact = weir.Artifact("resnet", type="model", metadata={"depth": 50})
        artifact.add_file("model.pt")
        run.log_artifact(artifact, aliases=["best"])

    Attributes:
        name: Letters, digits and `_ . - /`, at most 128.
        type: What kind of thing it is: model, dataset, code, checkpoint, …
        description: For people.
        metadata: Anything that JSON can say, at most 1 MiB of it.
        register_as: Model of the registry whose newest version it is to be; "" = of none.
    """

    def __init__(
        self,
        name: str,
        type: str,
        description: str = "",
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        if fault := name_of_artifact_fault(name):
            raise UsageError(f"{name!r}: {fault}", hint=f"e.g. {as_artifact_name(name)!r}")
        if fault := word_fault(type):
            raise UsageError(f"type {type!r} of {name}: {fault}", hint="e.g. model or dataset")
        self.name = name
        self.type = type
        self.description = description
        self.metadata = dict(metadata or {})
        self._files: dict[str, LocalFile] = {}
        self._references: dict[str, Reference] = {}
        self.register_as = ""
        self._folder = ""  # of files made by new_file

    @property
    def files(self) -> Mapping[str, LocalFile]:
        """The files so far, by their names in the artifact."""
        return self._files

    @property
    def references(self) -> Mapping[str, Reference]:
        """The references so far, likewise."""
        return self._references

    def add_file(self, path: str | os.PathLike[str], name: str | None = None) -> None:
        """Add one file.

        Args:
            path: Where it is.
            name: Its name in the artifact; None = the last part of its path.

        Raises:
            UsageError: It is not there, or its name cannot be taken.
        """
        path = os.path.abspath(path)
        if not os.path.isfile(path):
            hint = "use add_dir" if os.path.isdir(path) else ""
            raise UsageError(f"there is no file {path}", hint=hint)
        self._add(portable(name or os.path.basename(path)), LocalFile(path))

    def add_dir(self, path: str | os.PathLike[str], name: str | None = None) -> None:
        """Add all files below a folder; links are followed.

        Args:
            path: The folder.
            name: Folder in the artifact to put them in; None = its root.

        Raises:
            UsageError: It is no folder; a link leads in a circle; a name cannot be taken.
        """
        path = os.path.abspath(path)
        if not os.path.isdir(path):
            raise UsageError(f"there is no folder {path}")
        for file_name, file_path in walk(path, portable(name or "").rstrip("/")):
            self._add(file_name, LocalFile(file_path), checked=True)

    def add_reference(
        self,
        uri: str,
        name: str | None = None,
        *,
        size: int = 0,
        etag: str = "",
        checksum: str = "",
    ) -> None:
        """Name bytes that lie elsewhere, e.g. `s3://bucket/key`; they are neither read nor copied.

        Args:
            uri: Where they are.
            name: Their name in the artifact; None = the last part of the address.
            size: How many there are; 0 = not known.
            etag: What their store says of their content.
            checksum: Any other digest of it, where there is no etag.
        """
        if "://" not in uri:
            raise UsageError(f"{uri!r} is no address", hint="e.g. s3://bucket/key; or use add_file")
        name = name or uri.rstrip("/").rpartition("/")[2]
        self._check_name(name)
        self._references[name] = Reference(uri, size, etag or checksum)

    @contextmanager
    def new_file(
        self, name: str, mode: str = "w", encoding: str | None = None
    ) -> Iterator[IO[Any]]:
        """Write a file of the artifact, which is added when the block ends well.

        Args:
            name: Its name in the artifact.
            mode: `w` or `wb`.
            encoding: Of texts; None = UTF-8.
        """
        self._check_name(name)
        if not self._folder:
            import shutil
            import tempfile

            self._folder = tempfile.mkdtemp(prefix="weir-artifact-")
            weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        path = os.path.join(self._folder, f"{len(os.listdir(self._folder)):06d}")
        with open(path, mode, encoding=None if "b" in mode else encoding or "utf-8") as file:
            yield file
        self._add(name, LocalFile(path, owned=True))

    def check(self) -> None:
        """Raise UsageError when the files cannot lie side by side, or the metadata is too large."""
        if fault := clash_fault([*self._files, *self._references]):
            raise UsageError(f"artifact {self.name}: {fault}")
        if len(self.metadata_json()) > _MAX_METADATA_BYTES:
            raise UsageError(f"the metadata of {self.name} is over {_MAX_METADATA_BYTES} bytes")

    def metadata_json(self) -> str:
        """Return the metadata as JSON; what JSON cannot say, as text."""
        return json.dumps(_plain(self.metadata), ensure_ascii=False, allow_nan=False)

    def _add(self, name: str, file: LocalFile, *, checked: bool = False) -> None:
        if not checked:
            self._check_name(name)
        if len(self._files) >= MAX_FILES:
            raise UsageError(f"artifact {self.name} has over {MAX_FILES} files")
        self._files[name] = file

    def _check_name(self, name: str) -> None:
        if fault := path_fault(name):
            raise UsageError(f"{name!r} cannot be a name in {self.name}: {fault}")

    def __repr__(self) -> str:
        return f"<weir.Artifact {self.name} ({self.type}), {len(self._files)} files>"


def _plain(value: Any) -> Any:
    """Return a value as JSON can say it: NaN and infinities, and strange things, as text."""
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(each) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if hasattr(value, "item") and getattr(value, "size", 1) == 1:  # NumPy, PyTorch
        return _plain(value.item())
    return str(value)
