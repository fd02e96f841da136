"""A model of the Artifacts service over a real object store: versions in memory, bytes where they belong.

Small on purpose, and strict: it checks what a client could get wrong.
"""

import asyncio
import hashlib
import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import grpc
import grpc.aio

from tests.integration.fixtures_model_gateway import Ledger, ModelGateway, _Servicer
from weir_proto.v1 import artifacts_pb2 as pb
from weir_proto.v1.artifacts_pb2_grpc import (
    ArtifactsServicer,
    add_ArtifactsServicer_to_server,
)
from weir_proto.v1.ingest_pb2_grpc import add_IngestServicer_to_server
from weir_store.errors import StoreError, StoreUnavailable
from weir_store.objects.base import ObjectStore, Upload
from weir_store.objects.keys import blob_key


class _Refused(Exception):
    def __init__(self, code: grpc.StatusCode, why: str) -> None:
        super().__init__(why)
        self.code = code


@dataclass
class Shelf:
    """What the model knows, and the knobs that tests turn."""

    objects: ObjectStore
    token: str = ""
    expires_s: int = 3600
    versions: dict[str, list[pb.ArtifactVersion]] = field(default_factory=dict)
    manifests: dict[str, list[pb.ManifestFile]] = field(default_factory=dict)
    aliases: dict[tuple[str, str], int] = field(default_factory=dict)
    pieces: dict[str, list[pb.ManifestFile]] = field(default_factory=dict)
    used: list[tuple[str, str, int]] = field(default_factory=list)
    models: list[pb.ModelVersion] = field(default_factory=list)
    asked: dict[str, int] = field(default_factory=dict)
    blobs: set[str] = field(default_factory=set)
    before: Callable[[str], None] = lambda _method: None  # raise _Refused, or wait, in a thread
    problems: int = 0  # answer so many FinishBlobs with a problem

    def key(self, project: str, blob: pb.Blob) -> str:
        return blob_key(project, blob.sha256)

    # ── bytes ──

    def PrepareBlobs(self, request: pb.PrepareBlobsRequest) -> pb.PrepareBlobsResponse:
        assert len(request.blobs) <= 1000
        uploads = []
        for blob in request.blobs:
            key = self.key(request.project, blob)
            if self.objects.stat(key) is not None:
                self.blobs.add(blob.sha256)
                uploads.append(pb.BlobUpload(sha256=blob.sha256, exists=True))
                continue
            upload = self.objects.begin(key, blob.size_bytes)
            numbers = range(1, min(upload.parts, 4) + 1)
            uploads.append(
                pb.BlobUpload(
                    sha256=blob.sha256,
                    upload_id=upload.upload_id,
                    part_bytes=upload.part_bytes,
                    urls=[self._url(upload, n) for n in numbers],
                )
            )
        return pb.PrepareBlobsResponse(uploads=uploads, expires_unix_us=self._expires())

    def PartUrls(self, request: pb.PartUrlsRequest) -> pb.PartUrlsResponse:
        key = self.key(request.project, request.blob)
        upload = Upload(key, request.upload_id, request.blob.size_bytes, request.part_bytes)
        return pb.PartUrlsResponse(
            urls=[self._url(upload, n) for n in request.numbers],
            arrived=self.objects.list_parts(upload) if not request.numbers else {},
            expires_unix_us=self._expires(),
        )

    def FinishBlobs(self, request: pb.FinishBlobsRequest) -> pb.FinishBlobsResponse:
        problems = []
        for each in request.blobs:
            key = self.key(request.project, each.blob)
            upload = Upload(key, each.upload_id, each.blob.size_bytes, each.part_bytes)
            if self.problems:
                self.problems -= 1
                problems.append("the model says so")
                continue
            try:
                self.objects.finish(upload, list(each.etags))
            except StoreUnavailable:
                raise
            except StoreError as error:
                problems.append(str(error))
            else:
                self.blobs.add(each.blob.sha256)
                problems.append("")
        return pb.FinishBlobsResponse(problems=problems)

    # ── versions ──

    def CommitArtifact(self, request: pb.CommitArtifactRequest) -> pb.ArtifactVersion:
        if request.more_files_follow:
            self.pieces.setdefault(request.upload_id, []).extend(request.files)
            return pb.ArtifactVersion()
        files = [*self.pieces.pop(request.upload_id, []), *request.files]
        if _digest(files) != request.digest:
            raise _Refused(grpc.StatusCode.INVALID_ARGUMENT, "the digest is not of these files")
        missing = [f.path for f in files if f.sha256 and f.sha256 not in self.blobs]
        if missing:
            raise _Refused(grpc.StatusCode.FAILED_PRECONDITION, f"no blob for {missing[0]}")
        json.loads(request.metadata_json)
        known = self.versions.setdefault(request.name, [])
        same = next((v for v in known if v.digest == request.digest), None)
        if same is None:
            same = pb.ArtifactVersion(
                project=request.project,
                name=request.name,
                version=len(known),
                type=request.type,
                digest=request.digest,
                run_id=request.run_id,
                description=request.description,
                metadata_json=request.metadata_json,
                tags=request.tags,
                size_bytes=sum(f.size_bytes for f in files if f.sha256),
                files=len(files),
                created_unix_us=time.time_ns() // 1000,
                expires_unix_us=request.ttl_s and time.time_ns() // 1000 + request.ttl_s * 10**6,
            )
            known.append(same)
            self.manifests[request.digest] = sorted(files, key=lambda f: f.path)
            existed = False
        else:
            existed = True
        for alias in ("latest", *request.aliases):
            self.aliases[request.name, alias] = same.version
        answer = self._with_aliases(same)
        answer.existed = existed
        return answer

    def GetArtifact(self, request: pb.GetArtifactRequest) -> pb.ArtifactVersion:
        known = self.versions.get(request.name, [])
        word = request.version or "latest"
        number = self.aliases.get((request.name, word))
        if number is None and word[:1] == "v" and word[1:].isdigit():
            number = int(word[1:])
        if number is None or number >= len(known):
            raise _Refused(grpc.StatusCode.NOT_FOUND, f"no artifact {request.name}:{word}")
        return self._with_aliases(known[number])

    def UseArtifact(self, request: pb.UseArtifactRequest) -> pb.ArtifactVersion:
        version = self.GetArtifact(request.artifact)
        self.used.append((request.run_id, version.name, version.version))
        return version

    def ListFiles(self, request: pb.ListFilesRequest) -> list[pb.ListFilesResponse]:
        version = self.GetArtifact(
            pb.GetArtifactRequest(
                project=request.project, name=request.name, version=request.version
            )
        )
        files = [f for f in self.manifests[version.digest] if f.path.startswith(request.prefix)]
        return [pb.ListFilesResponse(files=files[n : n + 500]) for n in range(0, len(files), 500)]

    def ListVersions(self, request: pb.ListVersionsRequest) -> pb.ListVersionsResponse:
        found = [self._with_aliases(v) for v in reversed(self.versions.get(request.name, []))]
        return pb.ListVersionsResponse(versions=found, total=len(found))

    def ListArtifacts(self, request: pb.ListArtifactsRequest) -> pb.ListArtifactsResponse:
        found = [
            pb.ArtifactSummary(latest=self._with_aliases(known[-1]), versions=len(known))
            for name, known in self.versions.items()
            if known and request.search in name
        ]
        return pb.ListArtifactsResponse(artifacts=found, total=len(found))

    def UpdateArtifact(self, request: pb.UpdateArtifactRequest) -> pb.ArtifactVersion:
        version = self.GetArtifact(
            pb.GetArtifactRequest(name=request.name, version=request.version)
        )
        for alias in request.add_aliases:
            self.aliases[request.name, alias] = version.version
        for alias in request.remove_aliases:
            self.aliases.pop((request.name, alias), None)
        return self._with_aliases(self.versions[request.name][version.version])

    def DeleteArtifact(self, request: pb.DeleteArtifactRequest) -> pb.DeleteArtifactResponse:
        return pb.DeleteArtifactResponse(versions=len(self.versions.pop(request.name, [])))

    def ReadLineage(self, _request: pb.ReadLineageRequest) -> pb.ReadLineageResponse:
        made = [
            pb.LineageEdge(run_id=v.run_id, name=v.name, version=v.version, is_output=True)
            for known in self.versions.values()
            for v in known
        ]
        read = [pb.LineageEdge(run_id=r, name=n, version=v) for r, n, v in self.used]
        return pb.ReadLineageResponse(edges=[*made, *read])

    def BlobUrls(self, request: pb.BlobUrlsRequest) -> pb.BlobUrlsResponse:
        assert len(request.blobs) <= 1000
        keys = [self.key(request.project, blob) for blob in request.blobs]
        urls = [self.objects.url(key, expires_s=self.expires_s) for key in keys]
        return pb.BlobUrlsResponse(urls=urls, expires_unix_us=self._expires())

    def CollectGarbage(self, _request: pb.CollectGarbageRequest) -> pb.CollectGarbageResponse:
        return pb.CollectGarbageResponse(versions=1, blobs=2, bytes=3_000, receipt="r1")

    def RegisterModel(self, request: pb.RegisterModelRequest) -> pb.ModelVersion:
        found = self.GetArtifact(request.artifact)
        count = sum(1 for m in self.models if m.model == request.model)
        model = pb.ModelVersion(
            project=request.project,
            model=request.model,
            version=count + 1,
            artifact=found.name,
            artifact_version=found.version,
            note=request.note,
            aliases=request.aliases,
            run_id=found.run_id,
        )
        self.models.append(model)
        return model

    def UpdateModel(self, request: pb.UpdateModelRequest) -> pb.ModelVersion:
        for model in self.models:
            if (model.model, model.version) == (request.model, request.version):
                if request.HasField("stage"):
                    model.stage = request.stage
                model.note = request.note
                model.aliases.extend(request.add_aliases)
                return model
        raise _Refused(grpc.StatusCode.NOT_FOUND, "no such model")

    def ListModels(self, request: pb.ListModelsRequest) -> pb.ListModelsResponse:
        found = [m for m in self.models if request.model in {"", m.model}]
        return pb.ListModelsResponse(versions=found[::-1])

    # ── below ──

    def _url(self, upload: Upload, number: int) -> str:
        return self.objects.part_url(upload, number, expires_s=self.expires_s)

    def _expires(self) -> int:
        return time.time_ns() // 1000 + self.expires_s * 10**6

    def _with_aliases(self, version: pb.ArtifactVersion) -> pb.ArtifactVersion:
        answer = pb.ArtifactVersion()
        answer.CopyFrom(version)
        names = [
            a for (n, a), v in self.aliases.items() if (n, v) == (version.name, version.version)
        ]
        answer.aliases.extend(names)
        return answer


class _Model(ArtifactsServicer):
    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    def __getattribute__(self, name: str):
        if name.startswith("_") or not hasattr(Shelf, name):
            return super().__getattribute__(name)
        return self._streaming(name) if name == "ListFiles" else self._unary(name)

    def _unary(self, name):
        async def answer(request, context):
            return await self._ask(name, request, context)

        return answer

    def _streaming(self, name):
        async def answer(request, context):
            for each in await self._ask(name, request, context):
                yield each

        return answer

    async def _ask(self, name, request, context):
        shelf = self._shelf
        given = dict(context.invocation_metadata()).get("authorization", "")
        if shelf.token and given != f"Bearer {shelf.token}":
            await context.abort(grpc.StatusCode.UNAUTHENTICATED, "unknown or expired token")
        shelf.asked[name] = shelf.asked.get(name, 0) + 1

        def work():
            shelf.before(name)
            return getattr(shelf, name)(request)

        try:
            return await asyncio.to_thread(work)
        except _Refused as error:
            await context.abort(error.code, str(error))
        except StoreUnavailable as error:
            await context.abort(grpc.StatusCode.UNAVAILABLE, str(error))
        except StoreError as error:
            await context.abort(grpc.StatusCode.NOT_FOUND, str(error))


class ArtifactGateway(ModelGateway):
    """A gateway that also keeps artifacts."""

    def __init__(self, shelf: Shelf, ledger: Ledger | None = None) -> None:
        super().__init__(ledger or Ledger())
        self.shelf = shelf

    async def _start(self) -> None:
        self._server = grpc.aio.server(
            ThreadPoolExecutor(4),
            options=[
                ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
                ("grpc.so_reuseport", 0),
            ],
        )
        add_IngestServicer_to_server(_Servicer(self.ledger), self._server)
        add_ArtifactsServicer_to_server(_Model(self.shelf), self._server)
        self.port = self._server.add_insecure_port(f"127.0.0.1:{self.port}")
        await self._server.start()


def refused(code: grpc.StatusCode, why: str) -> Exception:
    """What `Shelf.before` raises to refuse a call."""
    return _Refused(code, why)


def _digest(files: list[pb.ManifestFile]) -> str:
    digest = hashlib.sha256()
    for f in sorted(files, key=lambda f: f.path):
        line = [f.path, f.sha256 or f"ref:{f.uri}#{f.etag}", f.size_bytes]
        digest.update(json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode() + b"\n")
    return digest.hexdigest()
