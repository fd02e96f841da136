"""`python -m tests.soak`: see --help."""

from __future__ import annotations

import argparse
import random
import shutil
import signal
import sys
import time
from pathlib import Path
from types import FrameType

from tests.e2e.fixtures_up import ROOT
from tests.soak.campaign import Campaign, Orders
from tests.soak.report import write_report


def main(arguments: list[str] | None = None) -> int:
    """Run a campaign; 0 when every point was there once and unchanged."""
    given = _parser().parse_args(arguments)
    for number in (signal.SIGINT, signal.SIGTERM):  # also where a shell had them ignored
        signal.signal(number, _stop)
    folder = given.out / time.strftime("%Y%m%dT%H%M%S")
    folder.mkdir(parents=True)
    orders = Orders(
        folder=folder.absolute(),
        seed=given.seed if given.seed is not None else random.SystemRandom().randrange(1 << 31),
        minutes=given.minutes,
        kills=given.kills,
        per_minute=given.blows_per_minute,
        phase_minutes=min(given.phase_minutes, given.minutes),
        targets=tuple(given.only),
    )
    say(f"seed {orders.seed}, everything is written to {folder}")
    report = Campaign(orders, say).run()
    print(write_report(folder, report), flush=True)
    if report["clean"] and not given.keep:
        for name in ("data", "lives", "spool-a", "spool-b"):
            shutil.rmtree(folder / name, ignore_errors=True)
    return 0 if report["clean"] else 1


def _stop(number: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + number)  # what was started is ended on the way out


def say(line: str) -> None:
    """Tell whoever watches."""
    print(f"{time.strftime('%H:%M:%S')} {line}", flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m tests.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=5.0, help="of load and blows")
    parser.add_argument(
        "--kills", type=int, default=0, help="go on until so many processes were killed"
    )
    parser.add_argument("--blows-per-minute", type=float, default=12.0)
    parser.add_argument(
        "--phase-minutes", type=float, default=5.0, help="how often to drain and count"
    )
    parser.add_argument("--seed", type=int, help="deal the blows of an earlier campaign again")
    parser.add_argument("--only", nargs="*", default=(), help="hit only these, e.g. writer redis")
    parser.add_argument("--out", type=Path, default=ROOT / "soak-results")
    parser.add_argument(
        "--keep", action="store_true", help="keep data and records of a clean campaign"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
