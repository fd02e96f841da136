"""HTTP: one part of a file to one signed address. The only file of the agent that knows urllib3."""

from collections.abc import Callable, Iterator
from typing import Final

import urllib3
from urllib3.exceptions import HTTPError

from weir.agent._uploads.source import Source
from weir.agent._uploads.throttle import Throttle
from weir.errors import Unavailable

_TIMEOUT: Final = urllib3.Timeout(connect=10.0, read=60.0)
_ANSWER_CHARACTERS: Final = 300  # of what a store says is wrong


class AddressRefused(Unavailable):
    """The store does not take the address: it has expired, perhaps."""


class UploadGone(Unavailable):
    """The store does not know the upload any more: it was given up, or finished."""


class Putter:
    """Sends parts, over connections that are kept. Safe from any thread.

    Args:
        threads: How many will send at once.
        throttle: What every byte passes.
    """

    def __init__(self, threads: int, throttle: Throttle) -> None:
        self._http = urllib3.PoolManager(
            maxsize=threads, retries=False, timeout=_TIMEOUT, cert_reqs="CERT_REQUIRED"
        )
        self._throttle = throttle

    def put(
        self, url: str, source: Source, first: int, length: int, passed: Callable[[int], None]
    ) -> str:
        """Send a range of a file; return the ETag that the store gave it.

        Args:
            url: Where to.
            source: The file.
            first: Offset of the first byte.
            length: How many.
            passed: Told how many bytes went; less than none when they went in vain.

        Raises:
            Unavailable: It did not arrive; the same may be sent again.
            SourceLost: The file is not what it was.
            Stopped: We were asked to stop.
        """
        body = _Body(source, first, length, self._throttle, passed)
        try:
            answer = self._http.request(
                "PUT",
                url,
                body=body if length else b"",
                headers={"Content-Length": str(length)},
                redirect=False,
            )
        except HTTPError as error:
            passed(-body.sent_bytes)
            raise Unavailable(f"the object store does not answer: {error}") from error
        except BaseException:
            passed(-body.sent_bytes)
            raise
        if answer.status != 200:
            passed(-body.sent_bytes)
            raise _error_of(answer.status, answer.data)
        return str(answer.headers.get("ETag", "")).strip('"').lower()

    def close(self) -> None:
        """Close the connections that nobody uses."""
        self._http.clear()


class _Body:
    """A range of a file as urllib3 takes it: chunks, read while they are sent."""

    def __init__(
        self,
        source: Source,
        first: int,
        length: int,
        throttle: Throttle,
        passed: Callable[[int], None],
    ) -> None:
        self.sent_bytes = 0
        self._source = source
        self._range = (first, length)
        self._throttle = throttle
        self._passed = passed

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._source.read(*self._range):
            self._throttle.take(len(chunk))
            yield chunk
            self.sent_bytes += len(chunk)
            self._passed(len(chunk))


def _error_of(status: int, content: bytes) -> Unavailable:
    said = content.decode(errors="replace")[:_ANSWER_CHARACTERS]
    text = f"the object store answers {status}: {said}"
    if status == 403:
        return AddressRefused(text)
    return UploadGone(text) if status in {400, 404} else Unavailable(text)
