"""Where the bytes of blobs can be had: signed addresses, asked for by the thousand, and again."""

import threading
import time
from collections.abc import Sequence
from typing import Final

from weir._artifacts.manifest import ManifestFile
from weir.agent._transport import ArtifactsTransport
from weir.errors import NotAsStored
from weir_proto.v1 import artifacts_pb2 as pb

_AT_ONCE: Final = 1_000  # what one question may hold (artifacts.proto)
_RENEW_AFTER: Final = 0.8  # of the time an address is good for


class Addresses:
    """Safe from any thread."""

    def __init__(
        self, transport: ArtifactsTransport, project: str, files: Sequence[ManifestFile]
    ) -> None:
        self._transport = transport
        self._project = project
        self._blobs = [
            pb.Blob(sha256=sha256, size_bytes=size_bytes)
            for sha256, size_bytes in {file.sha256: file.size_bytes for file in files}.items()
        ]
        self._index = {blob.sha256: n for n, blob in enumerate(self._blobs)}
        self._urls: dict[str, tuple[str, float]] = {}  # with the moment to ask again
        self._lock = threading.Lock()

    def url(self, file: ManifestFile, *, refused: str = "") -> str:
        """Return where a file's bytes are.

        Args:
            file: One of those given at the start.
            refused: The address that the store did not take any more.

        Raises:
            TransportError: The server does not say.
            NotAsStored: The server has no such blob.
        """
        with self._lock:
            url, good_until_s = self._urls.get(file.sha256, ("", 0.0))
            if not url or url == refused or time.monotonic() > good_until_s:
                self._ask(self._index[file.sha256] // _AT_ONCE * _AT_ONCE)
                url, _ = self._urls[file.sha256]
        if not url:
            raise NotAsStored(f"{file.path}: the server has no blob {file.sha256}")
        return url

    def _ask(self, first: int) -> None:
        blobs = self._blobs[first : first + _AT_ONCE]
        answer = self._transport.ask(
            "BlobUrls", pb.BlobUrlsRequest(project=self._project, blobs=blobs)
        )
        good_for_s = max(1.0, answer.expires_unix_us / 1e6 - time.time())
        good_until_s = time.monotonic() + good_for_s * _RENEW_AFTER
        for blob, url in zip(blobs, answer.urls, strict=True):
            self._urls[blob.sha256] = (url, good_until_s)
