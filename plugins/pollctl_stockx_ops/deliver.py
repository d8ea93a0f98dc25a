"""Notifying people: one effect is one recipient of one piece of news."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pollctl import DeliveryError, Effect, Run
from pollctl_stockx_ops.store.recipients import address_of

NO_ADDRESS = "no address"


def deliver(effect: Effect, run: Run) -> str:
    """Send one notification; the address stays in the database or the settings until here, because it is a secret.

    Raises:
        DeliveryError: the service did not take it, or its address was taken away since (permanent).
    """
    name = effect.payload["recipient"]
    if name is None:
        return NO_ADDRESS
    with run.reading() as db:
        url = address_of(db, effect.payload["user_id"], name, run)
    if url is None:
        raise DeliveryError("its address is no longer among those of the account or the settings", permanent=True)
    title, body = _TEXTS[effect.kind](effect.payload)
    run.notify(url, title=title, body=body, key=effect.key)
    return "sent"


def _listing_live(payload: Mapping[str, Any]) -> tuple[str, str]:
    price = (
        f" for {payload['amount']} {payload['currency_code'] or ''}".rstrip() if payload["amount"] is not None else ""
    )
    title = f"StockX: listing {payload['listing_id'] or 'of job ' + payload['job_id']} is live"
    return title, f"{payload['user_id']}: on the market{price} (job {payload['job_id']})."


def _auth_failed(payload: Mapping[str, Any]) -> tuple[str, str]:
    user = payload["user_id"]
    how = f"`pollctl stockx-ops account connect {user} --refresh-token-env NAME`"
    return f"StockX refuses the login of {user}", f"Its jobs are not followed until you connect it again: {how}."


def _daily_summary(payload: Mapping[str, Any]) -> tuple[str, str]:
    body = (
        f"{payload['jobs']} jobs: {payload['completed']} completed, {payload['partial']} partly, {payload['failed']} failed, "
        f"{payload['timed_out']} timed out, {payload['open']} still open."
    )
    return f"StockX on {payload['day']}: {payload['user_id']}", body


_TEXTS: Mapping[str, Callable[[Mapping[str, Any]], tuple[str, str]]] = {
    "listing_live": _listing_live,
    "auth_failed": _auth_failed,
    "daily_summary": _daily_summary,
}
