"""The real dashboard over a made-up sweep: see tests/unit/dashboard/sweeps.py."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.unit.dashboard.sweeps import Sweep
from weir_dashboard import listening
from weir_dashboard.app import build

if __name__ == "__main__":
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 40
    listening.run(build(Sweep(runs).sources, "127.0.0.1:7700"), "127.0.0.1", 0)
