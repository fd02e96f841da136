"""The spool on disk: the queue between the training process and the agent (docs/formats/spool.md).

layout.py   where things lie: SpoolDir, the root's files, listing producers
notes.py    the small files beside the segments: meta, watermark, welcome, control
frame.py    one frame's bytes: header, crc, parsing
writer.py   SegmentWriter, and cutting off what a dead trainer left half written
reader.py   SpoolReader: frames and gaps, in order, also while they are being written
outbox.py   Outbox: orders to upload files, and the bytes held for them
room.py     how much of the disk a spool may take
"""

from weir._spool.frame import FLAG_FINAL, MAX_BODY_BYTES, Frame, frame_crc
from weir._spool.layout import (
    SpoolDir,
    agent_lock_path,
    agent_log_path,
    last_run_path,
    list_spools,
    newest_birth_us,
)
from weir._spool.notes import Control, Meta, Watermark, Welcome
from weir._spool.outbox import Outbox
from weir._spool.reader import Gap, SpoolReader, seq_range
from weir._spool.room import CapReached, SpoolRoom
from weir._spool.writer import SEGMENT_BYTES, SegmentWriter, cut_torn_tail

__all__ = [
    "FLAG_FINAL",
    "MAX_BODY_BYTES",
    "SEGMENT_BYTES",
    "CapReached",
    "Control",
    "Frame",
    "Gap",
    "Meta",
    "Outbox",
    "SegmentWriter",
    "SpoolDir",
    "SpoolReader",
    "SpoolRoom",
    "Watermark",
    "Welcome",
    "agent_lock_path",
    "agent_log_path",
    "cut_torn_tail",
    "frame_crc",
    "last_run_path",
    "list_spools",
    "newest_birth_us",
    "seq_range",
]
