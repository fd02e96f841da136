"""What S3 says of bytes it has stored: an MD5, or an MD5 of MD5s. Pure.

A client knows it before it sends, so equality proves that what arrived is what
was sent. Source: Amazon S3 user guide, "Checking object integrity": the ETag of
a multipart upload is the MD5 of the parts' MD5s, then `-` and their number.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence


def of_bytes(content: bytes | memoryview) -> str:
    """Return the ETag of one piece."""
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def of_parts(etags: Sequence[str]) -> str:
    """Return the ETag of an object made of parts."""
    joined = b"".join(bytes.fromhex(plain(etag)) for etag in etags)
    return f"{hashlib.md5(joined, usedforsecurity=False).hexdigest()}-{len(etags)}"


def plain(etag: str) -> str:
    """Return an ETag without quotes and in lower case, as all here are compared."""
    return etag.strip().strip('"').lower()
