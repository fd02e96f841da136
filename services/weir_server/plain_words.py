"""Faults that people can put right, as one line."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from typing import Any

import click

from weir_server.errors import ServerError
from weir_store.errors import StoreError


def in_words(command: Callable[..., Any]) -> Callable[..., Any]:
    """Let a fault that people can put right be one line and exit code 1, not a traceback."""

    @wraps(command)
    def run(*args: Any, **options: Any) -> Any:
        try:
            return command(*args, **options)
        except (ServerError, StoreError) as error:
            click.echo(f"weir: {error}", err=True)
            sys.exit(1)

    return run
