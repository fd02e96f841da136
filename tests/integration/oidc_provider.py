"""A small OpenID Connect provider: everybody is one person; checks what clients have to prove, lies when told."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT, SECRET = "weir-dashboard", "s3cret/+"


@cache
def key_of(kid: str) -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": kid})


@dataclass
class Provider:
    """Whom it signs in, and how it lies.

    Attributes:
        person: Claims of the ID token about the person.
        userinfo: What only the userinfo endpoint says.
        lies: Claims put over the true ones; None takes one away.
        stranger: Sign with a key that is not published.
        algorithm: Of the signature.
        refuses: The error sent back instead of a code.
        asked: Paths that were asked for.
    """

    person: dict[str, Any] = field(
        default_factory=lambda: {"sub": "7", "email": "ada@example.org", "groups": ["vision"]}
    )
    userinfo: dict[str, Any] = field(default_factory=dict)
    lies: dict[str, Any] = field(default_factory=dict)
    stranger: bool = False
    algorithm: str = "RS256"
    refuses: str = ""
    asked: list[str] = field(default_factory=list)
    issuer: str = ""
    key: RSAKey = field(default_factory=lambda: key_of("1"))
    codes: dict[str, dict[str, str]] = field(default_factory=dict)

    def metadata(self) -> dict[str, Any]:
        return {
            "issuer": self.lies.get("issuer", self.issuer),
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
        }

    def turn_key(self) -> None:
        self.key = key_of("2")

    def authorize(self, asked: dict[str, str]) -> str:
        """Return where the browser goes next."""
        assert asked["client_id"] == CLIENT
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        back = {"state": asked["state"], "iss": self.issuer}
        if self.refuses:
            back["error"] = self.refuses
        else:
            back["code"] = secrets.token_urlsafe(16)
            self.codes[back["code"]] = asked
        return f"{asked['redirect_uri']}?{urlencode(back)}"

    def token(self, said: dict[str, str], authorization: str) -> dict[str, Any] | None:
        """Return the tokens for a code, once, to who began."""
        asked = self.codes.pop(said.get("code", ""), None)
        proof = base64.urlsafe_b64encode(
            hashlib.sha256(said.get("code_verifier", "").encode()).digest()
        )
        basic = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        if (
            asked is None
            or asked["code_challenge"] != proof.decode().rstrip("=")
            or asked["redirect_uri"] != said.get("redirect_uri")
            or authorization != f"Basic {basic}"
        ):
            return None
        return {
            "access_token": "opaque",
            "token_type": "Bearer",
            "id_token": self._id_token(asked["nonce"]),
        }

    def _id_token(self, nonce: str) -> str:
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": CLIENT, "nonce": nonce, "iat": now, "exp": now + 300}
        claims |= self.person | {key: value for key, value in self.lies.items() if key != "issuer"}
        kept = {key: value for key, value in claims.items() if value is not None}
        if self.algorithm == "none":
            parts = ({"alg": "none"}, kept)
            return (
                ".".join(
                    base64.urlsafe_b64encode(json.dumps(p).encode()).decode().rstrip("=")
                    for p in parts
                )
                + "."
            )
        key = RSAKey.generate_key(2048, {"kid": self.key.kid}) if self.stranger else self.key
        return jwt.encode({"alg": self.algorithm, "kid": self.key.kid}, kept, key)


@contextmanager
def provider() -> Iterator[Provider]:
    """Serve one until the block is through."""
    made = Provider()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            made.asked.append(parts.path)
            if parts.path == "/authorize":
                asked = {key: texts[-1] for key, texts in parse_qs(parts.query).items()}
                self._say(302, {}, {"Location": made.authorize(asked)})
            else:
                known = {
                    "/.well-known/openid-configuration": made.metadata(),
                    "/keys": {"keys": [made.key.as_dict(private=False)]},
                    "/userinfo": {"sub": made.person["sub"], **made.userinfo},
                }
                self._say(200 if parts.path in known else 404, known.get(parts.path, {}))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            said = {key: texts[-1] for key, texts in parse_qs(body).items()}
            token = made.token(said, self.headers.get("Authorization", ""))
            self._say(200 if token else 400, token or {"error": "invalid_grant"})

        def _say(
            self, status: int, said: dict[str, Any], headers: dict[str, str] | None = None
        ) -> None:
            body = json.dumps(said).encode()
            self.send_response(status)
            for key, value in {"Content-Type": "application/json", **(headers or {})}.items():
                self.send_header(key, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.issuer = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
