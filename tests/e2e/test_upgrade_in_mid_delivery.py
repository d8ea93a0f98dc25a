"""A database in which the version before run.tell left messages half way: each arrives once, under its old key (people.md 1).

``before_messages.sql`` was written by that version's own code: waiting, cut off, given up and arrived effects of every kind.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from inbox import Inbox
from place import Place

DUMP = Path(__file__).with_name("before_messages.sql")
NOWHERE = "http://127.0.0.1:1"
SETTINGS = f"""
[pollctl.http]
trust_env = true
[pollctl.notify]
urls = ["json://inbox.example/crew"]
alert_after = 99
[plugins.latency]
base_url = "{NOWHERE}"
[plugins.soc_sections]
base_url = "{NOWHERE}"
campuses = ["NB"]
catalogue_every = "0s"
[plugins.stockx_ops]
base_url = "{NOWHERE}"
[plugins.toilet_gap]
event_service_url = "{NOWHERE}"
queue_url = "{NOWHERE}/queue"
"""
TOLD = {
    "latency": {
        "alert:1:offline:2026-03-08T12:04:00.000Z:1": ("/ann", "192.0.2.7 is offline"),
        "alert:1:recovery:2026-03-08T12:09:00.000Z:2": ("/bob", "192.0.2.7 has recovered"),
        "completion:1:1": ("/ann", "192.0.2.7: fail"),
        "completion:1:2": ("/bob", "192.0.2.7: fail"),
    },
    "soc_sections": {
        "f04194a32e5e250addd9483b54b0aa3531377df9:1": ("/student", "Open: Section 05972 (05972)"),
    },
    "stockx_ops": {
        "listing_live:j-1:1:481a6bc5ab58": ("/anna", "StockX: listing l-1 is live"),
        "auth_failed:boris:1:2e3ab1f213ff": ("/crew", "StockX refuses the login of boris"),
        "daily_summary:anna:2026-08-02:481a6bc5ab58": ("/anna", "StockX on 2026-08-02: anna"),
    },
    "toilet_gap": {
        "pollctl.failing:20260803T160000.000Z-00000001:2e3ab1f213ff": ("/crew", "pollctl: toilet_gap keeps failing"),
        "blind:1:2026-08-03T16:00:00.000Z:2e3ab1f213ff": ("/crew", "toilet_gap: monitor home-3 cannot be judged"),
        "unposted:1-2026-08-03T14:00:00.000Z:2e3ab1f213ff": (
            "/crew",
            "toilet_gap: an alarm of robot r-1 is not posted",
        ),
    },
}


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    """The proxy of the place, and so whatever host an address names."""
    with Inbox() as server:
        yield server


@pytest.fixture
def upgraded(tmp_path: Path, inbox: Inbox) -> Place:
    place = Place(tmp_path, http_proxy=inbox.url, no_proxy="127.0.0.1")
    with closing(sqlite3.connect(place.database)) as db:
        db.executescript(DUMP.read_text())
    place.settings(SETTINGS)
    return place


def arrived(inbox: Inbox) -> dict[str, tuple[str, str]]:
    """What arrived, by its key: path and title; each key came once."""
    keys = Counter(request.headers["idempotency-key"] for request in inbox.requests)
    assert set(keys.values()) <= {1}
    return {
        request.headers["idempotency-key"]: (request.path, message["title"])
        for request, message in zip(inbox.requests, inbox.messages, strict=True)
    }


@pytest.mark.parametrize("plugin", TOLD)
def test_what_waited_arrives_once_under_its_old_key(upgraded: Place, inbox: Inbox, plugin: str) -> None:
    for minute in range(3):
        upgraded.call("run", plugin, now=f"2026-08-03T17:0{minute}:00Z")
    assert arrived(inbox) == TOLD[plugin]
    beside = "SELECT status FROM outbox_addresses JOIN outbox ON outbox.id = effect_id WHERE plugin = ?"
    assert {status for (status,) in upgraded.sql(beside, [plugin])} <= {"dead"}


def test_what_was_given_up_before_can_still_be_retried_by_hand(upgraded: Place, inbox: Inbox) -> None:
    upgraded.call("run", "latency", now="2026-08-03T17:00:00Z")
    upgraded.do("outbox", "retry", "--dead", now="2026-08-03T17:01:00Z")
    upgraded.call("run", "latency", now="2026-08-03T17:02:00Z")
    assert arrived(inbox)["alert:1:recovery:2026-03-08T12:09:00.000Z:1"] == ("/ann", "192.0.2.7 has recovered")
