"""HTTP: a range of an object from a signed address. With the agent's PUT, all that knows urllib3."""

from collections.abc import Iterator
from typing import Any, Final

import urllib3
from urllib3.exceptions import HTTPError

from weir.errors import Unavailable

CHUNK_BYTES: Final = 1 << 20
_TIMEOUT: Final = urllib3.Timeout(connect=10.0, read=60.0)
_ANSWER_BYTES: Final = 300  # of what a store says is wrong


class AddressRefused(Unavailable):
    """The store does not take the address: it has expired, perhaps."""


class Getter:
    """Reads ranges, over connections that are kept. Safe from any thread."""

    def __init__(self, threads: int) -> None:
        self._http = urllib3.PoolManager(
            maxsize=threads, retries=False, timeout=_TIMEOUT, cert_reqs="CERT_REQUIRED"
        )

    def read(self, url: str, first: int, length: int) -> Iterator[bytes]:
        """Iterate over a range in chunks of at most 1 MiB.

        Raises:
            Unavailable: It did not come whole; ask for the rest.
        """
        if not length:
            return
        headers = {"Range": f"bytes={first}-{first + length - 1}", "Accept-Encoding": "identity"}
        try:
            answer = self._http.request(
                "GET", url, headers=headers, preload_content=False, redirect=False
            )
        except HTTPError as error:
            raise Unavailable(f"the object store does not answer: {error}") from error
        whole = False
        try:
            if answer.status != 206 and not (answer.status == 200 and first == 0):
                raise _error_of(answer)
            left = length
            while left and (chunk := answer.read(min(CHUNK_BYTES, left))):
                left -= len(chunk)
                yield chunk
            if left:
                raise Unavailable(f"the object store ended {left} bytes early")
            whole = answer.status == 206
        except HTTPError as error:
            raise Unavailable(f"the object store broke off: {error}") from error
        finally:
            if whole:
                answer.release_conn()
            else:  # what is left of the answer must not be taken for the next one
                answer.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.clear()


def _error_of(answer: Any) -> Unavailable:
    said = answer.read(_ANSWER_BYTES).decode(errors="replace")
    text = f"the object store answers {answer.status}: {said}"
    return AddressRefused(text) if answer.status == 403 else Unavailable(text)
