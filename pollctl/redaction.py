"""What may be shown: secrets masked, control characters escaped, text of an upstream shortened."""

from __future__ import annotations

from collections.abc import Callable, Collection

_SHORTEST_MASKED = 4  # masking shorter ones would blot out ordinary words and give the secret away by that
_known_secrets: set[str] = set()
_MASK = "***"
_SECRET_WORD = r"(?:token|secret|pass|pwd|auth|key|sig|session|cred|jwt|cookie)"  # noqa: S105 - words, no secret
# Patterns that the module re compiles when they are first used: start-up does not pay for them.
# Bounded repetitions: redaction must take no longer than the text deserves.
_USERINFO = r"(?<=://)[^/?#\s]*@"
_LOGIN = r"(?<=://)[^/?#\s\"<>\\]*@"  # the same where the text around it may be JSON or HTML
_QUERY = rf"(?i)([?&;#][^=&;\s?]{{0,40}}{_SECRET_WORD}[^=&;\s]{{0,40}}=)[^&;#\s'\"]+"
_HEADER = (
    r"(?i)((?:token|secret|password|passwd|pwd|api[_-]?key|signature|cookie|authorization)['\"]?\s{0,3}:\s{0,3}['\"]?"
    r"(?:(?:bearer|basic|token|digest)\s{1,3})?)[^\s,;'\"]+"
)
_SCHEME = r"(?i)\b(bearer|basic)\s+[\w+/=.~-]{6,}"
_ADDRESS = r"(?i)\bhttps?://[^\s'\"<>]+"
# A path segment that nobody would choose as a name: a UUID, a JWT, or 20 and more letters and digits mixed.
_OPAQUE_SEGMENT = (
    r"(?<=/)(?:[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|eyJ[\w.-]+"
    r"|(?=[\w-]*\d)(?=[\w-]*[A-Za-z])[\w-]{20,})(?=[/?#]|$)"
)


class Secret:
    """A value that must never be shown: printing, logging or recording it gives ``***``."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value
        if len(value) >= _SHORTEST_MASKED:
            _known_secrets.update(_spellings(value))

    def reveal(self) -> str:
        """The value itself; call it where it leaves for the upstream, nowhere else."""
        return self._value

    def __repr__(self) -> str:
        return "***"

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)


def _spellings(value: str) -> set[str]:
    """A secret as it is, and as it stands in JSON, in HTML, in the words of exceptions, and in addresses."""
    if value.isascii() and value.replace("-", "").replace("_", "").replace(".", "").isalnum():
        return {value}
    import json
    from html import escape
    from urllib.parse import quote

    in_html = {escape(value), escape(value, quote=False)}
    in_json = {json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]}
    return {value, *in_html, *in_json, repr(value)[1:-1], one_line(value), quote(value), quote(value, safe="")}


def know_login(address: str) -> None:
    """Have the user name and password of an address masked from now on, as they are and as they go out in a header."""
    import re
    from base64 import b64encode
    from urllib.parse import unquote

    userinfo, at, _ = re.split("[/?#]", address.partition("://")[2], maxsplit=1)[0].rpartition("@")
    if at:
        password = userinfo.partition(":")[2] or userinfo
        for spelling in (userinfo, password, unquote(password), b64encode(unquote(userinfo).encode()).decode()):
            Secret(spelling)


def known_secrets() -> Collection[str]:
    """Every secret that this process has read, in each of its spellings."""
    return _known_secrets


def mask(text: str) -> str:
    """*text* with every secret that this process has read, and every login in an address, replaced by ``***``.

    For text that people read: errors, logs, messages. What is to be encoded is masked before that, by ``encoding``.
    """
    return masker()(text)


def masker() -> Callable[[str], str]:
    """A function that does what ``mask`` does, for many texts."""
    import re

    secrets = sorted(_known_secrets, key=len, reverse=True)

    def mask_text(text: str) -> str:
        for secret in secrets:
            text = text.replace(secret, _MASK)
        return re.sub(_LOGIN, f"{_MASK}@", text) if "://" in text else text

    return mask_text


def redact(text: str) -> str:
    """*text* as it may be shown and logged.

    Masked are user names and passwords of addresses, values of query keys and headers that sound like credentials, and
    path segments that look like tokens. Whatever does not print (control characters, ANSI codes) is escaped.
    """
    import re

    text = one_line(text)
    text = re.sub(_USERINFO, f"{_MASK}@", text)
    text = re.sub(_QUERY, rf"\g<1>{_MASK}", text)
    text = re.sub(_HEADER, rf"\g<1>{_MASK}", text)
    text = re.sub(_SCHEME, rf"\g<1> {_MASK}", text)
    return re.sub(_ADDRESS, lambda address: re.sub(_OPAQUE_SEGMENT, _MASK, address[0]), text)


def one_line(text: str) -> str:
    """*text* with the unprintable escaped, so that it is one line and cannot steer a terminal."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def shorten(text: str, limit: int = 200) -> str:
    """*text* of an upstream as it may be kept and shown: one line of printable characters, at most *limit* of them.

    What does not print and runs of blanks become one blank; what was cut off is shown by a ``…``.
    """
    printable = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return printable if len(printable) <= limit else f"{printable[: limit - 1]}…"


def address_digest(url: str) -> str:
    """A short name for an address that is not secret itself and the same in every pass: for keys, lanes and payloads."""
    from hashlib import sha256

    return sha256(url.encode()).hexdigest()[:12]
