"""Signing in with a real OpenID Connect provider, and with one that lies."""

from __future__ import annotations

import json
import time
from urllib.error import HTTPError
from urllib.request import HTTPRedirectHandler, build_opener

import pytest

from tests.integration.oidc_provider import CLIENT, SECRET, provider
from tests.unit.dashboard.visiting import HOST, Answer, Browser, House
from weir_dashboard.access import now
from weir_dashboard.access.config import AccessConfig, AccessError, Mode, OidcConfig
from weir_dashboard.access.opening import open_access
from weir_store import tokens

GRANTS = """
[[grant]]
name = "root@example.org"
role = "admin"
projects = ["*"]

[[grant]]
group = "vision"
role = "writer"
projects = ["gpt-small"]
"""
HTTPS = f"https://{HOST}"


@pytest.fixture
def op():
    with provider() as made:
        yield made


@pytest.fixture
def house(tmp_path, op, monkeypatch):
    monkeypatch.setattr(tokens, "RELOAD_S", 0.0)
    monkeypatch.setattr("weir_dashboard.access.register._REMEMBERED_S", 0.0)
    grants = tmp_path / "grants.toml"
    grants.write_text(GRANTS)
    oidc = OidcConfig(op.issuer, CLIENT, SECRET)
    yield House(tmp_path, Mode.OIDC, {"grants_file": grants, "url": HTTPS, "oidc": oidc})
    now.require_sign_in(required=False)


class _Stay(HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


def begin(browser: Browser, next: str = "/") -> str:
    """Return where the provider is asked."""
    form = {"form": browser.proof(next), "next": next}
    answer = browser.post("/sign-in/oidc", form, origin=HTTPS)
    assert answer.status == 303
    return answer.header("location")


def at_provider(address: str) -> str:
    """Return where the provider sends the browser back to, as path and query."""
    try:
        build_opener(_Stay).open(address, timeout=20)
    except HTTPError as redirect:
        return str(redirect.headers["Location"]).removeprefix(HTTPS)
    raise AssertionError("the provider did not send anybody back")


def sign_in(browser: Browser, next: str = "/") -> Answer:
    return browser.get(at_provider(begin(browser, next)))


def test_the_provider_says_who_it_is_and_the_grants_say_what_they_may(house):
    browser = house.browser()
    back = sign_in(browser, "/run?project=gpt-small&id=r0001")
    assert (back.status, back.header("location")) == (303, "/run?project=gpt-small&id=r0001")
    assert json.loads(browser.get("/x").body) == {
        "name": "ada@example.org", "role": "writer", "via": "oidc", "projects": ["gpt-small"],
    }  # fmt: skip


def test_the_session_is_a_cookie_of_ours_alone(house):
    browser = house.browser()
    sign_in(browser)
    assert all(name.startswith("__Host-weir_") for name in browser.cookies)
    assert "oidc" not in " ".join(browser.cookies)


def test_whom_no_grant_fits_may_not_come_in(house, op):
    op.person |= {"email": "eve@example.org", "groups": ["nlp"]}
    answer = sign_in(house.browser())
    assert answer.status == 403
    assert "nothing was granted to you" in answer.text


def test_a_grant_that_is_taken_away_ends_the_session(house):
    browser = house.browser()
    sign_in(browser)
    assert browser.get("/x").status == 200
    (house.dir / "grants.toml").write_text("")
    assert browser.get("/x").status == 303


def test_groups_that_only_the_userinfo_endpoint_knows_count(house, op):
    op.person.pop("groups")
    op.userinfo = {"groups": ["vision"]}
    assert sign_in(house.browser()).status == 303


def test_userinfo_about_somebody_else_does_not_count(house, op):
    op.person.pop("groups")
    op.userinfo = {"groups": ["vision"], "sub": "8"}
    assert sign_in(house.browser()).status == 403


def test_an_answer_counts_once_and_in_the_browser_that_began(house):
    mine, theirs = house.browser(), house.browser()
    back = at_provider(begin(mine))
    assert theirs.get(back).status == 400
    begin(theirs)
    assert theirs.get(back).status == 401  # the answer to another question
    assert mine.get(back).status == 303
    assert mine.get(back).status == 400


def test_an_answer_that_comes_too_late_does_not_count(house):
    browser = house.browser()
    back = at_provider(begin(browser))
    register = house.access.share._register
    later = time.time() + 601
    register._unix_s = lambda: later
    assert browser.get(back).status == 400


def test_a_code_that_somebody_caught_is_worth_nothing_without_the_verifier(house):
    victim, thief = house.browser(), house.browser()
    caught = at_provider(begin(victim)).partition("code=")[2].partition("&")[0]
    state = begin(thief).partition("state=")[2].partition("&")[0]
    assert thief.get(f"/sign-in/oidc/back?state={state}&code={caught}").status == 401
    assert thief.get("/x").status == 303


@pytest.mark.parametrize(
    "lie",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"aud": "another-client"},
        {"aud": ["another-client", "third"]},
        {"iss": "https://evil.example"},
        {"exp": 1_000_000_000},
        {"exp": None},
        {"azp": "another-client"},
        {"sub": None},
        {"email": None},
        {"email": ""},
        {"email": ["ada@example.org"]},
        {"email_verified": False},
        {"iat": 9_999_999_999},
    ],
    ids=str,
)
def test_a_word_that_does_not_hold_lets_nobody_in(house, op, lie):
    op.lies = lie
    browser = house.browser()
    answer = sign_in(browser)
    assert answer.status == 401
    assert 'role="alert"' in answer.text
    assert browser.get("/x").status == 303


@pytest.mark.parametrize("forgery", [{"stranger": True}, {"algorithm": "none"}], ids=str)
def test_a_word_that_the_provider_did_not_sign_lets_nobody_in(house, op, forgery):
    for name, value in forgery.items():
        setattr(op, name, value)
    assert sign_in(house.browser()).status == 401


def test_a_provider_may_change_its_keys(house, op):
    assert sign_in(house.browser()).status == 303
    op.turn_key()
    assert sign_in(house.browser()).status == 303


def test_a_refusal_of_the_provider_is_said_as_text(house, op):
    op.refuses = "<b>access_denied</b>"
    answer = sign_in(house.browser())
    assert answer.status == 401
    assert "&lt;b&gt;access_denied" in answer.text


def test_a_provider_that_calls_itself_otherwise_is_not_believed(house, op):
    op.lies = {"issuer": "https://evil.example"}
    browser = house.browser()
    form = {"form": browser.proof(), "next": "/"}
    answer = browser.post("/sign-in/oidc", form, origin=HTTPS)
    assert answer.status == 502
    assert "calls itself" in answer.text


def test_a_form_of_another_site_does_not_even_ask_the_provider(house, op):
    browser = house.browser()
    form = {"form": browser.proof(), "next": "/"}
    assert browser.post("/sign-in/oidc", form, origin="https://evil.example").status == 403
    assert op.asked == []


def test_nobody_is_led_to_another_site_afterwards(house):
    assert sign_in(house.browser(), "//evil.example").header("location") == "/"


def test_tokens_let_in_beside_the_provider_when_there_are_some(house):
    browser = house.browser()
    fields = {"form": browser.proof(), "token": house.secrets["bob"]}
    assert browser.post("/sign-in", fields, origin=HTTPS).status == 303
    assert json.loads(browser.get("/x").body)["name"] == "bob"


def test_without_an_address_of_ours_the_provider_could_send_nobody_back(tmp_path):
    grants = tmp_path / "grants.toml"
    grants.write_text(GRANTS)
    oidc = OidcConfig("https://login.example.org", "weir")
    with pytest.raises(AccessError, match=r"dashboard\.url"):
        open_access(AccessConfig(Mode.OIDC, dir=tmp_path, grants_file=grants, oidc=oidc))
    with pytest.raises(AccessError, match=r"dashboard\.oidc_issuer"):
        open_access(AccessConfig(Mode.OIDC, dir=tmp_path, grants_file=grants, url=HTTPS))
