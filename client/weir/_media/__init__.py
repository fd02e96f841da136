"""Media and tables through `run.log`: one type per file, encoded on a thread of the run.

    log() ─▶ recognise ─▶ snapshot ─▶ Encoder ─▶ blobs on disk ─▶ order for the agent ─▶ the point
            (caller's thread: copies)  (its own thread: encodes, hashes, writes)

What a point and its blobs hold is written down in docs/formats/media.md. Nothing here imports
NumPy, Pillow, pandas, pyarrow or matplotlib before a value of theirs is logged.
"""
