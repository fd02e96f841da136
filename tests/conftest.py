"""What every test may use."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import NoReturn

import hypothesis
import pytest

# No test here judges by the clock: how long an example takes says only how busy the machine is.
hypothesis.settings.register_profile("weir", deadline=None)
hypothesis.settings.load_profile("weir")


@pytest.fixture(scope="session")
def skip_or_fail() -> Callable[[str], NoReturn]:
    """Say that a server is missing: a skip on a laptop, a failure where CI is set."""

    def say(missing: str) -> NoReturn:
        if os.environ.get("CI"):
            pytest.fail(f"missing in CI: {missing}")
        pytest.skip(missing)

    return say
