"""Sessions: what was SET, USEd or made temporary in one request is there in the next."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from weir_server.engine import errors
from weir_server.engine.chdb import Engine, Handle
from weir_server.engine.errors import QueryFailed
from weir_server.engine.request import Query, Session
from weir_server.engine.statement import Statement

_MAX_SESSIONS = 1_000
_MAX_PINNED = 32


@dataclass(slots=True)
class _State:
    """What a session remembers.

    Most sessions are only a list of statements, said again on the fresh handle of each request.
    One that made a temporary table keeps its handle, because the table lives on it.
    """

    expires_s: float = 0.0
    statements: list[Statement] = field(default_factory=list)
    pinned: Handle | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)


class Sessions:
    """The sessions of one engine; used from many threads."""

    def __init__(self, engine: Engine, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._engine = engine
        self._clock = clock
        self._lock = threading.Lock()  # guards the dictionary, never held while a query runs
        self._states: dict[str, _State] = {}

    @contextmanager
    def handle(self, query: Query, statement: Statement) -> Iterator[Handle]:
        """Open a handle with the session's state and the query's own settings.

        Raises:
            QueryFailed: The session is busy or unknown, or a setting does not exist.
        """
        if query.session is None:
            with self._engine.handle(statement.kind) as handle:
                handle.apply(query.settings, database=query.database, readonly=query.readonly)
                yield handle
            return
        state = self._enter(query.session)
        try:
            yield from self._in_session(state, query, statement)
        finally:
            state.expires_s = self._clock() + query.session.timeout_s
            state.lock.release()

    def close(self) -> None:
        """Forget every session."""
        with self._lock:
            for state in self._states.values():
                self._forget(state)
            self._states.clear()

    def _in_session(self, state: _State, query: Query, statement: Statement) -> Iterator[Handle]:
        # readonly stays on a handle for ever, so a reader never gets the one that is kept
        pinned = state.pinned if not query.readonly else None
        handle = pinned or self._engine.handle(statement.kind)
        keep = False
        try:
            if pinned is None:
                _repeat(handle, state.statements)
            handle.apply(query.settings, database=query.database, readonly=query.readonly)
            yield handle
            keep = statement.temporary
            if statement.remembered:
                state.statements.append(statement)
        finally:
            if pinned is not None or keep:
                handle.reset(query.settings)
                if query.database:
                    handle.apply({}, database="default")
                _repeat(handle, state.statements)
                state.pinned = handle
            else:
                handle.close()

    def _enter(self, session: Session) -> _State:
        """Find or make the session's state and lock it."""
        with self._lock:
            self._drop_expired()
            state = self._states.get(session.id)
            if state is None:
                if session.must_exist:
                    raise QueryFailed(errors.SESSION_NOT_FOUND, f"Session {session.id} not found")
                state = self._states[session.id] = _State()
            if not state.lock.acquire(blocking=False):
                raise QueryFailed(
                    errors.SESSION_IS_LOCKED,
                    f"Session {session.id} is locked by a concurrent client",
                )
            return state

    def _drop_expired(self) -> None:
        """Forget idle sessions that are over, and the oldest idle ones when there are too many."""
        now_s = self._clock()
        idle = sorted(
            (state.expires_s, name)
            for name, state in self._states.items()
            if not state.lock.locked()
        )
        pinned = sum(state.pinned is not None for state in self._states.values())
        for expires_s, name in idle:
            state = self._states[name]
            too_many = len(self._states) >= _MAX_SESSIONS or (
                pinned >= _MAX_PINNED and state.pinned is not None
            )
            if expires_s <= now_s or too_many:
                pinned -= state.pinned is not None
                self._forget(self._states.pop(name))

    @staticmethod
    def _forget(state: _State) -> None:
        if state.pinned is not None:
            state.pinned.close()


def _repeat(handle: Handle, statements: list[Statement]) -> None:
    for statement in statements:
        handle.command(statement, default_format="TabSeparated", parameters={})
