"""Telling by HTTP: webhooks of one's own, Slack, Discord. Never to this machine unless settings allow it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from weir_server.gateway.webhook_address import address_of
from weir_server.gateway.webhook_send import NoAnswer, post
from weir_server.gateway.webhooks import SIGNATURE, signature_of
from weir_server.rules.actions.base import Acts, NeverTaken, NotTaken
from weir_store.errors import InvalidQuery
from weir_store.rules.records import ActionKind, Delivery

_DISCORD_LETTERS: Final = 2_000
_SLACK_LETTERS: Final = 3_000
_LATER: Final = frozenset({408, 425, 429})  # of the 4xx, those that ask for patience
_SIGNS: Final = {"debug": "⚪", "info": "🔵", "warn": "🟡", "error": "🔴", "critical": "🔴"}


@dataclass(frozen=True, slots=True)
class Web:
    """Sends; safe from any thread.

    Attributes:
        anywhere: Loopback and link-local addresses are good too.
        within_s: Longest try.
    """

    anywhere: bool
    within_s: float

    def acts(self) -> Acts:
        """Return what it can do."""
        return {
            ActionKind.WEBHOOK: self.webhook,
            ActionKind.SLACK: self.slack,
            ActionKind.DISCORD: self.discord,
        }

    def webhook(self, delivery: Delivery) -> str:
        """POST the alert as JSON, signed where the rule has a secret."""
        body = as_json(delivery.payload)
        headers = {"X-Weir-Event": "alert", "X-Weir-Delivery": str(delivery.delivery_id)}
        if delivery.action.secret:
            headers[SIGNATURE] = signature_of(delivery.action.secret, body)
        return self._send(delivery, body, headers)

    def slack(self, delivery: Delivery) -> str:
        """POST it to an incoming webhook of Slack, or of what understands the same (Mattermost …)."""
        return self._send(delivery, as_json({"text": slack_text(delivery.payload)}), {})

    def discord(self, delivery: Delivery) -> str:
        """POST it to a webhook of Discord; it mentions nobody."""
        said = {"content": plain_text(delivery.payload)[:_DISCORD_LETTERS]}
        return self._send(delivery, as_json(said | {"allowed_mentions": {"parse": []}}), {})

    def _send(self, delivery: Delivery, body: bytes, headers: Mapping[str, str]) -> str:
        try:
            address = address_of(delivery.action.target, anywhere=self.anywhere)
        except InvalidQuery as error:
            raise NeverTaken(str(error)) from error
        except OSError as error:
            raise NotTaken(f"the host is not known: {error}") from error
        told = {"Content-Type": "application/json", "User-Agent": "weir", **headers}
        try:
            status = post(address, body, told, within_s=self.within_s)
        except NoAnswer as error:
            raise NotTaken(str(error)) from error
        judge_status(status)
        return ""


def judge_status(status: int) -> None:
    """Raise what an answer's status means: `NotTaken` for one that may change, else `NeverTaken`."""
    if 200 <= status < 300:
        return
    if 300 <= status < 400:
        raise NeverTaken(f"answered with a redirect ({status}), which is not followed")
    if 400 <= status < 500 and status not in _LATER:
        raise NeverTaken(f"answered with status {status}")
    raise NotTaken(f"answered with status {status}")


def plain_text(payload: Mapping[str, Any]) -> str:
    """Return an alert as people read it: what, where, why."""
    sign = "✅ over:" if payload["state"] == "resolved" else _SIGNS.get(payload["severity"], "")
    rank = "" if payload["rank"] is None else f"rank {payload['rank']}"
    where = "/".join(filter(None, (payload["project"], payload["run_id"])))
    places = " · ".join(filter(None, (where, rank, payload["node"])))
    return f"{sign} {payload['title']}\n{places}\n{payload['text']}".strip()


def slack_text(payload: Mapping[str, Any]) -> str:
    """Return the same so that Slack takes nothing in it for a link or a mention."""
    text = plain_text(payload)[:_SLACK_LETTERS]
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def as_json(values: Mapping[str, Any]) -> bytes:
    """Return JSON, short, as UTF-8."""
    text = json.dumps(values, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.encode(errors="replace")
