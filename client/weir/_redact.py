"""What looks like a secret becomes `***`: in command lines, variables, diffs and console lines.

Pure. Loaded by the children that record, not by the training process: its patterns take a while
to compile. Three ways to know a secret, from sure to likely:

    its value      `Redactor(secret_values(environ))`: what secret variables hold, wherever it turns up
    its shape      keys and tokens of known makers, JWTs, PEM private keys, credentials in URLs
    its name       `--password x`, `api_key: x`, `"token": "x"`, `Authorization: Bearer x`

Rules that go by the name leave alone what is plainly code (`token = tokenizer.encode(x)`,
`pad_token="<pad>"`): a diff has to stay a diff. Lines stay lines. Every rule takes time linear in
the text, whatever the text is.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import Final
from urllib.parse import quote

from weir._secrets import LEAST_LETTERS, LONG_WORD, is_secret_name

MASK: Final = "***"

# ── shapes ────────────────────────────────────────────────────────────────

_SHAPES: Final = (
    r"(?<![A-Z0-9])(?:AKIA|ASIA|AGPA|AIDA|AROA|ANPA)[A-Z0-9]{16}(?![A-Z0-9])",  # AWS
    r"(?<![A-Za-z0-9])(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_\w{20,})",
    r"(?<![A-Za-z0-9])gl(?:pat|dt|ptt|rt|cbt|ft|soat|agent|oas|imt|ffct)-[\w.\-]{16,}",  # GitLab
    r"(?<![A-Za-z0-9])(?:hf|api_org)_[A-Za-z0-9]{20,}",  # Hugging Face
    r"(?<![A-Za-z0-9])sk-[A-Za-z0-9_\-]{20,}",  # OpenAI, Anthropic and who followed them
    r"(?<![A-Za-z0-9])(?:AIza[\w\-]{35}|ya29\.[\w.\-]{20,}|GOCSPX-[\w\-]{20,})",  # Google
    r"(?<![A-Za-z0-9])(?:xox[abeoprs]|xapp)-[\w\-]{10,}",  # Slack
    r"hooks\.slack\.com/services/[\w/]{20,}",
    r"(?<![A-Za-z0-9])(?:npm_[A-Za-z0-9]{30,}|pypi-[\w\-]{40,}|dckr_pat_[\w\-]{20,})",
    r"(?<![A-Za-z0-9])(?:[sr]k_(?:live|test)_[A-Za-z0-9]{16,}|dop_v1_\w{32,}|dapi[0-9a-f]{32})",
    r"(?<![A-Za-z0-9])weir_[\w\-]{40,}",  # ours
    r"(?<![A-Za-z0-9])(?:wandb_v1_\w{20,}|SG\.[\w\-]{16,}\.[\w\-]{16,})",
    r"(?<![\w~.\-])[\w~.\-]{3}\dQ~[\w~.\-]{31,40}",  # Azure client secrets
    r"(?<![\w\-])eyJ[\w\-]{8,}+\.[\w\-]{8,}+(?:\.[\w\-]*)?",  # JWT
)
_SHAPE: Final = re.compile("|".join(_SHAPES))
_SHAPE_HINTS: Final = (
    *("akia", "asia", "agpa", "aida", "aroa", "anpa", "ghp_", "gho_", "ghu_", "ghs_", "ghr_"),
    *(
        "github_pat_",
        "glpat-",
        "gldt-",
        "glptt-",
        "glrt-",
        "glcbt-",
        "glft-",
        "glsoat-",
        "glagent-",
    ),
    *("gloas-", "glimt-", "glffct-", "hf_", "api_org_", "sk-", "aiza", "ya29.", "gocspx-", "xox"),
    *(
        "xapp-",
        "hooks.slack",
        "npm_",
        "pypi-",
        "dckr_pat_",
        "k_live_",
        "k_test_",
        "dop_v1_",
        "dapi",
    ),
    *("weir_", "wandb_v1_", "sg.", "q~", "eyj"),
)

_URL_PASSWORD: Final = re.compile(r"(://[^\s/:@?#'\"<>]*+:)(?![*]{3}@)[^\s/?#'\"<>]+@")
_URL_TOKEN: Final = re.compile(r"(?i)(https?://)(?![*]{3}@)[^\s/:@?#'\"<>]++@")
_URL_SIGNED: Final = re.compile(
    r"(?i)((?:x-amz-(?:signature|security-token|credential)|x-goog-signature|[?&]sig|"
    r"sharedaccesskey|accountkey)=)(?!\*{3})([^\s&'\"<>;,]+)"
)
_WANDB_LOGIN: Final = re.compile(r"(?i)(wandb[^\n]{0,40}?[^0-9a-f\n])[0-9a-f]{40}(?![0-9a-f])")
_BEARER: Final = re.compile(r"(?i)(?<![a-z0-9])(bearer|basic)([ \t]+)([A-Za-z0-9._~+/=\-]{8,}+)")
_PEM: Final = re.compile(
    r"(-----BEGIN [A-Z ]{0,30}PRIVATE KEY(?: BLOCK)?-----)(.*?)"
    r"((?:\n[+\- ]?)?-----END [A-Z ]{0,30}PRIVATE KEY(?: BLOCK)?-----|\Z)",
    re.DOTALL,
)
_PEM_LINE: Final = re.compile(r"(?m)^([+\- ]?)[^\n]+$")

# ── values by their names ─────────────────────────────────────────────────

_NAMED: Final = re.compile(
    r"(?i)(password|passwd|passphrase|secret(?:[_\-]?(?:access)?[_\-]?key)?|token|"
    r"(?:api|access|private|account|signing|encryption)[_\-]?key(?:[_\-]?id)?|credentials?|"
    r"x-api-key|authorization|(?:set-)?cookie|(?<![a-z0-9])auth|(?<![a-z0-9])pwd)"
    r"(?P<gap>\\?[\"']?[ \t]{0,8}(?:=>|:=|=(?!=)|:(?!:))[ \t]{0,8}|\\?[\"'][ \t]{0,8},[ \t]{0,8}|[ \t]{1,8})"
    r"(?P<value>[rbu]?\"(?:[^\"\\\n]|\\.)*+\"?|[rbu]?'(?:[^'\\\n]|\\.)*+'?|\\\"[^\"\\\n]*+(?:\\\")?|"
    r"[^\s\"'`,;&|<>(){}\[\]\\]+(?P<open>[(\[{]?))"
)
_NAMED_HINTS: Final = (
    *("passw", "passphrase", "secret", "token", "key", "credential", "authorization", "cookie"),
    *("auth", "pwd"),
)
_NAME_LETTERS: Final = 64
_BEFORE: Final = re.compile(r"[\w.\-]*\Z")
_NOT_A_TOKEN: Final = re.compile(  # of a language model
    r"(?i)(?:pad|eos|bos|unk|sep|cls|mask|image|video|audio|start|end|stop|special|next|num|max|min|"
    r"new|prev|last|first|decoder|bot|eot|per|each|by)_?token\Z"
)
_PLACEHOLDER: Final = re.compile(
    r"(?i)\*{3}.*|<.*|\[.*|\{.*|\$.*|%.*|none|null|true|false|\.\.\.|\W{0,3}"
)
_DOTTED: Final = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+")
_TYPE: Final = re.compile(r"str|int|bytes|float|bool|object|dict|list|[A-Z][A-Za-z]*")
_HEADERS: Final = frozenset({"authorization", "cookie", "set-cookie", "x-api-key"})
_HEADER_REST: Final = re.compile(r"[^\"'\n\\]+")


class Redactor:
    """Replaces secrets by `***`.

    Args:
        secrets: Values that must not come through, e.g. `secret_values(environ)`. Those of under
            6 letters are passed over.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        written = {way for each in secrets for way in (each, quote(each, safe=""))}
        usable = sorted((each for each in written if len(each) >= LEAST_LETTERS), key=len)
        self._secrets = tuple(reversed(usable))
        self._in_pem = False

    def text(self, text: str) -> str:
        """Return the text without its secrets; the same text when it has none."""
        for secret in self._secrets:
            if secret in text:
                text = text.replace(secret, MASK)
        lower = text.lower()
        for hints, rule in _RULES:
            if any(hint in lower for hint in hints):
                text = rule(text)
        return text

    def line(self, line: str) -> str:
        """Do what `text` does for lines that come one by one: remembers an open PEM key."""
        if "-----END" in line and self._in_pem:
            self._in_pem = False
            return MASK
        if self._in_pem:
            return MASK
        self._in_pem = "PRIVATE KEY" in line and "-----BEGIN" in line and "-----END" not in line
        return self.text(line)

    def words(self, argv: Sequence[str]) -> list[str]:
        """Return a command line's words without secrets; `--token x` may be two of them."""
        redacted = [self.text(word) for word in argv]
        for index, (option, value) in enumerate(pairwise(argv)):
            asks = option.startswith("-") and "=" not in option and is_secret_name(option)
            if asks and value and not value.startswith("--") and not _PLACEHOLDER.fullmatch(value):
                redacted[index + 1] = MASK
        return redacted


def _redact_shapes(text: str) -> str:
    return _SHAPE.sub(MASK, text)


def _redact_urls(text: str) -> str:
    text = _URL_PASSWORD.sub(rf"\1{MASK}@", text)
    return _URL_TOKEN.sub(rf"\1{MASK}@", text)


def _redact_signatures(text: str) -> str:
    return _URL_SIGNED.sub(rf"\1{MASK}", text)


def _redact_wandb(text: str) -> str:
    return _WANDB_LOGIN.sub(rf"\1{MASK}", text)


def _redact_bearer(text: str) -> str:
    def masked(found: re.Match[str]) -> str:
        word = found[3]
        if word.isalpha() and (word.islower() or word.istitle()) and len(word) < LONG_WORD:
            return found[0]  # "basic authentication"
        return f"{found[1]}{found[2]}{MASK}"

    return _BEARER.sub(masked, text)


def _redact_pem(text: str) -> str:
    """Mask what is inside, line by line: a diff that loses lines is none."""

    def masked(found: re.Match[str]) -> str:
        first, newline, rest = found[2].partition("\n")
        inner = (MASK if first.strip() else first) + newline + _PEM_LINE.sub(rf"\1{MASK}", rest)
        return found[1] + inner + found[3]

    return _PEM.sub(masked, text)


def _redact_named(text: str) -> str:
    """Mask values that follow a secret's name; the callback decides what is a value and what code."""
    parts: list[str] = []
    done = 0
    position = 0
    while found := _NAMED.search(text, position):
        end = found.end()
        masked = _masked_value(found, text)
        if masked is None:
            position = found.end(1)  # the value may be another secret's name
            continue
        if found[1].lower() in _HEADERS and found["value"][:1] not in "\"'":
            rest = _HEADER_REST.match(text, found.start("value"))
            end = rest.end() if rest else end
        parts += (text[done : found.start("value")], masked)
        done = position = max(end, found.start("value") + 1)
    return "".join([*parts, text[done:]]) if parts else text


def _masked_value(found: re.Match[str], text: str) -> str | None:
    """What to write for the value, or None to leave it as it is."""
    start, gap, value = found.start(), found["gap"], found["value"]
    before = _BEFORE.search(text[max(0, start - _NAME_LETTERS) : start])
    name = (before[0] if before else "") + found[1]
    is_option = name.startswith("-")
    if not is_option and not any(sign in gap for sign in ":="):  # `password hunter2` in prose
        return None
    if _NOT_A_TOKEN.search(name):
        return None
    lead, bare, tail = _unquoted(value)
    if _PLACEHOLDER.fullmatch(bare) or bare.lower() == name.rpartition(".")[2].lower():
        return None
    is_header = found[1].lower() in _HEADERS and ":" in gap and not found["open"]
    if not (lead or is_option or is_header) and _is_code(found, bare, gap):
        return None
    return f"{lead}{MASK}{tail}"


def _unquoted(value: str) -> tuple[str, str, str]:
    """Split `"x"` into `"`, `x`, `"`; also with a prefix letter, escaped, or not closed."""
    opened = re.match(r"[rbu]?[\"']|\\\"", value, re.IGNORECASE)
    if not opened:
        return "", value, ""
    quote_mark = opened[0].lstrip("rbuRBU")
    bare = value[opened.end() :]
    closed = bare.endswith(quote_mark) and bool(bare)
    return opened[0], bare[: -len(quote_mark)] if closed else bare, quote_mark if closed else ""


def _is_code(found: re.Match[str], bare: str, gap: str) -> bool:
    """Whether an unquoted value is rather an expression than a secret."""
    if found["open"] or _DOTTED.fullmatch(bare):
        return True
    if bare.replace("_", "").isdigit() or len(bare) < 3:  # `tokens: 12`, `key: a`
        return len(bare) < LEAST_LETTERS
    spaced = gap != gap.strip() or ":" in gap
    if ":" in gap:
        return bool(_TYPE.fullmatch(bare))
    return spaced and bare.replace("_", "").isalpha() and len(bare) < LONG_WORD


_RULES: Final[tuple[tuple[tuple[str, ...], Callable[[str], str]], ...]] = (
    (("private key",), _redact_pem),
    (("://",), _redact_urls),
    (_SHAPE_HINTS, _redact_shapes),
    (("signature=", "sig=", "key=", "-token=", "-credential="), _redact_signatures),
    (("wandb",), _redact_wandb),
    (("bearer", "basic"), _redact_bearer),
    (_NAMED_HINTS, _redact_named),
)
