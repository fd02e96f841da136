"""What a run was started with: code, command, environment, machine — captured by default.

Nothing here is on the training's way. `init()` starts the *collector*, `python -m weir._inputs`: a
short-lived child at low priority that asks git, looks at packages and the machine, and hashes data.
It leaves facts in the spool's `inputs/` and files in its `outbox/`; the agent puts them into the
run (docs/inputs.md, docs/formats/inputs.md).

    trainer: _start ─ Request (stdin) ─▶ collector: _collect ─ _git _patch _packages … ─▶ _report
"""

from weir._inputs._start import start_collector

__all__ = ["start_collector"]
