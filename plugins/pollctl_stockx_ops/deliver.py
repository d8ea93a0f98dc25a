"""Telling people: one effect is one recipient of one piece of news."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pollctl import DeliveryError, Effect, Run
from pollctl_stockx_ops import recipients

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
        url = recipients.address(db, effect.payload["user_id"], name, run)
    if url is None:
        raise DeliveryError("its address is no longer among those of the account or the settings", permanent=True)
    title, body = _WORDS[effect.kind](effect.payload)
    run.notify(url, title=title, body=body, key=effect.key)
    return "sent"


def _live(told: Mapping[str, Any]) -> tuple[str, str]:
    price = f" for {told['amount']} {told['currency_code'] or ''}".rstrip() if told["amount"] is not None else ""
    title = f"StockX: listing {told['listing_id'] or 'of job ' + told['job_id']} is live"
    return title, f"{told['user_id']}: on the market{price} (job {told['job_id']})."


def _auth(told: Mapping[str, Any]) -> tuple[str, str]:
    user = told["user_id"]
    how = f"`pollctl stockx-ops account connect {user} --refresh-token-env NAME`"
    return f"StockX refuses the login of {user}", f"Its jobs are not followed until you connect it again: {how}."


def _summary(told: Mapping[str, Any]) -> tuple[str, str]:
    body = (
        f"{told['jobs']} jobs: {told['completed']} completed, {told['partial']} partly, {told['failed']} failed, "
        f"{told['timed_out']} timed out, {told['open']} still open."
    )
    return f"StockX on {told['day']}: {told['user_id']}", body


_WORDS: Mapping[str, Callable[[Mapping[str, Any]], tuple[str, str]]] = {
    "listing_live": _live,
    "auth_failed": _auth,
    "daily_summary": _summary,
}
