"""Asking the server about artifacts, from a process that may load gRPC."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

from weir._artifacts.manifest import ManifestFile
from weir._artifacts.records import Found, Wanted
from weir.agent._transport import ArtifactsTransport
from weir_proto.v1 import artifacts_pb2 as pb


class Asker(Protocol):
    """Knows artifacts and fetches their bytes. Every method raises TransportError."""

    def find(self, wanted: Wanted, run_id: str = "", run_project: str = "") -> Found:
        """Return a version; with a run, note that it reads it."""

    def files(self, wanted: Wanted) -> list[ManifestFile]:
        """Return its manifest, by path."""

    def fetch(self, project: str, files: Sequence[ManifestFile], root: Path) -> None:
        """Put files below a folder; see `download.Downloader.fetch`."""


class DirectAsker:
    """Implements `Asker` here."""

    def __init__(
        self, transport: ArtifactsTransport, *, progress: Callable[[int], None] | None = None
    ) -> None:
        self._transport = transport
        self._progress = progress

    def find(self, wanted: Wanted, run_id: str = "", run_project: str = "") -> Found:
        """See `Asker.find`."""
        request = pb.GetArtifactRequest(
            project=wanted.project, name=wanted.name, version=wanted.version
        )
        if not run_id:
            return found_of(self._transport.ask("GetArtifact", request))
        using = pb.UseArtifactRequest(
            project=run_project or wanted.project, run_id=run_id, artifact=request
        )
        return found_of(self._transport.ask("UseArtifact", using))

    def files(self, wanted: Wanted) -> list[ManifestFile]:
        """See `Asker.files`."""
        request = pb.ListFilesRequest(
            project=wanted.project, name=wanted.name, version=wanted.version
        )
        return [
            file_of(each)
            for answer in self._transport.list("ListFiles", request)
            for each in answer.files
        ]

    def fetch(self, project: str, files: Sequence[ManifestFile], root: Path) -> None:
        """See `Asker.fetch`."""
        from weir._artifacts.cache import cache_here
        from weir._artifacts.download import Downloader

        downloader = Downloader(self._transport, project, cache=cache_here())
        downloader.fetch(files, root, self._progress or (lambda _: None))


def found_of(version: Any) -> Found:
    """Return an `ArtifactVersion` of the wire as ours."""
    return Found(
        project=version.project,
        name=version.name,
        version=version.version,
        type=version.type,
        digest=version.digest,
        run_id=version.run_id,
        description=version.description,
        metadata_json=version.metadata_json or "{}",
        aliases=tuple(version.aliases),
        tags=tuple(version.tags),
        size_bytes=version.size_bytes,
        files=version.files,
        created_unix_us=version.created_unix_us,
        created_by=version.created_by,
        expires_unix_us=version.expires_unix_us,
    )


def file_of(file: Any) -> ManifestFile:
    """Return a `ManifestFile` of the wire as ours."""
    return ManifestFile(file.path, file.sha256, file.size_bytes, file.mime, file.uri, file.etag)
