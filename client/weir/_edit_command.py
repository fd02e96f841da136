"""`weir edit`: rename a run, note something on it, group and tag it."""

import sys

import click

from weir._api_commands import asking, open_api
from weir._printing import print_json
from weir.errors import UsageError

_LABELS = ("name", "notes", "group", "job_type")


@click.command()
@click.argument("run")
@click.option("--name", help="Display name.")
@click.option("--notes", help="Notes (Markdown); - reads them from stdin.")
@click.option("--group", help="Group.")
@click.option("--job-type", help="What kind of work it does.")
@click.option("--add-tag", "add_tags", multiple=True, metavar="TAG")
@click.option("--remove-tag", "remove_tags", multiple=True, metavar="TAG")
@asking
def edit(
    run: str,
    name: str | None,
    notes: str | None,
    group: str | None,
    job_type: str | None,
    add_tags: tuple[str, ...],
    remove_tags: tuple[str, ...],
    server: str | None,
    *,
    as_json: bool,
) -> None:
    """Change what people call RUN (project/run_id); "" takes a label away.

    Who changed what from what stays on the run as an event.
    """
    if notes == "-":
        notes = sys.stdin.read()
    labels = {"name": name, "notes": notes, "group": group, "job_type": job_type}
    if not (add_tags or remove_tags or any(text is not None for text in labels.values())):
        raise UsageError("nothing to change", hint="give --name, --notes, --group, --add-tag …")
    with open_api(server) as api:
        view = api.run(run)
        before = _told(view)
        after = _told(view.update(**labels, add_tags=add_tags, remove_tags=remove_tags))
    changed = [field for field in after if after[field] != before[field]]
    if as_json:
        print_json({"run": run, "changed": changed, **after})
    else:
        click.echo(f"{run}: {', '.join(changed)} changed" if changed else f"{run}: nothing changed")


def _told(view: object) -> dict[str, object]:
    return {field: getattr(view, field) for field in (*_LABELS, "tags")}
