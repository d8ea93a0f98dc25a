"""The plugin of the simulation: it counts how far each item has come, and tells each step once.

Its upstream and its sink are a ``simulation.World`` in the same process.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec
import simulation
from sqlite_utils import Database, Migrations

from pollctl import Effect, Poller, Run, hookimpl

migrations = Migrations("counter")


class Settings(msgspec.Struct, frozen=True):
    """It has none."""


class Report(msgspec.Struct, frozen=True):
    """What the upstream says of an item; it may be old news."""

    name: str
    version: int


class Batch(msgspec.Struct, frozen=True):
    reports: Sequence[Report]


class State(msgspec.Struct, frozen=True):
    versions: Mapping[str, int]


class Advance(msgspec.Struct, frozen=True, tag=True):
    name: str
    version: int
    reason: str


@migrations()
def m001(db: Database) -> None:
    db.execute("CREATE TABLE counter_items (name TEXT PRIMARY KEY, version INTEGER NOT NULL) STRICT")
    db.execute("CREATE TABLE counter_steps (run_id TEXT NOT NULL, name TEXT NOT NULL, version INTEGER NOT NULL) STRICT")
    db.execute("CREATE TABLE counter_batches (run_id TEXT NOT NULL) STRICT")
    db.execute("CREATE TABLE counter_told (key TEXT PRIMARY KEY) STRICT")


@hookimpl
def pollctl_poller() -> Poller:
    return Poller(
        contract=1,
        summary="Counts.",
        settings=Settings,
        batch=Batch,
        state=State,
        decision=Advance,
        migrations=lambda: migrations,
        effects={"say": "keyed", "shout": "hold"},
    )


@hookimpl
def pollctl_fetch(run: Run) -> Iterator[Batch]:
    for reports in simulation.world().reports():
        if reports is None:
            run.failed("the upstream", "no answer")
        else:
            yield Batch([Report(name, version) for name, version in reports])


@hookimpl
def pollctl_load(db: Database) -> State:
    return State({row["name"]: row["version"] for row in db.query("SELECT name, version FROM counter_items")})


@hookimpl
def pollctl_decide(state: State, batch: Batch) -> Sequence[Advance]:
    known = dict(state.versions)
    decisions = []
    for report in batch.reports:
        if report.version > known.get(report.name, 0):
            known[report.name] = report.version
            decisions.append(Advance(report.name, report.version, "further than before"))
    return decisions


@hookimpl
def pollctl_apply(db: Database, decisions: Sequence[Advance], run: Run) -> None:
    db.execute("INSERT INTO counter_batches VALUES (?)", [run.id])
    for step in decisions:
        db.execute(
            "INSERT INTO counter_items VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET version = excluded.version",
            [step.name, step.version],
        )
        db.execute("INSERT INTO counter_steps VALUES (?, ?, ?)", [run.id, step.name, step.version])
        for _ in range(2 if step.version % 3 == 0 else 1):  # a key that is known queues nothing
            kind = "shout" if step.name.startswith("loud") else "say"
            payload = {"name": step.name, "version": step.version}
            run.effect(kind, f"{step.name}:{step.version}", payload, lane=step.name[-1])
    run.count(steps=len(decisions))


@hookimpl
def pollctl_deliver(effect: Effect) -> str:
    return simulation.world().take(effect)


@hookimpl
def pollctl_settle(db: Database, effect: Effect) -> None:
    db.execute("INSERT INTO counter_told VALUES (?)", [effect.key])
