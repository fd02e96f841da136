"""Who asks just now: set by the Guard for a request, and known to Streamlit for the script of a websocket.

A script runs in a thread of its own, later than the handshake of its websocket: a context variable
does not reach it. The Guard puts a ticket into the handshake instead, in a header that it takes out of
whatever comes from outside. Streamlit keeps it as the user of the session (`server.trustedUserHeaders`
in .streamlit/config.toml), and so never lets one viewer take up the session of another.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from hashlib import blake2b
from typing import Final, TypeAlias

from streamlit.runtime.scriptrunner import get_script_run_ctx

from weir_dashboard.access.viewer import ANYBODY, NOBODY, Viewer

HEADER: Final = "weir-viewer"
"""Of the handshake; .streamlit/config.toml says the same."""

USER_KEY: Final = "weir_viewer"

Recheck: TypeAlias = Callable[[], Viewer | None]

_KEY: Final = secrets.token_bytes(32)
_asking: ContextVar[Viewer | None] = ContextVar("weir_viewer", default=None)
_is_open = True
_tickets: dict[str, list[Recheck]] = {}
_lock = threading.Lock()  # guards _tickets


def require_sign_in(*, required: bool) -> None:
    """Say whether whoever is not known may see everything (False) or nothing (True)."""
    global _is_open
    _is_open = not required


def set_for_request(viewer: Viewer) -> None:
    """Name who asks, for what this request calls; threads that starlette starts for it know it too."""
    _asking.set(viewer)


def viewer() -> Viewer:
    """Return who asks: whose script this is, else whose request, else everybody or nobody."""
    script = get_script_run_ctx(suppress_warning=True)
    if script is not None:
        return _of_ticket(str(script.user_info.get(USER_KEY) or ""))
    return _asking.get() or _unknown()


@contextmanager
def ticket(session: str, recheck: Recheck) -> Iterator[str]:
    """Name a websocket's viewer while it is open; all websockets of one session have the same ticket.

    Args:
        session: Names what the viewer came in with; anything that another viewer has not.
        recheck: Asked at every question; None = they are not let in any more.
    """
    name = blake2b(session.encode(), key=_KEY, digest_size=24).hexdigest()
    with _lock:
        _tickets.setdefault(name, []).append(recheck)
    try:
        yield name
    finally:
        with _lock:
            _tickets[name].remove(recheck)
            if not _tickets[name]:
                del _tickets[name]


def _of_ticket(name: str) -> Viewer:
    with _lock:
        rechecks = _tickets.get(name)
        recheck = rechecks[-1] if rechecks else None
    if recheck is None:
        return _unknown()
    return recheck() or NOBODY


def _unknown() -> Viewer:
    return ANYBODY if _is_open else NOBODY
