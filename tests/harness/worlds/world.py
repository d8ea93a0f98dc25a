"""Small stories of each plugin, told twice: once undisturbed, once with passes killed or failing; both must end alike.

A test takes a world from ``worlds.every``, tells its story with `Story`, and compares two `Ending` with `assert_alike`.
"""

from __future__ import annotations

import copy
import json
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple, Protocol

from plugin_package import run_pollctl
from sink import Sink

from pollctl import Migrations, to_text
from pollctl.store.database import open_to_write

QUIET = 6
"""Passes after the story, in which nothing new happens and what was left over is delivered.

More than the effects for one flaky recipient in any story: each is refused once, and the next must wait for it.
"""
PAUSE = timedelta(minutes=10)
"""Between those; longer than the pauses after failed deliveries."""
PATIENCE = '[pollctl.outbox]\nbackoff = "20s"\nbackoff_max = "5m"\nmax_attempts = 50'
"""Settings of a story: a kill uses up an attempt; no effect may be given up for it, or put off beyond the quiet passes."""
Rows = Mapping[str, Sequence[Sequence[object]]]


class World(Protocol):
    """The story of one plugin.

    Attributes:
        name: of the plugin.
        moments: ``POLLCTL_NOW`` of each pass; effects are queued, delivered and retried in them.
        busiest: the pass in which most happens.
        aliases: what stands in keys and rows instead of text that depends on the address of the sink.
    """

    name: str
    moments: Sequence[datetime]
    busiest: int
    aliases: Mapping[str, str]

    def prepare(self, folder: Path, sink_url: str) -> dict[str, str]:
        """Write settings and a migrated database with rows into *folder*; answers the environment of its passes.

        People are told at *sink_url* (``json://HOST:PORT``) plus a path; see ``sink`` for ``/flaky``.
        """

    def turn(self, step: int) -> None:
        """Let the upstream answer as it does in pass number *step*; saying it twice changes nothing."""

    def state(self, folder: Path) -> Rows:
        """Every row that must not depend on what was killed, under a name; no ids or times that differ by chance.

        Where effects change the upstream, what stands there belongs to it.
        """

    def keep(self) -> object:
        """What the upstream has in mind, so that it can be put back; None where it has nothing in mind."""

    def put_back(self, kept: object) -> None:
        """Let the upstream be as it was."""

    def close(self) -> None:
        """Let the upstream go."""


Factory = Callable[[], World]


class Ending(NamedTuple):
    """How a story ended: rows by name, and how often each key arrived."""

    rows: Rows
    keys: Mapping[str, int]


class Story:
    """One world in one folder, told pass by pass.

    Args:
        world: whose story.
        folder: for the settings and the database.
        told: who hears of effects.
    """

    def __init__(self, world: World, folder: Path, told: Sink) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.world, self.folder, self.told = world, folder, told
        self.env = world.prepare(folder, told.json_url)

    @property
    def words(self) -> tuple[str, ...]:
        """The command line of a pass."""
        return ("run", self.world.name)

    @property
    def database(self) -> Path:
        return self.folder / "pollctl.db"

    @property
    def lock(self) -> Path:
        """What a pass holds; the file is empty when none does."""
        return self.folder / f"pollctl.db.{self.world.name}.lock"

    def moment(self, step: int) -> datetime:
        """When a pass happens; those after the last of the world are the quiet ones."""
        moments = self.world.moments
        return moments[step] if step < len(moments) else moments[-1] + (step - len(moments) + 1) * PAUSE

    def environment(self, step: int) -> dict[str, str]:
        """That of pass number *step*; the upstream is turned to it as well."""
        self.world.turn(min(step, len(self.world.moments) - 1))
        return {**self.env, "POLLCTL_NOW": to_text(self.moment(step))}

    def whole_pass(self, step: int) -> None:
        """A pass that nothing disturbs; a delivery that is refused makes it partial."""
        done = run_pollctl(self.folder, self.environment(step), *self.words)
        assert done.returncode in (0, 3), f"pass {step} of {self.world.name} exits {done.returncode}: {done.stderr}"

    def passes(self, first: int, last: int) -> None:
        """Whole passes, from number *first* to before *last*."""
        for step in range(first, last):
            self.whole_pass(step)

    def rest(self, first: int = 0) -> Ending:
        """The story from pass number *first* to its end and a little longer."""
        self.passes(first, len(self.world.moments) + QUIET)
        return self.ending()

    def ending(self) -> Ending:
        """How things stand; nothing may be damaged or left half done."""
        leftovers = [path.name for path in self.folder.glob("*.new*")]
        assert not leftovers, f"left over from the creation of the database: {leftovers}"
        rows = {**sound(self.database), **self.world.state(self.folder)}
        plain = {name: [tuple(map(self._plain, row)) for row in some] for name, some in rows.items()}
        return Ending(plain, {str(self._plain(key)): number for key, number in self.told.keys.items()})

    def _plain(self, value: object) -> object:
        if isinstance(value, str):
            for text, alias in self.world.aliases.items():
                value = value.replace(text, alias)
        return value

    def once_more(self, step: int) -> Ending:
        """Pass number *step* again, and one when all is quiet, in which what was refused is delivered."""
        self.whole_pass(step)
        self.whole_pass(len(self.world.moments))
        return self.ending()

    def remember(self, place: Path) -> Memory:
        """Keep everything as it is now, so that it can be told on from here again and again."""
        shutil.copytree(self.folder, place)
        return Memory(place, dict(self.told.keys), set(self.told.refused), self.world.keep())

    def recall(self, memory: Memory) -> None:
        """Put everything back as it was."""
        shutil.rmtree(self.folder)
        shutil.copytree(memory.folder, self.folder)
        self.told.keys.clear()
        self.told.keys.update(memory.keys)
        self.told.refused = set(memory.refused)
        self.world.put_back(memory.upstream)


class Memory(NamedTuple):
    """A folder, a sink and an upstream as they were."""

    folder: Path
    keys: Mapping[str, int]
    refused: set[str]
    upstream: object


@contextmanager
def story(make: Factory, folder: Path) -> Iterator[Story]:
    """A world of its own with a sink of its own."""
    with Sink() as told, closing(make()) as world:
        yield Story(world, folder, told)


def undisturbed(make: Factory, folder: Path) -> Ending:
    """The story as it goes when nothing happens to it; each key arrives exactly once."""
    with story(make, folder) as told:
        ending = told.rest()
    assert_settled(ending)
    assert ending.rows["outbox"], "a story without effects shows nothing"
    assert set(ending.keys.values()) <= {1}, f"told more than once without any disturbance: {ending.keys}"
    return ending


def disturbed(make: Factory, folder: Path, disturb: Callable[[Story, int], None]) -> Ending:
    """The story with each pass disturbed before it may end: *disturb* starts the pass of a number and does its worst."""
    with story(make, folder) as told:
        for step in range(len(told.world.moments)):
            disturb(told, step)
            told.whole_pass(step)
        return told.rest(len(told.world.moments))


def create_database(folder: Path, migrations: Migrations) -> None:
    """A database with the tables of the core and of one plugin."""
    open_to_write(folder / "pollctl.db", [migrations]).close()


def kept(upstream: object, *names: str) -> dict[str, object]:
    """A copy of some attributes, for ``keep``."""
    return {name: copy.deepcopy(getattr(upstream, name)) for name in names}


def put_back(upstream: object, attributes: object) -> None:
    """Set attributes to what ``kept`` answered."""
    assert isinstance(attributes, dict)
    for name, value in attributes.items():
        setattr(upstream, name, copy.deepcopy(value))


def sound(database: Path) -> Rows:
    """What must hold of every database after a pass that was not killed; answers what its core tables show.

    An effect may be pending: somebody refused it, and it is tried again later.
    """
    with closing(sqlite3.connect(database, timeout=20)) as db:
        checks = db.execute("PRAGMA integrity_check").fetchall()
        assert checks == [("ok",)], f"{database} is damaged: {checks}"
        broken = db.execute("PRAGMA foreign_key_check").fetchall()
        assert broken == [], f"{database} has references to nothing: {broken}"
        running = db.execute("SELECT id, plugin, pid FROM runs WHERE outcome = 'running'").fetchall()
        assert running == [], f"runs that nobody ended: {running}"
        lost = db.execute(
            "SELECT key, status, last_error FROM outbox WHERE status NOT IN ('pending', 'delivered')"
        ).fetchall()
        assert lost == [], f"effects cut off, given up or unknown after a whole pass: {lost}"
        effects = db.execute(
            "SELECT plugin, key, kind, lane, payload, status FROM outbox ORDER BY plugin, key"
        ).fetchall()
        tables = db.execute("SELECT sql FROM sqlite_master ORDER BY type, name").fetchall()
    return {"outbox": effects, "schema": tables}


def assert_settled(ending: Ending) -> None:
    """At the end of a story every effect has been delivered, and its key has arrived, where people are told."""
    effects = ending.rows["outbox"]
    left = [effect for effect in effects if effect[-1] != "delivered"]
    assert not left, f"still not delivered at the end: {left}"
    queued = {str(effect[1]) for effect in effects} if ending.keys else set()
    assert queued == set(ending.keys), (
        f"queued, but never arrived: {queued - set(ending.keys)}; the other way round: {set(ending.keys) - queued}"
    )


def assert_alike(disturbed: Ending, undisturbed: Ending, what: str) -> None:
    """Two stories ended alike: the same rows, and the same keys arrived (how often may differ: at least once is promised)."""
    differences = [line for name in undisturbed.rows for line in _differences(name, disturbed.rows, undisturbed.rows)]
    lost, odd = set(undisturbed.keys) - set(disturbed.keys), set(disturbed.keys) - set(undisturbed.keys)
    differences += [f"never arrived: {key}" for key in sorted(lost)]
    differences += [f"arrived, though nothing of the kind should be told: {key}" for key in sorted(odd)]
    assert not differences, f"{what} changed how the story ends:\n" + "\n".join(differences)


def _differences(name: str, left: Rows, right: Rows) -> list[str]:
    ours, theirs = list(map(json.dumps, left[name])), list(map(json.dumps, right[name]))
    odd, missing = [*ours], []
    for row in theirs:
        if row in odd:
            odd.remove(row)
        else:
            missing.append(row)
    return [f"  {name} + {row}" for row in odd] + [f"  {name} - {row}" for row in missing]
