"""Passes without processes and sockets, for properties: real tables, real fetch, load, decide and apply, in milliseconds."""

from __future__ import annotations

import json
import weakref
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, cast
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

from sqlite_utils import Database

from pollctl import Answer, Duration, FetchError, HttpUrl, PositiveDuration, Request, Run, Secret, from_text, to_text
from pollctl.plugin_host.discovery import find
from pollctl.plugin_host.loader import load as load_plugin
from pollctl.store.migrations import migrations as core_migrations
from pollctl_toilet_gap.client.parsing import Message, parse_message
from pollctl_toilet_gap.fetch.checks import DueChecks
from pollctl_toilet_gap.fetch.days import beginnings
from pollctl_toilet_gap.fetch.queue import Drained
from pollctl_toilet_gap.migrations import migrations
from pollctl_toilet_gap.model import Batch, Monitor, ParsedMessage, PoisonMessage, Receipt, Settings, SubscribeResult
from pollctl_toilet_gap.store.apply import apply
from pollctl_toilet_gap.store.load import load
from pollctl_toilet_gap.store.settle import settle_subscription

HOOKS = load_plugin(find("toilet_gap")).hooks


BEGINS = datetime(2026, 3, 2, 8, tzinfo=UTC)
LENGTH = 3600
ENDS = BEGINS + timedelta(seconds=LENGTH)


class Visit(NamedTuple):
    """A visit: when it happened, when the history knows it, at which passes the queue brings it (by their numbers).

    Of one that is not readable neither says when it was.
    """

    at: datetime
    known_at: datetime
    id: str
    passes: Sequence[int] = ()
    is_readable: bool = True

    @property
    def written(self) -> str:
        """The moment as the upstreams write it."""
        return to_text(self.at) if self.is_readable else "soon"


class InMemoryRun:
    """As much of a pass as the hooks use; what they ask and queue stays here."""

    is_dry = False
    is_stopping = False
    remaining = 50.0
    host = "here"
    timezone = ZoneInfo("UTC")
    addresses: Sequence[Secret] = ()

    def __init__(self, world: InMemoryWorld, now: datetime) -> None:
        self.id = to_text(now)
        self.now = now
        self.settings = world.settings
        self.effects: list[tuple[str, str, Any]] = []
        self.stats: dict[str, int] = {}
        self.failures: dict[str, str] = {}
        self._world = world

    def get_many(self, requests: Iterable[Request], *, concurrency: int = 8, rate: str = "") -> Iterator[Answer]:
        for request in requests:
            since = int(parse_qs(urlsplit(request.url).query)["created_since"][0])
            yield self._world.answer(request, since, self.now)

    def failed(self, target: str, why: str) -> None:
        self.failures[target] = why

    def reached(self, target: str) -> None:
        pass

    def log(self, message: str) -> None:
        pass

    def effect(self, kind: str, key: str, payload: Any, *, lane: str = "", not_before: object = None) -> None:
        self.effects.append((kind, key, payload))

    def tell(self, key: str, title: str, body: str, **more: Any) -> int:
        """Nobody is to be told."""
        return 0

    def count(self, **numbers: int) -> None:
        for name, number in numbers.items():
            self.stats[name] = self.stats.get(name, 0) + number


class InMemoryWorld:
    """One monitor, one database in memory, and an event service that is a list of visits."""

    def __init__(self, settings: Settings, visits: Sequence[Visit]) -> None:
        self.settings = settings
        self.visits = visits
        self.is_down = False
        self.unread_queue = ""
        self.posted: list[str] = []
        self.passes = 0
        self.db = Database(memory=True)
        weakref.finalize(self, self.db.close)
        core_migrations.apply(self.db)
        migrations.apply(self.db)

    def answer(self, request: Request, since: int, now: datetime) -> Answer:
        if self.is_down:
            error = FetchError(kind="refused", message="nobody there")
            return Answer(request=request, started_at=now, elapsed_ms=1, error=error)
        known = [
            visit
            for visit in self.visits
            if visit.known_at <= now and (visit.at.timestamp() >= since or not visit.is_readable)
        ]
        items = [{"id": visit.id, "createdAt": visit.written} for visit in reversed(known)]
        return Answer(request=request, status=200, body=json.dumps(items).encode(), started_at=now, elapsed_ms=1)

    def run(self, now: datetime) -> InMemoryRun:
        """One pass: days, then the queue, then the fold; what it posts and subscribes is done at once."""
        made = InMemoryRun(self, now)
        run = cast("Run", made)
        for batch in self._batches(run):
            with self.db.atomic():
                state = load(self.db, batch)
                decisions = HOOKS.pollctl_decide(state=state, batch=batch, now=now, settings=self.settings)
                apply(self.db, decisions, run)
        for kind, _, payload in [*made.effects]:
            if kind == "alarm":
                self.posted.append(payload["reference_id"])
            if kind == "subscribe":
                settle_subscription(self.db, payload["subscription"], SubscribeResult(id="sub"), run)
        self.passes += 1
        return made

    def _batches(self, run: Run) -> Iterator[Batch]:
        yield from beginnings(run, self.db)
        if messages := [parse_message(message) for message in self._messages()]:
            yield Batch(
                messages=[message for message in messages if isinstance(message, ParsedMessage)],
                poison=[message for message in messages if isinstance(message, PoisonMessage)],
            )
        yield from DueChecks(run, self.db, queue=Drained(self.unread_queue)).batches()

    def _messages(self) -> Iterator[Message]:
        for visit in self.visits:
            for number in range(visit.passes.count(self.passes)):
                event = {
                    "id": visit.id,
                    "robotId": "r-1",
                    "eventName": "TOILET_ACTIVITY",
                    "createdAt": visit.written,
                }
                body = json.dumps({"subscriptionId": "sub", "sourceEvent": event})
                yield Message(Receipt(f"{visit.id}-{self.passes}-{number}", "handle"), body)

    def records(self) -> list[tuple[str, datetime, str | None]]:
        """What happened to visits and windows, in its order."""
        rows = self.db.execute(
            """SELECT event_name, event_at, coalesce(incoming_event_id, reference_id) FROM status_check_record
               WHERE event_name LIKE 'EVENT_%' OR event_name = 'ALARM_SENT' ORDER BY status_check_id, "order" """
        )
        return [(name, from_text(at), what) for name, at, what in rows]

    def alarm(self, reference: str) -> tuple[datetime, str | None]:
        """When the window of an alarm ended, and what could not be read of it."""
        sql = "SELECT event_at, unread FROM status_check_record WHERE reference_id = ?"
        at, unread = self.db.execute(sql, [reference]).fetchone()
        return from_text(at), unread

    def close(self) -> None:
        self.db.close()


def seconds(moment: datetime) -> int:
    """A moment as seconds since the epoch."""
    return int((moment - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(seconds=1))


def moment(second: int) -> datetime:
    return BEGINS + timedelta(seconds=second)


def settings_of(gap: int, grace: int = 0, *, has_queue: bool = True) -> Settings:
    monitor = Monitor(
        name="pilot",
        robot_id="r-1",
        timezone=ZoneInfo("UTC"),
        start="08:00",
        end="09:00",
        gap=PositiveDuration(seconds=gap),
        grace=Duration(seconds=grace),
    )
    return Settings(
        event_service_url=HttpUrl("http://127.0.0.1:9"),
        queue_url=HttpUrl("http://127.0.0.1:9/queue") if has_queue else None,
        start_tolerance=Duration(seconds=30),
        future_skew=Duration(hours=2),
        monitors=(monitor,),
    )
