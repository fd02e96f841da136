"""The real dashboard over made-up runs; obeys lines on stdin: `grow N`, `down`, `up`."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.unit.dashboard.synthetic import SyntheticReader, two_projects
from weir_dashboard import listening
from weir_dashboard.app import build


def obey(reader: SyntheticReader) -> None:
    for line in sys.stdin:
        match line.split():
            case ["grow", steps]:
                reader.grow(int(steps))
            case ["down"]:
                reader.down = True
            case ["up"]:
                reader.down = False
        print("done", flush=True)


if __name__ == "__main__":
    store = two_projects(count=24)
    threading.Thread(target=obey, args=(store,), daemon=True).start()
    listening.run(build(store, "127.0.0.1:7700"), "127.0.0.1", 0)
