"""What is seen from passes: purity, values, keys, plans, and what kills change."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pollctl.clock import from_text
from pollctl.pages.plugin_sections import MISSING
from pollctl.plugin_host.conformance.recordings import read_back
from pollctl.plugin_host.loader import migrations_of
from pollctl.store.database import open_to_write
from pollctl.testing.bench import Bench
from pollctl.testing.crashes import Memory
from pollctl.testing.purity import impurities
from pollctl.testing.result import Result
from pollctl.testing.suite.subject import Subject

_GOOD = ("ok", "partial")
_NOTHING_SEEN = (
    "so that nothing can be seen of its passes; offer a playground (entry points pollctl.fakes), or write "
    "conformance(NAME, arrange) with a function that readies the bench it is given"
)


def passes(subject: Subject) -> list[str]:
    """A pass on the bench goes well: all else is seen from such passes."""
    with subject.arranged() as (bench, _):
        result = bench.run()
        asked = f"; nothing answers {', '.join(bench.unanswered)}" if bench.unanswered else ""
    return [] if result.outcome in _GOOD else [f"a pass on the bench {_ended(result)}{asked}, {_NOTHING_SEEN}"]


def _ended(result: Result) -> str:
    if not result.outcome:
        return f"does not begin ({result.log.strip()})"
    return f"ends {result.outcome} ({result.error})"


def purity(subject: Subject) -> list[str]:
    """decide, called with what passes recorded: no clock, chance, environment, files, sockets; twice the same."""
    with subject.arranged() as (bench, _):
        bench.run()
        bench.at("+10m").run()
        rows = bench.sql("SELECT * FROM recordings ORDER BY run_id, seq")
    return list(dict.fromkeys(one for row in rows for one in _impurities(subject, row)))


def _impurities(subject: Subject, row: dict[str, Any]) -> list[str]:
    poller = subject.plugin.poller
    given = {
        "state": read_back(row["state"], poller.state),
        "batch": read_back(row["batch"], poller.batch),
        "settings": read_back(row["settings"], poller.settings),
        "now": from_text(row["now"]),
    }
    (decide,) = subject.plugin.hooks.implementations("pollctl_decide", subject.name)
    return impurities(decide, *(given[name] for name in inspect.signature(decide).parameters))


def values(subject: Subject) -> list[str]:
    """What was recorded is read back, and decided the same again."""
    with subject.arranged() as (bench, _):
        bench.run()
        if not bench.sql("SELECT 1 FROM recordings"):
            return []
        try:
            bench.command("replay", "--all")
        except AssertionError as error:
            return [f"{subject.place('pollctl_decide')}: what was recorded is not decided the same again: {error}"]
    return []


def keys(subject: Subject) -> list[str]:
    """The same pass queues effects of the same keys: they are made of what an effect is about, not of chance or a run's id."""
    found = []
    with subject.arranged() as arranged, Memory(arranged.bench, arranged.forget) as memory:
        for _ in range(2):
            memory.recall()
            arranged.bench.run()
            found.append({(effect.kind, effect.key) for effect in arranged.bench.effects()})
    return [
        f"{subject.place('pollctl_apply')}: the key {key!r} of an effect {kind!r} is another when the same pass is made again; "
        "make it of what the effect is about"
        for kind, key in sorted(found[0] - found[1])
    ]


def plan(subject: Subject) -> list[str]:
    """A plan writes nothing, here or to people."""
    with subject.arranged() as (bench, _):
        found = [*_plan_problems(bench, "no database"), *_after_a_pass(bench)]
    return [f"{subject.place('pollctl_fetch')}: {one}" for one in found]


def _after_a_pass(bench: Bench) -> Iterator[str]:
    bench.run()
    yield from _plan_problems(bench.at("+10m"), "a database")


def _plan_problems(bench: Bench, place: str) -> Iterator[str]:
    before, told = _files(bench.folder), len(bench.messages)
    result = bench.plan()
    if not result.outcome:
        yield f"a plan with {place} does not come about: {result.log.strip()}"
    for name, content in _files(bench.folder).items():
        if before.get(name) != content:
            yield f"a plan with {place} wrote {name}; fetch and decide write nothing"
    if len(bench.messages) > told:
        yield f"a plan with {place} told people: {bench.messages[-1].title}"


def _files(folder: Path) -> dict[str, bytes]:
    """What lies in a folder; SQLite's index of its journal is no content."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file() and path.suffix != ".db-shm"}


def report(subject: Subject) -> list[str]:
    """What the plugin gives to the report can be drawn."""
    with subject.arranged() as (bench, _):
        bench.run()
        shown = json.loads(bench.command("report", subject.name, "--json"))
    sections = [section for one in shown["plugins"] for section in one["sections"]]
    return [block["body"] for section in sections if section["title"] == MISSING for block in section["blocks"]]


def crashes(subject: Subject) -> list[str]:
    """A pass that is killed before any of its commits and requests, and made again, ends like one that nothing disturbed."""
    with subject.arranged() as arranged:
        bench = arranged.bench
        open_to_write(
            bench.folder / "pollctl.db", migrations_of([subject.plugin])
        ).close()  # kills while it is made are the core's
        found = bench.crashes(ignore=subject.ignore, begin=arranged.forget)
    return [f"{subject.place('pollctl_apply')}: {one}; what is done again must change nothing" for one in found]
