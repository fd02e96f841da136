"""`python -m weir_server …`: the server's commands without the SDK."""

from __future__ import annotations

import click

from weir_server.cli import commands

if __name__ == "__main__":
    click.Group("weir_server", commands={str(command.name): command for command in commands})()
