"""The program that the empty page shows is one that works."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.integration.fixtures_model_gateway import ModelGateway, gateway
from weir_dashboard.views.states import quick_start

__all__ = ["gateway"]  # a fixture


def test_the_quick_start_logs_its_points_to_the_server_it_names(gateway: ModelGateway, tmp_path):
    program = tmp_path / "first.py"
    program.write_text(quick_start("my first 'project'", gateway.address))
    environment = {name: v for name, v in os.environ.items() if not name.startswith("WEIR_")}
    done = subprocess.run(
        [sys.executable, str(program)], cwd=tmp_path, env=environment,
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (account,) = gateway.ledger.accounts.values()
    assert account.origin.project == "my first 'project'"
    assert account.committed == account.last == len(account.frames)
    assert account.final_seq == account.last
    assert any(b"train/loss" in body for body in account.frames.values())
