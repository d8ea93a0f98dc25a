"""A world where passes are calls: batches are loaded, decided and applied to a database in memory."""

from __future__ import annotations

import weakref
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import msgspec
from sqlite_utils import Database

from pollctl import Effect, Secret, from_text, to_text
from pollctl.store.migrations import migrations as core_migrations
from pollctl_soc_sections import store
from pollctl_soc_sections.decide import decide
from pollctl_soc_sections.migrations import migrations
from pollctl_soc_sections.model import ANY_SECTION, Batch, Catalogue, CatalogueSection, Decision, Poll, Settings

NOON = datetime(2026, 8, 3, 16, tzinfo=UTC)
"""Twelve o'clock in New York."""
MINUTE = timedelta(minutes=1)
INDEX = "05972"
OPERATORS = "operators"
"""Whom a message without a recipient of its own goes to."""


class Message(NamedTuple):
    """What a subscriber is told."""

    key: str
    title: str
    body: str
    to: str

    @property
    def effect(self) -> Effect:
        """As the outbox hands it over."""
        payload = {"title": self.title, "body": self.body}
        return Effect(
            id=1, kind="tell", key=f"{self.key}:0123456789ab", payload=payload, lane="", attempt=1, created_at=NOON
        )


class RecordingRun:
    """The part of a pass that the hooks see: it records what they queue, count and hold."""

    plugin = "soc_sections"
    id = "run"
    is_dry = False

    def __init__(self) -> None:
        self.now = NOON
        self.timezone = ZoneInfo("America/New_York")
        self.settings = Settings()
        self.host = "campus.example"
        self.messages: list[Message] = []
        self._keys: set[str] = set()
        self.stats: Counter[str] = Counter()
        self.failures: dict[str, str] = {}
        self.held: list[tuple[str, datetime]] = []

    def tell(self, key: str, title: str, body: str, *, to: Secret | None = None, level: str) -> None:
        if key not in self._keys:
            self._keys.add(key)
            self.messages.append(Message(key, title, body, to.reveal() if to else OPERATORS))

    def count(self, **numbers: int) -> None:
        self.stats.update(numbers)

    def failed(self, target: str, why: str) -> None:
        self.failures[target] = why

    def hold(self, upstream: str, until: datetime) -> None:
        self.held.append((upstream, until))


class World:
    """A database of soc_sections, and batches that are loaded, decided and applied to it."""

    def __init__(self, **settings: Any) -> None:
        self._begin(Database(memory=True), settings)

    @classmethod
    def of(cls, db: Database, **settings: Any) -> World:
        """A world in which a database is there already."""
        world = cls.__new__(cls)
        world._begin(db, settings)
        return world

    def _begin(self, db: Database, settings: dict[str, Any]) -> None:
        self.db = db
        weakref.finalize(self, self.db.close)  # as late as this, for worlds that properties draw
        self.db.execute("PRAGMA foreign_keys=ON")
        core_migrations.apply(self.db)
        migrations.apply(self.db)
        self.run: Any = RecordingRun()
        self.now = NOON
        self.configure(**settings)

    def configure(self, **settings: Any) -> None:
        self.run.settings = msgspec.structs.replace(Settings(), **settings)

    def play(self, batch: Batch) -> Sequence[Decision]:
        self.run.now = self.now
        decisions = decide(store.load(self.db, batch, self.run), batch, self.now, self.run.settings)
        with self.db.atomic():
            store.apply(self.db, decisions, self.run)
        return decisions

    def poll(self, listed: Iterable[str], *, after: timedelta = MINUTE, campus: str = "NB") -> str:
        """One poll, some time after the last; answers its verdict."""
        self.now += after
        self.play(Poll(term="92026", campus=campus, content_hash=str(self.now), listed=frozenset(listed)))
        return self.verdict()

    def fail(self, *, after: timedelta = MINUTE, campus: str = "NB") -> str:
        """One poll without an answer; answers its verdict."""
        self.now += after
        self.play(Poll(term="92026", campus=campus, failure="HTTP 500"))
        return self.verdict()

    def same(self, *, after: timedelta = MINUTE) -> str:
        self.now += after
        self.play(Poll(term="92026", campus="NB", content_hash="same", is_same=True))
        return self.verdict()

    def verdict(self) -> str:
        return str(self.rows("SELECT verdict FROM soc_polls ORDER BY id DESC LIMIT 1")[0][0])

    def catalogue(self, indexes: Iterable[str], campus: str = "NB") -> None:
        self.describe([catalogue_section(index) for index in indexes], campus)

    def describe(self, sections: list[CatalogueSection], campus: str = "NB", term: str = "92026") -> None:
        """Let a catalogue be read."""
        self.play(Catalogue(term=term, campus=campus, sections=sections))

    def follow(self, course: str = "01:198:111", **columns: Any) -> int:
        """A subscription to a whole course."""
        return self.subscribe(ANY_SECTION, course=course, **columns)

    def subscribe(self, index: str = INDEX, campus: str = "NB", **columns: Any) -> int:
        row = {
            "term": "92026",
            "campus": campus,
            "index_number": index,
            "contact": "json://127.0.0.1:1/x",
            "created_at": to_text(self.now),
            **columns,
        }
        return int(str(self.db.table("soc_subscriptions").insert(row).last_pk))

    def deliver(self) -> list[int]:
        """Let everything that was queued arrive, unless the last look drops it; answers the subscriptions, in order."""
        delivered = []
        for message in self.run.messages:
            drop = store.last_look(self.db, message.effect, self.run)
            store.settle(self.db, message.effect, f"dropped: {drop.why}" if drop else "sent", self.run)
            is_to_subscriber = drop is None and message.to != OPERATORS
            delivered += [int(message.key.split(":")[1].split("+")[0])] if is_to_subscriber else []
        self.run.messages = []
        return delivered

    def status(self, index: str = INDEX) -> str:
        return str(self.rows(f"SELECT status FROM soc_sections WHERE index_number = '{index}'")[0][0])

    def events(self) -> list[str]:
        return [status for (status,) in self.rows("SELECT status FROM soc_status_events ORDER BY id")]

    def fanned(self) -> list[tuple[int, str]]:
        return self.rows("SELECT subscription_id, fanout_status FROM soc_open_event_notifications ORDER BY event_id, 1")

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[Any]:
        return self.db.execute(sql, values).fetchall()


def catalogue_section(index: str, course: str = "01:198:111", *twins: str) -> CatalogueSection:
    return CatalogueSection(
        index_number=index, section_number="01", course=course, title="INTRO", open_to="", permission="", twins=[*twins]
    )


def world_with_catalogue(known: Sequence[str], **changes: Any) -> World:
    """A campus whose catalogue has been read."""
    world = World(**{"catalogue_every": timedelta(days=1), **changes})
    world.catalogue(known)
    return world


def indexes(start: int, stop: int) -> list[str]:
    return [f"{number:05d}" for number in range(start, stop)]


def moment(text: str) -> datetime:
    return from_text(text)
