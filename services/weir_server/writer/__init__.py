"""From the stream into the store: one thread per shard, blocks, and a commit at the very end.

lease.py ─▶ loop.py ─▶ unpack.py ─▶ block.py ─▶ rows.py (facts.py) ─▶ persist.py ─▶ commit
is it ours   the turns   bytes → numpy  is it full   numpy → Arrow       insert, bisect   forget

ledger_rows.py says what the frames of a block claim and what became of their parts (docs/formats/ledger.md).
"""
