"""Words longer than a text point, Markdown and pages of HTML."""

import os
from pathlib import Path
from typing import Any, ClassVar, Final

from weir._media.base import Blob, Encoded, Media, Snapshot, Taking, Unfit, check_size, without_none

_INLINE_BYTES: Final = 4 << 10  # up to here the words live in the point itself
_PREVIEW_LETTERS: Final = 500


class _Words(Media):
    """What Text, Markdown and Html have in common."""

    mime: ClassVar[str]
    suffixes: ClassVar[tuple[str, ...]] = ()

    def __init__(self, data: Any, caption: str | None = None) -> None:
        self.data, self.caption = data, caption

    def snapshot(self, taking: Taking) -> Snapshot:
        """See `Media.snapshot`."""
        text = self._text(taking)
        try:
            content = text.encode()
        except UnicodeEncodeError as error:
            raise Unfit("the text is not valid UTF-8") from error
        check_size("the text", len(content), taking)
        facts = {
            "type": self.kind,
            **without_none({"caption": None if self.caption is None else str(self.caption)}),
        }
        return Snapshot(len(content), lambda: _encode(text, content, self.mime, facts))

    def _text(self, taking: Taking) -> str:
        data = self.data
        if hasattr(data, "read"):
            data = data.read()
        if isinstance(data, bytes):
            data = data.decode(errors="strict")
        if hasattr(data, "__fspath__") or self._names_a_file(data):
            path = Path(os.fspath(data))
            try:
                check_size(f"the file {path.name}", path.stat().st_size, taking)
                return path.read_text(encoding="utf-8")
            except (OSError, UnicodeDecodeError) as error:
                raise Unfit(f"{path} cannot be read: {error}") from error
        return str(data)

    def _names_a_file(self, data: Any) -> bool:
        """A text counts as a path only when it looks like one and there is such a file."""
        short = isinstance(data, str) and len(data) < 1_000 and data.endswith(self.suffixes)
        return bool(self.suffixes) and short and os.path.isfile(data)


class Text(_Words):
    """Plain words; short ones may be logged as they are: `run.log({"note": "…"})`.

    Args:
        data: The text, or a `pathlib.Path` to read it from.
        caption: Words beside it.
    """

    kind: ClassVar = "text"
    mime: ClassVar = "text/plain"


class Markdown(_Words):
    """Words in Markdown.

    Args:
        data: The text, or a `pathlib.Path` (or the name of an `.md` file) to read it from.
        caption: Words beside it.
    """

    kind: ClassVar = "markdown"
    mime: ClassVar = "text/markdown"
    suffixes: ClassVar = (".md",)


class Html(_Words):
    """A page of HTML; the dashboard shows it in a sandbox without access to anything around it.

    Args:
        data: The page, an open file, or a `pathlib.Path` (or the name of an `.html` file).
        caption: Words beside it.
    """

    kind: ClassVar = "html"
    mime: ClassVar = "text/html"
    suffixes: ClassVar = (".html", ".htm")


def _encode(text: str, content: bytes, mime: str, facts: dict[str, Any]) -> Encoded:
    if mime != Html.mime and len(content) <= _INLINE_BYTES:
        return Encoded({**facts, "text": text})
    if mime != Html.mime:
        facts = {**facts, "preview": text[:_PREVIEW_LETTERS]}
    return Encoded(facts, Blob(mime, content))
