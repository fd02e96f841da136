"""Telling by e-mail, through the one mail server of the settings."""

from __future__ import annotations

import smtplib
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate
from typing import Final

from weir_server.rules.actions.base import Acts, NeverTaken, NotTaken
from weir_server.rules.actions.web import plain_text
from weir_server.settings import RulesSettings
from weir_store.rules.records import ActionKind, Delivery

_SUBJECT_LETTERS: Final = 200


@dataclass(frozen=True, slots=True)
class Mail:
    """Sends; safe from any thread."""

    settings: RulesSettings

    def acts(self) -> Acts:
        """Return what it can do."""
        return {ActionKind.EMAIL: self.email}

    def email(self, delivery: Delivery) -> str:
        """Send the alert to everybody the action names."""
        settings = self.settings
        if not settings.smtp_host:
            raise NeverTaken("there is no mail server: set rules.smtp_host")
        message = message_of(delivery, settings.smtp_from)
        try:
            refused = self._send(message)
        except smtplib.SMTPRecipientsRefused as error:
            raise NeverTaken(f"no recipient was taken: {_names(error.recipients)}") from error
        except (OSError, smtplib.SMTPException) as error:
            raise NotTaken(f"the mail server did not take it: {error}") from error
        return f"not taken: {_names(refused)}" if refused else ""

    def _send(self, message: EmailMessage) -> dict[str, tuple[int, bytes]]:
        settings = self.settings
        with smtplib.SMTP(
            settings.smtp_host, settings.smtp_port, timeout=settings.delivery_s
        ) as server:
            if settings.smtp_starttls:
                server.starttls(context=ssl.create_default_context())
            if settings.smtp_user:
                server.login(settings.smtp_user, settings.smtp_password.get_secret_value())
            return server.send_message(message)


def message_of(delivery: Delivery, sender: str) -> EmailMessage:
    """Return the e-mail of an alert; repetitions have the same Message-ID."""
    payload = delivery.payload
    message = EmailMessage()
    subject = f"[weir {payload['project']}] {payload['title']}"
    message["Subject"] = " ".join(subject.split())[:_SUBJECT_LETTERS]
    message["From"] = sender
    message["To"] = delivery.action.target
    message["Date"] = formatdate(payload["at_unix_us"] / 1e6)
    message["Message-ID"] = f"<{delivery.delivery_id}@weir>"
    message.set_content(plain_text(payload))
    return message


def _names(recipients: dict[str, tuple[int, bytes]]) -> str:
    return ", ".join(sorted(recipients))
