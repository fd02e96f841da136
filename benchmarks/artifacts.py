"""Bytes of artifacts: throughput beside MinIO's own client, what logging costs, what is sent again.

Over loopback both are bound by the processor, and hashing what is sent and fetched shows. With
`WEIR_BENCH_LINK_MBIT=2500` MinIO stands behind a link of that rate (a network namespace; needs root).
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from minio import Minio

import weir
from benchmarks.harness import Figure, running_weir
from benchmarks.link import Link, open_link

USER, PASSWORD, BUCKET = "weir-bench", "weir-bench-password", "weir"
MIB = 1 << 20
LARGE_BYTES = int(float(os.environ.get("WEIR_BENCH_GIB", "1")) * (1 << 30))
SMALL_FILES, SMALL_BYTES = 2_000, 64 << 10
ROUNDS = int(os.environ.get("WEIR_BENCH_ROUNDS", "3"))
LINK_MBIT = int(os.environ.get("WEIR_BENCH_LINK_MBIT", "0"))  # 0 = loopback
# As many as Weir uses by default; MinIO's client sends and fetches one file after the other.
UPLOADS, DOWNLOADS = 4, 8


def measure() -> list[Figure]:
    """Upload and download the same files with both, in turns, against one MinIO; best of some rounds."""
    with tempfile.TemporaryDirectory(prefix="weir-bench-") as name, _minio(Path(name)) as endpoint:
        client = Minio(endpoint, access_key=USER, secret_key=PASSWORD, secure=False)
        client.make_bucket(BUCKET)
        client.make_bucket("peer")
        flags = (
            "--objects.kind", "s3", "--objects.endpoint", f"http://{endpoint}",
            "--objects.access-key", USER, "--objects.bucket", BUCKET,
        )  # fmt: skip
        os.environ["WEIR_OBJECTS__SECRET_KEY"] = PASSWORD
        os.environ["WEIR_ARTIFACT_CACHE_GB"] = "0"
        with running_weir(*flags) as server, _run(Path(name), server.gateway) as run:
            return [
                *_side_by_side(Path(name), run, client, server.gateway),
                *_checkpoint_again(Path(name), run, client),
                *_logging(Path(name), run),
            ]


def _side_by_side(folder: Path, run: weir.Run, client: Minio, gateway: str) -> list[Figure]:
    figures = []
    for what, files, size_bytes in (
        (f"1 × {LARGE_BYTES / (1 << 30):g} GiB", 1, LARGE_BYTES),
        (f"{SMALL_FILES:,} × 64 KiB", SMALL_FILES, SMALL_BYTES),
    ):
        ours: dict[str, float] = {}
        theirs: dict[str, float] = {}
        for n in range(ROUNDS):
            source, name = folder / "source", f"bench-{files}-{n}"
            _fill(source, files, size_bytes)
            up = [partial(_upload, run, source, name), partial(_peer_upload, client, source)]
            down = [
                partial(_download, gateway, name, folder),
                partial(_peer_download, client, folder),
            ]
            for way, pair in (("up", up), ("down", down)):
                for best, work in list(zip((ours, theirs), pair, strict=True))[
                    :: 1 if n % 2 else -1
                ]:
                    best[way] = max(best.get(way, 0.0), files * size_bytes / MIB / _timed(work))
            shutil.rmtree(source)
        for way, word in (("up", "upload"), ("down", "download")):
            figures += [
                Figure(f"{word}, {what}", ours[way], "MiB/s"),
                Figure(f"the same by MinIO's client, {word}", theirs[way], "MiB/s"),
                Figure(f"{word}, {what}: ratio", ours[way] / theirs[way], "×", ">= 0.9"),
            ]
    return figures


def _upload(run: weir.Run, source: Path, name: str) -> None:
    run.log_artifact(source, name, "bench").wait(1_800)


def _peer_upload(client: Minio, source: Path) -> None:
    with ThreadPoolExecutor(UPLOADS) as threads:
        list(threads.map(lambda p: client.fput_object("peer", p.name, str(p)), source.iterdir()))


def _download(gateway: str, name: str, folder: Path) -> None:
    with weir.Api(gateway) as api:
        api.artifact(f"bench/{name}").download(folder / "ours")
    shutil.rmtree(folder / "ours")


def _peer_download(client: Minio, folder: Path) -> None:
    names = [found.object_name for found in client.list_objects("peer")]
    with ThreadPoolExecutor(DOWNLOADS) as threads:
        list(
            threads.map(lambda n: client.fget_object("peer", n, str(folder / "theirs" / n)), names)
        )
    for name in names:
        client.remove_object("peer", name)
    shutil.rmtree(folder / "theirs")


def _checkpoint_again(folder: Path, run: weir.Run, client: Minio) -> list[Figure]:
    """Log a checkpoint of twenty files, change one, log it again."""
    source = folder / "checkpoint"
    _fill(source, 20, 8 * MIB)
    run.log_artifact(source, "checkpoint", "model").wait(600)
    before = _stored_bytes(client)
    _fill(source, 1, 8 * MIB)  # the first of them
    began_s = time.perf_counter()
    run.log_artifact(source, "checkpoint", "model").wait(600)
    took_s = time.perf_counter() - began_s
    sent = (_stored_bytes(client) - before) / (20 * 8 * MIB)
    return [
        Figure("checkpoint of 20 files, 1 changed: bytes sent", 100 * sent, "%", "<= 5.1"),
        Figure("the same: seconds until it is a version", took_s, "s"),
    ]


def _logging(folder: Path, run: weir.Run) -> list[Figure]:
    """What `log_artifact` costs the thread that trains."""
    source = folder / "many"
    _fill(source, 20_000, 10)
    began_s = time.perf_counter()
    logged = run.log_artifact(source, "many", "dataset")
    called_s = time.perf_counter() - began_s
    logged.wait(1_800)
    took_s = time.perf_counter() - began_s
    return [
        Figure("log_artifact of 20,000 files: the call", called_s, "s", "<= 2"),
        Figure("… until they are a version", took_s, "s"),
    ]


def _timed(work: Callable[[], None]) -> float:
    began_s = time.perf_counter()
    work()
    return time.perf_counter() - began_s


def _fill(folder: Path, files: int, size_bytes: int) -> None:
    folder.mkdir(exist_ok=True)
    for n in range(files):
        new = folder / ".new"
        with new.open("wb") as file:
            for first in range(0, size_bytes, MIB):
                file.write(os.urandom(min(MIB, size_bytes - first)))
        new.rename(folder / f"{n:05d}.bin")


def _stored_bytes(client: Minio) -> int:
    return sum(found.size or 0 for found in client.list_objects(BUCKET, recursive=True))


@contextmanager
def _run(folder: Path, gateway: str) -> Iterator[weir.Run]:
    settings = {"server": gateway, "console": "off", "system": False, "agent_idle_s": 1.0}
    run = weir.init("bench", dir=folder / "spool", settings=settings)
    try:
        yield run
    finally:
        run.finish()


@contextmanager
def _minio(folder: Path) -> Iterator[str]:
    binary = shutil.which("minio")
    if binary is None:
        raise SystemExit("minio is not on PATH: go install github.com/minio/minio@latest")
    with open_link(LINK_MBIT) as link:
        endpoint = f"{link.host}:{_free_port(link)}"
        environ = {"HOME": str(folder), "MINIO_ROOT_USER": USER, "MINIO_ROOT_PASSWORD": PASSWORD}
        process = subprocess.Popen(
            [*link.command, binary, "server", str(folder / "minio"), "--address", endpoint],
            env={**environ, "MINIO_BROWSER": "off", "PATH": os.environ["PATH"]},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            _await(f"http://{endpoint}/minio/health/ready")
            yield endpoint
        finally:
            process.kill()
            process.wait()


def _free_port(link: Link) -> int:
    """Return a port for MinIO; behind a link it has all of them for itself."""
    if link.command:
        return 9_000
    with socket.socket() as door:
        door.bind((link.host, 0))
        return int(door.getsockname()[1])


def _await(url: str) -> None:
    deadline_s = time.monotonic() + 60
    while time.monotonic() < deadline_s:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            time.sleep(0.05)
    raise SystemExit(f"{url} did not come up")
