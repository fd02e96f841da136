"""The corner that says who one is: signing out, and sharing the page. Not there where nobody is asked."""

from __future__ import annotations

from typing import Final, Literal

import streamlit as st

from weir_dashboard import data, navigation, sharing, words
from weir_dashboard.access.viewer import Via, Viewer
from weir_dashboard.sharing import Shared
from weir_store.errors import InvalidQuery

_LONGEST_NAME: Final = 24
_DAYS: Final = (1, 7, 30, 90, 365)
_CSS: Final = """<style>
.st-key-weir-account { position: fixed; top: .3rem; right: 3.4rem; z-index: 999991; width: auto !important; }
.st-key-weir-account button { min-height: 2rem; padding: .1rem .6rem; }
.st-key-weir-account [data-testid="stCaptionContainer"] { padding-top: .3rem; }
.weir-sign-out { color: inherit; font-size: .9rem; }
@media (max-width: 640px) { .st-key-weir-account { right: 2.6rem; }
  .st-key-weir-account button p { max-width: 5rem; overflow: hidden; text-overflow: ellipsis; } }
</style>"""


def menu() -> Literal["top", "hidden"]:
    """Return where the menu of pages stands: who was shown some runs has nothing to go to."""
    return "hidden" if data.ask().me.runs is not None else "top"


def show(title: str, page: str) -> None:
    """Draw the corner over the top bar.

    Args:
        title: Of the page that is shown.
        page: Its address.
    """
    me = data.ask().me
    if me.via is Via.OPEN:
        return
    st.html(_CSS)
    with st.container(key="weir-account"):
        if me.via is Via.LINK:
            st.caption("shared with you, read-only")
            return
        with st.popover(_short(me.name), width="content", help="who you are, share, sign out"):
            _who(me)
            _share(me, sharing.of_page(page, title, _query()))
            st.page_link(navigation.page("links"), label="Shared links")
            if me.via in (Via.TOKEN, Via.OIDC):
                st.html('<a class="weir-sign-out" href="/sign-out" target="_self">Sign out</a>')


def _who(me: Viewer) -> None:
    where = "every project" if me.allowed is None else words.plain(", ".join(me.projects))
    st.markdown(f"**{words.plain(me.name)}** · {me.role} in {where}")


@st.fragment
def _share(me: Viewer, shared: Shared | None) -> None:
    links = data.ask().share
    if links is None:
        return
    if shared is None:
        st.caption("Open a run or a project to share it.")
        return
    projects = [shared.project] if shared.project else [ref.project for ref in shared.runs]
    if not all(me.may_edit(project) for project in projects):
        st.caption("Writers and admins may share this page.")
        return
    st.caption(f"Whoever has the link may read {words.plain(shared.in_words)}, without signing in.")
    choices = [days for days in _DAYS if days <= links.most_days] or [links.most_days]
    days = st.selectbox(
        "Good for", choices, format_func=lambda n: words.count(n, "day"), key="link_days"
    )
    if not st.button("Make a share link", key="link_make", width="stretch"):
        return
    try:
        path = links.make(
            me,
            title=shared.title,
            address=shared.address,
            days=days,
            projects=[shared.project] if shared.project else (),
            runs=shared.runs,
        )
    except InvalidQuery as wrong:
        st.error(str(wrong))
        return
    st.code(f"{links.url or _origin()}{path}", language=None, wrap_lines=True)
    st.caption("Copy it now: it is shown once, and kept nowhere.")


def _query() -> dict[str, list[str]]:
    return {key: st.query_params.get_all(key) for key in st.query_params}


def _origin() -> str:
    """Return where this browser reached us."""
    host = st.context.headers.get("Host", "")
    secure = (st.context.url or "").startswith("https://")
    return f"http{'s' if secure else ''}://{host}"


def _short(name: str) -> str:
    text = name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"
    return words.plain(text)
