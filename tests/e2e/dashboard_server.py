"""The real dashboard over made-up runs; obeys lines on stdin: `grow N`, `say TEXT`, `sample`, `down`, `up`."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.unit.dashboard.recorded import Recorded
from tests.unit.dashboard.synthetic import two_projects
from weir_dashboard import listening
from weir_dashboard.app import build


def obey(recorded: Recorded) -> None:
    for line in sys.stdin:
        match line.split(maxsplit=1):
            case ["grow", steps]:
                recorded.reader.grow(int(steps))
            case ["say", text]:
                recorded.say(text.rstrip())
            case ["sample"]:
                recorded.sample()
            case ["down"]:
                recorded.reader.down = True
            case ["up"]:
                recorded.reader.down = False
        print("done", flush=True)


if __name__ == "__main__":
    everything = Recorded(two_projects(count=24)).measure().print().keep()
    threading.Thread(target=obey, args=(everything,), daemon=True).start()
    listening.run(build(everything.sources, "127.0.0.1:7700"), "127.0.0.1", 0)
