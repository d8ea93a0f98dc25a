"""The messages of the queue: received until there are no more, and handed on in transactions of their own."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, NamedTuple

from pollctl import Run
from pollctl_toilet_gap.client.parsing import Message, parse_message
from pollctl_toilet_gap.fetch.chunks import chunks
from pollctl_toilet_gap.model import Batch, ParsedMessage, PoisonMessage, Settings
from pollctl_toilet_gap.store import due

if TYPE_CHECKING:
    from sqlite_utils import Database

LEAVE_S = 20.0
"""Seconds of a pass that draining leaves for the history and the alarms; of a short pass a half."""


class Drained(NamedTuple):
    """What one pass took from the queue; *is_empty*: until nothing was left in it."""

    messages: list[Message]
    is_empty: bool
    error: str = ""


def queued(run: Run, db: Database) -> Generator[Batch, None, bool]:
    """What the queue held, in transactions of their own; answers whether all that was in it is recorded now.

    A plan leaves the queue alone: to receive a message changes it. It reads the history instead.
    """
    if not run.settings.queue_url or run.is_dry or not run.settings.monitors:
        return False
    drained = drain(run)
    if drained.error:
        run.failed("queue", drained.error)
    before, expected = due.committed_batches(db, run.id), 0
    for messages in chunks(drained.messages):
        expected += 1
        parsed = [parse_message(message) for message in messages]
        yield Batch(
            messages=[message for message in parsed if isinstance(message, ParsedMessage)],
            poison=[message for message in parsed if isinstance(message, PoisonMessage)],
        )
    return drained.is_empty and due.committed_batches(db, run.id) == before + expected


def drain(run: Run) -> Drained:
    """Receive up to ``max_messages``, ten at a time, with as many receives as that takes and no more."""
    from pollctl_toilet_gap.client import sqs

    settings: Settings = run.settings
    messages: list[Message] = []
    leave_s = min(LEAVE_S, run.remaining / 2)
    for _ in range(-(-settings.max_messages // sqs.AT_ONCE)):
        if run.is_stopping or run.remaining < leave_s:
            return Drained(messages, is_empty=False, error="there was no time left to drain it")
        received, error = sqs.receive(run, min(sqs.AT_ONCE, settings.max_messages - len(messages)))
        if error:
            return Drained(messages, is_empty=False, error=error)
        messages += received
        if not received:
            return Drained(messages, is_empty=True)
    return Drained(messages, is_empty=False)
