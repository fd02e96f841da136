"""Object stores to judge: a local directory behind its door, and a real S3 server when there is one."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import pytest
import uvicorn

from weir_server.clock import SystemClock
from weir_server.objects.door import Door
from weir_store.errors import StoreError
from weir_store.objects.base import MIN_PART_BYTES, ObjectStore
from weir_store.objects.local import LocalObjects
from weir_store.objects.s3 import S3Objects
from weir_store.objects.signing import Signer

USER, PASSWORD = "weir-test", "weir-test-password"


def free_port() -> int:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        return int(door.getsockname()[1])


@contextlib.contextmanager
def local_objects(root: Path) -> Iterator[LocalObjects]:
    """A directory, and its door on a free port."""
    port = free_port()
    signer = Signer(f"http://127.0.0.1:{port}", b"secret of the test")
    objects = LocalObjects(root, signer, unix_s=time.time, part_bytes=MIN_PART_BYTES)
    config = uvicorn.Config(
        Door(objects, SystemClock()).app(), host="127.0.0.1", port=port, log_level="error"
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    _await(f"http://127.0.0.1:{port}/", lambda: server.started)
    try:
        yield objects
    finally:
        server.should_exit = True
        thread.join(10)


class MinioServer:
    """A real MinIO on a free port, restartable on its data."""

    def __init__(self, binary: str, root: Path) -> None:
        self._binary = binary
        self._root = root
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        self.process = subprocess.Popen(
            [self._binary, "server", str(self._root), "--address", f"127.0.0.1:{self.port}"],
            env={
                "HOME": str(self._root),
                "MINIO_ROOT_USER": USER,
                "MINIO_ROOT_PASSWORD": PASSWORD,
                "MINIO_BROWSER": "off",
            },
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        _await(f"{self.endpoint}/minio/health/ready", lambda: False)

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def objects(
        self, bucket: str = "weir", secret_key: str = PASSWORD, endpoint: str = ""
    ) -> S3Objects:
        return S3Objects(
            endpoint or self.endpoint,
            bucket,
            access_key=USER,
            secret_key=secret_key,
            part_bytes=MIN_PART_BYTES,
            timeout_s=5.0,
        )


@contextlib.contextmanager
def minio_server(binary: str, root: Path) -> Iterator[MinioServer]:
    server = MinioServer(binary, root)
    server.start()
    try:
        yield server
    finally:
        server.kill()


@pytest.fixture(scope="module")
def minio(
    tmp_path_factory: pytest.TempPathFactory, skip_or_fail: Callable[[str], NoReturn]
) -> Iterator[MinioServer]:
    without = os.environ.get("WEIR_TEST_WITHOUT_S3", "")
    if without == "could-not-be-built" or (without and not os.environ.get("CI")):
        pytest.skip(f"no MinIO: WEIR_TEST_WITHOUT_S3 = {without}")
    binary = shutil.which("minio") or skip_or_fail(
        "minio is not on PATH: go install github.com/minio/minio@latest"
    )
    with minio_server(binary, tmp_path_factory.mktemp("minio")) as server:
        server.objects().ensure_bucket()
        yield server


@pytest.fixture(scope="module", params=["local", "minio"])
def objects(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ObjectStore]:
    if request.param == "minio":
        yield request.getfixturevalue("minio").objects()
        return
    with local_objects(tmp_path_factory.mktemp("objects")) as store:
        yield store


def _await(url: str, ready: object) -> None:
    deadline_s = time.monotonic() + 60
    while time.monotonic() < deadline_s:
        if callable(ready) and ready():
            return
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except (OSError, StoreError):
            time.sleep(0.05)
    raise TimeoutError(f"{url} did not come up")
