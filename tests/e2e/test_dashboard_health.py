"""`weir up` without any setting: the health page knows its processes, what came and how much room is left."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import Browser, expect

from tests.e2e.fixtures_up import running_weir

expect.set_options(timeout=30_000)
TRAINER = """
import weir
with weir.init("lab") as run:
    for step in range(50):
        run.log({"loss": 1 / (1 + step)}, step=step)
"""


def test_the_health_of_a_running_weir_is_told_from_its_parts_and_its_store(
    browser: Browser, tmp_path: Path
) -> None:
    with running_weir(tmp_path / "weir") as weir:
        subprocess.run(
            [sys.executable, "-c", TRAINER],
            env=weir.environment(tmp_path / "spool"),
            check=True,
            timeout=180,
        )
        context = browser.new_context(viewport={"width": 1500, "height": 1600})
        page = context.new_page()
        page.goto(f"{weir.dashboard}/health")
        expect(page.get_by_text("Everything that was looked at is well.")).to_be_visible()
        expect(page.get_by_text("4 processes", exact=True)).to_be_visible()
        expect(page.get_by_text("1 shard", exact=True)).to_be_visible()

        def figure(name: str):
            card = page.locator(".weir-figures > div").filter(has_text=re.compile(f"^{name}"))
            return card.locator("dd")

        expect(figure("Accepted")).to_have_text(re.compile(r"^0 /s$"))  # a second look was taken
        expect(figure("Stored")).to_have_text(re.compile(r" /s$"))
        expect(figure("Waiting for the writer")).to_have_text(re.compile(r"\d s$"))
        expect(figure("Lost")).to_have_text("0")
        expect(figure("Room left")).to_have_text(re.compile(r"iB$"))
        expect(page.get_by_role("heading", name="Store")).to_be_visible()
        context.close()
