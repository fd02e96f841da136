"""`weir artifact get`, `put` and `verify`: the commands that move or read bytes."""

from dataclasses import asdict
from pathlib import Path

import click

from weir._api_commands import asking, open_api
from weir._printing import print_json
from weir._settings import Settings
from weir._status_command import human_bytes
from weir.errors import UsageError


@click.command()
@click.argument("reference")
@click.argument("root", required=False, type=click.Path(file_okay=False, path_type=Path))
@click.option("--file", "name", default="", help="Only this file.")
@asking
def get(reference: str, root: Path | None, name: str, server: str | None, *, as_json: bool) -> None:
    """Fetch a version (project/name:alias, project/name:v3) to ROOT, default ./artifacts/NAME-vN.

    Safe to interrupt and to repeat: what is there and whole is not fetched again.
    """
    from weir._artifacts.asking import DirectAsker
    from weir._artifacts.bars import download_bar
    from weir._artifacts.used import UsedArtifact, wanted_of

    with open_api(server) as api:
        wanted = wanted_of(reference, "")
        found = DirectAsker(api.artifacts_transport).find(wanted)
        with download_bar(reference, found.size_bytes, quiet=as_json) as passed:
            asker = DirectAsker(api.artifacts_transport, progress=passed)
            artifact = UsedArtifact(found, asker)
            try:
                path = artifact.get_path(name, root) if name else artifact.download(root)
            except OSError as error:
                raise click.ClickException(f"it cannot be written: {error}") from error
            references = [file for file in artifact.files if file.is_reference]
    if as_json:
        print_json({"path": path, "artifact": artifact.path, "size_bytes": artifact.size_bytes})
        return
    click.echo(f"{artifact.path} is in {path}")
    for file in references:
        click.echo(f"not fetched, a reference: {file.path} ← {file.uri}")


@click.command()
@click.argument("path", type=click.Path(exists=True, path_type=Path))
@click.option("--project", default="", help="Default: the setting.")
@click.option("--name", default=None, help="Of the artifact; default: the last part of PATH.")
@click.option("--type", "type_", default=None, help="What kind of thing it is.")
@click.option("--alias", "aliases", multiple=True, help="Name that is to mean it.")
@click.option("--tag", "tags", multiple=True, help="Word to find it by.")
@click.option("--description", default="", help="For people.")
@click.option("--ttl", "ttl_s", default=0, type=click.IntRange(0), help="Seconds it is to live.")
@asking
def put(
    path: Path,
    project: str,
    name: str | None,
    type_: str | None,
    aliases: tuple[str, ...],
    tags: tuple[str, ...],
    description: str,
    ttl_s: int,
    server: str | None,
    *,
    as_json: bool,
) -> None:
    """Make a version of the file or folder at PATH. Safe to interrupt and to repeat."""
    from weir._artifacts.bars import download_bar
    from weir._artifacts.putting import put as put_artifact
    from weir._run_files import artifact_of

    project = project or Settings.load().project
    artifact = artifact_of(path, name, type_)
    artifact.description = description
    total_bytes = sum(Path(file.path).stat().st_size for file in artifact.files.values())
    with (
        open_api(server) as api,
        download_bar(f"{project}/{artifact.name}", total_bytes, quiet=as_json) as passed,
    ):
        found = put_artifact(
            artifact,
            api.artifacts_transport,
            project=project,
            aliases=aliases,
            tags=tags,
            ttl_s=ttl_s,
            passed=passed,
        )
    if as_json:
        print_json(asdict(found))
    else:
        size = human_bytes(total_bytes)
        click.echo(f"{project}/{found.name}:v{found.version} ({found.files} files, {size})")


@click.command()
@click.argument("reference")
@click.argument("root", required=False, type=click.Path(path_type=Path))
@asking
def verify(reference: str, root: Path | None, server: str | None, *, as_json: bool) -> None:
    """Read the files in ROOT and say what is not as it was stored. Exits with 1 when something is."""
    if root is not None and not root.is_dir():
        raise UsageError(f"there is no folder {root}", hint=f"weir artifact get {reference}")
    with open_api(server) as api:
        artifact = api.artifact(reference)
        found = artifact.verify(root)
    if as_json:
        print_json({"ok": bool(found), **asdict(found)})
    else:
        for name in found.missing:
            click.echo(f"missing: {name}")
        for name in found.changed:
            click.echo(f"changed: {name}")
        for name in found.extra:
            click.echo(f"not of this version: {name}")
        count = sum(not file.is_reference for file in artifact.files)
        click.echo(f"{artifact.path}: {count} files are as they were stored" if found else "")
    raise SystemExit(0 if found else 1)
