"""Who may come in, and what they may do there."""

import stat

import pytest

from weir_server.clock import ManualClock
from weir_server.errors import Forbidden, StartupError, Unauthenticated
from weir_server.gateway.auth import Auth
from weir_server.gateway.tokens import (
    Role,
    Token,
    create_token,
    digest_of,
    read_tokens,
    revoke_token,
)
from weir_store.tokens import RELOAD_S


@pytest.fixture
def path(tmp_path):
    return tmp_path / "sub" / "tokens.toml"


def header(token: str) -> list[tuple[str, str]]:
    return [("authorization", f"Bearer {token}")]


def test_without_a_file_everybody_may_do_everything():
    principal = Auth(None).principal([])
    assert principal.may(Role.ADMIN, "any")
    assert principal.projects_allowed is None


def test_a_token_lets_in_and_its_secret_is_not_in_the_file(path):
    secret = create_token(path, name="ci", role=Role.WRITER, projects=["vision"])
    assert secret not in path.read_text()
    principal = Auth(path).principal(header(secret))
    assert (principal.name, principal.role, principal.projects) == ("ci", Role.WRITER, ("vision",))


@pytest.mark.parametrize(
    "metadata",
    [
        [],
        None,
        [("authorization", "")],
        [("authorization", "Bearer ")],
        [("authorization", "Bearer weir_wrong")],
        [("authorization", "Basic abc")],
        [("authorization", b"Bearer x")],
    ],
)
def test_all_who_are_turned_away_hear_the_same(path, metadata):
    create_token(path, name="ci", role=Role.WRITER, projects=["*"])
    with pytest.raises(Unauthenticated, match="no valid token"):
        Auth(path).principal(metadata)


def test_a_digest_is_no_token(path):
    secret = create_token(path, name="ci", role=Role.WRITER, projects=["*"])
    with pytest.raises(Unauthenticated):
        Auth(path).principal(header(digest_of(secret)))


@pytest.mark.parametrize(
    ("role", "may"),
    [
        (Role.READER, {Role.READER}),
        (Role.WRITER, {Role.READER, Role.WRITER}),
        (Role.ADMIN, {Role.READER, Role.WRITER, Role.ADMIN}),
    ],
)
def test_a_role_may_what_lower_roles_may_and_no_more(path, role, may):
    secret = create_token(path, name="x", role=role, projects=["a"])
    principal = Auth(path).principal(header(secret))
    assert {wanted for wanted in Role if principal.may(wanted, "a")} == may
    assert not any(principal.may(wanted, "b") for wanted in Role)
    with pytest.raises(Forbidden, match="'b'"):
        principal.require(Role.READER, "b")


def test_a_star_is_every_project(path):
    secret = create_token(path, name="x", role=Role.READER, projects=["*"])
    principal = Auth(path).principal(header(secret))
    assert principal.projects_allowed is None
    principal.require(Role.READER, "whatever")


def test_a_revoked_token_stops_to_count_within_seconds(path):
    clock = ManualClock()
    secret = create_token(path, name="x", role=Role.READER, projects=["*"])
    auth = Auth(path, clock=clock)
    principal = auth.principal(header(secret))
    auth.confirm(principal)
    revoke_token(path, "x")
    clock.advance(RELOAD_S)
    with pytest.raises(Unauthenticated):
        auth.confirm(principal)
    with pytest.raises(Unauthenticated):
        auth.principal(header(secret))


def test_a_token_whose_rights_changed_must_come_in_again(path):
    clock = ManualClock()
    secret = create_token(path, name="x", role=Role.WRITER, projects=["a"])
    auth = Auth(path, clock=clock)
    principal = auth.principal(header(secret))
    path.write_text(path.read_text().replace('"a"', '"b"'))
    clock.advance(RELOAD_S)
    with pytest.raises(Unauthenticated):
        auth.confirm(principal)
    assert auth.principal(header(secret)).projects == ("b",)


def test_a_file_that_breaks_keeps_the_old_tokens(path):
    clock = ManualClock()
    secret = create_token(path, name="x", role=Role.READER, projects=["*"])
    auth = Auth(path, clock=clock)
    path.write_text("[[token]\nbroken")
    clock.advance(RELOAD_S)
    assert auth.principal(header(secret)).name == "x"


def test_a_file_that_is_removed_lets_nobody_in(path):
    clock = ManualClock()
    secret = create_token(path, name="x", role=Role.READER, projects=["*"])
    auth = Auth(path, clock=clock)
    path.unlink()
    clock.advance(RELOAD_S)
    with pytest.raises(Unauthenticated):
        auth.principal(header(secret))


def test_a_missing_file_stops_the_start(path):
    with pytest.raises(StartupError, match="weir token create"):
        Auth(path)


def test_the_file_is_for_its_owner_and_keeps_the_mode_it_was_given(path):
    create_token(path, name="a", role=Role.READER, projects=["*"])
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o640)
    create_token(path, name="b", role=Role.READER, projects=["*"])
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_names_of_any_kind_survive_the_file(path):
    name, projects = 'q"uo\\te\n€', ['p"1', "ünïcode"]
    secret = create_token(path, name=name, role=Role.ADMIN, projects=projects)
    assert read_tokens(path) == (Token(name, digest_of(secret), Role.ADMIN, tuple(projects)),)


def test_a_name_is_given_once_and_must_exist_to_be_revoked(path):
    create_token(path, name="a", role=Role.READER, projects=["*"])
    with pytest.raises(StartupError, match="'a'"):
        create_token(path, name="a", role=Role.READER, projects=["*"])
    with pytest.raises(StartupError, match="'b'"):
        revoke_token(path, "b")
    with pytest.raises(StartupError, match="project"):
        create_token(path, name="c", role=Role.READER, projects=[])
    revoke_token(path, "a")
    assert read_tokens(path) == ()


@pytest.mark.parametrize(
    "text",
    [
        "token = 3",
        "token = [1]",
        "[[token]]\nname = 'x'",
        "[[token]]\nname = 'x'\nsha256 = 'short'\nrole = 'reader'\nprojects = ['*']",
        f"[[token]]\nname = 'x'\nsha256 = '{'a' * 64}'\nrole = 'king'\nprojects = ['*']",
        f"[[token]]\nname = 'x'\nsha256 = '{'a' * 64}'\nrole = 'reader'\nprojects = '*'",
        f"[[token]]\nname = ''\nsha256 = '{'a' * 64}'\nrole = 'reader'\nprojects = ['*']",
        "not toml at all [",
    ],
)
def test_a_file_that_makes_no_sense_stops_the_start_with_one_line(path, text):
    path.parent.mkdir()
    path.write_text(text)
    with pytest.raises(StartupError, match="cannot read the tokens file") as caught:
        Auth(path)
    assert "\n" not in str(caught.value).strip()
