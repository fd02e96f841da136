"""What `log()` does with media on the caller's thread: recognise, copy, hand to the encoder."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from weir._media.base import Snapshot, Unfit
from weir._media.encoder import Encoder
from weir._media.naming import point_text
from weir._media.recognise import media_in


@dataclass(frozen=True, slots=True)
class Taken:
    """The media at one key, copied.

    Attributes:
        listed: It was a list.
    """

    snapshots: Sequence[Snapshot]
    listed: bool

    @property
    def size_bytes(self) -> int:
        """What the copies take in memory."""
        return sum(each.size_bytes for each in self.snapshots)


def take_media(value: Any, encoder: Callable[[], Encoder], *, at_once: bool) -> Taken | str | None:
    """Copy the media in a logged value.

    Args:
        value: What was logged.
        encoder: Opens the run's encoder; called only when the value is media.
        at_once: Encode here and now, so that every fault is known at once.

    Returns:
        The copies; or why they cannot be kept; or None when the value is no media. Never raises,
        whatever the value does when it is asked.
    """
    try:
        media = media_in(value)
        if media is None:
            return None
        taking = encoder()
        snapshots = [each.snapshot(taking) for each in media]
        listed = isinstance(value, (list, tuple))
        if at_once:
            snapshots = _encoded_at_once(snapshots, listed=listed)
        return Taken(snapshots, listed)
    except Unfit as error:
        return str(error)
    except OSError as error:
        return f"it cannot be copied: {error.strerror or error}"
    except Exception as error:  # noqa: BLE001 - the value is the user's code: it may raise anything
        return f"it cannot be looked at: {error!r:.300}"


def _encoded_at_once(snapshots: Sequence[Snapshot], *, listed: bool) -> list[Snapshot]:
    values = [each.encode() for each in snapshots]
    point_text(values, listed=listed)
    return [
        Snapshot(each.size_bytes, lambda value=value: value)  # type: ignore[misc]
        for each, value in zip(snapshots, values, strict=True)
    ]
