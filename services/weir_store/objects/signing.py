"""URLs of our own that are good for one thing and a while. Pure: the caller tells the time."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, urlencode

_SIGNATURE: Final = "signature"


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs and checks requests with one secret, as presigned URLs of S3 do."""

    base_url: str
    secret: bytes

    def url(self, method: str, key: str, *, expires_unix_s: int, **fields: str) -> str:
        """Return a URL that lets its holder do `method` on `key` until it expires."""
        query = {**fields, "expires": str(expires_unix_s)}
        query[_SIGNATURE] = self._sign(method, key, query)
        return f"{self.base_url}/{quote(key)}?{urlencode(query)}"

    def fault(self, method: str, key: str, query: Mapping[str, str], now_unix_s: float) -> str:
        """Return why a request may not pass; "" when it may."""
        unsigned = {name: value for name, value in query.items() if name != _SIGNATURE}
        expected = self._sign(method, key, unsigned)
        if not hmac.compare_digest(expected.encode(), query.get(_SIGNATURE, "").encode()):
            return "the signature does not match"
        if now_unix_s > int(query["expires"]):
            return "the address has expired, ask for a new one"
        return ""

    def _sign(self, method: str, key: str, query: Mapping[str, str]) -> str:
        text = "\n".join((method, key, urlencode(sorted(query.items()))))
        return hmac.new(self.secret, text.encode(), hashlib.sha256).hexdigest()
