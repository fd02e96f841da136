"""Recorded text on a terminal: colours stay, nothing else that a terminal would obey."""

import re
from typing import Final

_COLOUR: Final = r"\x1b\[[0-9;:]*m"
# Recorded lines come from anywhere: sequences that move, retitle or fill the clipboard are left out.
_OTHER: Final = re.compile(
    rf"(?P<colour>{_COLOUR})"
    r"|\x1b\[[0-?]*[ -/]*[@-~]"  # CSI
    r"|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?"  # OSC, DCS, SOS, PM, APC
    r"|\x1b[ -/]*[0-~]?"
    r"|[\x00-\x08\x0a-\x1f\x7f-\x9f]"
)
_RESET: Final = "\x1b[0m"


def safe_text(text: str, *, colours: bool) -> str:
    """Return text that can be written to a terminal; without `colours`, plain text."""

    def keep(found: re.Match[str]) -> str:
        return (found["colour"] or "") if colours else ""

    kept = _OTHER.sub(keep, text)
    return kept + _RESET if "\x1b" in kept else kept
