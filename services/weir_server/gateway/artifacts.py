"""Named, versioned sets of files, their bytes, and the models among them: artifacts.proto."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any, Final

import grpc.aio

from weir_proto.v1 import artifacts_pb2 as pb
from weir_server.clock import Clock
from weir_server.gateway.artifact_blobs import BlobDesk
from weir_server.gateway.artifact_commit import Commits
from weir_server.gateway.artifact_messages import (
    edge_message,
    file_message,
    summary_message,
    version_message,
)
from weir_server.gateway.artifact_threads import Threads
from weir_server.gateway.artifact_versions import Versions
from weir_server.gateway.auth import Auth, Principal
from weir_server.gateway.registry import Registry
from weir_server.gateway.registry_calls import RegistryCalls
from weir_server.gateway.tokens import Role
from weir_server.gateway.webhooks import Webhooks
from weir_server.objects.garbage import Collector
from weir_server.settings import ObjectsSettings
from weir_server.stream.numbers import VersionNumbers
from weir_store.artifacts.base import ArtifactReader
from weir_store.artifacts.editor import ArtifactEditor
from weir_store.errors import InvalidQuery
from weir_store.objects.base import ObjectStore

_FILES_AT_ONCE: Final = 5_000  # of one answer: clients take messages of 4 MiB
_SETTLE_S: Final = 60.0  # replicas of a cluster are behind by less


def _nothing_is_held(_project: str) -> None:
    """Where nobody keeps a book of legal holds."""


class ArtifactsService(RegistryCalls):
    """Answers from any gateway. Store and object store block, so they are asked in threads.

    Readers read, writers make and edit versions and models; deleting, collecting
    garbage and webhooks take an admin. Raises `ServerError` and `StoreError`;
    the interceptor makes statuses of them. `start`, then `stop`, once each.
    """

    def __init__(
        self,
        reader: ArtifactReader,
        editor: ArtifactEditor,
        objects: ObjectStore,
        numbers: VersionNumbers,
        settings: ObjectsSettings,
        auth: Auth,
        clock: Clock,
        *,
        is_cluster: bool = False,
        webhooks_anywhere: bool = False,
        refuse_held: Callable[[str], None] = _nothing_is_held,
    ) -> None:
        threads = Threads()
        versions = Versions(reader, editor, clock)
        super().__init__(
            reader,
            editor,
            Registry(reader, editor, numbers, versions, threads, clock),
            Webhooks(reader, editor, Threads(8), clock, anywhere=webhooks_anywhere),
            threads,
            auth,
            clock,
        )
        self._numbers = numbers
        self._versions = versions
        self._refuse_held = refuse_held
        self._collecting = Threads(1)  # takes minutes and must not take the others' threads
        self._blobs = BlobDesk(reader, editor, objects, settings, clock)
        self._commits = Commits(reader, editor, numbers, threads, clock, grace_s=settings.grace_s)
        self._collector = Collector(
            reader,
            editor,
            objects,
            grace_s=settings.grace_s,
            settle_s=_SETTLE_S if is_cluster else 0.0,
            clock=clock,
        )

    def start(self) -> None:
        """Begin to tell webhooks."""
        self.webhooks.start()

    async def stop(self, patience_s: float) -> None:
        """Deliver what webhooks still wait for, and let go of the threads."""
        await self.webhooks.stop(patience_s)
        self._blobs.close()
        self._threads.close()
        self._collecting.close()
        await self._numbers.close()

    # ── bytes ─────────────────────────────────────────────────────────────

    async def PrepareBlobs(
        self, request: pb.PrepareBlobsRequest, context: grpc.aio.ServicerContext
    ) -> pb.PrepareBlobsResponse:
        """Return which blobs are there, and where to PUT the others."""
        self._allowed(context, Role.WRITER, request.project)
        return await self._threads.call(self._blobs.prepare, request.project, request.blobs)

    async def PartUrls(
        self, request: pb.PartUrlsRequest, context: grpc.aio.ServicerContext
    ) -> pb.PartUrlsResponse:
        """Return more addresses for parts, or what has arrived."""
        self._allowed(context, Role.WRITER, request.project)
        return await self._threads.call(self._blobs.part_urls, request)

    async def FinishBlobs(
        self, request: pb.FinishBlobsRequest, context: grpc.aio.ServicerContext
    ) -> pb.FinishBlobsResponse:
        """Make blobs of what was PUT, and compare it with what was sent."""
        self._allowed(context, Role.WRITER, request.project)
        problems = await self._threads.call(self._blobs.finish, request.project, request.blobs)
        return pb.FinishBlobsResponse(problems=problems)

    async def BlobUrls(
        self, request: pb.BlobUrlsRequest, context: grpc.aio.ServicerContext
    ) -> pb.BlobUrlsResponse:
        """Return where to GET blobs."""
        self._allowed(context, Role.READER, request.project)
        return await self._threads.call(
            self._blobs.urls, request.project, request.blobs, request.filename
        )

    async def CollectGarbage(
        self, request: pb.CollectGarbageRequest, context: grpc.aio.ServicerContext
    ) -> pb.CollectGarbageResponse:
        """Remove what nobody names any more."""
        caller = self._allowed(context, Role.ADMIN, request.project)
        if not request.dry_run:
            await self._threads.call(self._refuse_held, request.project)
        receipt = await self._collecting.call(
            self._collector.collect, request.project, by=caller.name, dry_run=request.dry_run
        )
        return pb.CollectGarbageResponse(
            versions=receipt.versions,
            blobs=receipt.blobs,
            bytes=receipt.bytes,
            kept_young=receipt.kept_young,
            kept_young_bytes=receipt.kept_young_bytes,
            receipt=receipt.receipt,
        )

    # ── versions ──────────────────────────────────────────────────────────

    async def CommitArtifact(
        self, request: pb.CommitArtifactRequest, context: grpc.aio.ServicerContext
    ) -> pb.ArtifactVersion:
        """Make a version of a manifest whose blobs are all there."""
        caller = self._allowed(context, Role.WRITER, request.project)
        version, existed = await self._commits.commit(request, caller.name)
        if version is None:
            return pb.ArtifactVersion()
        message = version_message(version, existed=existed)
        if not existed:
            about = {"artifact": version.name, "version": version.version, "type": version.type}
            self.webhooks.announce(
                request.project,
                "artifact.committed",
                {**about, "digest": version.digest, "run_id": version.run_id, "by": caller.name},
            )
        return message

    async def GetArtifact(
        self, request: pb.GetArtifactRequest, context: grpc.aio.ServicerContext
    ) -> pb.ArtifactVersion:
        """Return one version."""
        self._allowed(context, Role.READER, request.project)
        return version_message(await self._threads.call(self._versions.get, request))

    async def ListArtifacts(
        self, request: pb.ListArtifactsRequest, context: grpc.aio.ServicerContext
    ) -> pb.ListArtifactsResponse:
        """Return artifacts, newest first."""
        self._allowed(context, Role.READER, request.project)
        page = await self._threads.call(self._versions.list_artifacts, request)
        found = [summary_message(each) for each in page.artifacts]
        return pb.ListArtifactsResponse(artifacts=found, total=page.total)

    async def ListVersions(
        self, request: pb.ListVersionsRequest, context: grpc.aio.ServicerContext
    ) -> pb.ListVersionsResponse:
        """Return versions, newest first."""
        caller = self._allowed(context, Role.READER, request.project)
        page = await self._threads.call(self._versions.list_versions, request, _sight(caller))
        found = [version_message(each) for each in page.versions]
        return pb.ListVersionsResponse(versions=found, total=page.total)

    async def ListFiles(
        self, request: pb.ListFilesRequest, context: grpc.aio.ServicerContext
    ) -> AsyncIterator[pb.ListFilesResponse]:
        """Return the files of a version, by path."""
        self._allowed(context, Role.READER, request.project)
        wanted = pb.GetArtifactRequest(
            project=request.project, name=request.name, version=request.version
        )
        version = await self._threads.call(self._versions.get, wanted)
        pieces = self._reader.stream_files(version.project, version.digest, prefix=request.prefix)
        async for files in self._threads.each(pieces):
            for first in range(0, len(files), _FILES_AT_ONCE):
                part = files[first : first + _FILES_AT_ONCE]
                yield pb.ListFilesResponse(files=[file_message(file) for file in part])

    async def UpdateArtifact(
        self, request: pb.UpdateArtifactRequest, context: grpc.aio.ServicerContext
    ) -> pb.ArtifactVersion:
        """Change what is said of a version."""
        self._allowed(context, Role.WRITER, request.project)
        async with self._editing:
            return version_message(await self._threads.call(self._versions.update, request))

    async def DeleteArtifact(
        self, request: pb.DeleteArtifactRequest, context: grpc.aio.ServicerContext
    ) -> pb.DeleteArtifactResponse:
        """Hide versions for good; the next garbage collection frees their bytes."""
        caller = self._allowed(context, Role.ADMIN, request.project)
        await self._threads.call(self._refuse_held, request.project)
        count = await self._threads.call(self._versions.delete, request, caller.name)
        return pb.DeleteArtifactResponse(versions=count)

    async def UseArtifact(
        self, request: pb.UseArtifactRequest, context: grpc.aio.ServicerContext
    ) -> pb.ArtifactVersion:
        """Note that a run reads a version."""
        self._allowed(context, Role.WRITER, request.project)
        self._allowed(context, Role.READER, request.artifact.project)
        return version_message(await self._threads.call(self._versions.use, request))

    async def ReadLineage(
        self, request: pb.ReadLineageRequest, context: grpc.aio.ServicerContext
    ) -> pb.ReadLineageResponse:
        """Return what came out of what, around a run or a version."""
        caller = self._allowed(context, Role.READER, request.project)
        if request.WhichOneof("of") is None:
            raise InvalidQuery("the lineage of what?", hint="say run_id, or artifact")
        if request.WhichOneof("of") == "artifact":
            caller.require(Role.READER, request.artifact.project)
        edges, cut = await self._threads.call(self._versions.lineage, request, _sight(caller))
        return pb.ReadLineageResponse(edges=[edge_message(edge) for edge in edges], cut=cut)


def _sight(caller: Principal) -> Any:
    """Return whether the caller may see what lies in a project."""
    return lambda project: caller.may(Role.READER, project)
