"""Real git repositories with every oddity, and the collector's request about them."""

import subprocess
from pathlib import Path
from typing import Any

from weir._inputs._request import Request


class Repository:
    """A repository made with the git on PATH, untouched by the user's own configuration."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir(parents=True, exist_ok=True)
        self.git("init", "-q", "-b", "main")

    def git(self, *words: str) -> str:
        identity = (
            "-c",
            "user.name=n",
            "-c",
            "user.email=n@example.org",
            "-c",
            "commit.gpgsign=false",
        )
        done = subprocess.run(
            ["git", *identity, "-c", "protocol.file.allow=always", *words],
            cwd=self.path,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.strip()

    def write(self, name: str, content: str | bytes) -> Path:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def commit(self, name: str = "a.py", content: str | bytes = "x = 1\n") -> str:
        self.write(name, content)
        self.git("add", "-A")
        self.git("commit", "-q", "-m", f"change {name}")
        return self.git("rev-parse", "HEAD")


def request_in(folder: Path, spool: Path, **options: Any) -> Request:
    """What a trainer at work in `folder` would ask."""
    spool.mkdir(parents=True, exist_ok=True)
    return Request(
        job="start",
        sections=(),
        spool_path=str(spool / "p" / "r" / "producer"),
        directory=str(folder),
        prefix="/nowhere",
        **options,
    )
