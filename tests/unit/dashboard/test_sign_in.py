"""Coming in with a token, staying, and leaving: attacks on each."""

from __future__ import annotations

import json
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.unit.dashboard.visiting import HOST, Browser, House
from weir_dashboard.access import now
from weir_dashboard.access.attempts import MOST_FAILURES, Attempts
from weir_dashboard.access.config import AccessConfig, AccessError, Mode
from weir_dashboard.access.cookies import local_address
from weir_dashboard.access.opening import open_access
from weir_dashboard.access.records import Person
from weir_dashboard.access.register import Register
from weir_dashboard.access.viewer import Via
from weir_server.gateway.tokens import create_token, revoke_token
from weir_store import tokens


@pytest.fixture
def house(tmp_path):
    yield House(tmp_path)
    now.require_sign_in(required=False)


@pytest.fixture
def at_once(monkeypatch):
    """Files are looked at again without waiting, and what was read is forgotten."""
    monkeypatch.setattr(tokens, "RELOAD_S", 0.0)
    monkeypatch.setattr("weir_dashboard.access.register._REMEMBERED_S", 0.0)


def me(browser: Browser) -> dict:
    return json.loads(browser.get("/whoami").body)


def test_a_page_leads_to_the_sign_in_and_back(house):
    browser = house.browser()
    turned = browser.get("/run?project=gpt-small&id=r0001")
    assert turned.status == 303
    to = urlsplit(turned.header("location"))
    assert to.path == "/sign-in"
    (back,) = parse_qs(to.query)["next"]
    assert browser.sign_in(house.secrets["ada"], back).header("location") == back
    assert back == "/run?project=gpt-small&id=r0001"


def test_a_program_hears_401_and_no_page(house):
    for path in (
        "/api/series",
        "/api/metrics",
        "/api/sql",
        "/metrics",
        "/_stcore/host-config",
        "/media/x",
    ):
        assert house.browser().get(path).status == 401, path
    assert house.browser().get("/", accept="application/json").status == 401


def test_whoever_signs_in_sees_what_the_token_allows_and_no_more(house):
    assert me(house.signed_in("ada")) == {
        "name": "ada", "role": "writer", "via": "token", "projects": ["gpt-small"],
    }  # fmt: skip
    assert me(house.signed_in("bob"))["projects"] == ["ddp"]
    assert sorted(me(house.signed_in("root"))["projects"]) == ["ddp", "gpt-small"]


def test_a_program_may_show_its_token_as_a_header(house):
    browser = house.browser(headers={"authorization": f"Bearer {house.secrets['bob']}"})
    assert me(browser)["name"] == "bob"
    assert (
        house.browser(headers={"authorization": "Bearer weir_wrong"}).get("/api/sql").status == 401
    )


@pytest.mark.parametrize("token", ["", "weir_wrong", "x" * 9_000, "weir_" + "\0" * 40])
def test_a_wrong_token_lets_nobody_in_and_says_nothing_of_why(house, token):
    browser = house.browser()
    answer = browser.sign_in(token)
    assert answer.status == 401
    assert "This is no valid token." in answer.text
    assert token.replace("\0", "") not in answer.text or not token
    assert not [name for name in browser.cookies if "session" in name]


def test_a_digest_from_the_file_is_no_token(house):
    digest = tokens.read_tokens(house.tokens)[0].sha256
    assert house.browser().sign_in(digest).status == 401


def test_no_secret_lies_in_the_register(house):
    browser = house.signed_in("ada")
    (cookie,) = (value for name, value in browser.cookies.items() if "session" in name)
    held = b"".join(path.read_bytes() for path in (house.dir / "access").iterdir())
    assert b"ada" in held
    assert cookie.encode() not in held
    assert house.secrets["ada"].encode() not in held


def test_files_of_the_register_are_for_its_owner_alone(house):
    path = house.dir / "access" / "access.sqlite"
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)


def test_many_wrong_tokens_have_to_wait_and_other_addresses_do_not(house):
    browser = house.browser()
    for _ in range(MOST_FAILURES):
        assert browser.sign_in("weir_wrong").status == 401
    refused = browser.sign_in(house.secrets["ada"])
    assert refused.status == 429
    assert int(refused.header("retry-after")) > 0
    assert house.browser(address="10.9.9.9").sign_in(house.secrets["ada"]).status == 303


def test_a_forged_forwarded_address_does_not_begin_a_new_count(house):
    for number in range(MOST_FAILURES):
        house.browser().sign_in("weir_wrong", x_forwarded_for=f"192.0.2.{number}")
    assert house.browser().sign_in("weir_wrong", x_forwarded_for="192.0.2.99").status == 429


def test_failures_are_forgotten_after_a_minute_and_neighbours_in_ipv6_count_as_one():
    clock = [0.0]
    attempts = Attempts(lambda: clock[0])
    for number in range(MOST_FAILURES):
        attempts.note_failure(f"2001:db8::{number:x}")
    assert attempts.wait_s("2001:db8::ffff") == 60.0
    assert attempts.wait_s("2001:db8:1::1") == 0.0
    clock[0] = 60.0
    assert attempts.wait_s("2001:db8::1") == 0.0


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": f"https://{HOST}.evil.example"},
    ],
)
def test_a_form_of_another_site_signs_nobody_in(house, headers):
    assert house.browser().sign_in(house.secrets["ada"], **headers).status == 403


def test_a_form_without_the_browsers_own_proof_signs_nobody_in(house):
    theirs = house.browser().proof()
    victim = house.browser()
    victim.proof()
    fields = {"token": house.secrets["ada"], "form": theirs}
    assert victim.post("/sign-in", fields).status == 403
    assert (
        house.browser().post("/sign-in", {"token": house.secrets["ada"], "form": ""}).status == 403
    )


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "/\t/evil.example",
        "\\\\evil.example",
        "javascript:alert(1)",
        "/\n/evil.example",
        " //evil.example",
        "evil.example",
        "",
        "///evil.example",
    ],
)
def test_nobody_is_led_to_another_site(house, address):
    assert local_address(address) == "/"
    assert house.browser().sign_in(house.secrets["ada"], address).header("location") == "/"


@pytest.mark.parametrize("address", ["/", "/run?project=a%2Fb&id=1", "/workspace?q=x&m=//y"])
def test_addresses_of_our_own_stay(address):
    assert local_address(address) == address


def test_the_cookie_cannot_be_read_by_scripts_and_stays_on_this_site(house):
    said = house.browser()
    proof = said.proof()
    answer = said.post("/sign-in", {"form": proof, "token": house.secrets["ada"]})
    session = next(v for k, v in answer.headers if k == "set-cookie" and "_session_" in v)
    assert {"HttpOnly", "Path=/", "SameSite=lax", "Max-Age=43200"} <= set(session.split("; "))
    assert "Secure" not in session


def test_over_https_the_cookie_is_secure_and_bound_to_the_host(tmp_path):
    house = House(tmp_path, more={"url": "https://weir.example.org"})
    try:
        browser = house.browser()
        answer = browser.post(
            "/sign-in",
            {"form": browser.proof(), "token": house.secrets["ada"]},
            origin=f"https://{HOST}",
        )
        session = next(v for k, v in answer.headers if k == "set-cookie" and "_session_" in v)
        assert session.startswith("__Host-weir_session_")
        assert "Secure" in session
    finally:
        now.require_sign_in(required=False)


def test_a_session_planted_before_is_not_the_one_that_is_signed_in(house):
    planted = house.signed_in("bob").cookies
    victim = house.browser(cookies=dict(planted))
    proof = victim.proof(page="/sign-out")
    victim.post("/sign-in", {"form": proof, "token": house.secrets["ada"]})
    assert me(victim)["name"] == "ada"
    assert not set(planted.values()) & {v for k, v in victim.cookies.items() if "session" in k}
    assert house.browser(cookies=dict(planted)).get("/whoami").status == 303


def test_two_cookies_of_one_name_are_believed_neither(house):
    (name, value), *_ = (
        (k, v) for k, v in house.signed_in("ada").cookies.items() if "session" in k
    )
    assert house.browser().get("/whoami", cookie=f"{name}={value}; {name}=planted").status == 303


def test_a_copied_cookie_is_worth_nothing_after_signing_out(house):
    browser = house.signed_in("ada")
    copied = house.browser(cookies=dict(browser.cookies))
    assert me(copied)["name"] == "ada"
    assert browser.post("/sign-out", {"form": browser.proof(page="/sign-out")}).status == 303
    assert browser.get("/whoami").status == 303
    assert copied.get("/whoami").status == 303


def test_a_link_alone_signs_nobody_out(house):
    browser = house.signed_in("ada")
    assert browser.get("/sign-out").status == 200
    assert browser.post("/sign-out", {"form": "guessed"}).status == 403
    assert me(browser)["name"] == "ada"


def test_a_session_ends_when_its_time_is_up():
    clock = [1_000.0]
    register = Register(None, lambda: clock[0])
    secret = register.begin_session(Person("ada", Via.TOKEN, "0" * 64), lasts_s=60.0)
    assert register.session(secret) == Person("ada", Via.TOKEN, "0" * 64)
    clock[0] += 60.0
    assert register.session(secret) is None


def test_sessions_outlive_a_restart_and_signing_out_does_too(tmp_path):
    path = tmp_path / "access.sqlite"
    first = Register(path)
    kept, ended = (first.begin_session(Person(name, Via.TOKEN), 60.0) for name in ("ada", "bob"))
    first.end_session(ended)
    first.close()
    second = Register(path)
    assert second.session(kept) == Person("ada", Via.TOKEN)
    assert second.session(ended) is None
    assert second.instance == first.instance


@pytest.mark.parametrize("forged", ["", "x", "A" * 43, "'; DROP TABLE sessions; --", "é" * 40])
def test_a_forged_secret_is_nobodys(forged):
    register = Register(None)
    register.begin_session(Person("ada", Via.TOKEN), 60.0)
    assert register.session(forged) is None


def test_a_revoked_token_loses_its_sessions(house, at_once):
    browser = house.signed_in("ada")
    assert me(browser)["name"] == "ada"
    revoke_token(house.tokens, "ada")
    assert browser.get("/whoami").status == 303
    assert browser.get("/api/metrics?run=gpt-small/r0001").status == 401


def test_a_session_is_not_taken_over_by_a_new_token_of_the_same_name(house, at_once):
    browser = house.signed_in("ada")
    revoke_token(house.tokens, "ada")
    create_token(house.tokens, name="ada", role=tokens.Role.ADMIN, projects=["*"])
    assert browser.get("/whoami").status == 303


def test_files_are_looked_at_again_within_seconds():
    assert tokens.RELOAD_S <= 2.0


def test_a_page_of_ours_loads_nothing_and_cannot_be_framed(house):
    answer = house.browser().get("/sign-in")
    policy = answer.header("content-security-policy")
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "<script" not in answer.text
    assert answer.header("cache-control") == "no-store"


def test_what_one_viewer_is_answered_is_not_kept_for_others(house):
    answer = house.signed_in("ada").get("/whoami")
    assert "private" in answer.header("cache-control")
    assert answer.header("x-frame-options") == "SAMEORIGIN"


def test_a_hostile_name_is_text_on_the_page_to_sign_out(house, at_once):
    secret = create_token(
        house.tokens, name="<img src=x>", role=tokens.Role.READER, projects=["<b>p</b>"]
    )
    shown = house.browser(headers={"authorization": f"Bearer {secret}"}).get("/sign-out").text
    assert "&lt;img src=x&gt;" in shown
    assert "<img" not in shown
    assert "<b>p" not in shown


@pytest.mark.parametrize(
    ("config", "says"),
    [
        (AccessConfig(Mode.TOKEN), "gateway.tokens_file"),
        (AccessConfig(Mode.OIDC), "dashboard.grants_file"),
        (AccessConfig(Mode.PROXY), "dashboard.grants_file"),
    ],
)
def test_settings_that_cannot_work_are_refused_by_name(config, says):
    with pytest.raises(AccessError, match=says):
        open_access(config)
