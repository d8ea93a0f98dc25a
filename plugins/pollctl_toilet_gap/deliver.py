"""What changes the upstreams: alarms, subscriptions, and messages that are done with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from pollctl import Answer, DeliveryError, Effect, Request, Run, from_text, retry_after
from pollctl_toilet_gap.client import event_service, parsing
from pollctl_toilet_gap.model import SubscribeResult
from pollctl_toilet_gap.store import effects, subscriptions

_JSON = {"Content-Type": "application/json"}
_NOT_FOUND, _GONE = 404, 410


def deliver(effect: Effect, run: Run) -> Any:
    """Perform one effect.

    Raises:
        DeliveryError: it could not be done; an alarm is tried again until it is, and looked for first.
    """
    match effect.kind:
        case "alarm":
            return post_alarm(effect, run)
        case "subscribe":
            return subscribe(effect, run)
        case "unsubscribe":
            return unsubscribe(effect.payload["subscription"], run)
        case "delete_messages":
            return delete_messages(effect.payload, run)
        case _:
            raise DeliveryError(f"{effect.kind!r} is not a kind that it delivers", permanent=True)


def post_alarm(effect: Effect, run: Run) -> dict[str, str | None]:
    """Post one alarm, unless an earlier attempt did so: that is seen in the history. Answers its id there, if it has one."""
    payload = effect.payload
    if was_tried(effect, run) and (found := posted(payload, run)) is not None:
        return {"posted": "before", "id": parsing.id_of(found)}
    body = {
        "providerName": run.settings.provider_name,
        "eventName": payload["event_name"],
        "level": payload["level"],
        "referenceId": payload["reference_id"],
    }
    url = f"{event_service.robot_url(run.settings.event_service_url, payload['robot_id'])}/incomings"
    answer = run.send(Request(url=url, method="POST", headers=_JSON, body=msgspec.json.encode(body)))
    if not answer.is_ok:
        raise _undelivered(answer, run)
    return {"posted": "now", "id": parsing.id_of(answer.body)}


def was_tried(effect: Effect, run: Run) -> bool:
    """Whether an earlier attempt may have arrived; attempts that were put back by hand left their error."""
    with run.reading() as db:
        return effect.attempt > 1 or effects.has_failed(db, effect.id)


def posted(payload: Mapping[str, Any], run: Run) -> bytes | None:
    """The alarm of this reference id as the history has it; None if it has none.

    Raises:
        DeliveryError: it cannot be read, so that this stays unknown.
    """
    since = from_text(payload["since"])
    url = event_service.incomings_url(run.settings.event_service_url, payload["robot_id"], payload["event_name"], since)
    answer = run.send(Request(url=url))
    if not answer.is_ok:
        raise _undelivered(answer, run, "whether it was posted before cannot be seen: ")
    try:
        items = parsing.split_items(answer.body)
    except ValueError as error:
        raise DeliveryError(f"whether it was posted before cannot be seen: {error}") from error
    return next((item for item in items if parsing.reference_of(item) == payload["reference_id"]), None)


def subscribe(effect: Effect, run: Run) -> SubscribeResult:
    """Make one subscription; what goes wrong is a result, too, since the next pass tries again, whatever the back-off.

    An attempt that was cut off, or whose answer was lost, may have made a subscription whose id is lost.
    """
    with run.reading() as db:
        wanted = subscriptions.wanted(db, effect.payload["subscription"])
    is_uncertain = was_tried(effect, run)
    if wanted.is_over or from_text(wanted.until) <= run.now:
        return SubscribeResult(error="the check is over", is_uncertain=is_uncertain)
    body = {"eventNames": [wanted.event_name], "until": wanted.until}
    url = f"{event_service.robot_url(run.settings.event_service_url, wanted.robot_id)}/subscriptions"
    headers = {**_JSON, "Idempotency-Key": effect.key}
    answer = run.send(Request(url=url, method="POST", headers=headers, body=msgspec.json.encode(body)))
    if not answer.is_ok:
        is_uncertain = is_uncertain or event_service.may_have_arrived(answer)
        return SubscribeResult(error=event_service.error_of(answer), is_uncertain=is_uncertain)
    try:
        return SubscribeResult(id=event_service.subscription_id_of(answer.body), is_uncertain=is_uncertain)
    except ValueError as error:
        return SubscribeResult(error=str(error), is_uncertain=True)


def unsubscribe(number: int, run: Run) -> str:
    """End one subscription; one that is gone is ended."""
    with run.reading() as db:
        robot_id, subscription_id = subscriptions.upstream_id(db, number)
    url = event_service.subscription_url(run.settings.event_service_url, robot_id, subscription_id)
    answer = run.send(Request(url=url, method="DELETE"))
    if not answer.is_ok and answer.status not in (_NOT_FOUND, _GONE):
        raise _undelivered(answer, run)
    return "ended"


def delete_messages(payload: Mapping[str, Any], run: Run) -> str:
    """Delete up to ten messages whose content was committed."""
    from pollctl_toilet_gap.client import sqs

    sqs.delete(run, payload["queue_url"], payload["handles"])
    return "deleted"


def _undelivered(answer: Answer, run: Run, before: str = "") -> DeliveryError:
    pause = retry_after(answer, run.now)
    seconds = pause.total_seconds() if pause is not None else None
    is_uncertain = event_service.may_have_arrived(answer)
    return DeliveryError(f"{before}{event_service.error_of(answer)}", retry_after=seconds, uncertain=is_uncertain)
