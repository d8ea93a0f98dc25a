"""Where the tests of soc_sections happen: a place where passes are processes, and a world where they are calls."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, redirect_stderr, redirect_stdout
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch
from zoneinfo import ZoneInfo

import msgspec
from sqlite_utils import Database

from pollctl import from_text, to_text
from pollctl.cli import start
from pollctl.fakes import FakeUpstream, ServerRequest, ServerResponse
from pollctl.store.migrations import migrations as core_migrations
from pollctl_soc_sections import decide, fanout, store
from pollctl_soc_sections.fake import FakeSoc
from pollctl_soc_sections.model import Batch, Catalogue, CatalogueSection, Decision, Poll, Settings
from pollctl_soc_sections.tables import migrations

NOON = datetime(2026, 8, 3, 16, tzinfo=UTC)
"""Twelve o'clock in New York."""
MINUTE = timedelta(minutes=1)
INDEX = "05972"


class Told(NamedTuple):
    """What the sink received: whom it was for, the idempotency key, and the words."""

    path: str
    key: str
    title: str
    body: str


class Sink(FakeUpstream):
    """A loopback HTTP service that takes what Apprise posts to ``json://``; to be used with ``with``."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[Told] = []
        self.status = 200

    def contact(self, name: str = "student") -> str:
        return f"{self.json_url}/{name}"

    def respond(self, request: ServerRequest) -> ServerResponse:
        if self.status == 200:
            told = json.loads(request.body)
            key = request.headers.get("idempotency-key", "")
            self.told.append(Told(request.address, key, told["title"], told["message"]))
        return ServerResponse(self.status)


class Place:
    """A settings file, a database, an upstream and a sink; commands run in processes of their own."""

    def __init__(self, folder: Path, soc: FakeSoc, sink: Sink) -> None:
        self.folder, self.soc, self.sink = folder, soc, sink
        self.minute = 0
        self.settle()

    def settle(self, core: str = "", **settings: object) -> None:
        section = {"base_url": self.soc.url, "campuses": ["NB"], "catalogue_every": "0s", **settings}
        lines = [f"{key} = {json.dumps(value)}" for key, value in section.items()]
        (self.folder / "pollctl.toml").write_text(
            f'[pollctl]\ndatabase = "pollctl.db"\n{core}\n[plugins.soc_sections]\n' + "\n".join(lines)
        )

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "pollctl", "--config", str(self.folder / "pollctl.toml"), *words]

    def environment(self, now: str) -> dict[str, str]:
        return {**os.environ, "POLLCTL_NOW": now}

    def at(self) -> str:
        return to_text(NOON + self.minute * MINUTE)

    def do(self, *words: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        is_pass = words[0] != "soc-sections" or words[1] == "catalogue"
        done = self._in_a_process(words) if is_pass else self._here(words)
        assert done.returncode == code, done.stderr + done.stdout
        return done

    def _in_a_process(self, words: Sequence[str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*words),
            capture_output=True,
            text=True,
            timeout=30,
            env=self.environment(self.at()),
            check=False,
        )

    def _here(self, words: Sequence[str]) -> subprocess.CompletedProcess[str]:
        """The same command line without a process: what people type between passes, where no rule is about processes."""
        out, err = StringIO(), StringIO()
        arguments = self.command(*words)[3:]
        with (
            warnings.catch_warnings(),
            patch.dict(os.environ, self.environment(self.at())),
            redirect_stdout(out),
            redirect_stderr(err),
        ):
            warnings.simplefilter("ignore", DeprecationWarning)  # Apprise imports imghdr
            code = start(arguments)
        return subprocess.CompletedProcess(arguments, code, out.getvalue(), err.getvalue())

    def json(self, *words: str) -> Any:
        return json.loads(self.do(*words, "--json").stdout)

    def soc_sections(self, *words: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        return self.do("soc-sections", *words, code=code)

    def run(self, code: int = 0) -> Any:
        """One pass in a process of its own, a minute after the last."""
        self.minute += 1
        return json.loads(self.do("run", "soc_sections", "--json", code=code).stdout)

    def subscribe(self, *words: str, index: str = INDEX, campus: str = "NB", name: str = "student") -> int:
        done = self.soc_sections(
            "subscribe", index, "--term", "92026", "--campus", campus, "--contact", self.sink.contact(name), *words
        )
        return int(done.stdout)

    def play(self, letters: str, campus: str = "NB") -> None:
        """Run a pass per word: O open, X not but others are, ``[]`` empty, F failure."""
        for letter in letters.replace(",", " ").split():
            self.answer(letter, campus)
            self.run(code=1 if letter == "F" else 0)

    def answer(self, letter: str, campus: str = "NB") -> None:
        self.soc.standing[campus] = {"[]": "empty", "F": "html"}.get(letter, "none")  # type: ignore[assignment]
        change = self.soc.open if letter == "O" else self.soc.close
        if letter in "OX":
            change(campus, INDEX)

    def sql(self, statement: str, values: Sequence[object] = ()) -> list[Any]:
        with closing(sqlite3.connect(self.folder / "pollctl.db", timeout=10)) as db, db:
            return db.execute(statement, values).fetchall()

    def status(self, index: str = INDEX, campus: str = "NB") -> str:
        return str(
            self.sql("SELECT status FROM soc_sections WHERE campus = ? AND index_number = ?", [campus, index])[0][0]
        )

    def events(self) -> list[str]:
        return [status for (status,) in self.sql("SELECT status FROM soc_status_events ORDER BY id")]

    def verdicts(self) -> list[str]:
        return [verdict for (verdict,) in self.sql("SELECT verdict FROM soc_polls ORDER BY id")]

    def told(self, name: str = "student") -> list[Told]:
        return [told for told in self.sink.told if told.path.startswith(f"/{name}")]


class Ledger:
    """The part of a pass that the hooks see: it keeps what they ask for."""

    plugin = "soc_sections"
    id = "run"
    is_dry = False

    def __init__(self, db: Database) -> None:
        self.now = NOON
        self.timezone = ZoneInfo("America/New_York")
        self.settings = Settings()
        self.effects: list[tuple[str, dict[str, Any], str]] = []
        self._keys: set[str] = set()
        self.stats: Counter[str] = Counter()
        self.failures: dict[str, str] = {}
        self.held: list[tuple[str, datetime]] = []
        self._db = db

    def effect(self, kind: str, key: str, payload: Any, *, lane: str = "") -> None:
        if key not in self._keys:
            self._keys.add(key)
            self.effects.append((key, payload, lane))

    def count(self, **numbers: int) -> None:
        self.stats.update(numbers)

    def failed(self, target: str, why: str) -> None:
        self.failures[target] = why

    def hold(self, upstream: str, until: datetime) -> None:
        self.held.append((upstream, until))

    @contextmanager
    def reading(self) -> Iterator[Database]:
        yield self._db


class World:
    """A database of soc_sections, and batches that are loaded, decided and applied to it."""

    def __init__(self, **settings: Any) -> None:
        self.db = Database(memory=True)
        self.db.execute("PRAGMA foreign_keys=ON")
        core_migrations.apply(self.db)
        migrations.apply(self.db)
        self.run: Any = Ledger(self.db)
        self.now = NOON
        self.settle(**settings)

    def settle(self, **settings: Any) -> None:
        self.run.settings = msgspec.structs.replace(Settings(), **settings)

    def play(self, batch: Batch) -> Sequence[Decision]:
        self.run.now = self.now
        decisions = decide.decide(store.load(self.db, batch, self.run), batch, self.now, self.run.settings)
        with self.db.atomic():
            store.apply(self.db, decisions, self.run)
        return decisions

    def poll(self, listed: Iterable[str], *, after: timedelta = MINUTE, campus: str = "NB") -> str:
        """One poll, some time after the last; answers its verdict."""
        self.now += after
        self.play(Poll(term="92026", campus=campus, content_hash=str(self.now), listed=frozenset(listed)))
        return self.verdict()

    def same(self, *, after: timedelta = MINUTE) -> str:
        self.now += after
        self.play(Poll(term="92026", campus="NB", content_hash="same", is_same=True))
        return self.verdict()

    def verdict(self) -> str:
        return str(self.rows("SELECT verdict FROM soc_polls ORDER BY id DESC LIMIT 1")[0][0])

    def catalogue(self, indexes: Iterable[str], campus: str = "NB") -> None:
        sections = [described(index) for index in indexes]
        self.play(Catalogue(term="92026", campus=campus, sections=sections))

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

    def deliver(self, result: Mapping[str, Any] | None = None) -> list[int]:
        """Let everything that was queued arrive; answers the subscriptions told, in order."""
        told = []
        for _, payload, _ in self.run.effects:
            fanout.settle(self.db, payload, dict(result or {"sent": True}), self.now)
            told.append(payload["subscription_id"])
        self.run.effects = []
        return told

    def status(self, index: str = INDEX) -> str:
        return str(self.rows(f"SELECT status FROM soc_sections WHERE index_number = '{index}'")[0][0])

    def events(self) -> list[str]:
        return [status for (status,) in self.rows("SELECT status FROM soc_status_events ORDER BY id")]

    def fanned(self) -> list[tuple[int, str]]:
        return self.rows("SELECT subscription_id, fanout_status FROM soc_open_event_notifications ORDER BY event_id, 1")

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[Any]:
        return self.db.execute(sql, values).fetchall()


def described(index: str) -> CatalogueSection:
    return CatalogueSection(
        index_number=index, section_number="01", course="01:198:111", title="INTRO", open_to="", permission=""
    )


def indexes(start: int, stop: int) -> list[str]:
    return [f"{number:05d}" for number in range(start, stop)]


def moment(text: str) -> datetime:
    return from_text(text)
