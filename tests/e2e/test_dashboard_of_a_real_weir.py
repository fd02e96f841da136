"""`weir up` without any setting: what a run logged is on the dashboard, its bytes through the real door."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.e2e.fixtures_up import EmbeddedWeir, start_weir

TRAINER = """
import sys
from pathlib import Path
import weir

made = Path(sys.argv[1]) / "notes.txt"
made.write_text("forty-two pelicans")
with weir.init("shown", id="whole") as run:
    print("\\033[31mhello from the console\\033[0m", flush=True)
    run.log({"loss": 1.0})
    run.log_artifact(made, name="notes", type="text").wait(60)
"""


@pytest.fixture
def whole_weir(tmp_path: Path) -> Iterator[EmbeddedWeir]:
    weir = start_weir(tmp_path / "weir")
    try:
        yield weir
    finally:
        weir.stop()


def test_artifacts_and_lines_of_a_run_are_shown_and_a_file_can_be_downloaded(
    whole_weir: EmbeddedWeir, browser, tmp_path: Path
) -> None:
    script = tmp_path / "train.py"
    script.write_text(TRAINER)
    subprocess.run(
        [sys.executable, str(script), str(tmp_path)],
        env=whole_weir.environment(tmp_path / "spool"),
        check=True,
        timeout=180,
    )
    context = browser.new_context(viewport={"width": 1500, "height": 1400})
    page = context.new_page()
    page.set_default_timeout(30_000)
    page.goto(f"{whole_weir.dashboard}/run?project=shown&id=whole&tab=Logs&log_q=hello")
    page.get_by_text("hello from the console").wait_for()
    page.goto(f"{whole_weir.dashboard}/artifacts?project=shown")
    for heading in ("notes", "notes:v0", ""):
        table = page.get_by_test_id("stDataFrame").last
        table.wait_for()
        page.wait_for_timeout(1_000)
        box = table.bounding_box()
        page.mouse.click(box["x"] + 16, box["y"] + 38 + 15)
        if heading:
            page.get_by_role("heading", name=heading, exact=True).wait_for()
    page.get_by_text("forty-two pelicans").wait_for()
    address = page.get_by_role("link", name="Download").get_attribute("href")
    with urlopen(address, timeout=20) as answer:
        assert answer.read() == b"forty-two pelicans"
        assert "notes.txt" in answer.headers["Content-Disposition"]
    context.close()
