"""`weir report`: reports of the dashboard, taken away."""

from pathlib import Path
from typing import Final
from urllib.parse import quote

import click
import urllib3
from urllib3.exceptions import HTTPError

from weir._settings import Settings
from weir.errors import Forbidden, Rejected, Unauthenticated, Unavailable

_TIMEOUT: Final = urllib3.Timeout(connect=10.0, read=300.0)
_DASHBOARD: Final = "http://127.0.0.1:7701"


@click.group()
def report() -> None:
    """Take reports away."""


@report.command()
@click.argument("report_id", metavar="ID")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Default: report-ID.html.",
)
@click.option(
    "--dashboard",
    default=_DASHBOARD,
    show_default=True,
    envvar="WEIR_DASHBOARD_URL",
    help="The dashboard's address; also WEIR_DASHBOARD_URL.",
)
def export(report_id: str, output: Path | None, dashboard: str) -> None:
    """Write the report ID as one HTML file that opens without a network."""
    target = output or Path(f"report-{report_id}.html")
    html = _fetch(dashboard.rstrip("/"), report_id, Settings.load().token)
    part = target.with_name(f".{target.name}.part")
    part.write_bytes(html)
    part.replace(target)
    click.echo(f"{target} · {len(html):,} bytes")


def _fetch(dashboard: str, report_id: str, token: str) -> bytes:
    """Ask the dashboard for the file. Raises `TransportError`."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    url = f"{dashboard}/api/report?id={quote(report_id, safe='')}"
    try:
        answer = urllib3.PoolManager(timeout=_TIMEOUT, retries=False).request(
            "GET", url, headers=headers, redirect=False
        )
    except HTTPError as error:
        hint = "is it up? --dashboard URL, or WEIR_DASHBOARD_URL"
        raise Unavailable(f"{dashboard} does not answer: {error}", hint=hint) from error
    if answer.status == 200 and answer.headers.get("Content-Type", "").startswith("text/html"):
        return bytes(answer.data)
    raise _refusal(answer.status, dashboard, report_id)


def _refusal(status: int, dashboard: str, report_id: str) -> Exception:
    if status == 404:
        hint = "its id is in its address, /report?id=…"
        return Rejected(f"{dashboard} has no report {report_id!r}", code="NOT_FOUND", hint=hint)
    if status in (301, 302, 303, 307, 401):
        return Unauthenticated(f"{dashboard} asks who you are", hint="set WEIR_TOKEN")
    if status == 403:
        return Forbidden(f"{dashboard} does not show you the report {report_id!r}")
    return Unavailable(f"{dashboard} answered {status}", hint="try again")
