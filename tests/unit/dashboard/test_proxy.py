"""A reverse proxy's word about who comes in: believed from its own addresses alone."""

from __future__ import annotations

import json

import pytest

from tests.unit.dashboard.visiting import Browser, House
from weir_dashboard.access import now
from weir_dashboard.access.config import AccessError, Mode, ProxyConfig
from weir_dashboard.access.visits import networks
from weir_store import tokens

GRANTS = """
[[grant]]
name = "ada@example.org"
role = "admin"
projects = ["*"]

[[grant]]
group = "vision"
role = "writer"
projects = ["gpt-small"]
"""
PROXY = "192.0.2.7"


@pytest.fixture
def house(tmp_path, monkeypatch):
    monkeypatch.setattr(tokens, "RELOAD_S", 0.0)
    grants = tmp_path / "grants.toml"
    grants.write_text(GRANTS)
    more = {"grants_file": grants, "proxy": ProxyConfig((f"{PROXY}/32", "2001:db8::/64"))}
    yield House(tmp_path, Mode.PROXY, more)
    now.require_sign_in(required=False)


def by(house: House, user: str, *, address: str = PROXY, groups: str = "", **more: str) -> Browser:
    headers = {"x-forwarded-user": user, **({"x-forwarded-groups": groups} if groups else {})}
    return house.browser(address=address, headers={**headers, **more})


def test_the_proxy_says_who_it_is_and_the_grants_say_what_they_may(house):
    assert json.loads(by(house, "ada@example.org").get("/x").body)["role"] == "admin"
    eve = json.loads(by(house, "eve@example.org", groups="nlp, vision").get("/x").body)
    assert (eve["role"], eve["projects"], eve["via"]) == ("writer", ["gpt-small"], "proxy")


def test_the_same_header_from_elsewhere_is_nobody(house):
    for address in ("192.0.2.8", "10.0.0.1", "::1", "127.0.0.1", "2001:db8:0:1::1", "nonsense"):
        assert by(house, "ada@example.org", address=address).get("/x").status == 401
    assert by(house, "ada@example.org", address="2001:db8::5").get("/x").status == 200
    assert by(house, "ada@example.org", address=f"::ffff:{PROXY}").get("/x").status == 200


def test_a_forwarded_address_does_not_make_a_proxy(house):
    visitor = by(house, "ada@example.org", address="10.0.0.1", **{"x-forwarded-for": PROXY})
    assert visitor.get("/x").status == 401


def test_a_header_that_is_there_twice_is_nobody(house):
    browser = by(house, "ada@example.org")
    scope = browser._scope("GET", "/x", "", browser.headers)
    assert house.access.check(scope)
    scope["headers"].append((b"x-forwarded-user", b"eve@example.org"))
    assert house.access.check(scope) is None


@pytest.mark.parametrize("user", ["", "   ", "stranger@example.org", "ADA@example.org"])
def test_whom_no_grant_fits_may_not_come_in(house, user):
    assert by(house, user).get("/x").status == 401


def test_a_grant_that_is_taken_away_ends_at_once(house):
    ada = by(house, "ada@example.org")
    assert ada.get("/x").status == 200
    (house.dir / "grants.toml").write_text("")
    assert ada.get("/x").status == 401


def test_a_grants_file_that_became_wrong_changes_nothing(house):
    ada = by(house, "ada@example.org")
    (house.dir / "grants.toml").write_text("[[grant]\n")
    assert ada.get("/x").status == 200


def test_a_program_may_still_show_a_token(house):
    browser = house.browser(headers={"authorization": f"Bearer {house.secrets['bob']}"})
    assert json.loads(browser.get("/x").body)["name"] == "bob"


def test_there_is_no_page_to_sign_in(house):
    assert house.browser().get("/sign-in").status == 401


def test_behind_a_known_proxy_the_address_beyond_it_counts(house):
    check = house.access.check
    door = check.__self__  # type: ignore[attr-defined]
    browser = house.browser(address=PROXY)
    for forwarded, peer in (
        ("203.0.113.5", "203.0.113.5"),
        ("9.9.9.9, 203.0.113.5", "203.0.113.5"),
        (f"203.0.113.5, {PROXY}", "203.0.113.5"),
        ("", PROXY),
    ):
        scope = browser._scope("GET", "/", "", {"x-forwarded-for": forwarded})
        assert door.peer(scope) == peer


@pytest.mark.parametrize("wrong", ["proxy.example.org", "10.0.0.1/8", "300.1.1.1"])
def test_what_is_no_address_is_refused_by_the_name_of_the_setting(wrong):
    with pytest.raises(AccessError, match=r"dashboard\.proxy_addresses"):
        networks((wrong,))


@pytest.mark.parametrize(
    "wrong",
    [
        "grant = 1",
        "[[grant]]\nrole = 'owner'\nprojects = ['*']",
        "[[grant]]\nrole = 'admin'\nprojects = '*'",
        "[[grant]]\nrole = 'admin'\nprojects = ['*']\nuser = 'ada'",
        "[[grant]]\nrole = 'admin'\nprojects = ['*']\nname = 1",
    ],
)
def test_a_grants_file_that_makes_no_sense_is_refused(tmp_path, wrong):
    grants = tmp_path / "grants.toml"
    grants.write_text(wrong)
    with pytest.raises(AccessError, match="grants"):
        House(tmp_path, Mode.PROXY, {"grants_file": grants, "proxy": ProxyConfig((PROXY,))})
