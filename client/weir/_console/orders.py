"""What the trainer tells its scribe over their control socket; neither loads the other for it."""

import struct
from typing import Final

TOLD: Final = struct.Struct("<I")
"""First how long, then so many bytes of JSON: what to read, where to echo, where to record."""

END: Final = b"end"
"""The streams were given back: drain what is in the pipes, and end. Silence instead means death."""
