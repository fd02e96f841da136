"""`weir sql --schema`: which views there are, and what their columns mean."""

from collections.abc import Sequence

import click

from weir._api_sql import SqlView
from weir._printing import print_table
from weir.errors import UsageError


def print_views(views: Sequence[SqlView], name: str = "") -> None:
    """Print the list of views, or the columns of the one named. Raises `UsageError`."""
    if not name:
        rows = [(view.name, str(len(view.columns)), view.about) for view in views]
        print_table(("view", "columns", "one row is"), rows, right=("columns",))
        return
    view = find_view(views, name)
    click.echo(f"{view.name}: {view.about}\n")
    columns = [(column.name, column.type, column.unit, column.about) for column in view.columns]
    print_table(("column", "type", "unit", "what"), columns)
    click.echo(f"\ne.g. {view.example}")


def find_view(views: Sequence[SqlView], name: str) -> SqlView:
    """Return the view of that name. Raises `UsageError`."""
    for view in views:
        if view.name == name.lower():
            return view
    there_are = ", ".join(view.name for view in views)
    raise UsageError(f"there is no view {name!r}", hint=f"there are {there_are}")
