"""The outbox of one producer: orders to upload files, and bytes held until they are (docs/formats/outbox.md).

The training process, and the small ones beside it, write; the agent reads, and answers.
"""

import errno
import itertools
import json
import os
import re
import shutil
import stat
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from weir._spool.layout import SpoolDir

ORDER_FORMAT: Final = 1
_ORDER_NAME: Final = re.compile(r"(\d{8,})\.json")
_FICLONE: Final = 0x40049409  # ioctl(2): share the blocks of another file
_CHUNK_BYTES: Final = 1 << 20
# What a file system says that cannot share blocks, or cannot link to this file.
_CANNOT: Final = frozenset(
    {errno.EOPNOTSUPP, errno.EXDEV, errno.EINVAL, errno.ENOTTY, errno.ENOSYS, errno.EPERM}
    | {errno.EACCES, errno.EMLINK, errno.EBADF}
)


class Outbox:
    """Orders of one producer, numbered from 1. Safe from any thread and any number of processes.

    Nothing is made on disk before the first order. Writing raises OSError as the disk does; what
    is read and not there is `None` or empty.

    Attributes:
        path: The folder, `<producer>/outbox`.
    """

    def __init__(self, spool: SpoolDir) -> None:
        self.path = spool.outbox_path
        self._prefix = os.urandom(4).hex()  # tells this instance's files from all others'
        self._names = itertools.count(1)
        self._last_put = 0
        self._made: set[str] = set()  # folders
        self._unshareable: set[tuple[str, int]] = set()  # (way, device) that did not work

    # ── who writes ─────────────────────────────────────────────────────────

    def put(self, order: Mapping[str, Any]) -> int:
        """Leave an order for the agent, whole or not at all.

        Args:
            order: As docs/formats/outbox.md says; `format` is added.

        Returns:
            Its number: more than that of any order this instance left before.
        """
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        temporary = self.path / f".{self._new_name()}.tmp"
        temporary.write_text(json.dumps({"format": ORDER_FORMAT, **order}, ensure_ascii=False))
        try:
            while True:
                number = self._next_number()
                self._last_put = number
                with suppress(FileExistsError):  # another process was quicker
                    _move_new(temporary, self._order_path(number))
                    return number
        finally:
            temporary.unlink(missing_ok=True)

    def hold(self, path: str | os.PathLike[str], *, copy: bool = False) -> str:
        """Hold on to a file's bytes, so that its name may be removed or given to another file.

        Shares the blocks where the file system can (then also writing to the file changes
        nothing), else links to the file; where neither is possible, only remembers the path.

        Args:
            path: A regular file; links are followed.
            copy: Where blocks cannot be shared, copy the bytes now, whatever they weigh.

        Returns:
            The name under `path` of the outbox, or the absolute path: what an order calls `source`.
        """
        return self.hold_now(path, copy=copy)[0]

    def hold_now(
        self, path: str | os.PathLike[str], *, copy: bool = False
    ) -> tuple[str, os.stat_result]:
        """Do what `hold` does; returns also what is held, as the disk describes it.

        Made for 20 000 files in a row: three questions to the disk for each.
        """
        source = os.path.abspath(path)
        found = os.lstat(source)
        if stat.S_ISLNK(found.st_mode):
            source = os.path.realpath(source)
            found = os.stat(source)
        name, held = self._new_file("held")
        if self._shared(source, held, found):
            return name, os.stat(held)
        if copy:
            _copy(source, held)
        elif not self._linked(source, held, found):
            return source, os.stat(source)
        return name, os.stat(held)

    def write_blob(self, content: bytes | Iterable[bytes]) -> tuple[str, int, str]:
        """Keep bytes that nobody else has.

        Returns:
            Their SHA-256 in hex, their number, and the name under `path` of the outbox.
        """
        from hashlib import sha256  # loads OpenSSL: 4 MB that most runs do without

        name, path = self._new_file("blobs")
        kept = Path(path)
        temporary = kept.with_name(f".{kept.name}.tmp")
        digest, size_bytes = sha256(), 0
        try:
            with temporary.open("xb") as file:
                for chunk in [content] if isinstance(content, bytes) else content:
                    digest.update(chunk)
                    size_bytes += file.write(chunk)
            os.replace(temporary, kept)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        return digest.hexdigest(), size_bytes, name

    def drop(self, name: str) -> None:
        """Let go of what `hold` or `write_blob` kept; an absolute path is left alone."""
        if (kept := self._kept(name)) is not None:
            with suppress(OSError):
                kept.unlink()

    def say_closing(self) -> None:
        """Say that no order will come any more: files that were to wait for the end may go."""
        if self.path.is_dir():
            (self.path / ".closing").touch(mode=0o600)

    def pending(self) -> list[int]:
        """List the orders that the agent has not settled, lowest first."""
        try:
            names = os.listdir(self.path)
        except FileNotFoundError:
            return []
        return sorted(int(found[1]) for name in names if (found := _ORDER_NAME.fullmatch(name)))

    def result(self, number: int) -> dict[str, Any] | None:
        """Read what became of an order; None when that is not known (yet).

        Orders of kind `blobs` that went well leave no result.
        """
        return _read_json(self._result_path(number))

    def progress(self) -> dict[str, Any]:
        """Read how far the agent has come: `sent_bytes`, `total_bytes`, `doing`; empty = not known."""
        return _read_json(self.path / ".progress") or {}

    # ── who reads: the agent ───────────────────────────────────────────────

    def read(self, number: int) -> dict[str, Any]:
        """Read an order.

        Raises:
            ValueError: It is not one, or of a newer format.
        """
        order = json.loads(self._order_path(number).read_bytes())
        if not isinstance(order, dict) or order.get("format") != ORDER_FORMAT:
            raise ValueError(f"not an order of format {ORDER_FORMAT}")
        return order

    @property
    def closing(self) -> bool:
        """Whether no order will come any more."""
        return (self.path / ".closing").exists()

    def source_path(self, source: str) -> Path:
        """Return where a source's bytes are.

        Raises:
            ValueError: It is relative and leads out of the outbox.
        """
        if os.path.isabs(source):
            return Path(source)
        if (kept := self._kept(source)) is None:
            raise ValueError(f"{source!r} is not in the outbox")
        return kept

    def journal_path(self, number: int) -> Path:
        """Return where the agent notes how far it has come with an order."""
        return self.path / ".state" / f"{number:08d}.jsonl"

    def settle(
        self, number: int, sources: Iterable[str], result: Mapping[str, Any] | None = None
    ) -> None:
        """Note what became of an order, then forget the order and the bytes held for it.

        The result comes first and the order goes last: after a crash in between, settling again
        does the rest.
        """
        if result is not None:
            self._write(self._result_path(number), result)
        for source in sources:
            self.drop(source)
        self.journal_path(number).unlink(missing_ok=True)
        self._order_path(number).unlink(missing_ok=True)

    def sweep(self, *, older_than_s: float) -> bool:
        """Let go of bytes that no order names: their process died before it wrote one.

        Only for an outbox without orders whose process has ended. What is younger is left, for a
        process beside it that is about to write its order.

        Returns:
            Whether nothing is left.
        """
        clean = True
        for path in [*self.path.glob("held/*"), *self.path.glob("blobs/*")]:
            with suppress(FileNotFoundError):
                if time.time() - path.stat().st_ctime >= older_than_s:
                    path.unlink()
                else:
                    clean = False
        return clean

    def note_progress(self, progress: Mapping[str, Any]) -> None:
        """Tell the training process how far we are."""
        self._write(self.path / ".progress", progress)

    # ── below ──────────────────────────────────────────────────────────────

    def _order_path(self, number: int) -> Path:
        return self.path / f"{number:08d}.json"

    def _result_path(self, number: int) -> Path:
        return self.path / ".done" / f"{number:08d}.json"

    def _next_number(self) -> int:
        """A number above all of ours that no order has, and no result."""
        if not self._last_put:
            self._last_put = max(self.pending(), default=0)
        number = self._last_put + 1
        while self._result_path(number).exists():
            number += 1
        return number

    def _new_name(self) -> str:
        return f"{self._prefix}-{next(self._names):06d}"

    def _new_file(self, folder: str) -> tuple[str, str]:
        """Return a name for a file in the outbox that nobody has, and its path."""
        if folder not in self._made:
            (self.path / folder).mkdir(mode=0o700, parents=True, exist_ok=True)
            self._made.add(folder)
        name = f"{folder}/{self._new_name()}"
        return name, f"{self.path}/{name}"

    def _kept(self, name: str) -> Path | None:
        """The path of a name that `hold` or `write_blob` gave out; None when it is none."""
        folder, slash, leaf = name.partition("/")
        good = folder in {"held", "blobs"} and slash and leaf and "/" not in leaf
        return self.path / folder / leaf if good and leaf not in {".", ".."} else None

    def _shared(self, source: str, held: str, found: os.stat_result) -> bool:
        """Make `held` share the blocks of `source`, with its times; False when that cannot be."""
        way = ("share", found.st_dev)
        if way in self._unshareable:
            return False
        try:
            import fcntl

            with open(source, "rb") as reading, open(held, "xb") as writing:
                fcntl.ioctl(writing.fileno(), _FICLONE, reading.fileno())
                found = os.fstat(reading.fileno())
            os.utime(held, ns=(found.st_atime_ns, found.st_mtime_ns))
        except (ImportError, OSError) as error:
            with suppress(FileNotFoundError):
                os.unlink(held)
            if isinstance(error, OSError) and error.errno not in _CANNOT:
                raise
            self._unshareable.add(way)
            return False
        return True

    def _linked(self, source: str, held: str, found: os.stat_result) -> bool:
        way = ("link", found.st_dev)
        if way in self._unshareable:
            return False
        try:
            os.link(source, held)
        except OSError as error:
            if error.errno not in _CANNOT:
                raise
            if error.errno == errno.EXDEV:  # other refusals are about this file
                self._unshareable.add(way)
            return False
        return True

    def _write(self, path: Path, value: Mapping[str, Any]) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.{self._new_name()}.tmp")
        temporary.write_text(json.dumps(value, ensure_ascii=False))
        os.replace(temporary, path)


def _move_new(temporary: Path, path: Path) -> None:
    """Give a file its name unless that is taken; raises FileExistsError."""
    try:
        os.link(temporary, path)
    except FileExistsError:
        raise
    except OSError:  # a file system without links; there, two processes at once may collide
        if path.exists():
            raise FileExistsError(path) from None
        os.replace(temporary, path)


def _read_json(path: Path) -> dict[str, Any] | None:
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def _copy(source: str, target: str) -> None:
    """Copy a file and its times; a disk that does not take all of it is left with nothing."""
    try:
        shutil.copyfile(source, target)
        shutil.copystat(source, target)
    except BaseException:
        with suppress(OSError):
            os.unlink(target)
        raise
