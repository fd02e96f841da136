"""What outlives a request: sessions, sign-ins under way, share links. One SQLite file, digests instead of secrets.

A secret is 256 random bits, shown once to whom it is for; the file holds its SHA-256. So nothing can be
forged, a copy of the file lets nobody in, and what was ended (signed out, revoked, expired) stays ended
after a restart.
"""

from __future__ import annotations

import json
import os
import secrets
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from weir_dashboard.access.records import Link, Pending, Person
from weir_dashboard.access.viewer import Via
from weir_store.records import RunRef
from weir_store.tokens import digest_of

_REMEMBERED_S: Final = 1.0
_MOST_REMEMBERED: Final = 4_096
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS instance (id TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS sessions (
  digest TEXT PRIMARY KEY, name TEXT NOT NULL, via TEXT NOT NULL, sha256 TEXT NOT NULL, groups TEXT NOT NULL,
  expires REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS pending (
  digest TEXT PRIMARY KEY, state TEXT NOT NULL, nonce TEXT NOT NULL, verifier TEXT NOT NULL, next TEXT NOT NULL,
  expires REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS links (
  digest TEXT PRIMARY KEY, id TEXT NOT NULL UNIQUE, title TEXT NOT NULL, address TEXT NOT NULL,
  projects TEXT NOT NULL, runs TEXT NOT NULL, by TEXT NOT NULL, via TEXT NOT NULL, sha256 TEXT NOT NULL,
  groups TEXT NOT NULL, made REAL NOT NULL, expires REAL NOT NULL) WITHOUT ROWID;
"""


class Register:
    """Keeps it. Safe from any thread, and for several processes with one file."""

    def __init__(self, path: Path | None, unix_s: Callable[[], float] = time.time) -> None:
        """Open the file, made where it is missing, for this user alone; None = memory.

        Raises:
            OSError: It cannot be made.
        """
        self._unix_s = unix_s
        self._lock = threading.Lock()  # guards the connection and _known
        self._known: dict[tuple[str, str], tuple[float, Any]] = {}
        self._db = _open(path)
        self.instance = self._instance()

    def begin_session(self, person: Person, lasts_s: float) -> str:
        """Return the secret of a new session."""
        secret = _secret()
        row = (digest_of(secret), person.name, person.via.value, person.sha256)
        self._write(
            "INSERT INTO sessions VALUES (?, ?, ?, ?, ?, ?)",
            (*row, json.dumps(person.groups), self._unix_s() + lasts_s),
        )
        return secret

    def session(self, secret: str) -> Person | None:
        """Return whose session it is; None when it is unknown, ended or expired."""
        row = self._read("sessions", "name, via, sha256, groups, expires", secret)
        return None if row is None else _person(*row[:4])

    def end_session(self, secret: str) -> None:
        """Sign out."""
        self._write("DELETE FROM sessions WHERE digest = ?", (digest_of(secret),))

    def begin_pending(self, pending: Pending, lasts_s: float) -> str:
        """Return the secret that the same browser has to show at the end."""
        secret = _secret()
        told = (pending.state, pending.nonce, pending.verifier, pending.next)
        self._write(
            "INSERT INTO pending VALUES (?, ?, ?, ?, ?, ?)",
            (digest_of(secret), *told, self._unix_s() + lasts_s),
        )
        return secret

    def take_pending(self, secret: str) -> Pending | None:
        """Return a sign-in under way, once."""
        row = self._read("pending", "state, nonce, verifier, next, expires", secret)
        taken = self._write("DELETE FROM pending WHERE digest = ?", (digest_of(secret),))
        return Pending(*row[:4]) if row is not None and taken else None

    def make_link(self, link: Link) -> str:
        """Keep a link and return its secret."""
        secret = _secret()
        runs = sorted([ref.project, ref.run_id] for ref in link.runs)
        row = (
            digest_of(secret),
            link.link_id,
            link.title,
            link.address,
            json.dumps(link.projects),
            json.dumps(runs),
            link.by.name,
            link.by.via.value,
            link.by.sha256,
            json.dumps(link.by.groups),
            link.made_unix_s,
            link.expires_unix_s,
        )
        self._write(f"INSERT INTO links VALUES ({', '.join('?' * len(row))})", row)
        return secret

    def link(self, secret: str) -> Link | None:
        """Return what a secret opens; None when it is unknown, revoked or expired."""
        row = self._read("links", _LINK, secret)
        return None if row is None else _link(row)

    def list_links(self) -> list[Link]:
        """List the links that have not expired, the newest first."""
        with self._lock:
            rows = self._db.execute(
                f"SELECT {_LINK} FROM links WHERE expires > ? ORDER BY made DESC",
                (self._unix_s(),),
            ).fetchall()
        return [_link(row) for row in rows]

    def revoke_link(self, link_id: str) -> None:
        """Let a link open nothing."""
        self._write("DELETE FROM links WHERE id = ?", (link_id,))

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._db.close()

    def _read(self, table: str, columns: str, secret: str) -> tuple[Any, ...] | None:
        """Return a row that has not expired (its last column); good for a second, as far as others write."""
        key, now_s = (table, digest_of(secret)), self._unix_s()
        with self._lock:
            read_s, row = self._known.get(key, (-1.0, None))
            if not 0 <= now_s - read_s < _REMEMBERED_S:
                row = self._db.execute(
                    f"SELECT {columns} FROM {table} WHERE digest = ?",
                    key[1:],
                ).fetchone()
                if len(self._known) >= _MOST_REMEMBERED:
                    self._known.clear()
                self._known[key] = now_s, row
        return row if row is not None and row[-1] > now_s else None

    def _write(self, statement: str, values: tuple[Any, ...]) -> int:
        """Write at once; returns how many rows. What has expired goes with it."""
        with self._lock:
            self._known.clear()
            with self._db:
                for table in ("sessions", "pending", "links"):
                    self._db.execute(f"DELETE FROM {table} WHERE expires <= ?", (self._unix_s(),))
                return self._db.execute(statement, values).rowcount

    def _instance(self) -> str:
        """Name this register: browsers send the cookies of one host to all its ports."""
        with self._lock, self._db:
            self._db.execute(
                "INSERT INTO instance SELECT ? WHERE NOT EXISTS (SELECT 1 FROM instance)",
                (secrets.token_hex(4),),
            )
            return str(self._db.execute("SELECT id FROM instance").fetchone()[0])


_LINK: Final = "id, title, address, projects, runs, by, via, sha256, groups, made, expires"


def _secret() -> str:
    return secrets.token_urlsafe(32)


def _person(name: str, via: str, sha256: str, groups: str) -> Person:
    return Person(name, Via(via), sha256, tuple(json.loads(groups)))


def _link(row: tuple[Any, ...]) -> Link:
    link_id, title, address, projects, runs, by, via, sha256, groups, made, expires = row
    return Link(
        link_id,
        title,
        address,
        tuple(json.loads(projects)),
        frozenset(RunRef(*ref) for ref in json.loads(runs)),
        _person(by, via, sha256, groups),
        made,
        expires,
    )


def _open(path: Path | None) -> sqlite3.Connection:
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    try:
        db = sqlite3.connect(path or ":memory:", timeout=10, check_same_thread=False)
        db.executescript(_SCHEMA)
    except sqlite3.Error as error:
        raise OSError(f"{path}: {error}") from error
    return db
