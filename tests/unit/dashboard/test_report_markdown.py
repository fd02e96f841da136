"""A report's text: safe whatever it says, and panels that are read as they are written."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weir_dashboard.report_markdown import KINDS, Panel, Prose, Wrong, blocks, write_panel

# Texts that have run scripts somewhere: OWASP's list, of markdown renderers, of sanitizers.
CORPUS = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<a href='javascript:alert(1)'>x</a>",
    "<style>@import 'http://evil.example/x.css'</style>",
    "<!-- --><img src=x onerror=alert(1)> -->",
    "<math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
    "<noscript><p title=\"</noscript><img src=x onerror=alert(1)>\">",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](java&#115;cript:alert(1))",
    "[x](javascript&colon;alert(1))",
    "[x](\x01javascript:alert(1))",
    "[x](java\tscript:alert(1))",
    "[x](vbscript:msgbox(1))",
    "[x](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)",
    "[x](//evil.example/x)",
    "[x](<javascript:alert(1)>)",
    "[x]: javascript:alert(1)\n\n[x]",
    "<javascript:alert(1)>",
    "![x](javascript:alert(1))",
    "![x](http://evil.example/pixel.png)",
    "![x\" onerror=\"alert(1)](https://evil.example/a.png)",
    "![x](data:image/svg+xml;base64,PHN2ZyBvbmxvYWQ9YWxlcnQoMSk+)",
    "![x](data:image/png;base64,\"onerror=alert(1))",
    "[a](https://e.example \"x\\\" onmouseover=\\\"alert(1)\")",
    "[a](https://e.example/\"onmouseover=\"alert(1))",
    "`<img src=x onerror=alert(1)>`",
    "```html\n<img src=x onerror=alert(1)>\n```",
    "```x\" onmouseover=\"alert(1)\ncode\n```",
    "| <img src=x onerror=alert(1)> | b |\n|---|---|\n| <b onclick=alert(1)>x</b> | y |",
    "# <img src=x onerror=alert(1)>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "<base href=http://evil.example/>",
    "<meta http-equiv=refresh content='0;url=http://evil.example'>",
    "<link rel=stylesheet href=http://evil.example/x.css>",
    "<form action=http://evil.example><button>x</button></form>",
    "*" * 5_000,
    "[" * 5_000,
    "> " * 2_000 + "x",
    "👩‍🚀" * 2_000,
)  # fmt: skip
TAGS = {
    "p", "a", "img", "h1", "h2", "h3", "h4", "h5", "h6", "em", "strong", "code", "pre", "ul", "ol", "li",
    "blockquote", "table", "thead", "tbody", "tr", "th", "td", "hr", "br", "s",
}  # fmt: skip
ATTRIBUTES = {
    "a": {"href", "target", "rel", "title"}, "img": {"src", "alt"}, "code": {"class"}, "ol": {"start"},
    "th": {"style"}, "td": {"style"},
}  # fmt: skip


class Seen(HTMLParser):
    """What a browser would make of it."""

    def __init__(self) -> None:
        super().__init__()
        self.wrong: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in TAGS:
            self.wrong.append(f"<{tag}>")
        for name, value in attrs:
            if name not in ATTRIBUTES.get(tag, set()):
                self.wrong.append(f"<{tag} {name}>")
            if name == "style" and value not in {
                f"text-align:{side}" for side in ("left", "right", "center")
            }:
                self.wrong.append(f"<{tag} style={value}>")
            if name == "src" and not str(value).startswith("data:image/"):
                self.wrong.append(f"asks for {value}")
            if name == "href" and ":" in str(value).split("/")[0].split("?")[0].split("#")[0]:
                scheme = str(value).split(":")[0].lower()
                if scheme not in {"http", "https", "mailto"}:
                    self.wrong.append(f"leads to {value}")
            if name == "href" and str(value).startswith("//"):
                self.wrong.append(f"leads to {value}")


def wrong_in(text: str) -> list[str]:
    seen = Seen()
    for block in blocks(text):
        if isinstance(block, Prose):
            seen.feed(block.html)
    return seen.wrong


@pytest.mark.parametrize("text", CORPUS, ids=range(len(CORPUS)))
def test_nothing_a_report_says_is_run_or_fetched(text):
    assert wrong_in(text) == []
    assert wrong_in(f"- a\n  > {text}\n\n{text}\n") == []


@given(
    st.lists(
        st.sampled_from(
            [*CORPUS[:36], "\n", "\n\n", "```", "`", "[", "](", ")", "|", "<", ">", '"', "&#", " "]
        ),
        max_size=12,
    )
)
def test_no_mixture_of_hostile_texts_is_run_or_fetched(parts):
    assert wrong_in("".join(parts)) == []


def test_text_is_markdown_with_tables_and_links_that_open_beside():
    (prose,) = blocks(
        "# Größe\n\n| a | b |\n|---|--:|\n| 1 | ~~2~~ |\n\n[w](https://example.org) `x<y`"
    )
    assert "<h1>Größe</h1>" in prose.html
    assert "<s>2</s>" in prose.html
    assert (
        '<a href="https://example.org" target="_blank" rel="noopener noreferrer">w</a>'
        in prose.html
    )
    assert "<code>x&lt;y</code>" in prose.html


def test_a_picture_elsewhere_is_a_link_and_one_in_the_text_is_drawn():
    (prose,) = blocks(
        "![plot](https://example.org/a.png) ![dot](data:image/png;base64,iVBORw0KGgo=)"
    )
    assert prose.html.count("<img") == 1
    assert 'src="data:image/png;base64,iVBORw0KGgo="' in prose.html
    assert "plot ↗" in prose.html


def test_panels_stand_between_text_and_know_their_line():
    first, panel, last = blocks(
        "one\n\n```weir\nchart: project=p&m=loss\nmetric: a, b\nmetric: c\n```\n\ntwo\n"
    )
    assert isinstance(first, Prose)
    assert panel == Panel("chart", "project=p&m=loss", {"metric": ["a, b", "c"]}, 3)
    assert "two" in last.html


VALUES = st.text(
    alphabet=st.characters(codec="utf-8", exclude_categories=("Cc", "Zl", "Zp", "Cs"))
).map(str.strip)


@given(
    st.sampled_from(KINDS),
    st.lists(VALUES.filter(bool), min_size=1, max_size=4).map("\n".join),
    st.lists(VALUES, max_size=3),
)
def test_a_panel_that_was_written_is_read_as_it_was(kind, value, metrics):
    found = blocks(f"before\n\n{write_panel(kind, value, metric=metrics)}\nafter")
    (panel,) = [each for each in found if isinstance(each, Panel)]
    assert (panel.kind, panel.value) == (kind, value)
    assert list(panel.options.get("metric", [])) == metrics


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "empty"),
        ("picture: x", "no panel 'picture'"),
        ("chart:", "says nothing"),
        ("chart: a\n<b>", "not `key: value`: <b>"),
    ],
)
def test_a_panel_that_is_wrong_says_what_is_wrong_and_the_others_stay(text, said):
    wrong, panel = (
        each
        for each in blocks(f"```weir\n{text}\n```\n```weir\nrun: p/r\n```")
        if not isinstance(each, Prose)
    )
    assert isinstance(wrong, Wrong)
    assert said in wrong.message
    assert panel.kind == "run"


def test_more_panels_than_a_page_holds_are_named_and_not_drawn():
    found = blocks("```weir\nrun: p/r\n```\n\n" * 42)
    assert [type(each) for each in found] == [Panel] * 40 + [Wrong] * 2
