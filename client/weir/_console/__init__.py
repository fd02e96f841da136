"""What a process prints, recorded without standing in its way (ADR 13, docs/formats/console.md).

    training process                         scribe (a tiny process of its own)          agent
    fd 1 ──▶ pipe or pty ──────────────────▶ echo, at once and unchanged ─▶ the old fd 1
    fd 2 ──▶ pipe or pty ──────────────────▶ echo ────────────────────────▶ the old fd 2
    logging, wrapped sys.stdout ─▶ pipe ───▶ lines ─▶ redacted ─▶ console/NNNNNNNN.lines ─▶ node log

In the training process: `capture`, `taps`, `terminal`, `wrap`, `logs`, `watch`, `start`.
In the scribe: `scribe`, `echo`, `recorder`, `screen`, `limit`, `pairs`. On both sides: `messages`.
On disk, for scribe and agent: `records`. The scribe has only the standard library and imports
little of that, so nothing is imported here.
"""
