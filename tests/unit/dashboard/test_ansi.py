"""What terminals colour, pages colour; and nothing that was printed becomes markup."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weir_dashboard import ansi


def text_of(html: str) -> str:
    """What a browser would show, for texts without entities."""
    return re.sub(r"<[^>]*>", "", html)


def test_a_plain_line_is_itself_escaped():
    assert ansi.to_html("a < b & c") == "a &lt; b &amp; c"


def test_markup_in_a_line_is_shown_not_obeyed():
    html = ansi.to_html("\x1b[31m<script>alert(1)</script>\x1b[0m")
    assert "<script" not in html
    assert "&lt;script&gt;" in html


@pytest.mark.parametrize(
    ("line", "css"),
    [
        ("\x1b[1mx", "font-weight:650"),
        ("\x1b[2mx", "opacity:.65"),
        ("\x1b[3mx", "font-style:italic"),
        ("\x1b[4mx", "text-decoration:underline"),
        ("\x1b[32mx", "color:#31983d"),
        ("\x1b[92mx", "color:#4db35a"),
        ("\x1b[38;5;196mx", "color:#ff0000"),
        ("\x1b[38;5;250mx", "color:#bcbcbc"),
        ("\x1b[38;2;1;2;3mx", "color:#010203"),
        ("\x1b[38;2;999;2;3mx", "color:#ff0203"),
    ],
)
def test_styles_of_terminals_are_kept(line, css):
    assert ansi.to_html(line) == f'<span style="{css}">x</span>'


def test_a_style_lasts_until_it_is_reset():
    html = ansi.to_html("\x1b[31ma\x1b[1mb\x1b[0mc")
    assert html == (
        '<span style="color:#d0402b">a</span><span style="color:#d0402b;font-weight:650">b</span>c'
    )


@pytest.mark.parametrize(
    "line", ["\x1b[38mx", "\x1b[38;5mx", "\x1b[38;2;1mx", "\x1b[999mx", "\x1b[;mx"]
)
def test_broken_sequences_leave_the_text(line):
    assert text_of(ansi.to_html(line)) == "x"


def test_other_sequences_are_left_out():
    assert ansi.to_html("\x1b[2Kdone\x1b[1A") == "done"


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_whatever_is_printed_no_tag_but_spans_comes_out(line):
    tags = re.findall(r"<(/?\w*)", ansi.to_html(line))
    assert set(tags) <= {"span", "/span"}
