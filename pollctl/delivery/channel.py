"""Sending one message to one address, through Apprise."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import contextmanager
from contextvars import ContextVar
from mimetypes import guess_type
from typing import TYPE_CHECKING, Any
from unicodedata import normalize
from urllib.parse import quote, unquote, urlsplit

from msgspec.structs import replace

from pollctl.addresses import service
from pollctl.concurrency.daemon_executor import DaemonExecutor
from pollctl.errors import DeliveryError
from pollctl.redaction import Secret, know_login, mask, redact, shorten

if TYPE_CHECKING:
    from pollctl.api.values import Attachment
    from pollctl.config.schema import Http
    from pollctl.delivery.messages import Message

_TAKES_HEADERS = frozenset({"json", "jsons", "xml", "xmls", "form", "forms"})
_EXCEPTION = "Socket Exception: "  # what Apprise keeps from those who do not debug it
_LONGEST_REASON = 500
_SHORTEST_CREDENTIAL = 4
_captured: ContextVar[list[str] | None] = ContextVar("captured", default=None)


def send(
    url: str, message: Message, enclosed: Sequence[Attachment] = (), *, key: str, timeout: float, http: Http
) -> None:
    """Send one message to an Apprise address within *timeout* seconds, secrets in title and body masked.

    What is *enclosed* goes along, and so do the files that the message names; nothing that is empty, which Apprise refuses.

    Generic web hooks (``json://``, ``xml://``, ``form://``) get *key* as header ``Idempotency-Key``.

    Raises:
        DeliveryError: the address is not one that Apprise knows (permanent), or the service did not take the message: then it says
            what the service answered.
        MachineError: no thread can be started; nothing was sent.
    """
    Secret(url)
    know_login(url)
    longest = max(0.0, min(timeout, http.timeout.total_seconds()))
    with DaemonExecutor(1) as executor:
        future: Future[None] = executor.submit(_send, url, message, enclosed, key, longest, http)
        try:
            future.result(timeout=longest)
        except FutureTimeoutError:
            raise DeliveryError(f"{service(url)} did not answer in time", uncertain=True) from None


def _send(url: str, message: Message, enclosed: Sequence[Attachment], key: str, timeout: float, http: Http) -> None:
    import apprise

    from pollctl.delivery.apprise_http import Exchanges, made_by
    from pollctl.delivery.apprise_mail import connected_side_by_side
    from pollctl.delivery.apprise_parts import fitted

    asset = apprise.AppriseAsset(app_id="pollctl", app_desc="pollctl", app_url="", service_timeout=0)
    messenger = apprise.Apprise(asset=asset)
    with _capturing() as log:
        recipient = apprise.Apprise.instantiate(_with_key(url, key), asset=asset, suppress_exceptions=True)
        if not isinstance(recipient, apprise.NotifyBase):
            raise DeliveryError(
                f"{service(url)} is not an address that Apprise knows; see its list of services", permanent=True
            )
        messenger.add(recipient)
        masked = replace(message, title=mask(message.title), body=mask(message.body))
        shown = fitted(masked, url, recipient, timeout)
        exchanges = Exchanges(http, timeout)
        with made_by(exchanges), connected_side_by_side():
            is_taken = messenger.notify(
                title=shown.title,
                body=shown.body,
                notify_type=shown.level,
                body_format=apprise.NotifyFormat(shown.format),
                attach=[*message.attach, *(_in_memory(one) for one in enclosed if one.content)] or None,
            )
    if not is_taken:
        raise DeliveryError(f"{service(url)}: {_reason(url, [*log, *exchanges.failures])}")


def _in_memory(file: Attachment) -> Any:
    from apprise.attachment.memory import AttachMemory

    make: Any = AttachMemory  # has no type hints
    return make(file.content, _plain(file.name), file.type or guess_type(file.name)[0])


def _plain(name: str) -> str:
    """The name of a file with letters that every mail program reads: Apprise writes others into mails as nobody reads them."""
    return re.sub(r"[^\w. -]", "_", normalize("NFKD", name).encode("ascii", "ignore").decode()) or "_"


class _Capture(logging.Handler):
    """Keeps what Apprise logs while one of our messages is sent, for that message alone."""

    def emit(self, record: logging.LogRecord) -> None:
        lines = _captured.get()
        if lines is None:
            return
        text = record.getMessage()
        if record.levelno >= logging.WARNING or text.startswith(_EXCEPTION):
            lines.append(text)


_capture = _Capture(logging.DEBUG)


@contextmanager
def _capturing() -> Iterator[list[str]]:
    log = logging.getLogger("apprise")
    if _capture not in log.handlers:
        log.addHandler(_capture)
        log.setLevel(logging.DEBUG)
        log.propagate = False
    lines: list[str] = []
    token = _captured.set(lines)
    try:
        yield lines
    finally:
        _captured.reset(token)


def _reason(url: str, log: list[str]) -> str:
    """What Apprise logged, without what is secret of the address."""
    lines = dict.fromkeys(line.removeprefix(_EXCEPTION) for line in log)
    text = redact(" ".join(" ".join(lines).split()))
    for part in sorted(_credentials(url), key=len, reverse=True):
        text = text.replace(part, "***")
    return shorten(mask(text), _LONGEST_REASON) or "it did not take the message and gave no reason"


def _credentials(url: str) -> set[str]:
    """Every piece of an address that may be secret, as it is and decoded; a host with a dot in its name is none."""
    parts = urlsplit(url)
    userinfo, _, host = parts.netloc.rpartition("@")
    name = host.rpartition(":")[0] or host
    pieces = [*userinfo.split(":"), *re.split("[/,]", parts.path), *re.split("[&=]", parts.query)[1::2]]
    if "." not in name and name not in ("localhost", "") and not name.startswith("["):
        pieces += [host, *host.split(":")]
    spelt = {spelling for piece in pieces for spelling in (piece, unquote(piece))}
    return {piece for piece in spelt if len(piece) >= _SHORTEST_CREDENTIAL}


def _with_key(url: str, key: str) -> str:
    if urlsplit(url).scheme not in _TAKES_HEADERS:
        return url
    return f"{url}{'&' if urlsplit(url).query else '?'}+Idempotency-Key={quote(key, safe='')}"
