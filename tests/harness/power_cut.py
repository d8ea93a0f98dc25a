"""Power cuts in a recorded pass: the states that a disk may be left in, and what must hold in each."""

from __future__ import annotations

import hashlib
import json
import random
import re
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

from disk import Disk, Send, State, Sync, cuts
from disk_trace import Event

DATABASE = "pollctl.db"
_KEY = re.compile(rb"\r\nidempotency-key: ([^\r]*)\r\n", re.IGNORECASE)


class Content(NamedTuple):
    """What SQLite finds in a state: a digest of all rows, and the effects by key (``status``, ``attempts``)."""

    digest: str
    effects: dict[str, tuple[str, int]]


NOTHING = Content("there is no database", {})


class Cut(NamedTuple):
    """One state, after how many events the power went, and what was known outside by then."""

    moment: int
    state: State


class Recorded:
    """A recorded pass with what every moment of it promises.

    A commit is *acknowledged* when the thread that made it went on to something else than syncing: from then on it must be
    there after any power cut.

    Args:
        before: what was on the disk when it began.
        events: what it did.
        folder: where states may be written to be opened.
    """

    def __init__(self, before: State, events: Sequence[Event], folder: Path) -> None:
        self.before, self.events, self._folder = before, events, folder
        self._seen: dict[bytes, Content] = {}
        self.contents: list[Content] = []
        deeds = [(moment, event.deed) for moment, event in enumerate(events)]
        self._sent = [
            (moment, key.decode())
            for moment, deed in deeds
            if isinstance(deed, Send)
            for key in _KEY.findall(deed.data)
        ]
        self._visible: list[int] = []  # by moment, how many commits a program saw
        self._acknowledged: list[int] = []
        self._follow()

    @property
    def states(self) -> int:
        """How many different states were opened."""
        return len(self._seen)

    def cuts(self, dice: random.Random, random_ones: int) -> Iterator[Cut]:
        """Every moment, with the states that a power cut at it may leave."""
        disk = Disk(self.before)
        for moment, event in enumerate(self.events):
            yield from (
                Cut(moment, state) for state in cuts(disk, dice, random_ones, every_single=isinstance(event.deed, Sync))
            )
            disk.do(event.deed)
        yield from (Cut(len(self.events), state) for state in cuts(disk, dice, random_ones, every_single=True))

    def check(self, cut: Cut) -> None:
        """See that the state is sound, holds what was acknowledged, and knows of what was sent."""
        content = self.open(cut.state)
        first, last = self._acknowledged[cut.moment], self._visible[cut.moment] + 1
        assert content in self.contents, f"a power cut after event {cut.moment} leaves what never was: {content}"
        assert content in self.contents[first : last + 1], (
            f"an acknowledged commit is lost: after event {cut.moment} of {len(self.events)} there must be the first {first} "
            f"commits, and {last} at most; a power cut leaves {self.contents.index(content)}"
        )
        for key in self.sent(cut.moment):
            status, attempts = content.effects.get(key, ("missing", 0))
            assert attempts, (
                f"effect {key!r} was sent before its row was durable as sending: it is {status} after a power cut"
            )
        for key in self.sent() - self.sent(cut.moment):
            was_delivered = self.contents[0].effects.get(key, ("", 0))[0] == "delivered"
            assert was_delivered or content.effects.get(key, ("", 0))[0] != "delivered", (
                f"effect {key!r} is durable as delivered before it was sent: a power cut loses it"
            )

    def sent(self, moment: int | None = None) -> set[str]:
        """Keys of the effects whose requests left before a moment, or ever in this pass, as far as requests name them."""
        return {key for sent_at, key in self._sent if moment is None or sent_at < moment}

    def open(self, state: State) -> Content:
        """What real SQLite finds in a state; it is opened only once."""
        key = _digest(state)
        if key not in self._seen:
            self._seen[key] = self._opened(state)
        return self._seen[key]

    def _opened(self, state: State) -> Content:
        if DATABASE not in state:
            return NOTHING
        put(state, self._folder)
        with closing(sqlite3.connect(self._folder / DATABASE)) as db:
            db.execute("PRAGMA synchronous=OFF")  # nothing here must survive anything
            assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)], "a power cut damages the database"
            assert db.execute("PRAGMA foreign_key_check").fetchall() == []
            return _content(db)

    def _follow(self) -> None:
        """Find the commits: the moments at which what a program sees changes."""
        disk = Disk(self.before)
        self.contents.append(self.open(disk.after(disk.pending())))
        commits: list[tuple[int, int]] = []
        for moment, event in enumerate(self.events):
            disk.do(event.deed)
            seen = self.open(disk.after(disk.pending()))
            if seen != self.contents[-1]:
                self.contents.append(seen)
                commits.append((moment, self._end_of_commit(moment)))
        for moment in range(len(self.events) + 1):
            self._visible.append(sum(done < moment for done, _ in commits))
            self._acknowledged.append(sum(end < moment for _, end in commits))

    def _end_of_commit(self, moment: int) -> int:
        """The next thing that the same thread did, syncs left out."""
        thread = self.events[moment].thread
        later = (
            place
            for place, event in enumerate(self.events[moment + 1 :], moment + 1)
            if event.thread == thread and not isinstance(event.deed, Sync)
        )
        return next(later, len(self.events))


def put(state: State, folder: Path) -> None:
    """Make *folder* hold *state*, and nothing else of a database."""
    for path in folder.glob(f"{DATABASE}*"):
        path.unlink()
    for name, content in state.items():
        (folder / name).write_bytes(content)


def on_disk(folder: Path) -> State:
    """The files of the database in *folder*."""
    return {
        path.name: path.read_bytes()
        for path in folder.glob(f"{DATABASE}*")
        if not path.name.endswith((".lock", "-shm"))  # a new -shm is made when the database is opened
    }


def _digest(state: State) -> bytes:
    parts = hashlib.blake2b()
    for name in sorted(state):
        parts.update(f"{name} {len(state[name])} ".encode())
        parts.update(state[name])
    return parts.digest()


def _content(db: sqlite3.Connection) -> Content:
    tables = db.execute("SELECT name, sql FROM sqlite_master ORDER BY name").fetchall()
    rows: list[Any] = [tables]
    for name, sql in tables:
        if sql and sql.startswith("CREATE TABLE"):
            rows.append(sorted(db.execute(f'SELECT * FROM "{name}"').fetchall(), key=repr))
    effects = db.execute("SELECT key, status, attempts FROM outbox").fetchall() if ("outbox" in dict(tables)) else []
    digest = hashlib.sha256(json.dumps(rows, default=repr).encode()).hexdigest()[:16]
    return Content(digest, {key: (status, attempts) for key, status, attempts in effects})
