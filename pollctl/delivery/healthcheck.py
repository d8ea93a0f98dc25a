"""The dead man's switch: an address that hears of every `due --run` with passes, and raises the alarm when it does not.

The protocol is that of Healthchecks (https://healthchecks.io/docs/http_api/): POST to the address for success, to the
address with ``/fail`` for failure, with up to 100 kB of text.
"""

from __future__ import annotations

from contextlib import closing
from urllib.parse import urlsplit, urlunsplit

from pollctl import redaction
from pollctl.api.values import Request
from pollctl.concurrency.cancellation import Stop
from pollctl.config.schema import Core
from pollctl.errors import MachineError
from pollctl.http.client import Client
from pollctl.http.limits import Limits

LONGEST_S = 10.0
_LARGEST = 10_000


def ping(core: Core, text: str, *, has_failed: bool) -> str:
    """Ping the switch; answers why it could not be pinged, or nothing.

    Args:
        core: ``[pollctl]``: the address, and the limits of HTTP.
        text: a line per plugin.
        has_failed: whether it is bad news.
    """
    request = Request(
        url=_address(core.healthcheck.url.reveal(), has_failed=has_failed),
        method="POST",
        headers={"content-type": "text/plain; charset=utf-8"},
        body=redaction.mask(text).encode(errors="backslashreplace")[:_LARGEST],
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


def _address(url: str, *, has_failed: bool) -> str:
    parts = urlsplit(url)
    path = parts.path.rstrip("/") + ("/fail" if has_failed else "")
    return urlunsplit(parts._replace(path=path))
