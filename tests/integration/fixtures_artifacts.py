"""A gateway with an artifact service, and a client that does what the agent does: hash, PUT, finish, commit."""

from __future__ import annotations

import hashlib
import shutil
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import grpc
import pytest

from tests.contract.fixtures_objects import PASSWORD, USER
from tests.contract.fixtures_redis import RedisServer
from tests.integration.fixtures_engine import EngineProcess
from tests.integration.fixtures_gateway import RunningGateway
from weir_proto.v1 import artifacts_pb2 as pb
from weir_proto.v1 import artifacts_pb2_grpc
from weir_server.clock import Clock, SystemClock
from weir_server.gateway.artifacts import ArtifactsService
from weir_server.objects.open import open_objects
from weir_server.settings import GatewaySettings, ObjectsSettings, StreamSettings
from weir_server.stream.memory import MemoryStream
from weir_server.stream.memory_numbers import MemoryNumbers
from weir_server.stream.redis import RedisNumbers
from weir_store.artifacts.base import ArtifactReader
from weir_store.artifacts.clickhouse import ClickHouseArtifacts
from weir_store.artifacts.editor import ArtifactEditor
from weir_store.artifacts.manifest import digest_of
from weir_store.artifacts.memory import MemoryArtifacts
from weir_store.artifacts.records import ManifestFile
from weir_store.base import Inserter
from weir_store.clickhouse import connect
from weir_store.inserter import ClickHouseInserter
from weir_store.memory import MemoryStore
from weir_store.migrate import migrate
from weir_store.objects import etag
from weir_store.objects.base import MIN_PART_BYTES, ObjectStore

TIMEOUT_S = 60.0


class LaterClock(SystemClock):
    """The machine's clock, some seconds ahead."""

    def __init__(self) -> None:
        self.ahead_s = 0.0

    def unix_us(self) -> int:
        return super().unix_us() + int(self.ahead_s * 1e6)


class House:
    """Everything behind the service, and the service's stub."""

    def __init__(
        self,
        store: Inserter,
        reader: ArtifactReader,
        objects: ObjectStore,
        settings: ObjectsSettings,
        *,
        clock: Clock,
        door: Any = None,
        numbers: Any = None,
        **gateway: Any,
    ) -> None:
        self.store = store
        self.reader = reader
        self.editor = ArtifactEditor(store)
        self.objects = objects
        self.clock = clock
        self.numbers = numbers or MemoryNumbers()
        self.service: Any = None

        def artifacts(auth: Any) -> ArtifactsService:
            self.service = ArtifactsService(
                reader, self.editor, objects, self.numbers, settings, auth, clock,
                webhooks_anywhere=gateway.get("webhooks_anywhere", False),
            )  # fmt: skip
            return self.service

        self.gateway = RunningGateway(
            MemoryStream(shards=1, max_bytes=1 << 20).appender,
            artifacts=artifacts,
            door=door,
            **gateway,
        )
        self.channel = grpc.insecure_channel(self.gateway.address)
        self.stub = artifacts_pb2_grpc.ArtifactsStub(self.channel)

    def client(self, project: str, token: str = "") -> Uploader:
        return Uploader(self.stub, project, token)

    def close(self) -> None:
        self.channel.close()
        self.gateway.stop()


@contextmanager
def local_house(root: Path, **more: Any) -> Iterator[House]:
    """Memory for the tables, a directory behind its own door for the bytes."""
    told = {name: more.pop(name) for name in ("url_expires_s", "grace_s") if name in more}
    settings = ObjectsSettings(dir=root, door_port=0, part_bytes=MIN_PART_BYTES, **told)
    clock = LaterClock()
    opened = open_objects(settings, GatewaySettings(), clock)
    memory = MemoryStore()
    house = House(
        memory, MemoryArtifacts(memory), opened.objects, settings,
        clock=clock, door=opened.door, **more,
    )  # fmt: skip
    try:
        yield house
    finally:
        house.close()


class Uploader:
    """Says what the agent says."""

    def __init__(self, stub: Any, project: str, token: str = "") -> None:
        self.stub = stub
        self.project = project
        self._metadata = (("authorization", f"Bearer {token}"),) if token else ()
        self.sent = 0  # PUTs

    def call(self, method: str, request: Any) -> Any:
        return getattr(self.stub, method)(request, timeout=TIMEOUT_S, metadata=self._metadata)

    def ask(self, method: str, **fields: Any) -> Any:
        kinds = {"GetArtifact": pb.GetArtifactRequest, "SetWebhook": pb.Webhook}
        kind = kinds.get(method) or getattr(pb, f"{method}Request")
        return self.call(method, kind(project=self.project, **fields))

    def upload(self, *contents: bytes, put: Callable[[str, bytes], str] | None = None) -> list[str]:
        """Bring blobs into the store; returns what FinishBlobs found wrong with those that were sent."""
        by_digest = {sha(content): content for content in contents}
        blobs = [pb.Blob(sha256=name, size_bytes=len(each)) for name, each in by_digest.items()]
        prepared = self.ask("PrepareBlobs", blobs=blobs).uploads
        finished = []
        for blob, upload in zip(blobs, prepared, strict=True):
            if upload.exists:
                continue
            parts = cut(by_digest[blob.sha256], upload.part_bytes)
            urls = self.urls(blob, upload, len(parts))
            for url, part in zip(urls, parts, strict=True):
                (put or http_put)(url, part)
                self.sent += 1
            finished.append(
                pb.FinishedBlob(
                    blob=blob,
                    upload_id=upload.upload_id,
                    part_bytes=upload.part_bytes,
                    etags=[etag.of_bytes(part) for part in parts],
                )
            )
        return list(self.ask("FinishBlobs", blobs=finished).problems) if finished else []

    def urls(self, blob: pb.Blob, upload: pb.BlobUpload, parts: int) -> list[str]:
        urls = list(upload.urls)[:parts]
        if len(urls) < parts:
            more = self.ask(
                "PartUrls", blob=blob, upload_id=upload.upload_id, part_bytes=upload.part_bytes,
                numbers=range(len(urls) + 1, parts + 1),
            )  # fmt: skip
            urls += more.urls
        return urls

    def commit(self, name: str, files: dict[str, bytes], **more: Any) -> pb.ArtifactVersion:
        return self.call("CommitArtifact", self.request(name, files, **more))

    def request(self, name: str, files: dict[str, bytes], **more: Any) -> pb.CommitArtifactRequest:
        manifest = [ManifestFile(path, sha(each), len(each)) for path, each in files.items()]
        fields = {
            "project": self.project, "name": name, "type": "dataset",
            "files": [messages(file) for file in manifest], "digest": digest_of(manifest),
        }  # fmt: skip
        return pb.CommitArtifactRequest(**(fields | more))

    def log(self, name: str, files: dict[str, bytes], **more: Any) -> pb.ArtifactVersion:
        assert not any(self.upload(*files.values()))
        return self.commit(name, files, **more)

    def read(self, content_sha: str, size: int) -> bytes | None:
        (url,) = self.ask("BlobUrls", blobs=[pb.Blob(sha256=content_sha, size_bytes=size)]).urls
        if not url:
            return None
        with urllib.request.urlopen(url, timeout=TIMEOUT_S) as answer:
            return bytes(answer.read())


def messages(file: ManifestFile) -> pb.ManifestFile:
    return pb.ManifestFile(
        path=file.path, sha256=file.sha256, size_bytes=file.size_bytes, uri=file.uri, etag=file.etag
    )


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def cut(content: bytes, part_bytes: int) -> list[bytes]:
    size = part_bytes or max(1, len(content))
    return [content[i : i + size] for i in range(0, len(content), size)] or [b""]


def http_put(url: str, content: bytes) -> str:
    request = urllib.request.Request(url, data=content, method="PUT")
    with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
        return etag.plain(answer.headers["ETag"])


def project_name() -> str:
    return f"p-{uuid4().hex[:12]}"


@pytest.fixture(scope="module")
def memory_house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with local_house(tmp_path_factory.mktemp("objects")) as house:
        yield house


@pytest.fixture(scope="module")
def real_house(
    engine: EngineProcess, minio, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    """ClickHouse, MinIO and Redis, as in a cluster."""
    clickhouse, database = connect(engine.url), "artifacts_service"
    migrate(clickhouse, database)
    settings = ObjectsSettings(
        kind="s3", endpoint=minio.endpoint, access_key=USER, secret_key=PASSWORD,
        part_bytes=MIN_PART_BYTES,
    )  # fmt: skip
    binary = shutil.which("redis-server")
    redis = RedisServer(binary, tmp_path_factory.mktemp("redis")) if binary else None
    if redis:
        redis.start()
    house = House(
        ClickHouseInserter(clickhouse, database),
        ClickHouseArtifacts(clickhouse, database),
        open_objects(settings, GatewaySettings()).objects,
        settings,
        clock=LaterClock(),
        numbers=RedisNumbers(StreamSettings(url=redis.url)) if redis else None,
    )
    yield house
    house.close()
    clickhouse.close()
    if redis:
        redis.stop()


@pytest.fixture(params=["memory and directory", "clickhouse, minio and redis"])
def house(request: pytest.FixtureRequest) -> House:
    name = "memory_house" if request.param.startswith("memory") else "real_house"
    found: House = request.getfixturevalue(name)
    return found


@pytest.fixture
def client(house: House):
    return house.client(project_name())


def refused(call, *args, **named) -> grpc.RpcError:
    with pytest.raises(grpc.RpcError) as caught:
        call(*args, **named)
    return caught.value
