"""Where things lie under a spool root: producers' folders and the agent's files."""

import errno
import itertools
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from weir import _fault as fault
from weir._spool.frame import (
    FRAME_HEADER,
    MAGIC,
    MAX_BODY_BYTES,
    SEGMENT_HEADER,
    parse_frame,
)
from weir._spool.notes import Control, Meta, Watermark, Welcome
from weir.errors import SpoolError

_SEGMENT_NAME = re.compile(r"\d{8,}\.seg")


def folder_name(name: str) -> str:
    """Return `name` percent-encoded except `[A-Za-z0-9_.-]`; `.` and `..` too."""
    encoded = quote(name, safe="").replace("~", "%7E")
    return encoded.replace(".", "%2E") if encoded in {".", ".."} else encoded


def agent_lock_path(root: Path, node: str) -> Path:
    """Return the file that the agent of `node` holds a flock on."""
    return root / f"agent-{folder_name(node)}.lock"


def agent_log_path(root: Path, node: str) -> Path:
    """Return where the agent of `node` writes what it has to say."""
    return root / f"agent-{folder_name(node)}.log"


def last_run_path(root: Path, project: str) -> Path:
    """Return the file that names the run to take up again with `resume="auto"`."""
    return root / f"last-run-{folder_name(project)}"


@dataclass(frozen=True, slots=True)
class SpoolDir:
    """One producer's folder.

    Absent files read as "nothing yet"; every write is atomic (tmp, fsync, rename), so a reader
    sees the old file or the new one. Methods raise OSError as the disk does.

    Attributes:
        path: `<root>/<project>/<run_id>/<producer>`.
    """

    path: Path

    @classmethod
    def at(cls, root: Path, meta: Meta) -> "SpoolDir":
        """Return where a producer's folder lies, made or not."""
        return cls(root / folder_name(meta.project) / folder_name(meta.run_id) / meta.producer)

    @classmethod
    def create(cls, root: Path, meta: Meta, *, token: str = "") -> "SpoolDir":
        """Make the folder with its meta.json, and `credentials` (mode 0600) when there is a token.

        meta.json comes last: a folder without one is not a spool yet.
        """
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        spool = cls.at(root, meta)
        spool.path.mkdir(mode=0o700, parents=True, exist_ok=True)  # perhaps half made before
        if token:
            _replace(spool.path / "credentials", token.encode())
        _replace(spool.path / "meta.json", meta.to_json())
        return spool

    @property
    def producer(self) -> bytes:
        """The producer's 16 bytes, from the folder's name."""
        return bytes.fromhex(self.path.name)

    @property
    def run_path(self) -> Path:
        """The run's folder: what `weir sync` takes to send all its producers."""
        return self.path.parent

    def read_meta(self) -> Meta:
        """Read meta.json.

        Raises:
            ConfigError: It is not one, or of a newer format.
        """
        return Meta.from_json((self.path / "meta.json").read_bytes())

    def read_token(self) -> str:
        """Read the token; "" when there is none."""
        return (_read(self.path / "credentials") or b"").decode().strip()

    def read_watermark(self) -> Watermark:
        """Read how far the server has come; zeros when it has not answered yet."""
        return Watermark.from_bytes(_read(self.path / "watermark") or b"")

    def write_watermark(self, watermark: Watermark) -> None:
        """Write how far the server has come; on disk before this returns."""
        _replace(self.path / "watermark", watermark.to_bytes())

    def read_welcome(self) -> Welcome | None:
        """Read what the server said to the Hello; None when it has not answered yet."""
        found = _read(self.path / "welcome.json")
        return None if found is None else Welcome.from_json(found)

    def write_welcome(self, welcome: Welcome) -> None:
        """Write what the server said to the Hello."""
        _replace(self.path / "welcome.json", welcome.to_json())

    def read_control(self) -> Control:
        """Read what the server asks of the run; nothing when there is no file."""
        found = _read(self.path / "control.json")
        return Control() if found is None else Control.from_json(found)

    def write_control(self, control: Control) -> None:
        """Write what the server asks of the run."""
        _replace(self.path / "control.json", control.to_json())

    def read_preempting(self) -> str:
        """Read why the process expects to be taken away; "" when it does not."""
        return (_read(self.path / "preempting") or b"").decode(errors="replace")

    def write_preempting(self, reason: str) -> None:
        """Write, by the trainer, that it expects to be taken away: for whoever buries it."""
        _replace(self.path / "preempting", (reason or "preempted").encode())

    def has_ended(self) -> bool:
        """Whether the trainer has written its last frame here."""
        return (self.path / "ended").exists()

    def write_ended(self) -> None:
        """Write, by the trainer, that its last frame is there: nothing more will be logged."""
        (self.path / "ended").touch(mode=0o600)

    @property
    def console_path(self) -> Path:
        """Where the scribe leaves lines for the agent (docs/formats/console.md)."""
        return self.path / "console"

    @property
    def inputs_path(self) -> Path:
        """Where the collector of inputs leaves facts for the agent (docs/formats/inputs.md)."""
        return self.path / "inputs"

    @property
    def outbox_path(self) -> Path:
        """Where orders to upload files wait for the agent (docs/formats/outbox.md)."""
        return self.path / "outbox"

    def left_behind(self) -> bool:
        """Whether anything beside frames is still to be seen to by an agent."""
        folders = (self.console_path, self.inputs_path, self.outbox_path)
        return any(_holds_files(folder) for folder in folders)

    def list_segments(self) -> list[Path]:
        """List the segments in the order they were written."""
        try:
            names = os.listdir(self.path)
        except FileNotFoundError:
            return []
        numbered = sorted((int(name[:-4]), name) for name in names if _SEGMENT_NAME.fullmatch(name))
        return [self.path / name for _, name in numbered]

    def segment_path(self, number: int) -> Path:
        """Return where segment `number` (from 1) lies."""
        return self.path / f"{number:08d}.seg"

    def size_bytes(self) -> int:
        """Return how much of the disk the segments take."""
        return sum(_size(path) for path in self.list_segments())

    def unlink_committed(self, committed_seq: int) -> int:
        """Remove segments whose last seq is at most `committed_seq`; returns the bytes freed.

        A segment's last seq is known from the next one's first, so the newest always stays; the
        folder goes as a whole with `remove`. Write the watermark before calling this.
        """
        freed_bytes = highest_seq = 0
        unknown: list[Path] = []  # segments with none behind them whose header can be read
        for path, following in itertools.pairwise(self.list_segments()):
            unknown.append(path)
            first_seq = read_first_seq(following)
            if first_seq is None:
                continue
            # A first seq that does not rise is a copy of an older segment: it tells nothing.
            if first_seq <= highest_seq or first_seq > committed_seq + 1:
                break
            highest_seq = first_seq
            freed_bytes += _unlink_all(unknown)
        return freed_bytes

    def remove(self) -> None:
        """Remove the folder, and the run's and project's folders when nothing else is in them.

        meta.json goes first: a folder half removed is not a spool any more.
        """
        (self.path / "meta.json").unlink(missing_ok=True)
        fault.hit("spool.mid_remove")
        shutil.rmtree(self.path, ignore_errors=True)
        for parent in (self.path.parent, self.path.parent.parent):
            try:
                parent.rmdir()
            except OSError:  # another producer lives there
                return


def list_spools(root: Path) -> Iterator[SpoolDir]:
    """Iterate over the producers under `root`, which may also be a project's or a run's folder.

    Sorted by path. A folder without meta.json is not a spool (yet, or any more).
    """
    if (root / "meta.json").is_file():
        yield SpoolDir(root)
        return
    for depth in ("*", "*/*", "*/*/*"):
        for meta_path in sorted(root.glob(f"{depth}/meta.json")):
            yield SpoolDir(meta_path.parent)


def read_first_seq(segment: Path) -> int | None:
    """Return the first seq of a segment; None when it is missing, still empty or damaged there.

    Segments are removed by this number and no crc covers it, so it counts only when the first
    frame's header says the same; else the first frame's word is taken, if that is a good one.
    """
    try:
        with segment.open("rb") as file:
            head = file.read(SEGMENT_HEADER.size + FRAME_HEADER.size)
            if len(head) < SEGMENT_HEADER.size + FRAME_HEADER.size:
                return None
            magic, first_seq = SEGMENT_HEADER.unpack_from(head)
            seq = FRAME_HEADER.unpack_from(head, SEGMENT_HEADER.size)[2]
            if magic == MAGIC and seq == first_seq:
                return int(first_seq)
            frame = parse_frame(head + file.read(MAX_BODY_BYTES), SEGMENT_HEADER.size)
    except FileNotFoundError:
        return None
    return None if frame is None else frame.seq


def _unlink_all(segments: list[Path]) -> int:
    """Remove the segments and empty the list; returns the bytes freed."""
    freed_bytes = 0
    while segments:
        freed_bytes += _size(segments[0])
        segments.pop(0).unlink(missing_ok=True)
        fault.hit("spool.mid_unlink")
    return freed_bytes


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _holds_files(folder: Path) -> bool:
    """Whether there is a file at any depth, but for names, its own or a folder's, with a dot first."""
    for _, folders, names in os.walk(folder):
        if any(not name.startswith(".") for name in names):
            return True
        folders[:] = [name for name in folders if not name.startswith(".")]
    return False


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _replace(path: Path, content: bytes) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        if os.write(descriptor, content) < len(content):
            raise OSError(errno.ENOSPC, f"the disk took only part of {path.name}")
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    fault.hit("spool.mid_replace")
    os.replace(temporary, path)


def newest_birth_us(root: Path, project: str, run_id: str, rank: int, since_us: int) -> int:
    """Return when the newest producer of a rank was born whose spool lies here, Unix µs.

    0 when none was born at `since_us` or later; what cannot be read counts as not there. A
    producer's first 48 bits are its birth in Unix ms.
    """
    newest_us = 0
    for path in _children(root / folder_name(project) / folder_name(run_id)):
        try:
            birth_us = int(path.name[:12], 16) * 1_000
            if birth_us >= max(since_us, newest_us) and SpoolDir(path).read_meta().rank == rank:
                newest_us = birth_us
        except (OSError, ValueError, SpoolError):
            continue
    return newest_us


def _children(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []
