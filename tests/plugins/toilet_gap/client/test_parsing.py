"""Messages and histories as others write them: what is understood, and what is poison."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as how
from hypothesis import strategies as st

from pollctl_toilet_gap.client.parsing import Message, parse_item, parse_message, split_items
from pollctl_toilet_gap.model import Event, ParsedMessage, PoisonMessage, Receipt

AT = datetime(2025, 11, 12, 8, 30, tzinfo=UTC)


SOURCE = {"id": "e1", "robotId": "r-1", "eventName": "TOILET_ACTIVITY", "createdAt": "2025-11-12T08:30:00Z"}


WRITTEN = (
    "2025-11-12T09:30:00+0100", "2025-11-12t08:30:00z", "2025-11-12 08:30:00Z", "2025-11-12 09:30:00 +01:00",
    "2025-11-12T08:30:00.000000000Z", "2025-11-12T08:30:00.000999999Z", "20251112T083000Z", "2025-11-12T08:30Z",
    "2025-11-12T09:30:00+01", 1762936200, 1762936200.0, 1762936200000, "1762936200", "1762936200000",
)  # fmt: skip
"""Half past eight, as upstreams write it."""


def read(body: object) -> ParsedMessage | PoisonMessage:
    return parse_message(Message(Receipt("m1", "handle"), body if isinstance(body, str) else json.dumps(body)))


def sent(**source: Any) -> dict[str, Any]:
    return {"subscriptionId": "s1", "sourceEvent": {**SOURCE, **source}}


@pytest.mark.parametrize(
    "body",
    [
        sent(),
        sent(createdAt="2025-11-12T09:30:00+01:00"),
        sent(createdAt="2025-11-12T08:30:00.000999Z"),
        {
            "subscriptionId": "s1",
            "sourceEvent": {
                "id": "e1", "robot_id": "r-1", "eventType": "TOILET_ACTIVITY", "timestamp": "2025-11-12T08:30:00Z"
            },
        },
        {"Type": "Notification", "MessageId": "x", "Message": json.dumps(sent())},
        {"version": "0", "detail-type": "incoming", "source": "events", "detail": sent()},
        {"Type": "Notification", "Message": json.dumps({"detail-type": "incoming", "detail": sent()})},
        {"detail-type": "incoming", "detail": {"Type": "Notification", "Message": json.dumps(sent())}},
        sent(createdAt=None, timestamp="2025-11-12T08:30:00Z", robotId=None, robot_id="r-1"),
        *(sent(createdAt=written) for written in WRITTEN),
    ],
    ids=["plain", "another offset", "microseconds are cut", "other spellings", "within an SNS envelope",
         "within EventBridge's", "EventBridge within SNS", "SNS within EventBridge", "null beside", *map(str, WRITTEN)],
)  # fmt: skip
def test_a_message_is_understood(body: object) -> None:
    message = read(body)
    assert isinstance(message, ParsedMessage)
    assert (message.subscription_id, message.robot_id, message.event_name) == ("s1", "r-1", "TOILET_ACTIVITY")
    assert message.event == Event("e1", AT)


def test_an_id_may_be_a_number() -> None:
    message = read({"subscriptionId": 5, "sourceEvent": {**SOURCE, "id": 7}})
    assert isinstance(message, ParsedMessage)
    assert (message.subscription_id, message.event.id) == ("5", "7")


POISON = {
    "no JSON": ("visit!", "not acceptable JSON"),
    "empty": ("", "the body is empty"),
    "a list": ([], "it is not an object"),
    "no event": ({"subscriptionId": "s1"}, "sourceEvent is missing"),
    "no object": ({"subscriptionId": "s1", "sourceEvent": "x"}, "sourceEvent is not an object"),
    "no subscription": ({"sourceEvent": SOURCE}, "subscriptionId is missing"),
    "no id": (sent(id=None), "id is missing"),
    "an empty id": (sent(id=""), "id is missing"),
    "an id that is not text": (sent(id=["e1"]), "id is not text"),
    "a huge id": (sent(id="e" * 201), "longer than 200"),
    "a huge number": (sent(id=10**30), "not acceptable JSON"),
    "no robot": ({"subscriptionId": "s1", "sourceEvent": {k: v for k, v in SOURCE.items() if k != "robotId"}}, "robotId"),
    "no name": (sent(eventName=True), "eventName is not text"),
    "no time": (sent(createdAt=None), "createdAt is missing"),
    "a flag for a time": (sent(createdAt=True), "createdAt is neither text nor a number"),
    "a number before 2000": (sent(createdAt=946684799), "not in the years 2000 to 2299"),
    "a number beyond 2299": (sent(createdAt=10413792000000), "not in the years 2000 to 2299"),
    "a number beyond the calendar": (sent(createdAt=10**18), "outside the calendar"),
    "no zone": (sent(createdAt="2025-11-12T08:30:00"), "names no zone"),
    "no moment": (sent(createdAt="yesterday"), "'yesterday' is not a moment such as 2026-"),
    "a moment that never was": (sent(createdAt="2025-02-30T08:30:00Z"), "day is out of range"),
    "the year 1": (sent(createdAt="0001-01-01T00:00:00+14:00"), "outside the calendar"),
    "the year 9999": (sent(createdAt="9999-12-31T23:59:59-14:00"), "outside the calendar"),
    "the year 2300": (sent(createdAt="2300-01-01T00:00:00Z"), "not in the years 2000 to 2299"),
    "NUL": ('{"subscriptionId": "s\\u0000", "sourceEvent": {}}', "NUL"),
    "half a surrogate": ('{"subscriptionId": "\ud800"}', "surrogates"),
    "an escaped half": ('{"subscriptionId": "\\ud800", "sourceEvent": {}}', "not acceptable JSON"),
    "an envelope without text": ({"Type": "Notification", "Message": {}}, "Message of the SNS envelope is not text"),
    "an envelope with poison": ({"Type": "Notification", "Message": "boo"}, "not acceptable JSON"),
}  # fmt: skip


@pytest.mark.parametrize(("body", "reason"), POISON.values(), ids=POISON)
def test_poison_is_named(body: object, reason: str) -> None:
    poison = read(body)
    assert isinstance(poison, PoisonMessage)
    assert reason in poison.reason
    assert poison.key == "queue:m1"
    poison.body.encode()


def is_json(body: object) -> bool:
    """Whether there is no NaN or infinity in it, which Python writes and nobody else reads."""
    try:
        json.dumps(body, allow_nan=False)
    except ValueError:
        return False
    return True


@how(deadline=None, max_examples=150)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from([*SOURCE, *SOURCE.values()]),
        lambda inner: st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["subscriptionId", "sourceEvent", "Type", "Message", *SOURCE]), inner, max_size=5),
        max_leaves=12,
    )
)  # fmt: skip
def test_nothing_that_anyone_writes_raises(body: object) -> None:
    assert isinstance(read(json.dumps(body)), ParsedMessage | PoisonMessage)
    for item in split_items(json.dumps([body, body], allow_nan=True).encode()) if is_json(body) else ():
        assert isinstance(parse_item(item, "r-1", "TOILET_ACTIVITY"), Event | PoisonMessage | None)


@pytest.mark.parametrize(
    ("item", "found"),
    [
        (SOURCE, Event("e1", AT)),
        ({"id": "e1", "createdAt": "2025-11-12T08:30:00Z"}, Event("e1", AT)),
        ({**SOURCE, "robotId": None, "eventName": None}, Event("e1", AT)),
        ({**SOURCE, "robotId": "r-2"}, None),
        ({**SOURCE, "eventName": "DOOR"}, None),
    ],
    ids=["whole", "without what was asked for", "with null for it", "of another robot", "of another name"],
)
def test_an_item_of_a_history_is_a_visit_or_about_something_else(item: object, found: Event | None) -> None:
    assert parse_item(json.dumps(item).encode(), "r-1", "TOILET_ACTIVITY") == found


def test_a_poisoned_item_has_the_same_key_each_time_it_is_read() -> None:
    item = {**SOURCE, "createdAt": "soon"}
    first, again = (parse_item(json.dumps(item).encode(), "r-1", "TOILET_ACTIVITY") for _ in range(2))
    assert isinstance(first, PoisonMessage)
    assert isinstance(again, PoisonMessage)
    assert (first.key, first.event_id, first.robot_id) == (again.key, "e1", "r-1")


def test_one_item_that_nobody_can_read_does_not_hide_the_others() -> None:
    good = json.dumps(SOURCE)
    body = f'[{good}, {{"id": "x\\u0000"}}, {{"id": 1{"0" * 30}}}, 7, {{"id": "\\ud800"}}, NaN, {good}]'.encode()
    read = [parse_item(item, "r-1", "TOILET_ACTIVITY") for item in split_items(body)]
    assert [type(item).__name__ for item in read] == ["Event", *["PoisonMessage"] * 5, "Event"]


@pytest.mark.parametrize("body", [b"", b"{}", b"[1,", b"null", b"<p>", b"\xff", b"[" * 100_000])
def test_a_history_that_is_not_a_list_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match="the history is not a JSON list"):
        split_items(body)
