"""Share links: what they let see, how long, and how they end."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest
from streamlit.testing.v1 import AppTest

from tests.unit.dashboard.synthetic import two_projects
from tests.unit.dashboard.visiting import Browser, House
from weir_dashboard import data, sharing
from weir_dashboard.access import now
from weir_dashboard.access.viewer import Viewer
from weir_dashboard.access.visits import Visit
from weir_dashboard.sources import Sources
from weir_server.gateway.tokens import revoke_token
from weir_store import tokens
from weir_store.errors import InvalidQuery
from weir_store.records import RunRef

RUN = RunRef("gpt-small", "r0001")
PAGE = "/run?project=gpt-small&id=r0001"


@pytest.fixture
def house(tmp_path, monkeypatch):
    monkeypatch.setattr(tokens, "RELOAD_S", 0.0)
    monkeypatch.setattr("weir_dashboard.access.register._REMEMBERED_S", 0.0)
    yield House(tmp_path)
    now.require_sign_in(required=False)


def viewer(house: House, name: str) -> Viewer:
    browser = house.browser(headers={"authorization": f"Bearer {house.secrets[name]}"})
    visit = house.access.check(browser._scope("GET", "/", "", browser.headers))
    assert isinstance(visit, Visit)
    return visit.viewer


def share(house: House, by: str = "ada", days: float = 1, **what) -> str:
    what = what or {"runs": [RUN]}
    return house.access.share.make(
        viewer(house, by), title="a run", address=PAGE, days=days, **what
    )


def metrics_of(browser: Browser, run: str) -> list[str]:
    answer = browser.get(f"/api/metrics?run={quote(run)}")
    return [one["name"] for one in json.loads(answer.body).get("metrics", [])]


def test_a_link_opens_its_page_without_signing_in(house):
    browser = house.browser()
    opened = browser.get(share(house))
    assert (opened.status, opened.header("location")) == (303, PAGE)
    assert "train/loss" in metrics_of(browser, "gpt-small/r0001")


def test_a_link_to_a_run_shows_no_other_run_by_any_route(house):
    browser = house.browser()
    browser.get(share(house))
    for other in ("gpt-small/r0002", "ddp/ddp16"):
        for route in (
            f"/api/metrics?run={other}",
            f"/api/series?run={other}&metric=train/loss",
            f"/api/series?run=gpt-small/r0001&run={other}&metric=train/loss",
        ):
            answer = browser.get(route)
            assert answer.status == 400, route
            assert f"no run {other.split('/')[1]!r}" in answer.text
    assert browser.get("/api/sql?sql=SELECT+1").status in (400, 503)
    assert json.loads(browser.get("/whoami").body)["projects"] == ["gpt-small"]


def test_a_link_to_a_project_shows_this_project_alone(house):
    browser = house.browser()
    browser.get(share(house, projects=["gpt-small"]))
    assert metrics_of(browser, "gpt-small/r0002")
    assert browser.get("/api/metrics?run=ddp/ddp16").status == 400
    assert json.loads(browser.get("/whoami").body) == {
        "name": json.loads(browser.get("/whoami").body)["name"],
        "role": "reader",
        "via": "link",
        "projects": ["gpt-small"],
    }


def test_what_does_not_exist_and_what_is_hidden_are_told_in_the_same_words(house):
    browser = house.browser()
    browser.get(share(house))
    hidden = browser.get("/api/metrics?run=gpt-small/r0002").text
    unknown = browser.get("/api/metrics?run=gpt-small/nosuch").text
    assert hidden.replace("r0002", "X") == unknown.replace("nosuch", "X")


@pytest.mark.parametrize("secret", ["", "x", "A" * 43, "%2e%2e", "é" * 20])
def test_a_guessed_link_opens_nothing(house, secret):
    share(house)
    browser = house.browser()
    assert browser.get(f"/s/{secret}").status in (303, 404)
    assert not browser.cookies
    assert browser.get("/whoami").status == 303


def test_a_link_ends_when_its_time_is_up(house):
    link = share(house, days=1)
    browser = house.browser()
    browser.get(link)
    later = house.access.share._unix_s() + 86_401
    house.access.share._register._unix_s = lambda: later
    assert browser.get("/whoami").status == 303
    assert house.browser().get(link).status == 404
    assert house.access.share.listed(viewer(house, "ada")) == []


def test_a_revoked_link_ends_at_once_also_for_those_who_came_by_it(house):
    link = share(house)
    browser = house.browser()
    browser.get(link)
    assert browser.get("/whoami").status == 200
    (listed,) = house.access.share.listed(viewer(house, "ada"))
    house.access.share.revoke(viewer(house, "ada"), listed.link_id)
    assert browser.get("/whoami").status == 303
    assert house.browser().get(link).status == 404


def test_a_link_ends_with_the_rights_of_its_maker(house):
    link = share(house)
    browser = house.browser()
    browser.get(link)
    revoke_token(house.tokens, "ada")
    assert browser.get("/whoami").status == 303
    assert house.browser().get(link).status == 404


@pytest.mark.parametrize(
    ("by", "what"),
    [
        ("bob", {"projects": ["ddp"]}),  # a reader
        ("ada", {"projects": ["ddp"]}),  # of another project
        ("ada", {"runs": [RUN, RunRef("ddp", "ddp16")]}),
        ("ada", {"projects": []}),
    ],
)
def test_nobody_shares_what_is_not_theirs_to_change(house, by, what):
    with pytest.raises(InvalidQuery, match="may not share"):
        share(house, by, **what)


@pytest.mark.parametrize("days", [0, -1, 31, float("nan"), float("inf")])
def test_no_link_lives_longer_than_the_settings_say(house, days):
    with pytest.raises(InvalidQuery, match=r"dashboard\.link_days"):
        share(house, days=days)


def test_a_link_cannot_make_another_one(house):
    browser = house.browser()
    browser.get(share(house, projects=["gpt-small"]))
    cookies = "; ".join(f"{k}={v}" for k, v in browser.cookies.items())
    visit = house.access.check(browser._scope("GET", "/", "", {"cookie": cookies}))
    with pytest.raises(InvalidQuery, match="may not share"):
        house.access.share.make(visit.viewer, title="", address="/", days=1, projects=["gpt-small"])


def test_links_are_listed_to_their_makers_and_to_admins_of_their_projects(house):
    share(house)
    assert len(house.access.share.listed(viewer(house, "ada"))) == 1
    assert len(house.access.share.listed(viewer(house, "root"))) == 1
    assert house.access.share.listed(viewer(house, "bob")) == []
    (link,) = house.access.share.listed(viewer(house, "root"))
    with pytest.raises(InvalidQuery):
        house.access.share.revoke(viewer(house, "bob"), link.link_id)
    house.access.share.revoke(viewer(house, "root"), link.link_id)


def test_no_secret_of_a_link_is_kept(house):
    secret = share(house).removeprefix("/s/").encode()
    held = b"".join(path.read_bytes() for path in (house.dir / "access").iterdir())
    assert b"gpt-small" in held
    assert secret not in held


def test_whoever_may_see_it_anyway_comes_as_themselves(house):
    browser = house.signed_in("ada")
    assert browser.get(share(house)).header("location") == PAGE
    assert json.loads(browser.get("/whoami").body)["name"] == "ada"


def test_a_link_does_not_sign_anybody_out(house):
    browser = house.signed_in("bob")
    answer = browser.get(share(house))
    assert answer.status == 403
    assert "signed in as bob" in answer.text
    assert json.loads(browser.get("/whoami").body)["name"] == "bob"


def test_a_link_leads_nowhere_else(house):
    path = house.access.share.make(
        viewer(house, "ada"), title="", address="//evil.example/", days=1, runs=[RUN]
    )
    assert house.browser().get(path).header("location") == "/"


@pytest.mark.parametrize(
    ("page", "query", "runs", "project"),
    [
        ("run", {"project": ["p"], "id": ["r"], "tab": ["Logs"]}, [RunRef("p", "r")], ""),
        ("compare", {"run": ["p/a", "q/b"]}, [RunRef("p", "a"), RunRef("q", "b")], ""),
        ("compare", {"run": ["p/a"], "base": ["p/b"]}, [RunRef("p", "a"), RunRef("p", "b")], ""),
        ("ranks", {"run": ["p/a"], "project": ["p"]}, [RunRef("p", "a")], ""),
        ("workspace", {"project": ["p"], "q": ["x"]}, [], "p"),
        ("report", {"project": ["p"], "id": ["d"]}, [], "p"),
        ("sql", {"project": ["p"]}, [], "p"),
    ],
)
def test_a_page_is_shared_as_far_as_it_is_about(page, query, runs, project):
    shared = sharing.of_page(page, "T", query)
    assert (list(shared.runs), shared.project) == (runs, project)
    assert shared.address.startswith(f"/{page}?")


@pytest.mark.parametrize(
    ("page", "query"),
    [
        ("", {}),
        ("health", {"project": ["p"]}),
        ("run", {"id": ["r"]}),
        ("compare", {}),
        ("runs", {}),
    ],
)
def test_pages_about_everything_cannot_be_shared(page, query):
    assert sharing.of_page(page, "T", query) is None


def test_share_links_are_not_offered_to_those_who_came_by_one(house):
    browser = house.browser()
    browser.get(share(house))
    cookies = "; ".join(f"{k}={v}" for k, v in browser.cookies.items())
    visit = house.access.check(browser._scope("GET", "/", "", {"cookie": cookies}))
    assert data._asked.of(visit.viewer).share is None


def page_of_links() -> AppTest:
    def script() -> None:
        from weir_dashboard.views import links

        links.render()

    return AppTest.from_function(script, default_timeout=30).run()


def test_the_page_of_links_says_so_when_there_are_none_to_be_had(house):
    now.require_sign_in(required=False)
    data.use(Sources(two_projects(2)), "")
    page = page_of_links()
    assert not page.exception
    assert "There are no share links here" in page.info[0].value


def test_the_page_of_links_lists_them_and_whether_they_work(house):
    now.require_sign_in(required=False)
    data.use(Sources(two_projects(2), share=house.access.share), "")
    assert "Nothing is shared" in page_of_links().info[0].value
    share(house)
    (works,) = page_of_links().dataframe[0].value["state"]
    revoke_token(house.tokens, "ada")
    page = page_of_links()
    (ended,) = page.dataframe[0].value["state"]
    assert not page.exception
    assert works == "works"
    assert "ended" in ended
