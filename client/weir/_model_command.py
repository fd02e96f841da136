"""`weir model`: the registry of models."""

from dataclasses import asdict

import click

from weir._api_commands import asking, open_api
from weir._printing import ago, print_json, print_table


@click.group()
def model() -> None:
    """Registered models: their versions, stages and who changed them."""


@model.command()
@click.argument("path")
@click.option("--history", is_flag=True, help="Of PROJECT/MODEL: every change, newest first.")
@asking
def ls(path: str, server: str | None, *, history: bool, as_json: bool) -> None:
    """List the models of a PROJECT, or the versions of PROJECT/MODEL."""
    project, _, name = path.partition("/")
    with open_api(server) as api:
        found = api.models(project, name, history=history)
    if as_json:
        print_json([asdict(each) for each in found])
        return
    rows = [
        (
            each.model,
            str(each.version),
            each.stage,
            ", ".join(each.aliases),
            each.artifact,
            each.note,
            each.changed_by,
            ago(each.changed),
        )
        for each in found
    ]
    columns = ("model", "version", "stage", "aliases", "artifact", "note", "by", "changed")
    print_table(columns, rows, right=("version",))


@model.command()
@click.argument("name")
@click.argument("reference")
@click.option("--note", default="", help="Why.")
@click.option("--alias", "aliases", multiple=True, help="Name that is to mean it.")
@asking
def register(
    name: str,
    reference: str,
    note: str,
    aliases: tuple[str, ...],
    server: str | None,
    *,
    as_json: bool,
) -> None:
    """Make an artifact's version (project/name:v3) the newest version of the model NAME."""
    with open_api(server) as api:
        found = api.register_model(name, reference, note=note, aliases=aliases)
    if as_json:
        print_json(asdict(found))
    else:
        click.echo(f"{found.project}/{found.model} version {found.version} is {found.artifact}")


@model.command()
@click.argument("path")
@click.argument("version", type=click.IntRange(1))
@click.argument("stage")
@click.option("--note", default="", help="Why.")
@click.option("--alias", "aliases", multiple=True, help="Name that is to mean it.")
@asking
def promote(
    path: str,
    version: int,
    stage: str,
    note: str,
    aliases: tuple[str, ...],
    server: str | None,
    *,
    as_json: bool,
) -> None:
    """Move VERSION of PROJECT/MODEL to a STAGE: staging, production, archived, or your own word."""
    with open_api(server) as api:
        found = api.promote(path, version, stage, note=note, add_aliases=aliases)
    if as_json:
        print_json(asdict(found))
    else:
        click.echo(f"{found.project}/{found.model} version {found.version} is {found.stage}")
