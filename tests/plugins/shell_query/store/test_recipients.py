"""Who is told of the end of a run, and what (people.md 1 and 9)."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
from inbox import Inbox
from plugins.shell_query.place import Place

from pollctl_shell_query.fake import COMPLETE, Reply, envelopes


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    with Inbox() as server:
        yield server


def test_the_recipients_of_a_run_are_told_once_of_its_end(place: Place, inbox: Inbox) -> None:
    place.configure(notify=[f"{inbox.json_url}/section"], timezone="Europe/Amsterdam")
    place.upstream.script = [COMPLETE]
    run_id = place.started("--name", "Opens", "--notify", f"{inbox.json_url}/ann,{inbox.json_url}/bob")
    for second in (2, 4, 6):
        place.run(second)
    assert sorted(request.path for request in inbox.requests) == ["/ann", "/bob"]
    message = inbox.messages[0]
    assert (message["title"], message["type"]) == ("Query Opens is ready", "success")
    assert message["message"].splitlines() == [
        "1 row can be read.",
        "Submitted 2026-03-08 13:00 CET, ended 2026-03-08 13:00:02 CET (2 s).",
        f"shell_query on {socket.gethostname()}, run {run_id}",
    ]
    assert inbox.url not in place.do("outbox", "list", "--json") + place.do("shell-query", "show", run_id, "--json")


def test_without_recipients_of_its_own_those_of_the_section_are_told_of_a_failure(place: Place, inbox: Inbox) -> None:
    place.configure(notify=[inbox.json_url])
    place.upstream.replies["perform"] = [Reply(body=envelopes.performed("Error", "Too many queries"))]
    run_id = place.submit()
    for second in (0, 2, 4):  # what a delivery comes to is told by the next pass
        place.run(second)
    assert inbox.titles == [f"Query {run_id} failed"]
    assert inbox.messages[0]["message"].startswith("Failed: Too many queries.\n")


def test_a_run_that_was_cancelled_and_one_with_nobody_to_tell_tell_nobody(place: Place, inbox: Inbox) -> None:
    place.upstream.script = [COMPLETE]
    place.started()
    cancelled = place.started("--notify", inbox.json_url)
    place.do("shell-query", "cancel", cancelled)
    for second in (2, 4):
        place.run(second)
    assert inbox.messages == []
    assert place.effects("tell") == []


def test_an_address_that_apprise_does_not_know_is_refused(place: Place) -> None:
    words = ["--sql", "SELECT 1", "--target", "DE_1", "--notify", "nonsense"]
    place.do("shell-query", "submit", *words, code=2)
    assert "nonsense" not in place.stderr
