"""Guided by coverage: `pip install atheris`, then `python -m tests.fuzz <target> [seconds]`.

New inputs that reach new code land in the folder `fuzz-found/<target>`; what breaks something is
written beside it as `crash-…`. Whatever is worth keeping goes to `tests/data/fuzz/<target>` by hand.
"""

from __future__ import annotations

import sys
from pathlib import Path

CORPUS = Path(__file__).parents[1] / "data" / "fuzz"
_INSTRUMENTED = ["weir_server", "weir_store", "weir"]


def main() -> None:
    """Fuzz one target until it breaks or the time is over."""
    import atheris  # not a dependency: this driver is for those who have it

    name, seconds = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "60"
    with atheris.instrument_imports(include=_INSTRUMENTED):
        from tests.fuzz.targets import TARGETS
    found = Path("fuzz-found") / name
    found.mkdir(parents=True, exist_ok=True)
    options = [
        f"-max_total_time={seconds}",
        f"-artifact_prefix={found}/",
        "-max_len=8192",
        "-rss_limit_mb=4096",
    ]
    atheris.Setup([sys.argv[0], *options, str(found), str(CORPUS / name)], TARGETS[name])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
