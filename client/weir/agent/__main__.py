"""`python -m weir.agent --root DIR`: what the SDK starts. People start it with `weir agent`."""

import argparse
from pathlib import Path

from weir.agent._serve import run_agent


def main() -> int:
    """Run the agent of this node for one spool root."""
    parser = argparse.ArgumentParser(prog="weir.agent", description=__doc__)
    parser.add_argument("--root", type=Path, required=True, help="spool root to serve")
    parser.add_argument("--node", default="", help="name of this node; default: the host name")
    arguments = parser.parse_args()
    return run_agent(arguments.root, node=arguments.node)


if __name__ == "__main__":
    raise SystemExit(main())
