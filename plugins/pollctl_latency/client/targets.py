"""Targets as people write them: which probe suits one, and what is wrong with it."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from pollctl_latency.model import Probe

_HOST_AND_PORT = re.compile(r"(?:\[(?P<v6>[^\]]+)\]|(?P<host>[^:\[\]/]+)):(?P<port>\d{1,5})")
_ONE_COLON = re.compile(r"[^:]*:[^:]*")
_LOGIN = re.compile(r"(?P<scheme>[A-Za-z]+://)(?P<login>[^/?#]*)@")
_PERHAPS_A_LOGIN = re.compile(r"(?P<scheme>(?:[A-Za-z]+://)?).*@", re.DOTALL)
_STATUSES = re.compile(r"(?P<first>[1-5]\d\d)(?:-(?P<last>[1-5]\d\d))?", re.ASCII)
EXPECTED = "200-399"
_HIDDEN = "***@"
_MAX_LENGTH = 2000


def infer_probe(target: str) -> Probe | None:
    """The probe that suits a target: a URL ``http``, ``host:port`` ``tcp``; None for a host alone, which has two."""
    if "://" in target:
        return "http"
    return "tcp" if target.startswith("[") or _ONE_COLON.fullmatch(target) else None


def host_of(target: str, probe: Probe) -> str:
    """The name or address that a probe from this machine looks up."""
    if probe == "http":
        return urlsplit(target).hostname or ""
    return (host_and_port(target) or ("", 0))[0] if probe == "tcp" else target


def statuses(text: str) -> list[range]:
    """HTTP statuses as people write them: ``200-399``, ``200,204,301-302``.

    Raises:
        ValueError: it is not such a list.
    """
    found = []
    for part in text.split(","):
        match = _STATUSES.fullmatch(part.strip())
        if match is None or not int(match["first"]) <= int(match["last"] or match["first"]):
            raise ValueError(f"{text!r}: write HTTP statuses such as 200-399 or 200,204,301-302")
        found.append(range(int(match["first"]), int(match["last"] or match["first"]) + 1))
    return found


def is_expected(status: int, text: str) -> bool:
    """Whether a status is among those that a job takes for a success; what another program wrote wrongly counts as the default."""
    try:
        return any(status in one for one in statuses(text or EXPECTED))
    except ValueError:
        return any(status in one for one in statuses(EXPECTED))


def target_error(target: str, probe: Probe) -> str | None:
    """Why *target* cannot be probed that way, with a remedy; None if it can."""
    if not target or not target.isprintable() or " " in target or len(target) > _MAX_LENGTH:
        return "a target is printable text without blanks"
    if probe != "http" and "@" in target:
        return "a login belongs in an address, such as http://user:password@host/"
    if probe == "http":
        return None if _is_url(target) else "write http://host/path or https://host/path"
    if probe == "tcp":
        return None if host_and_port(target) else "write host:port with a port from 1 to 65535"
    if "://" in target or target.strip(".") == "":
        return "write a host name or an address"
    return None


def host_and_port(target: str) -> tuple[str, int] | None:
    """The parts of ``host:port`` or ``[address]:port``; None for anything else."""
    match = _HOST_AND_PORT.fullmatch(target)
    if match is None or not 0 < int(match["port"]) < 2**16:
        return None
    return match["v6"] or match["host"], int(match["port"])


def split_login(target: str) -> tuple[str, str]:
    """A target as it may be kept and shown, ``***`` in the place of its login, and the login, empty without one."""
    match = _LOGIN.match(target)
    if match is None:
        return target, ""
    return f"{match['scheme']}{_HIDDEN}{target[match.end() :]}", match["login"]


def with_login(target: str, login: str) -> str:
    """The address to which a request is sent, of what ``split_login`` has made of it."""
    return target.replace(f"://{_HIDDEN}", f"://{login}@" if login else "://", 1)


def shown(target: str) -> str:
    """What a person wrote as a target, as it may be repeated: without what may be a login, wherever it stands."""
    return _PERHAPS_A_LOGIN.sub(rf"\g<scheme>{_HIDDEN}", target, count=1)


def _is_url(target: str) -> bool:
    try:
        parts = urlsplit(target)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
