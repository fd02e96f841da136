"""`weir artifact`: look at artifacts and change what is said of them."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from weir._api_commands import asking, open_api
from weir._artifact_command_bytes import get, put, verify
from weir._printing import ago, grouped, print_json, print_table
from weir._status_command import human_bytes

if TYPE_CHECKING:
    from weir._artifacts.used import UsedArtifact


@click.group()
def artifact() -> None:
    """Named, versioned sets of files."""


@artifact.command()
@click.argument("path")
@click.option("--type", "type_", default="", help="Only of this type.")
@click.option("--search", default="", help="Only names that hold this.")
@click.option("--files", is_flag=True, help="Of PROJECT/NAME:VERSION: its files.")
@asking
def ls(
    path: str, type_: str, search: str, server: str | None, *, files: bool, as_json: bool
) -> None:
    """List the artifacts of a PROJECT, the versions of PROJECT/NAME, or the files of one version."""
    with open_api(server) as api:
        if files or ":" in path:
            _print_files(api.artifact(path), as_json=as_json)
        elif "/" in path:
            _print_versions(list(api.versions(path)), as_json=as_json)
        else:
            found = list(api.artifacts(path, type_, search))
            if as_json:
                print_json(
                    [
                        {**summary(each.latest), "versions": each.versions, "size": each.size_bytes}
                        for each in found
                    ]
                )
                return
            rows = [
                (
                    each.name,
                    each.latest.type,
                    f"v{each.latest.version}",
                    str(each.versions),
                    human_bytes(each.size_bytes),
                    ago(each.latest.created),
                )
                for each in found
            ]
            columns = ("artifact", "type", "newest", "versions", "size", "made")
            print_table(columns, rows, right=("versions", "size"))


@artifact.command()
@click.argument("reference")
@click.option("--add", multiple=True, help="Name that is to mean it; may be repeated.")
@click.option("--remove", multiple=True, help="Name that is not to mean it any more.")
@asking
def alias(
    reference: str,
    add: tuple[str, ...],
    remove: tuple[str, ...],
    server: str | None,
    *,
    as_json: bool,
) -> None:
    """Give a version (project/name:v3) other names, or take them away."""
    with open_api(server) as api:
        found = api.update_artifact(reference, add_aliases=add, remove_aliases=remove)
    if as_json:
        print_json(summary(found))
    else:
        click.echo(f"{found.path}: {', '.join(found.aliases) or 'no aliases'}")


@artifact.command()
@click.argument("reference")
@click.option("--all", "all_versions", is_flag=True, help="Of project/name: all versions.")
@click.option("--even-with-aliases", is_flag=True, help="Also a version that somebody named.")
@asking
def rm(
    reference: str,
    server: str | None,
    *,
    all_versions: bool,
    even_with_aliases: bool,
    as_json: bool,
) -> None:
    """Delete a version (project/name:v3). `weir artifact gc` then frees its bytes."""
    with open_api(server) as api:
        count = api.delete_artifact(
            reference, all_versions=all_versions, even_with_aliases=even_with_aliases
        )
    if as_json:
        print_json({"versions": count})
    else:
        click.echo(f"deleted {count} version{'s' if count != 1 else ''} of {reference}")


@artifact.command()
@click.argument("project")
@click.option("--dry-run", is_flag=True, help="Only say what would go.")
@asking
def gc(project: str, server: str | None, *, dry_run: bool, as_json: bool) -> None:
    """Free the bytes of PROJECT that nothing names any more."""
    with open_api(server) as api:
        receipt = api.collect_garbage(project, dry_run=dry_run)
    if as_json:
        print_json(asdict(receipt))
        return
    verb = "would free" if dry_run else "freed"
    click.echo(
        f"{verb} {human_bytes(receipt.size_bytes)}: {grouped(receipt.blobs)} blobs, "
        f"{grouped(receipt.versions)} versions"
    )
    if receipt.kept_young:
        young = human_bytes(receipt.kept_young_bytes)
        click.echo(f"kept {grouped(receipt.kept_young)} young blobs ({young}): perhaps in use soon")
    if receipt.receipt:
        click.echo(f"receipt: {receipt.receipt}")


@artifact.command()
@click.argument("path")
@click.option("--depth", default=3, show_default=True, type=click.IntRange(1, 10))
@asking
def lineage(path: str, depth: int, server: str | None, *, as_json: bool) -> None:
    """Show which runs made and read what around project/name:v3, or around project/run:ID."""
    with open_api(server) as api:
        edges = api.lineage(path, depth=depth)
    if as_json:
        print_json([asdict(edge) for edge in edges])
        return
    rows = [
        (edge.run_id, "made" if edge.is_output else "read", edge.artifact, ago(edge.at))
        for edge in edges
    ]
    print_table(("run", "", "artifact", "when"), rows)


for _command in (get, put, verify):
    artifact.add_command(_command)


def summary(found: "UsedArtifact") -> dict[str, Any]:
    """Return what is known of a version, for JSON."""
    names = ("path", "project", "name", "version", "type", "digest", "run_id", "description")
    rest = ("metadata", "aliases", "tags", "size_bytes", "created")
    return {name: getattr(found, name) for name in (*names, *rest)}


def _print_versions(found: "list[UsedArtifact]", *, as_json: bool) -> None:
    if as_json:
        print_json([summary(each) for each in found])
        return
    rows = [
        (
            f"v{each.version}",
            ", ".join(each.aliases),
            human_bytes(each.size_bytes),
            each.run_id,
            ago(each.created),
            each.digest[:12],
        )
        for each in found
    ]
    columns = ("version", "aliases", "size", "run", "made", "digest")
    print_table(columns, rows, right=("size",))


def _print_files(found: "UsedArtifact", *, as_json: bool) -> None:
    if as_json:
        print_json({**summary(found), "files": [asdict(file) for file in found.files]})
        return
    rows = [
        (file.path, human_bytes(file.size_bytes), file.uri or file.sha256[:12])
        for file in found.files
    ]
    print_table(("file", "size", "sha-256"), rows, right=("size",))
