"""The real dashboard over made-up runs of two projects, behind a door; prints its routes first."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.unit.dashboard.recorded import Recorded
from tests.unit.dashboard.synthetic import two_projects
from weir_dashboard import listening
from weir_dashboard.access import arguments
from weir_dashboard.access.opening import open_access
from weir_dashboard.app import build

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    arguments.add_to(parser)
    given = parser.parse_args()
    sources = Recorded(two_projects(count=12)).measure().print().keep().sources
    access = open_access(arguments.config_of(given, os.environ))
    app = build(sources, "127.0.0.1:7700", access)
    app._runtime = app._create_runtime()
    routes = {getattr(route, "path", "") for route in app._build_starlette_app().routes}
    print(json.dumps(sorted(routes)), flush=True)
    listening.run(app, "127.0.0.1", given.port)
