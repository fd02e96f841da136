"""`weir sync`: send spools by hand, with a progress bar, and say what is left."""

import asyncio
import json
import random
from pathlib import Path
from typing import TYPE_CHECKING

import click

from weir._clock import SystemClock
from weir._process import host_name
from weir._settings import Settings
from weir._status_command import LEAST_WIDTH, human_bytes

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, TaskID

    from weir._sync import SpoolSync, SyncOptions


@click.command()
@click.argument("folders", nargs=-1, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--server", default="", help="Where to send; default: where each spool says.")
@click.option("--token", default="", help="Who you are; default: what each spool says.")
@click.option("--keep", is_flag=True, help="Leave the spools on disk once they are committed.")
@click.option("--include-live", is_flag=True, help="Also send what running processes wrote so far.")
@click.option("--unary", is_flag=True, help="Send request by request instead of over a stream.")
@click.option(
    "--timeout",
    default=60.0,
    show_default=True,
    help="Give up after so many seconds without progress.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of a table.")
def sync(
    folders: tuple[Path, ...],
    *,
    server: str,
    token: str,
    keep: bool,
    include_live: bool,
    unary: bool,
    timeout: float,
    as_json: bool,
) -> None:
    """Send the spools below FOLDERS (default: the `dir` setting) to their server.

    For runs that were offline, or left behind by a machine that went away. Safe to interrupt, to
    repeat, and to run beside an agent. Exits with 1 when something is left.
    """
    from weir._sync import SyncOptions

    settings = Settings.load()
    options = SyncOptions(
        node=settings.node or host_name(),
        server=server,
        token=token,
        keep=keep,
        include_live=include_live,
        unary=unary,
        timeout_s=timeout,
    )
    try:
        syncs = _run(folders or (Path(settings.dir),), options, quiet=as_json)
    except KeyboardInterrupt:
        raise SystemExit("weir: interrupted; run the same command again to go on") from None
    _report(syncs, as_json=as_json)
    raise SystemExit(1 if any(_needs_action(one) for one in syncs) else 0)


def _run(folders: tuple[Path, ...], options: "SyncOptions", *, quiet: bool) -> "list[SpoolSync]":
    from rich.console import Console
    from rich.progress import Progress

    from weir._sync import Sync

    async def run() -> "list[SpoolSync]":
        sync = Sync(options, clock=SystemClock(), rng=random.Random())
        with Progress(console=Console(stderr=True), disable=quiet, transient=True) as progress:
            return await sync.run(folders, on_progress=_Bars(progress).show)

    return asyncio.run(run())


class _Bars:
    """One progress bar per spool: frames committed of frames to bring."""

    def __init__(self, progress: "Progress") -> None:
        self._progress = progress
        self._bars: dict[Path, TaskID] = {}

    def show(self, syncs: "list[SpoolSync]") -> None:
        """Draw how far everything is."""
        for one in syncs:
            if one.producer is None:
                continue
            if one.path not in self._bars:
                self._bars[one.path] = self._progress.add_task(one.run)
            sent = human_bytes(one.producer.tally.bytes_sent)
            points = one.producer.tally.points_accepted
            self._progress.update(
                self._bars[one.path],
                total=one.frames,
                completed=one.committed,
                description=f"{one.run} rank {one.rank}  {sent}, {points} points",
            )


def _report(syncs: "list[SpoolSync]", *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"spools": [_as_dict(one) for one in syncs]}, indent=1))
        return
    from rich.console import Console

    console = Console(width=max(Console().width, LEAST_WIDTH))
    if not syncs:
        console.print("no spools here, nothing to send", highlight=False, soft_wrap=True)
        return
    _print_table(console, syncs)
    for one in syncs:
        if one.why:
            console.print(
                f"{one.path}: {one.outcome.value}: {one.why}", highlight=False, soft_wrap=True
            )
    if any(_needs_action(one) for one in syncs):
        console.print(
            "some frames are left; they stay on disk. Put right what is said above (--server and "
            "--token override what the spools say) and run the same command again",
            highlight=False,
            soft_wrap=True,
        )


def _print_table(console: "Console", syncs: "list[SpoolSync]") -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    table.add_column("run", overflow="fold")
    for column in ("rank", "producer"):
        table.add_column(column, no_wrap=True)
    for column in ("sent", "bytes", "points", "rejected", "committed", "left"):
        table.add_column(column, justify="right", no_wrap=True)
    for one in syncs:
        told = _as_dict(one)
        table.add_row(
            one.run,
            str(one.rank),
            one.path.name[:12],
            str(told["frames_sent"]),
            human_bytes(float(str(told["bytes_sent"]))),
            *(
                str(told[key])
                for key in ("points_accepted", "points_rejected", "committed", "left")
            ),
        )
    console.print(table)


def _as_dict(one: "SpoolSync") -> dict[str, str | int]:
    tally = one.producer.tally if one.producer else None
    return {
        "run": one.run,
        "rank": one.rank,
        "producer": one.path.name,
        "outcome": one.outcome.value,
        "why": one.why,
        "frames_sent": tally.frames_sent if tally else 0,
        "bytes_sent": tally.bytes_sent if tally else 0,
        "points_accepted": tally.points_accepted if tally else 0,
        "points_rejected": tally.points_rejected if tally else 0,
        "committed": one.committed,
        "left": one.left,
        "path": str(one.path),
    }


def _needs_action(one: "SpoolSync") -> bool:
    return one.outcome.value in ("left", "unreadable")
