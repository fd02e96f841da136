"""What Python writes to a stream that is no file descriptor of the process: notebooks, pytest."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from weir._console.messages import Sender


class WriteTap:
    """Listens to `write` of `sys.stdout` or `sys.stderr`. The object stays the one it was.

    Args:
        stream: STDOUT or STDERR.
        file: The object.
        sender: Where what is written goes too. It never blocks.

    Raises:
        AttributeError: The object does not let itself be listened to.
    """

    def __init__(self, stream: int, file: Any, sender: Sender) -> None:
        self._stream = stream
        self._file = file
        self._sender: Sender | None = sender
        self._inner: Callable[[str], Any] = file.write
        file.write = self._write

    def _write(self, text: str, /) -> Any:
        result = self._inner(text)
        if self._sender is not None and isinstance(text, str):
            self._sender.send_text(self._stream, text)
        return result

    def give_back(self) -> None:
        """Listen no more. Whoever wrapped the object after us keeps a `write` that works."""
        self._sender = None
        with suppress(AttributeError):
            if vars(self._file).get("write") == self._write:
                del self._file.write
