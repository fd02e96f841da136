"""The example in docs/sdk.md, "Media and tables", runs, and everything in it is kept."""

from __future__ import annotations

import re
from pathlib import Path

from weir.testing import capture

PAGE = Path(__file__).parents[2] / "docs/sdk.md"


def test_the_example_of_media_keeps_everything_it_logs() -> None:
    section = PAGE.read_text().partition("## Media and tables")[2]
    example = section.partition("```python\n")[2].partition("```")[0]
    with capture(strict=True) as captured:
        exec(example, {})
    names = set(re.findall(r'"([a-z/]+)": (?:\[?weir\.|table\b)', example))
    assert len(names) >= 12
    for name in names:
        assert captured.media(name), name
        assert all(view.value() is not None for view in captured.media(name))
