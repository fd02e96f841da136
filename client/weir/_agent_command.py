"""`weir agent`: be the agent of this node in the foreground."""

from pathlib import Path

import click

from weir._settings import Settings


@click.command()
@click.argument("root", required=False, type=click.Path(file_okay=False, path_type=Path))
@click.option("--node", default="", help="Name of this node; default: the host name.")
def agent(root: Path | None, node: str) -> None:
    """Bring the spools under ROOT (default: the `dir` setting) to their servers.

    `weir.init()` starts an agent by itself; this is for a service that should always be there.
    Ends when there is nothing left to do, and at once when another agent serves ROOT.
    """
    from weir.agent._serve import run_agent

    raise SystemExit(run_agent(root or Path(Settings.load().dir), node=node))
