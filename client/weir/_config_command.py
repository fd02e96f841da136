"""`weir config`: the settings in effect, and where each came from."""

import json

import click

from weir._settings import Settings


@click.command()
@click.option("--server", is_flag=True, help="Show the server's settings instead.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_context
def config(context: click.Context, *, server: bool, as_json: bool) -> None:
    """Show every setting of the client, its value and where it came from; secrets are masked."""
    if server:
        _show_server_settings(context, as_json=as_json)
        return
    described = list(Settings.load().describe())
    if as_json:
        found = {name: {"value": value, "source": source} for name, value, source in described}
        click.echo(json.dumps(found, indent=1))
        return
    width = max(len(name) for name, _, _ in described)
    value_width = min(40, max(len(value) for _, value, _ in described))
    for name, value, source in described:
        click.echo(f"{name:<{width}}  {value:<{value_width}}  {source}")


def _show_server_settings(context: click.Context, *, as_json: bool) -> None:
    command = (context.obj or {}).get("server_config")
    if command is None:
        raise click.ClickException(
            'the server is not installed here — install it with `pip install "weir[server]"`'
        )
    context.invoke(command, as_json=as_json)
