"""`weir rules`: rules from files, where they stand, what they told and whom."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from weir._api_commands import asking, open_api
from weir._printing import ago, print_json, print_table, styled
from weir._rules_files import RuleInFile, read_rules
from weir.errors import UsageError

if TYPE_CHECKING:
    from weir._api import Api
    from weir._api_rules import AlertView, GroupView, ProjectRules, RuleView

_GROUPS: Final = ("run", "rank", "node", "state", "since", "value", "message")
_LIMIT: Final = click.option(
    "--limit", default=100, show_default=True, type=click.IntRange(1, 10_000)
)


@click.group()
def rules() -> None:
    """Rules over what runs do (docs/rules.md): apply, list, test, and what became of their alerts."""


@rules.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--project", default="", help="Of files that name none.")
@click.option("--dry-run", is_flag=True, help="Only say what would change.")
@click.option("--prune", is_flag=True, help="Delete rules of these projects that no file has.")
@asking
def apply(
    paths: tuple[Path, ...],
    project: str,
    server: str | None,
    *,
    dry_run: bool,
    prune: bool,
    as_json: bool,
) -> None:
    """Make the rules of a project what FILEs and folders say; twice is once.

    All are looked at before the first is changed: one that is wrong changes nothing.
    """
    wanted = [rule for path in paths for rule in read_rules(path, project)]
    with open_api(server) as api:
        planned = [_put(api, rule, dry_run=True) for rule in wanted]
        planned += _superfluous(api, wanted) if prune else []
        for rule, done in zip(wanted, planned, strict=False):
            if not dry_run and done["outcome"] != "unchanged":
                _put(api, rule, dry_run=False)
        for gone in planned[len(wanted) :]:
            api.rules(gone["project"]).delete(gone["name"], dry_run=dry_run)
    if as_json:
        print_json({"dry_run": dry_run, "rules": planned})
    else:
        _print_plan(planned, dry_run=dry_run)


@rules.command("list")
@click.argument("project")
@asking
def list_rules(project: str, server: str | None, *, as_json: bool) -> None:
    """List the rules of PROJECT: where they stand and what they cost."""
    with open_api(server) as api:
        found = api.rules(project).list(groups=0)
    if as_json:
        print_json([asdict(each) for each in found])
        return
    if not found:
        click.echo(f"no rules in {project}; `weir rules templates` lists some to begin with")
        return
    rows = [
        (
            each.name,
            styled(each.state),
            str(each.firing),
            _asks(each),
            f"{each.every_s or each.definition['every']:g} s",
            f"{each.took_s * 1e3:.0f} ms" if each.evaluated else "",
            f"{each.spent_s:.1f} s",
            ago(each.evaluated),
            each.error,
        )
        for each in found
    ]
    columns = ("rule", "state", "firing", "asks", "every", "took", "spent", "evaluated", "error")
    print_table(columns, rows, right=("firing", "every", "took", "spent"))


@rules.command()
@click.argument("rule")
@_LIMIT
@asking
def show(rule: str, limit: int, server: str | None, *, as_json: bool) -> None:
    """Show RULE (project/name): what it says, and the groups that are not simply ok."""
    with open_api(server) as api:
        of, name = _named(api, rule)
        found = of.get(name, groups=limit)
    if as_json:
        print_json(asdict(found))
        return
    facts = {
        "rule": f"{of.project}/{found.name}",
        "state": styled(found.state),
        "error": found.error,
        "version": f"{found.version} by {found.by}, {ago(found.at)}",
        **{key: _said(value) for key, value in found.definition.items() if key != "name"},
        "evaluated": f"{ago(found.evaluated)}, took {found.took_s:.3f} s"
        if found.evaluated
        else "",
        "spent": f"{found.spent_s:.1f} s on {found.evaluations} evaluations",
    }
    print_table(("", ""), [(key, text) for key, text in facts.items() if text], header=False)
    if found.groups:
        print_table(_GROUPS, [_cells(each) for each in found.groups], right=("rank",))
    if found.groups_total > len(found.groups):
        click.echo(f"{len(found.groups)} of {found.groups_total} groups; --limit shows more")


@rules.command("test")
@click.argument("rule")
@click.option(
    "--file", "source", type=click.Path(exists=True, path_type=Path), help="Read it from a file."
)
@_LIMIT
@asking
def test_rule(
    rule: str, source: Path | None, limit: int, server: str | None, *, as_json: bool
) -> None:
    """Evaluate RULE (project/name) once and show what it finds; nobody is told."""
    with open_api(server) as api:
        of, name = _named(api, rule)
        wanted: Any = name
        if source is not None:
            here = [each for each in read_rules(source, of.project) if each.name == name]
            if not here:
                raise UsageError(f"there is no rule {name} in {source}")
            wanted = here[0].definition
        found = of.test(wanted, limit=limit)
    if as_json:
        print_json(asdict(found))
        return
    rows = [_cells(each) for each in found.found]
    if rows:
        print_table(_GROUPS, rows, right=("rank",))
    more = "at least " if found.is_cut else ""
    click.echo(f"{more}{found.total} found in {found.took_s:.3f} s")


@rules.command()
@click.argument("rule")
@asking
def delete(rule: str, server: str | None, *, as_json: bool) -> None:
    """Take RULE (project/name) away."""
    with open_api(server) as api:
        of, name = _named(api, rule)
        of.delete(name)
    if as_json:
        print_json({"deleted": rule})
    else:
        click.echo(f"deleted {rule}")


@rules.command()
@click.argument("project")
@click.option("--run", "run_id", default="", help="Only of this run.")
@click.option("--rule", default="", help="Only of this rule.")
@_LIMIT
@asking
def alerts(
    project: str, run_id: str, rule: str, limit: int, server: str | None, *, as_json: bool
) -> None:
    """List the alerts of PROJECT, newest first: of rules and of `run.alert`."""
    with open_api(server) as api:
        found = api.rules(project).alerts(run_id=run_id, rule=rule, limit=limit)
    if as_json:
        print_json([asdict(each) for each in found])
        return
    rows = [
        (
            ago(each.event.time),
            styled(each.event.severity),
            _teller(each),
            each.run_id,
            each.event.attrs.get("rank", "") if each.source == "server" else str(each.event.rank),
            each.event.title,
            each.event.body.partition("\n")[0][:200],
        )
        for each in found
    ]
    columns = ("when", "severity", "by", "run", "rank", "title", "text")
    print_table(columns, rows, right=("rank",))


@rules.command()
@click.argument("project")
@click.option(
    "--state", "states", multiple=True, type=click.Choice(["waiting", "delivered", "dead"])
)
@click.option("--rule", default="", help="Only of this rule.")
@_LIMIT
@asking
def deliveries(
    project: str,
    states: tuple[str, ...],
    rule: str,
    limit: int,
    server: str | None,
    *,
    as_json: bool,
) -> None:
    """List what was, is and could not be delivered or done, newest first."""
    with open_api(server) as api:
        found = api.rules(project).deliveries(states=states, rule=rule, limit=limit)
    if as_json:
        print_json([asdict(each) for each in found])
        return
    rows = [
        (
            each.delivery_id,
            ago(each.at),
            each.rule,
            each.kind,
            each.target,
            each.run_id,
            each.state,
            str(each.tries),
            each.problem,
        )
        for each in found
    ]
    columns = ("id", "made", "rule", "action", "to", "run", "state", "tries", "problem")
    print_table(columns, rows, right=("tries",))


@rules.command()
@click.argument("project")
@click.argument("delivery_ids", nargs=-1)
@click.option("--dead", is_flag=True, help="All that were given up, the newest 10 000.")
@asking
def retry(
    project: str, delivery_ids: Sequence[str], server: str | None, *, dead: bool, as_json: bool
) -> None:
    """Have deliveries tried again that were given up."""
    if bool(delivery_ids) == dead:
        raise UsageError("name deliveries or say --dead", hint=f"weir rules deliveries {project}")
    with open_api(server) as api:
        of = api.rules(project)
        ids = delivery_ids or [
            each.delivery_id for each in of.deliveries(states=["dead"], limit=10_000)
        ]
        done = [of.retry(each) for each in ids]
    if as_json:
        print_json([asdict(each) for each in done])
    else:
        click.echo(f"{len(done)} will be tried again")


@rules.command()
@click.argument("name", required=False, default="")
@asking
def templates(name: str, server: str | None, *, as_json: bool) -> None:
    """List rules that are ready to use; with NAME show one, its parameters and its SQL."""
    with open_api(server) as api:
        found = [each for each in api.rule_templates() if name in ("", each.name)]
    if name and not found:
        raise UsageError(f"there is no template {name!r}", hint="weir rules templates")
    if as_json:
        print_json([asdict(each) for each in found])
    elif not name:
        print_table(("template", "fires when"), [(each.name, each.about) for each in found])
    else:
        (one,) = found
        click.echo(f"{one.name}: {one.about}\n")
        rows = [(key, json.dumps(value), about) for key, (value, about) in one.parameters.items()]
        print_table(("parameter", "default", "means"), rows)
        click.echo(f"\n{one.sql or 'a built-in check'}")


# ── below ──────────────────────────────────────────────────────────────────


def _named(api: "Api", path: str) -> "tuple[ProjectRules, str]":
    project, slash, name = path.rpartition("/")
    if not (slash and project and name):
        raise UsageError(f"{path!r} names no rule", hint="write project/name")
    return api.rules(project), name


def _put(api: "Api", rule: RuleInFile, *, dry_run: bool) -> dict[str, Any]:
    done = api.rules(rule.project).put(rule.definition, dry_run=dry_run)
    return {"project": rule.project, **asdict(done)}


def _superfluous(api: "Api", wanted: Sequence[RuleInFile]) -> list[dict[str, Any]]:
    """Return rules of the same projects that no file has."""
    kept = {(rule.project, rule.name) for rule in wanted}
    return [
        {"project": project, "name": rule.name, "outcome": "deleted", "changes": ()}
        for project in sorted({rule.project for rule in wanted})
        for rule in api.rules(project).list(groups=0)
        if (project, rule.name) not in kept
    ]


def _print_plan(planned: Sequence[dict[str, Any]], *, dry_run: bool) -> None:
    signs = {"made": "+", "changed": "~", "deleted": "-", "unchanged": " "}
    for each in planned:
        click.echo(f"{signs[each['outcome']]} {each['project']}/{each['name']} {each['outcome']}")
        for key, before, after in each["changes"]:
            if each["outcome"] == "changed":
                click.echo(f"    {key}: {before or '–'} → {after or '–'}")
    changed = sum(each["outcome"] != "unchanged" for each in planned)
    click.echo(f"{changed} of {len(planned)} {'would change' if dry_run else 'changed'}")


def _asks(rule: "RuleView") -> str:
    said = rule.definition
    return said.get("template") or said.get("check") or "sql"


def _cells(group: "GroupView") -> tuple[str, ...]:
    return (
        group.run_id,
        "" if group.rank is None else str(group.rank),
        group.node,
        group.state,
        ago(group.since),
        f"{group.value:g}" if group.value == group.value else "",
        group.message,
    )


def _teller(alert: "AlertView") -> str:
    return alert.event.attrs.get("by", "") if alert.source == "server" else "code"


def _said(value: Any) -> str:
    return value if isinstance(value, str) else ("" if value in ({}, []) else json.dumps(value))
