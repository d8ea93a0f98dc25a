"""Notifications through Apprise: messages, and alerts of plugins that keep failing or recover."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pollctl.api.outcomes import FAILURES
from pollctl.clock import is_waiting
from pollctl.concurrency.daemon_executor import DaemonExecutor
from pollctl.delivery.effects import CORE_PREFIX, Queued, queued
from pollctl.errors import DeliveryError
from pollctl.redaction import Secret, address_digest, know_login, mask

if TYPE_CHECKING:
    from pollctl.api.values import Effect
    from pollctl.config.schema import Notify
    from pollctl.store.runs import Failures

FAILING = f"{CORE_PREFIX}failing"
RECOVERED = f"{CORE_PREFIX}recovered"
LONGEST_SEND_S = 20.0
_TAKES_HEADERS = frozenset({"json", "jsons", "xml", "xmls", "form", "forms"})


def send(url: str, *, title: str, body: str, key: str, timeout: float) -> None:
    """Send one message to an Apprise address within *timeout* seconds, secrets in title and body masked.

    Generic web hooks (``json://``, ``xml://``, ``form://``) get *key* as header ``Idempotency-Key``.

    Raises:
        DeliveryError: the address is not one that Apprise knows (permanent), or the service did not take the message.
        MachineError: no thread can be started; nothing was sent.
    """
    Secret(url)
    know_login(url)
    with DaemonExecutor(1) as executor:
        future: Future[None] = executor.submit(_send, url, mask(title), mask(body), key)
        try:
            future.result(timeout=max(0.0, min(timeout, LONGEST_SEND_S)))
        except FutureTimeoutError:
            raise DeliveryError(f"{service(url)} did not answer in time", uncertain=True) from None


def service(url: str) -> str:
    """What may be said of an Apprise address: its scheme; the rest is credentials as often as not."""
    return f"{urlsplit(url).scheme or 'unknown'}://…"


def is_address(url: str) -> bool:
    """Whether Apprise knows what to do with an address; nothing is sent."""
    import apprise

    return isinstance(apprise.Apprise.instantiate(url), apprise.NotifyBase)


def alerts(
    settings: Notify,
    plugin: str,
    run_id: str,
    standing: Failures,
    outcome: str,
    error: Mapping[str, str] | None,
    now: datetime,
) -> list[Queued]:
    """One effect per address when a plugin keeps failing, again every ``renotify_every``, and one when it recovers."""
    if outcome in FAILURES:
        if standing.consecutive < settings.alert_after or _was_just_sent(standing.last_alert_at, settings, now):
            return []
        kind, title = FAILING, f"pollctl: {plugin} keeps failing"
        body = f"{standing.consecutive} failed passes in a row. The last: {(error or {}).get('message', outcome)}"
    elif outcome in ("ok", "partial") and standing.last_alert_at is not None:
        kind, title, body = RECOVERED, f"pollctl: {plugin} recovered", f"Its pass {run_id} ended {outcome}."
    else:
        return []
    addresses = [address_digest(url.reveal()) for url in settings.urls]
    return [
        queued(
            kind,
            f"{kind}:{run_id}:{address}",
            {"address": address, "title": title, "body": body},
            f"{CORE_PREFIX}{address}",
        )
        for address in addresses
    ]


def _was_just_sent(last: datetime | None, settings: Notify, now: datetime) -> bool:
    """Whether people need not hear of it again yet."""
    every = settings.renotify_every
    return last is not None and is_waiting(last, now - every, every)


def deliver(settings: Notify, effect: Effect, *, timeout: float) -> Any:
    """Send one of the core's own effects.

    Raises:
        DeliveryError: as ``send``; permanent when its address is no longer in the settings.
    """
    for url in settings.urls:
        if address_digest(url.reveal()) == effect.payload["address"]:
            send(
                url.reveal(),
                title=effect.payload["title"],
                body=effect.payload["body"],
                key=effect.key,
                timeout=timeout,
            )
            return None
    raise DeliveryError("its address is no longer in [pollctl.notify] urls", permanent=True)


def _send(url: str, title: str, body: str, key: str) -> None:
    import apprise

    messenger = apprise.Apprise()
    if not messenger.add(_with_key(url, key)):
        raise DeliveryError(
            f"{service(url)} is not an address that Apprise knows; see its list of services", permanent=True
        )
    if not messenger.notify(title=title, body=body):
        raise DeliveryError(f"{service(url)} did not take the message")


def _with_key(url: str, key: str) -> str:
    from urllib.parse import quote

    if urlsplit(url).scheme not in _TAKES_HEADERS:
        return url
    return f"{url}{'&' if urlsplit(url).query else '?'}+Idempotency-Key={quote(key, safe='')}"
