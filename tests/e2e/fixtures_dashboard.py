"""The dashboard over made-up runs, and a real browser that notes every complaint."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
SERVER = Path(__file__).with_name("dashboard_server.py")
# Streamlit looks below the page's path first when a deep link is opened; answering would mislead it
PROBES = re.compile(r"/\w+/_stcore/(health|host-config)$")


@dataclass
class Served:
    """A running dashboard, and what the browser complained about."""

    address: str
    process: subprocess.Popen[str]
    complaints: list[str] = field(default_factory=list)

    def tell(self, line: str) -> None:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline().strip() == "done"


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    process = subprocess.Popen(
        [sys.executable, str(SERVER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    ready = process.stdout.readline()
    try:
        assert "dashboard ready on " in ready
        yield Served(ready.split()[-1], process)
    finally:
        process.terminate()
        process.wait(timeout=20)


@pytest.fixture(scope="module")
def browser():
    if CHROMIUM is None:
        if os.environ.get("CI"):
            pytest.fail("no chromium: CI must run the browser tests")
        pytest.skip("no chromium on PATH")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser, served):
    context = browser.new_context(viewport={"width": 1500, "height": 900})
    page = context.new_page()
    page.set_default_timeout(20_000)
    listen(page, served)
    yield page
    context.close()
    complaints, served.complaints = served.complaints, []
    assert complaints == []


def listen(page, served: Served) -> None:
    """Note every console error, failed request and request that leaves this machine."""

    def answered(response) -> None:
        if response.status >= 400 and not PROBES.search(response.url):
            served.complaints.append(f"{response.status} {response.url}")

    def said(message) -> None:
        if message.type == "error" and not PROBES.search(message.location.get("url", "")):
            served.complaints.append(message.text)

    def asked(request) -> None:
        if not request.url.startswith((served.address, "data:", "blob:")):
            served.complaints.append(f"left this machine: {request.url}")

    def failed(request) -> None:
        if request.failure != "net::ERR_ABORTED":
            served.complaints.append(f"failed: {request.url} {request.failure}")

    page.on("console", said)
    page.on("pageerror", lambda error: served.complaints.append(str(error)))
    page.on("response", answered)
    page.on("request", asked)
    page.on("requestfailed", failed)
