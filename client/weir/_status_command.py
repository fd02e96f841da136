"""`weir status`: what lies in the spools, and whether an agent is at work."""

import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import click

from weir._process import host_name
from weir._settings import Settings
from weir._spool import SpoolDir, list_spools
from weir.errors import ConfigError

LEAST_WIDTH: Final = 100  # columns of a table of spools; a narrower terminal breaks the lines


@dataclass(frozen=True, slots=True)
class SpoolStatus:
    """One producer's spool.

    Attributes:
        state: live, dead (no final frame yet), final, or unknown (another node's).
        frames: Frames that the server has not committed.
        size_bytes: Disk taken by the segments.
        age_s: Seconds since the oldest segment was begun; 0 when nothing is left.
        refused: Why the server does not take it; "" when it does.
    """

    project: str
    run_id: str
    rank: int
    node: str
    producer: str
    mode: str
    state: str
    frames: int
    size_bytes: int
    accepted_seq: int
    committed_seq: int
    last_seq: int
    age_s: float
    refused: str
    path: str


@click.command()
@click.argument("root", required=False, type=click.Path(file_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def status(root: Path | None, *, as_json: bool) -> None:
    """Show what lies in the spools under ROOT (default: the `dir` setting)."""
    from weir.agent._lock import agent_pid

    settings = Settings.load()
    root = (root or Path(settings.dir)).resolve()
    node = settings.node or host_name()
    found = list(_read_all(root, node))
    pid = agent_pid(root, node)
    if as_json:
        answer = {"agent_pid": pid, "spools": [asdict(one) for one in found]}
        click.echo(json.dumps(answer, indent=1))
    else:
        _print(root, found, pid)


def _read_all(root: Path, node: str) -> Iterator[SpoolStatus]:
    for spool in list_spools(root):
        try:
            yield read_status(spool, node=node)
        except FileNotFoundError:  # committed and removed while we looked
            continue
        except (OSError, ConfigError) as error:
            click.echo(f"weir: {spool.path} cannot be read: {error}", err=True)


def read_status(spool: SpoolDir, *, node: str) -> SpoolStatus:
    """Look at one spool. Raises OSError or ConfigError when it cannot be read."""
    from weir.agent._extent import read_extent
    from weir.agent._liveness import trainer_life

    meta, extent, watermark = spool.read_meta(), read_extent(spool), spool.read_watermark()
    welcome = spool.read_welcome()
    state = "final" if extent.final else trainer_life(spool, meta, node=node).value
    frames = max(0, extent.last_seq - watermark.committed_seq)
    return SpoolStatus(
        project=meta.project,
        run_id=meta.run_id,
        rank=meta.rank,
        node=meta.node,
        producer=meta.producer,
        mode=meta.mode,
        state=state,
        frames=frames,
        size_bytes=spool.size_bytes(),
        accepted_seq=watermark.accepted_seq,
        committed_seq=watermark.committed_seq,
        last_seq=extent.last_seq,
        age_s=_oldest_age_s(spool) if frames else 0.0,
        refused=f"{welcome.refused_code}: {welcome.refused_message}"
        if welcome and welcome.refused_code
        else "",
        path=str(spool.path),
    )


def _oldest_age_s(spool: SpoolDir) -> float:
    """Age of the oldest segment by its last write: the disk tells no earlier moment reliably."""
    segments = spool.list_segments()
    return max(0.0, time.time() - segments[0].stat().st_mtime) if segments else 0.0


def _print(root: Path, found: list[SpoolStatus], agent_pid: int | None) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(width=max(Console().width, LEAST_WIDTH))
    agent = f"agent runs, pid {agent_pid}" if agent_pid else "no agent runs on this node"
    console.print(f"{root}: {len(found)} spools, {agent}", highlight=False, soft_wrap=True)
    if not found:
        return
    table = Table(box=None, pad_edge=False)
    table.add_column("run", overflow="fold")
    for column in ("rank", "producer", "mode", "state"):
        table.add_column(column, no_wrap=True)
    for column in ("left", "size", "accepted", "committed", "age"):
        table.add_column(column, justify="right", no_wrap=True)
    for one in found:
        table.add_row(
            f"{one.project}/{one.run_id}",
            str(one.rank),
            one.producer[:12],
            one.mode,
            one.state,
            str(one.frames),
            human_bytes(one.size_bytes),
            str(one.accepted_seq),
            str(one.committed_seq),
            f"{one.age_s:.0f} s" if one.frames else "",
        )
    console.print(table)
    for one in found:
        if one.refused:
            console.print(f"refused: {one.path}: {one.refused}", highlight=False, soft_wrap=True)


def human_bytes(size_bytes: float) -> str:
    """Return a size as people read it, e.g. `1.5 MiB`."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size_bytes < 1024:
            return f"{size_bytes:.0f} {unit}" if unit == "B" else f"{size_bytes:.1f} {unit}"
        size_bytes /= 1024
    return f"{size_bytes:.1f} TiB"
