"""The messages of the queue: received until there are no more, and handed on in transactions of their own."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from pollctl import Run, counted
from pollctl_toilet_gap.client.parsing import Message, parse_message
from pollctl_toilet_gap.fetch.chunks import AT_ONCE
from pollctl_toilet_gap.model import Batch, ParsedMessage, PoisonMessage, Settings
from pollctl_toilet_gap.store import due

if TYPE_CHECKING:
    from sqlite_utils import Database

LEAVE_S = 20.0
"""Seconds of a pass that draining leaves for the history and the alarms; of a short pass a half."""
DELETE_S = 10.0
"""Seconds that deleting messages may take before the rest of the pass goes on."""
EMPTY_RECEIVES = 2
"""Receives in a row that must bring nothing on a queue whose attributes say nothing, as it is shared."""
NO_QUEUE = "no queue is set"


class Drained(NamedTuple):
    """How far one pass read the queue.

    Attributes:
        unread: why it was not read to its end; nothing if it was.
        error: why it could not be read at all; nothing if it could.
    """

    unread: str = ""
    error: str = ""


def queued(run: Run, db: Database) -> Generator[Batch, None, Drained]:
    """What the queue held, in transactions of their own; answers how far it was read, as far as that is recorded.

    A plan leaves the queue alone: to receive a message changes it. It reads the history instead.
    """
    if not run.settings.queue_url or run.is_dry or not run.settings.monitors:
        return Drained(NO_QUEUE, NO_QUEUE)
    before = due.committed_batches(db, run.id)
    draining = _Draining(run)
    expected = 0
    for messages in draining.chunks():
        expected += 1
        yield _batch(messages)
        if due.committed_batches(db, run.id) != before + expected:
            return Drained("what the queue held was not recorded")
        if run.settings.is_fifo:
            run.deliver_due(seconds=DELETE_S)  # until they are deleted, the queue locks what comes behind them
    if draining.result.error:
        run.failed("queue", draining.result.error)
    if draining.result.unread:
        return draining.result
    return Drained(_left_over(run, had_messages=expected > 0))


def _batch(messages: Sequence[Message]) -> Batch:
    parsed = [parse_message(message) for message in messages]
    return Batch(
        messages=[message for message in parsed if isinstance(message, ParsedMessage)],
        poison=[message for message in parsed if isinstance(message, PoisonMessage)],
    )


def _left_over(run: Run, *, had_messages: bool) -> str:
    """What the queue still has after a receive that brought nothing: only asked where an alarm may rest on it."""
    from pollctl_toilet_gap.client import sqs

    settings: Settings = run.settings
    if settings.replay_required or settings.shared_queue:
        return ""
    if had_messages and not settings.is_fifo:
        run.deliver_due(seconds=DELETE_S)  # what this pass received is in flight until it is deleted
    number, error = sqs.unread(run)
    if error:
        return f"whether the queue was read to its end cannot be seen: {error}"
    return f"the queue still has {counted(number, 'message')}, in flight or delayed" if number else ""


class _Draining:
    """Receives up to ``max_messages``, ten at a time, with as many receives as that takes and no more."""

    def __init__(self, run: Run) -> None:
        self.result = Drained()
        self._run = run
        self._settings: Settings = run.settings

    def chunks(self) -> Iterator[Sequence[Message]]:
        """What is received, in transactions: of a queue that keeps the order, of one receive each."""
        waiting: list[Message] = []
        most = 1 if self._settings.is_fifo else AT_ONCE
        for messages in self._receives():
            waiting += messages
            while len(waiting) >= most:
                size = len(waiting) if self._settings.is_fifo else AT_ONCE
                yield waiting[:size]
                waiting = waiting[size:]
        if waiting:
            yield waiting

    def _receives(self) -> Iterator[Sequence[Message]]:
        from pollctl_toilet_gap.client import sqs

        left, empty = self._settings.max_messages, 0
        leave_s = min(LEAVE_S, self._run.remaining / 2)
        enough = EMPTY_RECEIVES if self._settings.shared_queue and not self._settings.replay_required else 1
        for _ in range(-(-left // sqs.AT_ONCE) + enough - 1):
            if self._run.is_stopping or self._run.remaining < leave_s:
                why = "there was no time left to drain it"
                self.result = Drained(f"the queue was not read to its end: {why}", why)
                return
            received, error = sqs.receive(self._run, min(sqs.AT_ONCE, left))
            if error:
                self.result = Drained(f"the queue was not read to its end: {error}", error)
                return
            empty = 0 if received else empty + 1
            if empty == enough:
                return
            left -= len(received)
            yield received
            if left <= 0:
                break
        self.result = Drained("the queue was not read to its end: it took as many receives as max_messages allows")
