"""`weir reproduce RUN`: what brings a run back, as a folder or on the terminal; `weir fingerprint`."""

import os
import sys
from pathlib import Path

import click

from weir._api_commands import asking, open_api
from weir._printing import print_json
from weir._reproduce import Recipe, recipe_for
from weir._run_record import (
    CONDA_PATH,
    PATCH_PATH,
    REQUIREMENTS_PATH,
    UNTRACKED_PATH,
    RunRecord,
    record_of,
)

_FETCHED = (PATCH_PATH, REQUIREMENTS_PATH, UNTRACKED_PATH, CONDA_PATH)


@click.command()
@click.argument("run")
@click.option("--into", type=click.Path(path_type=Path, file_okay=False), help="Folder to write.")
@click.option("--print", "printed", is_flag=True, help="Print the commands; write nothing.")
@asking
def reproduce(
    run: str,
    into: Path | None,
    printed: bool,
    server: str | None,
    *,
    as_json: bool,
) -> None:
    """Write what brings RUN (project/run_id) back: code, environment, data, config, seeds, command."""
    with open_api(server) as api:
        record = record_of(api.run(run), fetch=_FETCHED)
    recipe = recipe_for(record)
    if as_json:
        print_json({"run": record.path, "files": recipe.files, "warnings": recipe.warnings})
    elif printed:
        _print(recipe)
    else:
        try:
            _write(record, recipe, into)
        except OSError as error:
            raise click.ClickException(f"it cannot be written: {error}") from error


def _print(recipe: Recipe) -> None:
    for name, content in recipe.files.items():
        if name.endswith(".sh"):
            click.echo(f"# {name}\n{content}")
    _warn(recipe)


def _write(record: RunRecord, recipe: Recipe, into: Path | None) -> None:
    folder = into or Path(f"reproduce-{record.path.rpartition('/')[2]}")
    if folder.exists() and any(folder.iterdir()):
        raise click.ClickException(f"{folder} is not empty; name another with --into")
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in recipe.files.items():
        # surrogates: a patch of files that are no UTF-8 keeps its bytes
        (folder / name).write_bytes(content.encode(errors="surrogateescape"))
        if name.endswith(".sh"):
            os.chmod(folder / name, 0o755)
    click.echo(f"{folder}: {', '.join(sorted(recipe.files))}")
    _warn(recipe)


def _warn(recipe: Recipe) -> None:
    for warning in recipe.warnings:
        click.echo(f"warning: {warning}", err=True)


@click.command()
@click.argument("path", type=click.Path(exists=True, path_type=Path))
@click.option("--expect", default="", help="Exit with 1 when it is another one.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def fingerprint(path: Path, expect: str, *, as_json: bool) -> None:
    """Print the fingerprint of a file or folder, as Run.use_data records it."""
    from weir import _data_fingerprint

    found = _data_fingerprint.fingerprint(path)
    if as_json:
        print_json(
            {
                "path": str(path),
                "fingerprint": found.digest,
                "fingerprint_of": found.of,
                "size_bytes": found.size_bytes,
                "files": found.files,
            }
        )
    else:
        click.echo(f"{found.digest}  {path}")
    if expect and found.digest != expect:
        click.echo(f"{path} is not what it was: {expect} was expected", err=True)
        sys.exit(1)


COMMANDS = (reproduce, fingerprint)
