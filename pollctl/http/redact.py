"""Text that may be shown: secrets in addresses and headers masked, control characters escaped."""

from __future__ import annotations

import re

from pollctl.text import one_line

_MASK = "***"
_SECRET_WORD = r"(?:token|secret|pass|pwd|auth|key|sig|session|cred|jwt|cookie)"  # noqa: S105 - words, no secret
_USERINFO = re.compile(r"(?<=://)[^/?#\s]*@")
# Bounded repetitions: redaction must take no longer than the text deserves.
_QUERY = re.compile(rf"(?i)([?&;#][^=&;\s?]{{0,40}}{_SECRET_WORD}[^=&;\s]{{0,40}}=)[^&;#\s'\"]+")
_HEADER = re.compile(
    r"(?i)((?:token|secret|password|passwd|pwd|api[_-]?key|signature|cookie|authorization)['\"]?\s{0,3}:\s{0,3}['\"]?"
    r"(?:(?:bearer|basic|token|digest)\s{1,3})?)[^\s,;'\"]+"
)
_SCHEME = re.compile(r"(?i)\b(bearer|basic)\s+[\w+/=.~-]{6,}")
_ADDRESS = re.compile(r"(?i)\bhttps?://[^\s'\"<>]+")
# A path segment that nobody would choose as a name: a UUID, a JWT, or 20 and more letters and digits mixed.
_TOKEN = re.compile(
    r"(?<=/)(?:[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|eyJ[\w.-]+"
    r"|(?=[\w-]*\d)(?=[\w-]*[A-Za-z])[\w-]{20,})(?=[/?#]|$)"
)


def redact(text: str) -> str:
    """*text* as it may be shown and logged.

    Masked are user names and passwords of addresses, values of query keys and headers that sound like credentials, and
    path segments that look like tokens. Whatever does not print (control characters, ANSI codes) is escaped.
    """
    text = one_line(text)
    text = _USERINFO.sub(f"{_MASK}@", text)
    text = _QUERY.sub(rf"\g<1>{_MASK}", text)
    text = _HEADER.sub(rf"\g<1>{_MASK}", text)
    text = _SCHEME.sub(rf"\g<1> {_MASK}", text)
    return _ADDRESS.sub(lambda address: _TOKEN.sub(_MASK, address[0]), text)
