"""How far an order has come: lines of JSON, appended, for whoever goes on with it after us."""

import json
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from weir.agent._uploads.source import Fingerprint, Source

_WORTH_NOTING_BYTES: Final = 1 << 20  # a smaller file is read again more quickly than noted


@dataclass(frozen=True, slots=True)
class Begun:
    """An upload in parts that the server knows."""

    upload_id: str
    part_bytes: int


class Journal:
    """What was found out and done for one order. Safe from any thread; raises OSError on writing.

    Lines (docs/formats/outbox.md): `hashed` a file, `begun` and `ended` an upload, `stored` blobs,
    `unsure` of blobs, `again`: forget what is known of a blob. A torn last line counts for
    nothing: what it said is found out again.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._hashed: dict[str, tuple[int, int, Fingerprint]] = {}
        self._begun: dict[str, Begun] = {}
        self._stored: set[str] = set()
        self._load()

    def fingerprint(self, source: Source, part_bytes: int) -> Fingerprint | None:
        """Return what a file's bytes are when that is known of just this file."""
        with self._lock:
            known = self._hashed.get(str(source.path))
        if known is None or known[:2] != (source.size_bytes, source.mtime_ns):
            return None
        found = known[2]
        fits = found.part_bytes == part_bytes or source.size_bytes <= min(
            part_bytes, found.part_bytes
        )
        return found if fits else None

    def begun(self, sha256: str) -> Begun | None:
        """Return the upload that was begun for a blob."""
        return self._begun.get(sha256)

    def is_stored(self, sha256: str) -> bool:
        """Whether the server has confirmed a blob."""
        return sha256 in self._stored

    def note_hashed(self, source: Source, found: Fingerprint) -> None:
        """Note what a file's bytes are; of a small one only in memory."""
        self._note(
            source.size_bytes >= _WORTH_NOTING_BYTES,
            hashed=str(source.path),
            size=source.size_bytes,
            mtime_ns=source.mtime_ns,
            sha256=found.sha256,
            part_bytes=found.part_bytes,
            md5s=found.md5s,
        )

    def note_begun(self, sha256: str, begun: Begun) -> None:
        """Note an upload in parts."""
        self._note(begun=sha256, upload_id=begun.upload_id, part_bytes=begun.part_bytes)

    def note_ended(self, sha256: str) -> None:
        """Note that an upload in parts is of no use any more."""
        self._note(ended=sha256)

    def note_stored(self, sha256s: list[str]) -> None:
        """Note that the server has confirmed blobs."""
        if sha256s:
            self._note(stored=sha256s)

    def forget(self, sha256: str) -> None:
        """Forget all that is known of a blob: it is to be read and sent again."""
        self._note(again=sha256)

    def forget_stored(self) -> None:
        """Ask the server again about every blob."""
        self._note(unsure=sorted(self._stored))

    def _note(self, on_disk: bool = True, /, **fact: Any) -> None:
        with self._lock:
            self._take(fact)
            if on_disk:
                self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                with self._path.open("a") as file:
                    file.write(json.dumps(fact) + "\n")

    def _load(self) -> None:
        try:
            text = self._path.read_text()
        except (OSError, UnicodeDecodeError):
            return
        if text and not text.endswith("\n"):  # else our first line would be lost with the torn one
            self._path.write_text(text[: text.rfind("\n") + 1])
        for line in text.splitlines():
            with suppress(ValueError, KeyError, TypeError):
                self._take(json.loads(line))

    def _take(self, fact: dict[str, Any]) -> None:
        if "hashed" in fact:
            found = Fingerprint(
                fact["sha256"], fact["size"], fact["part_bytes"], tuple(fact["md5s"])
            )
            self._hashed[fact["hashed"]] = (fact["size"], fact["mtime_ns"], found)
        elif "begun" in fact:
            self._begun[fact["begun"]] = Begun(fact["upload_id"], fact["part_bytes"])
        elif "ended" in fact:
            self._begun.pop(fact["ended"], None)
        elif "stored" in fact:
            self._stored.update(fact["stored"])
        elif "unsure" in fact:
            self._stored.difference_update(fact["unsure"])
        elif "again" in fact:
            sha256 = fact["again"]
            self._begun.pop(sha256, None)
            self._stored.discard(sha256)
            self._hashed = {
                path: known for path, known in self._hashed.items() if known[2].sha256 != sha256
            }
