"""One blob on its way: its parts, which of them are there, and the addresses of the others."""

import threading
from dataclasses import dataclass, field
from typing import Final

from weir._clock import Clock
from weir.agent._transport import ArtifactsTransport
from weir.agent._uploads.source import Fingerprint, Source
from weir_proto.v1 import artifacts_pb2 as pb

_ASK_FOR: Final = 64  # addresses at once
_RENEW_BEFORE_US: Final = 60_000_000
_LEAST_AGE_S: Final = 60.0  # a clock that is wrong does not make us ask for every part


@dataclass
class Job:
    """Safe from any thread.

    Attributes:
        upload_id: Names an upload in parts; "" = one PUT.
        arrived: Numbers of the parts that need not be sent.
    """

    project: str
    source: Source
    print: Fingerprint
    upload_id: str
    part_bytes: int
    clock: Clock
    arrived: set[int] = field(default_factory=set)
    _urls: dict[int, str] = field(default_factory=dict)
    _expire_unix_us: int = 0
    _asked_s: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def blob(self) -> pb.Blob:
        """The blob, as the wire names it."""
        return pb.Blob(sha256=self.print.sha256, size_bytes=self.print.size_bytes)

    def missing(self) -> list[int]:
        """Numbers of the parts to send, from 1."""
        return [n for n in range(1, len(self.print.md5s) + 1) if n not in self.arrived]

    def span(self, number: int) -> tuple[int, int]:
        """Return where a part begins and how long it is."""
        first = (number - 1) * self.print.part_bytes
        return first, min(self.print.part_bytes, self.print.size_bytes - first)

    def learn(self, urls: list[str], expire_unix_us: int, first: int = 1) -> None:
        """Take addresses of parts from `first` on."""
        self._urls.update({first + n: url for n, url in enumerate(urls)})
        self._expire_unix_us, self._asked_s = expire_unix_us, self.clock.monotonic_s()

    def url(self, transport: ArtifactsTransport, number: int, *, renew: bool = False) -> str:
        """Return where a part goes, asking the server when we do not know. Raises TransportError."""
        with self._lock:
            if renew or number not in self._urls or self._expiring():
                self._urls.clear()
                self._ask(transport, number)
            return self._urls[number]

    def finished(self) -> pb.FinishedBlob:
        """Return what is to be made a blob of."""
        return pb.FinishedBlob(
            blob=self.blob,
            upload_id=self.upload_id,
            part_bytes=self.part_bytes,
            etags=self.print.md5s,
        )

    def _expiring(self) -> bool:
        left_us = self._expire_unix_us - self.clock.unix_us()
        aged = self.clock.monotonic_s() - self._asked_s > _LEAST_AGE_S
        return left_us < _RENEW_BEFORE_US and aged

    def _ask(self, transport: ArtifactsTransport, number: int) -> None:
        if not self.upload_id:
            request = pb.PrepareBlobsRequest(project=self.project, blobs=[self.blob])
            answer = transport.ask("PrepareBlobs", request)
            # A blob that somebody else has brought meanwhile has no address: PUT to the old one
            # is of no use either, so the sender is told by an empty one.
            urls = list(answer.uploads[0].urls) or [""]
            self.learn(urls[:1], answer.expires_unix_us)
            return
        last = min(number + _ASK_FOR - 1, len(self.print.md5s))
        numbers = list(range(number, last + 1))
        answer = transport.ask(
            "PartUrls",
            pb.PartUrlsRequest(
                project=self.project,
                blob=self.blob,
                upload_id=self.upload_id,
                part_bytes=self.part_bytes,
                numbers=numbers,
            ),
        )
        self.learn(list(answer.urls), answer.expires_unix_us, number)
