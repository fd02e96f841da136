"""How a version comes to be: the manifest first, then its number, its row, and last its names.

    files stored ─▶ every blob there? ─▶ number (Redis) ─▶ row ─▶ alone? ─▶ lineage, tags, aliases

Whatever is cut off is simply repeated: the same files are the same digest, and
the same digest is the same version.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from weir_proto.v1 import artifacts_pb2 as pb
from weir_server.clock import Clock
from weir_server.errors import NotReady
from weir_server.gateway import artifact_checks as checks
from weir_server.gateway.artifact_blobs import being_collected
from weir_server.gateway.artifact_threads import Threads
from weir_server.objects.garbage import MARK_KEPT_US
from weir_server.stream.numbers import VersionNumbers
from weir_store.artifacts.base import ArtifactReader
from weir_store.artifacts.editor import BATCH_ROWS, ArtifactEditor
from weir_store.artifacts.manifest import ManifestDigest
from weir_store.artifacts.records import (
    AliasKind,
    ArtifactVersion,
    Edge,
    ManifestFile,
    State,
    VersionQuery,
)
from weir_store.errors import InvalidQuery, StoreUnavailable

_TRIES: Final = 5
_SHOWN: Final = 20  # missing blobs that are named
_EVERY_STATE: Final = tuple(State)


@dataclass(frozen=True, slots=True)
class _Manifest:
    digest: str
    size_bytes: int
    files: int


class Commits:
    """Makes versions."""

    def __init__(
        self,
        reader: ArtifactReader,
        editor: ArtifactEditor,
        numbers: VersionNumbers,
        threads: Threads,
        clock: Clock,
        *,
        grace_s: float,
    ) -> None:
        self._reader = reader
        self._editor = editor
        self._numbers = numbers
        self._threads = threads
        self._clock = clock
        self._young_us = int(grace_s * 1e6) // 2

    async def commit(
        self, request: pb.CommitArtifactRequest, by: str
    ) -> tuple[ArtifactVersion | None, bool]:
        """Make a version; None for a piece of a manifest.

        Returns:
            The version, and whether this content was one already.

        Raises:
            InvalidQuery: Something in the request is not good.
            NotReady: Blobs are missing; the first of them are named.
            StoreUnavailable: Repeat it.
        """
        check_commit(request)
        files = [checks.file_of(message) for message in request.files]
        if request.more_files_follow:
            await self._threads.call(self._keep_piece, request, files)
            return None, False
        manifest = await self._threads.call(self._store_manifest, request, files)
        version = await self._threads.call(self._find, request, manifest)
        existed = version is not None
        if version is None:
            await self._threads.call(self._check_blobs, request.project, manifest.digest)
            version, existed = await self._make(request, manifest, by)
        await self._threads.call(self._name, request, version)
        return await self._threads.call(self._read, version), existed

    # ── the manifest ──────────────────────────────────────────────────────

    def _keep_piece(self, request: pb.CommitArtifactRequest, files: Sequence[ManifestFile]) -> None:
        for file in files:
            checks.check_path(file.path)
        staged = _staged(request.upload_id)
        self._editor.add_files(request.project, staged, files, self._clock.unix_us())

    def _store_manifest(
        self, request: pb.CommitArtifactRequest, files: Sequence[ManifestFile]
    ) -> _Manifest:
        """Store the files under their digest; the version is not there yet."""
        read: Callable[[], Iterable[Sequence[ManifestFile]]]
        if request.upload_id:
            self._keep_piece(request, files)
            staged = _staged(request.upload_id)
            read = lambda: self._reader.stream_files(request.project, staged)  # noqa: E731
        else:
            whole = sorted(files, key=lambda file: file.path)
            read = lambda: [whole]  # noqa: E731
        manifest = _weigh(read())
        if manifest.digest != request.digest:
            raise InvalidQuery(
                f"the files make the digest {manifest.digest}, the request says {request.digest!r}",
                hint="see docs/formats/artifacts.md",
            )
        now = self._clock.unix_us()
        for piece in _batches(read()):
            self._editor.add_files(request.project, manifest.digest, piece, now)
        return manifest

    def _check_blobs(self, project: str, digest: str) -> None:
        """See to it that every blob is there and stays; the order is that of `artifact_blobs`."""
        now = self._clock.unix_us()
        needs = self._reader.stream_needs(project, digest)
        old = [
            need.sha256
            for piece in needs
            for need in piece
            if need.touched_unix_us <= now - self._young_us
        ]
        self._editor.touch_blobs(project, old, now)
        marked = self._reader.count_marked(project, digest, since_unix_us=now - MARK_KEPT_US)
        if marked:
            raise being_collected(marked)
        missing = [
            need.sha256
            for piece in self._reader.stream_needs(project, digest)
            for need in piece
            if need.stored_bytes != need.size_bytes
        ]
        if missing:
            shown = ", ".join(missing[:_SHOWN]) + (", …" if len(missing) > _SHOWN else "")
            raise NotReady(
                f"{len(missing)} blobs are not stored, or are of another size: {shown}",
                hint="send them (PrepareBlobs), then commit again",
            )

    # ── the version ───────────────────────────────────────────────────────

    def _find(
        self, request: pb.CommitArtifactRequest, manifest: _Manifest
    ) -> ArtifactVersion | None:
        """Return the version that this content is already."""
        now = self._clock.unix_us()
        of = VersionQuery(request.project, now, name=request.name)
        newest = self._reader.list_versions(VersionQuery(of.project, now, name=of.name, limit=1))
        for version in newest.versions:
            if version.type != request.type:
                raise InvalidQuery(
                    f"artifact {request.name!r} is of type {version.type!r}, not {request.type!r}",
                    hint="use its type, or another name",
                )
        same = VersionQuery(of.project, now, name=of.name, digest=manifest.digest, limit=1)
        found = self._reader.list_versions(same).versions
        return found[0] if found else None

    async def _make(
        self, request: pb.CommitArtifactRequest, manifest: _Manifest, by: str
    ) -> tuple[ArtifactVersion, bool]:
        for _ in range(_TRIES):
            same, claim, floor = await self._threads.call(self._claim, request, manifest.digest)
            if same is not None:
                return same, True
            number = await self._numbers.allocate(
                request.project, f"artifact/{request.name}", claim, floor
            )
            version = self._version(request, manifest, number, by)
            if await self._threads.call(self._put_alone, version):
                return version, False
        raise StoreUnavailable(
            f"no number for artifact {request.name!r} was free {_TRIES} times", hint="repeat it"
        )

    def _claim(
        self, request: pb.CommitArtifactRequest, digest: str
    ) -> tuple[ArtifactVersion | None, str, int]:
        """Return the version somebody else has just made of it; what asks for a number; the highest known.

        Content that was deleted is another claim when it comes again: its old number stays dead.
        """
        now = self._clock.unix_us()
        of = VersionQuery(request.project, now, name=request.name, digest=digest)
        dead = self._reader.list_versions(replace(of, states=_EVERY_STATE)).total
        # Asked second: one that came to be in between is found alive here.
        live = self._reader.list_versions(of).versions
        if live:
            return live[0], "", 0
        highest = self._reader.highest_version(request.project, request.name)
        return None, f"{digest}+{dead}", highest

    def _put_alone(self, version: ArtifactVersion) -> bool:
        """Store the row; False when the number was given to another content, which keeps it.

        Only after Redis forgot a number that was on its way into the store. Both write before
        they look, so of two that get one number at most one believes to have it.
        """
        now = self._clock.unix_us()
        self._editor.put_version(version, now)
        rivals = self._reader.list_versions(
            VersionQuery(
                version.project,
                now,
                name=version.name,
                version=version.version,
                states=_EVERY_STATE,
            )
        )
        if all(rival.digest == version.digest for rival in rivals.versions):
            return True
        self._editor.end_versions([version], State.VOID, now)
        return False

    def _version(
        self, request: pb.CommitArtifactRequest, manifest: _Manifest, number: int, by: str
    ) -> ArtifactVersion:
        now = self._clock.unix_us()
        return ArtifactVersion(
            project=request.project,
            name=request.name,
            version=number,
            digest=manifest.digest,
            type=request.type,
            run_id=request.run_id,
            description=request.description,
            metadata_json=checks.check_metadata(request.metadata_json),
            size_bytes=manifest.size_bytes,
            files=manifest.files,
            created_unix_us=now,
            created_by=by,
            expires_unix_us=now + request.ttl_s * 1_000_000 if request.ttl_s else 0,
        )

    def _name(self, request: pb.CommitArtifactRequest, version: ArtifactVersion) -> None:
        now = self._clock.unix_us()
        if request.run_id:
            of = (request.project, request.run_id, request.project, version.name, version.version)
            self._editor.add_edge(Edge(*of, is_output=True, at_unix_us=now))
        names = (request.project, version.name, version.version, now)
        self._editor.put_tags(*names, add=checks.check_tags(request.tags))
        aliases = checks.check_aliases(request.aliases)
        self._editor.put_names(names[0], AliasKind.ARTIFACT, *names[1:], add=aliases)

    def _read(self, version: ArtifactVersion) -> ArtifactVersion:
        now = self._clock.unix_us()
        of = VersionQuery(
            version.project, now, name=version.name, version=version.version, digest=version.digest
        )
        found = self._reader.list_versions(of).versions
        return found[0] if found else version


def check_commit(request: pb.CommitArtifactRequest) -> None:
    """Raise `InvalidQuery` for what is wrong with a request, but for its files."""
    checks.check_project(request.project)
    if request.upload_id or request.more_files_follow:
        checks.check_upload_id(request.upload_id)
    if request.more_files_follow:
        return
    checks.check_name(request.name)
    checks.check_type(request.type)
    checks.check_run_id(request.run_id)
    checks.check_text("the description", request.description)
    checks.check_metadata(request.metadata_json)
    checks.check_aliases(request.aliases)
    checks.check_tags(request.tags)
    checks.check_ttl(request.ttl_s)


def _staged(upload_id: str) -> str:
    """Return what pieces of a manifest are kept under; no digest looks like it."""
    return f"upload:{upload_id}"


def _weigh(pieces: Iterable[Sequence[ManifestFile]]) -> _Manifest:
    paths, digest, size = checks.Paths(), ManifestDigest(), 0
    for piece in pieces:
        for file in piece:
            paths.add(file)
            digest.add(file)
            size += file.size_bytes if file.sha256 else 0
    paths.close()
    return _Manifest(digest.hex(), size, len(paths))


def _batches(pieces: Iterable[Sequence[ManifestFile]]) -> Iterator[list[ManifestFile]]:
    waiting: list[ManifestFile] = []
    for piece in pieces:
        waiting += piece
        if len(waiting) >= BATCH_ROWS:
            yield waiting
            waiting = []
    if waiting:
        yield waiting
