"""Who may ask about which runs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from weir_server.gateway.auth import Auth
from weir_server.gateway.tokens import Role
from weir_store.records import RunRef


def require_readable(auth: Auth, context: Any, runs: Iterable[RunRef]) -> None:
    """Raise `Unauthenticated` or `Forbidden` unless the caller may read every run named."""
    principal = auth.principal(context.invocation_metadata())
    for project in sorted({run.project for run in runs}):
        principal.require(Role.READER, project)
