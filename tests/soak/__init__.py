"""A soak of a whole Weir: load, kills of every process kind at random, then every point is counted.

    make soak                                    # five minutes
    python -m tests.soak --minutes 60 --kills 500 --seed 7

__main__ ─▶ campaign ─┬─▶ load ─▶ trainer (many processes) ─▶ record, pauses (files that outlive a SIGKILL)
                      ├─▶ blows (what to break next) ─▶ strike (breaks it) ─▶ watch (until it is well again)
                      └─▶ count (what was stored against what was recorded) ─▶ report
"""
