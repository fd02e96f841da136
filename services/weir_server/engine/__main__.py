"""`python -m weir_server.engine --path DIR --port N`: the engine alone, for tests and tools."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from weir_server.engine.serve import serve
from weir_server.settings import EngineSettings


def main() -> int:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(prog="weir_server.engine", description=__doc__)
    parser.add_argument("--path", type=Path, required=True, help="data directory")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 picks a free one")
    parser.add_argument("--user", default="default")
    parser.add_argument("--password", default="")
    parser.add_argument("--max-threads", type=int, default=0)
    parser.add_argument("--memory-bytes", type=int, default=0)
    parser.add_argument("--query-timeout-s", type=float, default=60.0)
    return serve(EngineSettings.model_validate(vars(parser.parse_args())))


if __name__ == "__main__":
    sys.exit(main())
