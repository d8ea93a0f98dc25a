"""What changes the upstreams: alarms, subscriptions, messages that are done with, and word of blindness."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from pollctl import Answer, DeliveryError, Effect, Request, Run, from_text, retry_after, strict_json
from pollctl_toilet_gap import letters, recipients, store, subscriptions
from pollctl_toilet_gap.history import incomings_url, robot_url

_JSON = {"Content-Type": "application/json"}
_NOT_FOUND, _GONE = 404, 410
_SERVER_ERROR = 500
_NEVER_SENT = frozenset({"refused", "unreachable", "dns", "tls", "bad_address", "local"})
"""Errors after which the upstream cannot have made anything."""


class Made(Struct, frozen=True):
    """How the event service answers a new subscription."""

    id: Annotated[str, Meta(min_length=1, max_length=200, pattern=r"[^.]")] | int


def deliver(effect: Effect, run: Run) -> Any:
    """Perform one effect.

    Raises:
        DeliveryError: it could not be done; an alarm is tried again until it is, and looked for first.
    """
    match effect.kind:
        case "alarm":
            return alarm(effect, run)
        case "subscribe":
            return subscribe(effect, run)
        case "unsubscribe":
            return unsubscribe(effect.payload["subscription"], run)
        case "delete_messages":
            return delete_messages(effect.payload, run)
        case _:
            return tell(effect, run)


def alarm(effect: Effect, run: Run) -> str:
    """Post one alarm, unless an earlier attempt did so: that is seen in the history."""
    told = effect.payload
    if was_tried(effect, run) and is_posted(told, run):
        return "it was posted before"
    body = {
        "providerName": run.settings.provider_name,
        "eventName": told["event_name"],
        "level": told["level"],
        "referenceId": told["reference_id"],
    }
    url = f"{robot_url(run.settings.event_service_url, told['robot_id'])}/incomings"
    answer = run.send(Request(url=url, method="POST", headers=_JSON, body=msgspec.json.encode(body)))
    if not answer.is_ok:
        raise _undelivered(answer, run)
    return "posted"


def was_tried(effect: Effect, run: Run) -> bool:
    """Whether an earlier attempt may have arrived; attempts that were counted anew by hand left their error."""
    with run.reading() as db:
        return effect.attempt > 1 or store.has_failed(db, effect.id)


def is_posted(told: Mapping[str, Any], run: Run) -> bool:
    """Whether the history has an alarm of this reference id.

    Raises:
        DeliveryError: it cannot be read, so nobody knows.
    """
    url = incomings_url(run.settings.event_service_url, told["robot_id"], told["event_name"], from_text(told["since"]))
    answer = run.send(Request(url=url))
    if not answer.is_ok:
        raise _undelivered(answer, run, "whether it was posted before cannot be seen: ")
    try:
        items = letters.items_of(answer.body)
    except ValueError as error:
        raise DeliveryError(f"whether it was posted before cannot be seen: {error}") from error
    return any(letters.reference_of(item) == told["reference_id"] for item in items)


def subscribe(effect: Effect, run: Run) -> dict[str, Any]:
    """Make one subscription; what goes wrong is a result, too, since the next pass tries again, whatever the back-off.

    An attempt that was cut off, or whose answer was lost, may have made a subscription whose id nobody knows.
    """
    with run.reading() as db:
        wanted = subscriptions.wanted(db, effect.payload["subscription"])
    is_uncertain = was_tried(effect, run)
    if wanted.is_over or from_text(wanted.until) <= run.now:
        return _not_made("the check is over", is_uncertain=is_uncertain)
    body = {"eventNames": [wanted.event_name], "until": wanted.until}
    url = f"{robot_url(run.settings.event_service_url, wanted.robot_id)}/subscriptions"
    headers = {**_JSON, "Idempotency-Key": effect.key}
    answer = run.send(Request(url=url, method="POST", headers=headers, body=msgspec.json.encode(body)))
    if not answer.is_ok:
        return _not_made(_what(answer), is_uncertain=is_uncertain or _may_have_arrived(answer))
    try:
        made = strict_json(answer.body, Made)
    except ValueError as error:
        return _not_made(str(error), is_uncertain=True)
    return {"id": str(made.id), "trouble": None, "is_uncertain": is_uncertain}


def unsubscribe(number: int, run: Run) -> str:
    """End one subscription; one that is gone is ended."""
    with run.reading() as db:
        robot_id, subscription_id = subscriptions.known_as(db, number)
    url = robot_url(run.settings.event_service_url, robot_id)
    answer = run.send(Request(url=f"{url}/subscriptions/{letters.quoted(subscription_id)}", method="DELETE"))
    if not answer.is_ok and answer.status not in (_NOT_FOUND, _GONE):
        raise _undelivered(answer, run)
    return "ended"


def delete_messages(told: Mapping[str, Any], run: Run) -> str:
    """Delete up to ten messages whose content was committed."""
    from pollctl_toilet_gap import sqs

    sqs.delete(run, told["queue_url"], told["handles"])
    return "deleted"


def tell(effect: Effect, run: Run) -> str:
    """Tell one recipient that a monitor cannot be judged, or that an alarm does not go out."""
    told = effect.payload
    url = recipients.address(told["recipient"], run)
    if url is None:
        raise DeliveryError("its address is no longer among those of [pollctl.notify]", permanent=True)
    if effect.kind == "blind":
        title = f"toilet_gap: monitor {told['monitor']} cannot be judged"
        body = f"Check {told['check_id']}: {told['why']}. No alarm can be raised."
    else:
        title = f"toilet_gap: an alarm of robot {told['robot_id']} is not posted"
        body = f"Alarm {told['reference_id']} of check {told['check_id']}: {told['why']}. Look after the resident."
    run.notify(url, title=title, body=body, key=effect.key)
    return "sent"


def _not_made(why: str, *, is_uncertain: bool) -> dict[str, Any]:
    return {"id": None, "trouble": why, "is_uncertain": is_uncertain}


def _may_have_arrived(answer: Answer) -> bool:
    if answer.error is not None:
        return answer.error.kind not in _NEVER_SENT
    return answer.status >= _SERVER_ERROR


def _what(answer: Answer) -> str:
    return answer.error.message if answer.error else f"the event service answered {answer.status}"


def _undelivered(answer: Answer, run: Run, before: str = "") -> DeliveryError:
    pause = retry_after(answer, run.now)
    seconds = pause.total_seconds() if pause is not None else None
    return DeliveryError(f"{before}{_what(answer)}", retry_after=seconds, uncertain=_may_have_arrived(answer))
