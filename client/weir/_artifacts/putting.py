"""An artifact without a run: from this process straight to the server, for `weir artifact put`."""

import hashlib
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from weir._artifacts.artifact import Artifact
from weir._artifacts.asking import found_of
from weir._artifacts.manifest import ManifestFile
from weir._artifacts.records import Found
from weir._artifacts.staging import order_for
from weir._clock import SystemClock
from weir._settings import Settings
from weir._spool import Outbox, SpoolDir
from weir.agent._transport import ArtifactsTransport
from weir.agent._uploads.committing import commit
from weir.agent._uploads.journal import Journal
from weir.agent._uploads.orders import guessed_mime, sources_of
from weir.agent._uploads.progress import Progress
from weir.agent._uploads.putting import Putter
from weir.agent._uploads.sending import Sender
from weir.agent._uploads.stopping import Stopping
from weir.agent._uploads.throttle import Throttle


def put(
    artifact: Artifact,
    transport: ArtifactsTransport,
    *,
    project: str,
    aliases: Sequence[str] = (),
    tags: Sequence[str] = (),
    ttl_s: int = 0,
    passed: Callable[[int], None],
) -> Found:
    """Upload an artifact's files and make a version of them; return it.

    How far it came is kept below the cache's folder, so the same call again goes on.

    Args:
        artifact: What to put.
        transport: Asks the server.
        project: Where to.
        aliases: Names that then mean the version.
        tags: Words to find it by.
        ttl_s: Seconds until it may be collected; 0 = never.
        passed: Told how many bytes have gone, from any thread.

    Raises:
        TransportError: The server or the store is away, or refuses.
        SourceLost: A file changed meanwhile.
    """
    settings, clock, stopping = Settings.load(), SystemClock(), Stopping()
    outbox = _Here(_folder_for(settings, project, artifact))
    order = order_for(artifact, outbox, aliases=aliases, tags=tags, ttl_s=ttl_s)
    throttle = Throttle(settings.upload_mb_per_s * 1e6, clock, stopping)
    with ThreadPoolExecutor(settings.upload_threads, "weir-upload") as pool:
        putter = Putter(settings.upload_threads, throttle)
        sender = Sender(
            transport, project, pool=pool, putter=putter, stopping=stopping, clock=clock
        )
        sources = sources_of(order, outbox)
        journal = Journal(outbox.journal_path(1))
        try:
            prints = sender.bring(sources, journal, _Passing(outbox, clock, passed))
        except BaseException:
            stopping.ask()
            raise
        files = [
            ManifestFile(source.name, found.sha256, found.size_bytes, guessed_mime(source.name))
            for source, found in zip(sources, prints, strict=True)
        ]
        files += [
            ManifestFile(name, size_bytes=each.size_bytes, uri=each.uri, etag=each.etag)
            for name, each in artifact.references.items()
        ]
        version = commit(transport, order, files, project=project, run_id="")
        putter.close()
    outbox.journal_path(1).unlink(missing_ok=True)
    return found_of(version)


class _Here(Outbox):
    """Holds nothing: whoever waits for the upload does not take the files away meanwhile."""

    def __init__(self, folder: Path) -> None:
        super().__init__(SpoolDir(folder))

    def hold_now(
        self, path: str | os.PathLike[str], *, copy: bool = False
    ) -> tuple[str, os.stat_result]:
        source = os.path.realpath(path)
        return source, os.stat(source)


class _Passing(Progress):
    """Tells a function instead of the disk."""

    def __init__(self, outbox: Outbox, clock: SystemClock, passed: Callable[[int], None]) -> None:
        super().__init__(outbox, clock)
        self._passed = passed

    def passed(self, size_bytes: int) -> None:
        self._passed(size_bytes)


def _folder_for(settings: Settings, project: str, artifact: Artifact) -> Path:
    """A folder that the same files put under the same name come to again."""
    digest = hashlib.sha256("\0".join((project, artifact.name, *artifact.files)).encode())
    return Path(settings.artifact_cache).expanduser() / ".put" / digest.hexdigest()[:32]
