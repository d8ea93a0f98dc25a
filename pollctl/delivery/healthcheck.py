"""The dead man's switch: an address that hears of every `due --run` with passes, and raises the alarm when it does not.

The protocol is that of Healthchecks (https://healthchecks.io/docs/http_api/): the address for success, the address with
``/fail`` for failure and with ``/start`` before the work, with up to 100 kB of text. An address whose query has ``status`` is
one of Uptime Kuma (https://github.com/louislam/uptime-kuma/wiki): ``up`` or ``down`` stands there, and the text in ``msg``.
"""

from __future__ import annotations

from contextlib import closing
from typing import Literal
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from pollctl import redaction
from pollctl.api.values import Request
from pollctl.concurrency.cancellation import Stop
from pollctl.config.schema import Core
from pollctl.errors import MachineError
from pollctl.http.client import Client
from pollctl.http.limits import Limits
from pollctl.redaction import Secret, one_line
from pollctl.units import HttpUrl

Signal = Literal["start", "ok", "fail"]

LONGEST_S = 10.0
_LARGEST = 10_000
_LONGEST_MSG = 200  # characters of the text in a query


def fault_of(url: Secret) -> str:
    """Why no switch can ever be pinged at an address, for ``check`` and for ``due --run`` alike; empty where one may be."""
    try:
        HttpUrl.parse(url.reveal())
    except ValueError:
        return "it is not an http or https address"
    return ""


def ping(core: Core, url: Secret, signal: Signal, text: str = "") -> str:
    """Ping a switch; answers why it could not be pinged, or nothing.

    Args:
        core: ``[pollctl]``: the method, and the limits of HTTP.
        url: the address.
        signal: what it is to hear.
        text: a line per plugin.
    """
    text = redaction.mask(text)
    address = _address(url.reveal(), signal, text)
    if not address:
        return ""
    is_post = core.healthcheck.method == "POST"
    request = Request(
        url=address,
        method=core.healthcheck.method,
        headers={"content-type": "text/plain; charset=utf-8"} if is_post else {},
        body=text.encode(errors="backslashreplace")[:_LARGEST] if is_post else None,
        timeout=LONGEST_S,
    )
    stop = Stop()
    stop.end_in(LONGEST_S)
    with closing(Client(Limits.of(core.http), stop=stop)) as client:
        try:
            answer = client.send(request)
        except MachineError as error:
            return str(error)
    if answer.is_ok:
        return ""
    return answer.error.message if answer.error else f"it answered {answer.status}"


def _address(url: str, signal: Signal, text: str) -> str:
    """Where to say it; empty where the switch has no word for it."""
    parts = urlsplit(url)
    query = parse_qsl(parts.query, keep_blank_values=True)
    if "status" in dict(query):
        if signal == "start":
            return ""
        said = {"status": "up" if signal == "ok" else "down", "msg": one_line(text.replace("\n", "; "))[:_LONGEST_MSG]}
        return urlunsplit(parts._replace(query=urlencode({**dict(query), **said})))
    path = parts.path.rstrip("/") + {"ok": "", "start": "/start", "fail": "/fail"}[signal]
    return urlunsplit(parts._replace(path=path))
