"""`weir export` and `weir import`: runs as Parquet, and back."""

from collections.abc import Callable, Sequence
from typing import Final

import click

from weir._api_commands import asking, open_api
from weir._printing import grouped, print_json
from weir._status_command import human_bytes


@click.command("export")
@click.argument("targets", nargs=-1, metavar="[PROJECT|RUN]...")
@click.option("-o", "--to", required=True, metavar="DIR|s3://…", help="Where to write.")
@click.option("--all", "everything", is_flag=True, help="Every project you may read.")
@click.option(
    "--artifacts", is_flag=True, help="Also artifacts, media and files, with their bytes."
)
@asking
def export_command(
    targets: Sequence[str],
    to: str,
    server: str | None,
    *,
    everything: bool,
    artifacts: bool,
    as_json: bool,
) -> None:
    """Write runs (project/run_id) or whole projects as Parquet files that need no Weir to be read.

    One that was broken off goes on when the same command is typed again.
    """
    from weir._export import export
    from weir._export_place import place_of

    if bool(targets) is everything:
        raise click.UsageError("name projects or runs, or say --all")
    with open_api(server) as api:
        made = export(api, targets, place_of(to), artifacts=artifacts, say=_say(quiet=as_json))
    rows = made.rows()
    if as_json:
        print_json({"to": to, "runs": len(made.runs), "rows": rows, "files": len(made.files)})
        return
    size_bytes = sum(file.size_bytes for file in made.files)
    click.echo(
        f"{len(made.runs)} runs, {grouped(sum(rows.values()))} rows,"
        f" {human_bytes(size_bytes)} in {to}"
    )


@click.command("import")
@click.argument("place", metavar="DIR|s3://…")
@click.option("--project", help="What to call the project; for exports of one.")
@click.option("--rename-runs", default="", metavar="SUFFIX", help="Put behind the id of every run.")
@asking
def import_command(
    place: str, project: str | None, rename_runs: str, server: str | None, *, as_json: bool
) -> None:
    """Bring an export back, row for row; needs a token with the role admin. Twice is once."""
    from weir._export_place import place_of
    from weir._import import import_export

    with open_api(server) as api:
        brought = import_export(
            api,
            place_of(place),
            project=project,
            rename_runs=rename_runs,
            say=_say(quiet=as_json),
        )
    if as_json:
        print_json({"runs": len(brought.runs), "rows": brought.rows()})
        return
    click.echo(f"{len(brought.runs)} runs are here; weir verify RUN counts them")


COMMANDS: Final = (export_command, import_command)


def _say(*, quiet: bool) -> Callable[[str], None]:
    return (lambda _: None) if quiet else (lambda text: click.echo(text, err=True))
