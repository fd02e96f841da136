"""What every test may use."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import NoReturn

import hypothesis
import pytest

# No test here judges by the clock: how long an example takes says only how busy the machine is.
hypothesis.settings.register_profile("weir", deadline=None)
hypothesis.settings.load_profile("weir")

# A shell ignores SIGINT for what it runs in the background, and nohup SIGHUP; children would inherit it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture(scope="session")
def skip_or_fail() -> Callable[[str], NoReturn]:
    """Say that a server is missing: a skip on a laptop, a failure where CI is set."""

    def say(missing: str) -> NoReturn:
        if os.environ.get("CI"):
            pytest.fail(f"missing in CI: {missing}")
        pytest.skip(missing)

    return say
