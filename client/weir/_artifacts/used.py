"""UsedArtifact: a version of an artifact, to be read."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from weir._artifacts.paths import name_of_artifact_fault
from weir._artifacts.records import Found, Wanted
from weir._artifacts.verifying import Verification, verify
from weir.errors import UsageError

if TYPE_CHECKING:
    from weir._artifacts.asking import Asker
    from weir._artifacts.manifest import ManifestFile


class UsedArtifact:
    """A version, as the server knows it. Its manifest is asked for when it is first needed."""

    def __init__(self, found: Found, asker: "Asker") -> None:
        self._found = found
        self._asker = asker
        self._files: list[ManifestFile] | None = None

    @property
    def project(self) -> str:
        """Where it lives."""
        return self._found.project

    @property
    def name(self) -> str:
        """Its name, without version."""
        return self._found.name

    @property
    def version(self) -> int:
        """Its number, from 0."""
        return self._found.version

    @property
    def path(self) -> str:
        """Names exactly this version: `project/name:v3`."""
        return f"{self.project}/{self.name}:v{self.version}"

    @property
    def type(self) -> str:
        """What kind of thing it is."""
        return self._found.type

    @property
    def digest(self) -> str:
        """Of its manifest: versions of the same content have the same."""
        return self._found.digest

    @property
    def aliases(self) -> tuple[str, ...]:
        """Names that meant it when it was asked for."""
        return self._found.aliases

    @property
    def tags(self) -> tuple[str, ...]:
        """Words to find it by."""
        return self._found.tags

    @property
    def description(self) -> str:
        """What its maker said of it."""
        return self._found.description

    @property
    def metadata(self) -> Mapping[str, Any]:
        """What its maker noted."""
        found = json.loads(self._found.metadata_json)
        return found if isinstance(found, dict) else {}

    @property
    def run_id(self) -> str:
        """The run that made it; "" = none did."""
        return self._found.run_id

    @property
    def size_bytes(self) -> int:
        """Of all files, references not counted."""
        return self._found.size_bytes

    @property
    def created(self) -> datetime:
        """When it was made."""
        return datetime.fromtimestamp(self._found.created_unix_us / 1e6, UTC)

    @property
    def files(self) -> "Sequence[ManifestFile]":
        """Its files and references, by path."""
        if self._files is None:
            self._files = self._asker.files(self._exactly)
        return self._files

    def download(self, root: str | Path | None = None) -> str:
        """Put all files below a folder, and return it.

        Parallel and resumable: what is there and whole is not fetched again. Every file is
        checked against its SHA-256 before it gets its name. Nothing is written through links. Where
        the file system can neither share blocks nor the cache is off, files are links into the
        cache and read-only. References are not fetched.

        Args:
            root: The folder; None = `./artifacts/<name>-v<version>`.

        Raises:
            TransportError: The server or the store is away; call again to go on.
            NotAsStored: What came is not what was stored, or a name would lead out of the folder.
            OSError: The disk does not take it.
        """
        folder = Path(root) if root is not None else self._default_root()
        self._asker.fetch(self.project, self.files, folder.absolute())
        return str(folder)

    def get_path(self, name: str, root: str | Path | None = None) -> str:
        """Fetch one file, and return where it is.

        Raises:
            UsageError: There is no such file, or it is a reference.
        """
        file = next((each for each in self.files if each.path == name), None)
        if file is None:
            raise UsageError(f"{self.path} has no file {name!r}")
        if file.is_reference:
            raise UsageError(f"{name!r} is a reference", hint=f"fetch it yourself: {file.uri}")
        folder = Path(root) if root is not None else self._default_root()
        self._asker.fetch(self.project, [file], folder.absolute())
        return str(folder / name)

    def verify(self, root: str | Path | None = None) -> Verification:
        """Read every file below a folder, and say what is not as it was stored."""
        folder = Path(root) if root is not None else self._default_root()
        return verify(self.files, folder)

    @property
    def _exactly(self) -> Wanted:
        return Wanted(self.project, self.name, f"v{self.version}")

    def _default_root(self) -> Path:
        return Path("artifacts") / f"{self.name}-v{self.version}"

    def __repr__(self) -> str:
        return f"<weir.UsedArtifact {self.path} ({self.type})>"


def use(reference: str, asker: "Asker", *, project: str, run_id: str) -> UsedArtifact:
    """Ask for a version; `run_id` = "" notes nobody who reads it."""
    wanted = wanted_of(reference, project)
    return UsedArtifact(asker.find(wanted, run_id, project), asker)


def wanted_of(reference: str, project: str) -> Wanted:
    """Read `name`, `name:alias`, `name:v3`, each perhaps behind `project/`.

    What comes before the first `/` is the project, so write it before a name that holds a `/`.

    Raises:
        UsageError: It names no version.
    """
    path, _, version = reference.partition(":")
    first, slash, rest = path.partition("/")
    if slash:
        project, path = first, rest
    if not path or not project or name_of_artifact_fault(path):
        hint = "write name:alias, name:v3 or project/name:v3"
        raise UsageError(f"{reference!r} names no artifact", hint=hint)
    return Wanted(project, path, version)
