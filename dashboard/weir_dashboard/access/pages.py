"""The few pages that are not Streamlit's: they work before anybody is known, without scripts, and load nothing."""

from __future__ import annotations

from functools import cache
from html import escape
from pathlib import Path
from typing import Final

from starlette.responses import HTMLResponse

_LOGO: Final = Path(__file__).parents[1] / "component" / "assets" / "weir.svg"
_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # with `no-referrer` browsers send forms with `Origin: null`
    "Cache-Control": "no-store",
}
_CSS: Final = """
:root { color-scheme: light dark; --ground: #fff; --card: #f5f7f9; --text: #1b1f27; --line: #cfd6dd;
  --accent: #136b94; --on: #fff; --bad: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --ground: #13161b; --card: #1c2027; --text: #e7eaef;
  --line: #3a424d; --accent: #4aa8d8; --on: #0d1116; --bad: #ff8a7e; } }
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 1rem;
  background: var(--ground); color: var(--text); font: 16px/1.5 system-ui, sans-serif; }
main { width: min(25rem, 100%); background: var(--card); border: 1px solid var(--line); border-radius: .6rem;
  padding: 1.6rem 1.8rem 1.8rem; }
header { display: flex; align-items: center; gap: .7rem; margin-bottom: .9rem; }
header svg { width: 2rem; height: 2rem; }
h1 { font-size: 1.25rem; margin: 0; overflow-wrap: anywhere; }
p { margin: .5rem 0; overflow-wrap: anywhere; }
label { display: block; font-weight: 600; margin: .9rem 0 .25rem; }
input { width: 100%; font: inherit; padding: .5rem .6rem; border: 1px solid var(--line); border-radius: .4rem;
  background: var(--ground); color: var(--text); }
button, a.button { display: block; width: 100%; margin-top: .9rem; padding: .55rem; font: inherit; font-weight: 600;
  text-align: center; text-decoration: none; border: 0; border-radius: .4rem; background: var(--accent);
  color: var(--on); cursor: pointer; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
[role=alert] { color: var(--bad); font-weight: 600; }
small { opacity: .75; } code { font-size: .9em; } a { color: var(--accent); }
hr { border: 0; border-top: 1px solid var(--line); margin: 1.3rem 0 .6rem; }
"""


def sign_in(
    *, form: str, next: str, tokens: bool, provider: str, wrong: str = "", status: int = 200
) -> HTMLResponse:
    """Return the page that asks who one is.

    Args:
        form: What proves that a form comes from this page.
        next: Where to go on to.
        tokens: Whether a Weir token can be shown.
        provider: The host of the provider that signs people in; "" = none.
        wrong: Why it did not work; "" = nothing did go wrong.
        status: Of HTTP.
    """
    parts = [f'<p role="alert">{escape(wrong)}</p>' if wrong else ""]
    hidden = _hidden(form, next)
    if provider:
        label = f"Sign in with {escape(provider)}"
        parts.append(
            f'<form method="post" action="/sign-in/oidc">{hidden}<button>{label}</button></form>'
        )
    if provider and tokens:
        parts.append("<hr>")
    if tokens:
        parts.append(
            f'<form method="post" action="/sign-in">{hidden}<label for="token">Weir token</label>'
            '<input id="token" name="token" type="password" autocomplete="current-password" required autofocus>'
            "<button>Sign in</button></form>"
            "<p><small>The one your training uses as <code>WEIR_TOKEN</code>; "
            "<code>weir token create</code> makes one.</small></p>"
        )
    return _page("Sign in to Weir", "".join(parts), status)


def sign_out(*, form: str, name: str, role: str, projects: str) -> HTMLResponse:
    """Return the page that says who one is, and lets one go."""
    return _page(
        "Sign out",
        f"<p>You are <b>{escape(name)}</b>, {escape(role)} in {escape(projects)}.</p>"
        f'<form method="post" action="/sign-out">{_hidden(form, "/")}<button>Sign out</button></form>'
        '<p><a href="/">Back</a></p>',
    )


def say(title: str, text: str, status: int, *, link: tuple[str, str] | None = None) -> HTMLResponse:
    """Return a page with one sentence, and a link (text, address) to go on."""
    more = f'<p><a href="{escape(link[1])}">{escape(link[0])}</a></p>' if link else ""
    return _page(title, f"<p>{escape(text)}</p>{more}", status)


def _hidden(form: str, next: str) -> str:
    return (
        f'<input type="hidden" name="form" value="{escape(form)}">'
        f'<input type="hidden" name="next" value="{escape(next)}">'
    )


def _page(title: str, body: str, status: int = 200) -> HTMLResponse:
    return HTMLResponse(
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<title>{escape(title)}</title><link rel="icon" href="data:,"><style>{_CSS}</style></head>'
        f"<body><main><header>{_logo()}<h1>{escape(title)}</h1></header>{body}</main></body></html>",
        status_code=status,
        headers=_HEADERS,
    )


@cache
def _logo() -> str:
    return _LOGO.read_text(encoding="utf-8")
