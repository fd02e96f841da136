"""What every kind of media is: a value that can be copied now and encoded later."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Final, Protocol

MB: Final = 1 << 20


class Unfit(Exception):
    """A media value that cannot be kept, with the reason in words for its user."""


class Taking(Protocol):
    """What a value may ask of the run while it is copied.

    Attributes:
        max_bytes: Most bytes one value may take (`settings.media_max_mb`).
    """

    @property
    def max_bytes(self) -> int: ...

    def hold(self, source: Path) -> tuple[Path, str]:
        """Copy a user's file into the outbox; returns where it lies and what an order calls it.

        Raises OSError as the disk does.
        """
        ...


@dataclass(slots=True, eq=False)
class Blob:
    """Bytes on their way to the object store.

    Attributes:
        mime: What they are.
        content: The bytes, when they are in memory.
        path: A file in the outbox that holds them, when they are not.
        held: What an order calls that file.
    """

    mime: str
    content: bytes = b""
    path: Path | None = None
    held: str = ""
    _sha256: str = ""

    @property
    def size_bytes(self) -> int:
        """How many bytes there are."""
        return len(self.content) if self.path is None else self.path.stat().st_size

    @property
    def sha256(self) -> str:
        """Their SHA-256 in hex, computed once."""
        if not self._sha256:
            import hashlib  # loads OpenSSL, which runs without media do without

            if self.path is None:
                self._sha256 = hashlib.sha256(self.content).hexdigest()
            else:
                with self.path.open("rb") as file:
                    self._sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        return self._sha256

    def named(self) -> dict[str, Any]:
        """Return how the JSON of a point names these bytes."""
        return {"sha256": self.sha256, "size": self.size_bytes, "mime": self.mime}


@dataclass(slots=True, eq=False)
class Encoded:
    """A value as it will be stored.

    Attributes:
        facts: Its JSON, without what names the blobs.
        blob: Its bytes; None when the facts are all there is.
        parts: Further blobs by the place in the JSON that names them, e.g. `("masks", "truth")`.
        cells: Blobs of media inside a table, named in a list.
        roomy: Keys of `facts` that move to a blob of their own when the JSON grows too long.
    """

    facts: dict[str, Any]
    blob: Blob | None = None
    parts: dict[tuple[str, ...], Blob] = field(default_factory=dict)
    cells: Sequence[Blob] = ()
    roomy: tuple[str, ...] = ()

    def blobs(self) -> list[Blob]:
        """Return all blobs."""
        own = [] if self.blob is None else [self.blob]
        return [*own, *self.parts.values(), *self.cells]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A copy that nobody changes any more.

    Attributes:
        size_bytes: What it takes in memory.
        encode: Makes the bytes; called on another thread, once. Raises `Unfit`.
    """

    size_bytes: int
    encode: Callable[[], Encoded]


class Media:
    """A value for `run.log` that is more than a number or a text.

    Making one costs nothing and never raises for its data: what it holds is looked at and copied
    when it is logged. What cannot be kept is then dropped, counted and explained, as numbers are.
    """

    kind: ClassVar[str]

    def snapshot(self, taking: Taking) -> Snapshot:
        """Copy what may change. Raises `Unfit`, or whatever the user's objects raise."""
        raise NotImplementedError


def check_size(what: str, size_bytes: int, taking: Taking) -> None:
    """Refuse a value that takes more than it may; says which setting to raise."""
    if size_bytes > taking.max_bytes:
        raise Unfit(
            f"{what} takes {size_bytes / MB:.1f} MB, over media_max_mb = {taking.max_bytes / MB:g}"
        )


def without_none(facts: dict[str, Any]) -> dict[str, Any]:
    """Return the facts that are known."""
    return {key: value for key, value in facts.items() if value is not None}
