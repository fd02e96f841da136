"""`python -I -S weir/_console/__main__.py CONTROL`: the scribe, started without `weir` itself.

`import weir` would load protobuf and half a second of start. So `weir` here is an empty package
that finds its modules in the same folder, of which the scribe takes the few that need nothing.
"""

import os
import sys


def _stand_in() -> None:
    folder = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    package = type(sys)("weir")
    package.__path__ = [folder]
    sys.modules["weir"] = package


if __name__ == "__main__":
    _stand_in()
    from weir._console.scribe import main

    main(int(sys.argv[1]))
