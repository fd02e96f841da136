"""No secret survives, what is none stays as it is, and no line takes long."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from weir._redact import MASK, Redactor
from weir._secrets import is_secret_name, secret_values

redact = Redactor().text

_B62 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


def _letters(least: int, most: int, alphabet: str = _B62) -> st.SearchStrategy[str]:
    return st.text(alphabet, min_size=least, max_size=most)


_TOKENS = (
    _letters(16, 16, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567").map("AKIA{}".format),
    _letters(36, 36).map("ghp_{}".format),
    _letters(40, 60).map("github_pat_{}".format),
    _letters(20, 24).map("glpat-{}".format),
    _letters(34, 34).map("hf_{}".format),
    _letters(40, 60).map("sk-{}".format),
    _letters(40, 60).map("sk-ant-api03-{}".format),
    _letters(35, 35).map("AIza{}".format),
    _letters(30, 50).map("xoxb-{}".format),
    _letters(36, 36).map("npm_{}".format),
    _letters(60, 60).map("eyJhbGciOiJIUzI1NiJ9.{}.c2lnbmF0dXJl".format),
    _letters(31, 34).map("abc8Q~{}".format),
)
_PROSE = st.text("abc xyz 0.1\n\t=,;()[]é漢", max_size=60)


@pytest.mark.parametrize("made", _TOKENS)
@settings(max_examples=25)
@given(data=st.data(), before=_PROSE, after=_PROSE)
def test_a_token_of_a_known_maker_never_survives(
    made: st.SearchStrategy[str], data: st.DataObject, before: str, after: str
) -> None:
    token = data.draw(made)
    assert token not in redact(f"{before} {token} {after}")
    assert token not in redact(f'{before}\n"{token}"{after}')


@given(_PROSE, _letters(6, 60, _B62 + "!#%+/=-_."), _PROSE)
def test_a_secret_known_by_value_never_survives(before: str, secret: str, after: str) -> None:
    assert secret not in Redactor([secret]).text(f"{before}{secret}{after}{secret}")


_VALUE = _letters(6, 40).filter(lambda value: any(c.isdigit() for c in value))


@given(_VALUE, st.sampled_from(["--password {}", "--token={}", "API_KEY={}", "api_key: {}", '"secret": "{}"',
                                "--api-key '{}'", "db_password = {}", "'--password', '{}'", "PGPASSWORD={} psql",
                                "Authorization: Bearer {}", "X-Api-Key: {}", "client_secret => {}",
                                "Cookie: sid={}", "https://user:{}@host/x", "AccountKey={};",
                                "https://host/x?sig={}&y=1", "&X-Amz-Signature={}"]))  # fmt: skip
def test_what_is_named_a_secret_never_survives(value: str, way: str) -> None:
    assert value not in redact("python train.py " + way.format(value) + " --lr 0.1").replace(
        "train.py", ""
    ).replace("python", "")


@given(_letters(6, 20), st.sampled_from("@/:"))
def test_credentials_in_a_url_never_survive_and_the_host_does(user: str, mark: str) -> None:
    clean = redact(f"postgres://{user}:p{mark if mark == '@' else ''}w0rd@db.example:5432/x")
    assert "w0rd" not in clean
    assert clean.endswith("@db.example:5432/x")


@given(st.text("bcdfghijlmnpqruvwxyz 0123456789\n\t.,()[]{}#!?'\"<>|~^", max_size=300))
def test_a_text_without_a_secret_is_unchanged(text: str) -> None:
    assert redact(text) == text


@pytest.mark.parametrize(
    "code",
    [
        "token = tokenizer.encode(x)",
        "tokenizer = AutoTokenizer.from_pretrained(name)",
        'pad_token="<pad>", eos_token: "</s>", image_token="IMG0"',
        "max_tokens=4096, num_tokens: 12",
        "def login(token: Optional[str], password: str = None) -> None:",
        "password=password, token=args.token, secret=self.secret",
        "secret = get_secret('x')",
        'os.environ["API_KEY"]',
        "export PASSWORD=$PW",
        "use_auth_token=True",
        "ssh://git@host/repo git@github.com:a/b",
        "basic authentication, bearer of news",
        "author = 'me'",
        "http://host:7700/x@y",
    ],
)
def test_code_and_prose_about_tokens_is_left_alone(code: str) -> None:
    assert redact(code) == code


def test_a_private_key_goes_and_its_lines_stay() -> None:
    diff = (
        "+-----BEGIN RSA PRIVATE KEY-----\n+MIIEow\n+k9\n+-----END RSA PRIVATE KEY-----\n+x = 1\n"
    )
    clean = redact(diff)
    assert clean.splitlines() == [
        "+-----BEGIN RSA PRIVATE KEY-----", "+***", "+***", "+-----END RSA PRIVATE KEY-----", "+x = 1",
    ]  # fmt: skip
    assert "MII" not in redact("-----BEGIN PRIVATE KEY-----\nMIIEow\nnever ends")
    assert "MII" not in redact(
        "KEY='-----BEGIN PRIVATE KEY-----\\nMIIEow\\n-----END PRIVATE KEY-----'"
    )


def test_a_private_key_that_comes_line_by_line_goes_too() -> None:
    lines = ["a", "-----BEGIN PRIVATE KEY-----", "MIIEow", "k9", "-----END PRIVATE KEY-----", "b"]
    redactor = Redactor()
    clean = [redactor.line(line) for line in lines]
    assert clean[0] == "a"
    assert clean[-1] == "b"
    assert not any("MII" in line or "k9" in line for line in clean)


@given(st.text(alphabet=st.sampled_from("+- \nabc\"'=:pwd"), max_size=200))
def test_redacting_keeps_the_number_of_lines_and_is_done_in_one_go(text: str) -> None:
    once = redact(f"password: 'x{text}")
    assert once.count("\n") == text.count("\n")
    assert redact(once) == once


def test_words_of_a_command_line() -> None:
    argv = [
        "t.py",
        "--token",
        "abc",
        "--lr",
        "0.1",
        "--password=x1y2z3",
        "--api-key",
        "--wet",
        "https://u:p1@h",
    ]
    assert Redactor().words(argv) == [
        "t.py", "--token", MASK, "--lr", "0.1", f"--password={MASK}", "--api-key", "--wet", f"https://u:{MASK}@h",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "secret"),
    [
        ("AWS_SECRET_ACCESS_KEY", True), ("PGPASSWORD", True), ("hfToken", True), ("WANDB_API_KEY", True),
        ("GOOGLE_CREDENTIALS", True), ("MY_AUTH", True), ("SSH_PRIVATE_KEY", True), ("DB_PASSWD", True),
        ("TOKENIZERS_PARALLELISM", False), ("MAX_TOKENS", False), ("PWD", False), ("KEYBOARD", False),
        ("AUTHOR", False), ("SLURM_JOB_ID", False), ("PUBLIC_KEY", False), ("", False),
    ],
)  # fmt: skip
def test_which_variables_are_secret_by_name(name: str, secret: bool) -> None:
    assert is_secret_name(name) is secret


def test_values_of_secret_variables_are_known_but_not_paths_words_and_numbers() -> None:
    found = secret_values(
        {"A_TOKEN": "tok-12345", "B_SECRET": "tok-1234567", "SSH_AUTH_SOCK": "/tmp/agent.1", "C_TOKEN": "true",
         "D_PASSWORD": "password", "E_API_KEY": "12345678", "F_TOKEN": "abc", "HOME": "tok-99999999"}
    )  # fmt: skip
    assert found == ["tok-1234567", "tok-12345"]


def test_a_value_is_known_in_a_url_too() -> None:
    assert "p%40ss%2Fw" not in Redactor(["p@ss/w0rd"]).text("amqp://p%40ss%2Fw0rd")


@pytest.mark.parametrize(
    "part",
    ["a", "password=", 'password="', "-eyJ", "://a:", "https://a", "bearer ", "sk-", "a1Q~", "token ", "--token",
     "-----BEGIN PRIVATE KEY-----", "wandb", 'password="\\', "'--token','", "SG.aaaaaaaaaaaaaaaaaa"],
)  # fmt: skip
def test_a_line_of_a_megabyte_is_no_trouble_whatever_is_in_it(part: str) -> None:
    """A rule that is quadratic in the text would need hours, and the test's time limit ends it."""
    text = part * ((1 << 20) // len(part))
    assert len(redact(text)) <= len(text) * 2
