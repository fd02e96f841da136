"""`weir hold`: legal holds."""

from dataclasses import asdict

import click

from weir._api_commands import asking, open_api
from weir._printing import ago, print_json, print_table
from weir.errors import UsageError


@click.command()
@click.argument("path", required=False, default="", metavar="[RUN|PROJECT]")
@click.option("--reason", default="", help="Why; whoever meets the hold reads it.")
@click.option("--lift", is_flag=True, help="Take the hold away.")
@asking
def hold(path: str, reason: str, server: str | None, *, lift: bool, as_json: bool) -> None:
    """Put a legal hold on RUN (project/run_id) or PROJECT: nothing of it is deleted or thinned.

    Without --reason it lists the holds there are.
    """
    if lift and not (path and reason):
        raise UsageError("what to lift, and why?", hint="weir hold PATH --lift --reason …")
    with open_api(server) as api:
        found = api.hold(path, reason, lift=lift) if reason else api.holds(path.partition("/")[0])
    if as_json:
        print_json([asdict(each) for each in found])
        return
    if not found:
        click.echo("no holds")
        return
    rows = [(h.project, h.run_id or "(all of it)", h.by, ago(h.at), h.reason) for h in found]
    print_table(("project", "run", "by", "since", "reason"), rows)
