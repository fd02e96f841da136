"""The real dashboard over every door there is; obeys `silence`, `restore`, `slow SECONDS`, `arrive`, `leave` on stdin.

Started as `states_server.py usual`, `… hostile` or `… empty`.
"""

from __future__ import annotations

import sys
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.unit.dashboard.synthetic import SyntheticReader, many_runs, two_projects
from tests.unit.dashboard.whole import Fate, hostile_runs, report_id, whole
from weir_dashboard import listening
from weir_dashboard.app import build

GATEWAY = "gateway.example:7700"
READERS = {
    "usual": lambda: two_projects(24),
    "hostile": lambda: SyntheticReader([*hostile_runs(), *two_projects(1).runs[1:]]),
    "empty": lambda: SyntheticReader([]),
}


def obey(reader: SyntheticReader, fate: Fate) -> None:
    for line in sys.stdin:
        match line.split():
            case ["silence"]:
                fate.silence()
            case ["restore"]:
                fate.restore()
            case ["slow", seconds]:
                fate.slow_s = float(seconds)
            case ["arrive"]:
                reader.runs = many_runs("first-project", 1)
            case ["leave"]:
                reader.runs = []
        print("done", flush=True)


if __name__ == "__main__":
    reader, fate = READERS[sys.argv[1]](), Fate()
    sources = whole(reader, fate)
    print(report_id(sources), flush=True)
    threading.Thread(target=obey, args=(reader, fate), daemon=True).start()
    listening.run(build(sources, GATEWAY), "127.0.0.1", 0)
