"""Asking an OpenID Connect provider who somebody is: discovery, the code flow with PKCE, the claims of the ID token.

Needs Authlib (`pip install 'weir[oidc]'`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar, cast
from urllib.parse import urlsplit

from weir_dashboard.access.config import AccessError, OidcConfig
from weir_dashboard.access.records import Pending, Person
from weir_dashboard.access.viewer import Via

try:
    import requests
    from authlib.common.security import generate_token
    from authlib.integrations.requests_client import OAuth2Session
    from authlib.oauth2.rfc7636 import create_s256_code_challenge
    from joserfc import jwt
    from joserfc.errors import JoseError
    from joserfc.jwk import KeySet
except ImportError as missing:  # pragma: no cover - tests have it
    raise AccessError("dashboard.auth = oidc needs Authlib: pip install 'weir[oidc]'") from missing

T = TypeVar("T")

_TIMEOUT_S: Final = 10.0
_FRESH_S: Final = 3_600.0
_KEYS_FRESH_S: Final = 600.0
_LEEWAY_S: Final = 60
_MOST_NAME: Final = 200
# Signed by the provider's own key: never `none`, and never HS256 with what anybody may know.
_ALGORITHMS: Final = [
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "EdDSA",
]


class NotSignedIn(Exception):
    """The provider did not vouch for anybody; the text is for people."""


class Oidc:
    """One provider. Every method blocks on the network; safe from any thread."""

    def __init__(
        self, config: OidcConfig, monotonic_s: Callable[[], float] = time.monotonic
    ) -> None:
        """Remember the provider; it is asked when somebody comes."""
        if not (config.issuer and config.client_id):
            raise AccessError(
                "dashboard.auth = oidc needs dashboard.oidc_issuer and dashboard.oidc_client_id"
            )
        self._config = config
        self._monotonic_s = monotonic_s
        self._kept: dict[str, tuple[float, Any]] = {}

    @property
    def host(self) -> str:
        """The provider's host, for people."""
        return urlsplit(self._config.issuer).hostname or self._config.issuer

    def begin(self, redirect_uri: str, next: str) -> tuple[str, Pending]:
        """Return where to send the browser, and what has to be remembered until it comes back.

        Raises:
            NotSignedIn: The provider does not answer.
        """
        pending = Pending(generate_token(32), generate_token(32), generate_token(64), next)
        with self._session(redirect_uri) as session:
            url, _ = session.create_authorization_url(
                self._known("authorization_endpoint"),
                state=pending.state,
                nonce=pending.nonce,
                code_challenge=create_s256_code_challenge(pending.verifier),
                code_challenge_method="S256",
            )
        return url, pending

    def finish(self, redirect_uri: str, pending: Pending, said: Mapping[str, str]) -> Person:
        """Return who came back.

        Args:
            redirect_uri: The same as at the beginning.
            pending: What was remembered.
            said: The query the browser came back with; its `state` is checked here, too.

        Raises:
            NotSignedIn: The provider refused, or what it says does not hold.
        """
        if said.get("state") != pending.state:
            raise NotSignedIn("The answer belongs to another sign-in. Try again.")
        if said.get("iss", self._config.issuer) != self._config.issuer:
            raise NotSignedIn("The answer comes from another provider.")
        if "error" in said:
            raise NotSignedIn(f"The provider says: {said['error'][:_MOST_NAME]}")
        try:
            with self._session(redirect_uri) as session:
                token = session.fetch_token(
                    self._known("token_endpoint"),
                    code=said.get("code", ""),
                    code_verifier=pending.verifier,
                    timeout=_TIMEOUT_S,
                )
        except NotSignedIn:
            raise
        except Exception as error:  # whatever a provider says instead of a token
            raise NotSignedIn(f"The provider gave no token: {type(error).__name__}") from error
        claims = self._claims(str(token.get("id_token", "")), pending.nonce)
        return self._person(self._completed(claims, str(token.get("access_token", ""))))

    def _claims(self, id_token: str, nonce: str) -> dict[str, Any]:
        try:
            try:
                decoded = jwt.decode(id_token, self._keys(), algorithms=_ALGORITHMS)
            except (JoseError, ValueError):
                # The provider may have changed its keys since.
                self._kept.pop("keys", None)
                decoded = jwt.decode(id_token, self._keys(), algorithms=_ALGORITHMS)
            jwt.JWTClaimsRegistry(
                leeway=_LEEWAY_S,
                iss={"essential": True, "value": self._config.issuer},
                aud={"essential": True, "value": self._config.client_id},
                sub={"essential": True},
                exp={"essential": True},
                iat={"essential": True},
                nonce={"essential": True, "value": nonce},
            ).validate(decoded.claims)
        except (JoseError, ValueError) as wrong:
            raise NotSignedIn(
                f"The provider's word does not hold: {type(wrong).__name__}"
            ) from wrong
        claims: dict[str, Any] = decoded.claims
        if claims.get("azp", self._config.client_id) != self._config.client_id:
            raise NotSignedIn("The provider's word is for another client.")
        return claims

    def _completed(self, claims: dict[str, Any], access_token: str) -> dict[str, Any]:
        """Add what only the userinfo endpoint says, where it speaks of the same person."""
        wanted = {self._config.name_claim, self._config.groups_claim}
        endpoint = self._metadata().get("userinfo_endpoint")
        if wanted <= set(claims) or not (endpoint and access_token):
            return claims
        more = _get(str(endpoint), {"Authorization": f"Bearer {access_token}"})
        return {**more, **claims} if more.get("sub") == claims["sub"] else claims

    def _person(self, claims: Mapping[str, Any]) -> Person:
        name = claims.get(self._config.name_claim)
        if not isinstance(name, str) or not name.strip() or len(name) > _MOST_NAME:
            raise NotSignedIn(f"The provider says no {self._config.name_claim!r} of you.")
        if self._config.name_claim == "email" and claims.get("email_verified") is False:
            raise NotSignedIn("The provider has not verified your e-mail address.")
        groups = claims.get(self._config.groups_claim) or ()
        listed = [groups] if isinstance(groups, str) else groups
        known = tuple(each for each in listed if isinstance(each, str))
        return Person(name.strip(), Via.OIDC, groups=known)

    def _session(self, redirect_uri: str) -> Any:
        secret = self._config.client_secret
        return OAuth2Session(
            self._config.client_id,
            secret or None,
            scope=self._config.scopes,
            redirect_uri=redirect_uri,
            token_endpoint_auth_method="client_secret_basic" if secret else "none",
        )

    def _known(self, endpoint: str) -> str:
        found = self._metadata().get(endpoint)
        if not isinstance(found, str):
            raise NotSignedIn(f"The provider names no {endpoint}.")
        return found

    def _metadata(self) -> dict[str, Any]:
        return self._keep("metadata", _FRESH_S, self._discover)

    def _discover(self) -> dict[str, Any]:
        issuer = self._config.issuer
        found = _get(f"{issuer.rstrip('/')}/.well-known/openid-configuration", {})
        if found.get("issuer") != issuer:
            raise NotSignedIn(
                f"The provider calls itself {str(found.get('issuer'))[:_MOST_NAME]!r}."
            )
        return found

    def _keys(self) -> KeySet:
        return self._keep("keys", _KEYS_FRESH_S, self._read_keys)

    def _read_keys(self) -> KeySet:
        try:
            return KeySet.import_key_set(cast(Any, _get(self._known("jwks_uri"), {})))
        except (JoseError, ValueError, KeyError, TypeError) as error:
            raise NotSignedIn("The provider's keys cannot be read.") from error

    def _keep(self, name: str, fresh_s: float, read: Callable[[], T]) -> T:
        read_s, found = self._kept.get(name, (0.0, None))
        if found is None or self._monotonic_s() - read_s > fresh_s:
            found = read()
            self._kept[name] = self._monotonic_s(), found
        return cast(T, found)


def _get(url: str, headers: Mapping[str, str]) -> dict[str, Any]:
    try:
        answer = requests.get(url, headers=headers, timeout=_TIMEOUT_S, allow_redirects=False)
        answer.raise_for_status()
        found = answer.json()
    except (requests.RequestException, ValueError) as error:
        raise NotSignedIn("The provider does not answer. Try again later.") from error
    return found if isinstance(found, dict) else {}
