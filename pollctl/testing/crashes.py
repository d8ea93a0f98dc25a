"""Whether a pass that is killed anywhere, and made again, ends like one that nothing disturbed."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, NamedTuple, Self

if TYPE_CHECKING:
    from pollctl.testing.bench import Bench

_PAUSE = "+15m"
"""Until the pass in which what was cut off is delivered: longer than the pause after such a delivery."""
_MOST_POINTS = 1000
_SHOWN = 3  # differences of one kind that are told of one kill
_LONGEST = 300  # characters of each


class _Ending(NamedTuple):
    """How things stand at the end, each as text that can be compared.

    Attributes:
        kept: rows of the plugin's tables and its effects; each counts.
        sent: messages, and requests that change something; whether they were sent counts, not how often.
    """

    kept: Counter[str]
    sent: frozenset[str]


class Memory:
    """A bench as it stands now, to which it can be put back again and again; use it with ``with``.

    Args:
        bench: the bench.
        begin: called whenever it was put back: lets an upstream with a memory forget.
    """

    def __init__(self, bench: Bench, begin: Callable[[], None] | None = None) -> None:
        self._bench, self._begin, self._now = bench, begin, bench.now
        self._place = TemporaryDirectory()
        shutil.copytree(bench.folder, Path(self._place.name, "kept"))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.recall()
        self._place.cleanup()

    def recall(self) -> None:
        """Put it back; what was sent and asked is forgotten."""
        shutil.rmtree(self._bench.folder)
        shutil.copytree(Path(self._place.name, "kept"), self._bench.folder)
        self._bench.at(self._now).forget()
        if self._begin:
            self._begin()


def crashes(bench: Bench, ignore: Collection[str], begin: Callable[[], None] | None) -> list[str]:
    """What differs, a sentence for each kill after which something does; see ``Bench.crashes``."""
    with Memory(bench, begin) as memory:
        return _compared(bench, ignore, memory.recall)


def _compared(bench: Bench, ignore: Collection[str], begin_again: Callable[[], None]) -> list[str]:
    begin_again()
    undisturbed = _rest(bench, ignore)
    found: list[str] = []
    for point in range(1, _MOST_POINTS):
        begin_again()
        killed = bench.kill_at(point)
        if killed.outcome != "killed":
            return found if killed.outcome else [f"no pass comes about: {killed.log}"]
        differences = list(_differences(_rest(bench, ignore), undisturbed))
        if differences:
            found.append(f"killed before {killed.error} (number {point}): {'; '.join(differences)}")
    raise RuntimeError(f"the pass does not end within {_MOST_POINTS} commits and requests")


def _rest(bench: Bench, ignore: Collection[str]) -> _Ending:
    """The pass, again or for the first time, and a quiet one; people have effects sent again that nobody else may send twice."""
    bench.command("run", bench.plugin, code=None)
    if held := bench.sql("SELECT id FROM outbox WHERE status = 'unknown'"):
        bench.command("outbox", "retry", *(str(row["id"]) for row in held))
    bench.at(_PAUSE).command("run", bench.plugin, code=None)
    return _Ending(Counter(_kept(bench, ignore)), frozenset(_sent(bench)))


def _kept(bench: Bench, ignore: Collection[str]) -> Iterator[str]:
    runs = [value for row in bench.sql("SELECT id, trace_id FROM runs") for value in row.values() if value]
    for table, rows in bench.rows().items():
        if table not in ignore:
            for row in rows:
                plain = {name: value for name, value in row.items() if f"{table}.{name}" not in ignore}
                yield f"{table}: {_without(runs, plain)}"
    for one in bench.effects():
        effect = {"key": one.key, "status": one.status, "payload": one.payload}
        yield f"effect {one.kind}: {_without(runs, effect)}"


def _without(runs: Sequence[str], value: Any) -> str:
    """A value as text; ids of runs, which chance gives, are all the same."""
    text = json.dumps(value, default=repr)
    for run_id in runs:
        text = text.replace(run_id, "(a run)")
    return text


def _sent(bench: Bench) -> Iterator[str]:
    yield from (f"message to {one.to}: {one.title}: {one.body}" for one in bench.messages)
    for request in bench.requests:
        if request.method not in ("GET", "HEAD"):
            key = request.headers.get("idempotency-key") or request.body[:200].decode("utf-8", "replace")
            yield f"{request.method} {request.address} ({key})"


def _differences(one: _Ending, undisturbed: _Ending) -> Iterator[str]:
    odd, missing = list((one.kept - undisturbed.kept).elements()), list((undisturbed.kept - one.kept).elements())
    yield from _listed("other values", _changed(odd, missing))
    yield from _listed("too much", odd)
    yield from _listed("missing", missing)
    yield from _listed("sent, though it should not be", one.sent - undisturbed.sent)
    yield from _listed("never sent", undisturbed.sent - one.sent)


def _changed(odd: list[str], missing: list[str]) -> list[str]:
    """What differs between two rows of a table, column by column; takes them out of both lists."""
    found = []
    for line in list(odd):
        table, _, row = line.partition(": ")
        others = [other for other in missing if other.startswith(f"{table}: ")]
        if not others:
            continue
        differing = min((_columns(row, other.partition(": ")[2]) for other in others), key=len)
        odd.remove(line)
        missing.remove(next(other for other in others if _columns(row, other.partition(": ")[2]) == differing))
        found.append(f"{table}: {', '.join(differing)}")
    return found


def _columns(row: str, other: str) -> list[str]:
    one, two = json.loads(row), json.loads(other)
    return [f"{name} is {value!r}, not {two[name]!r}" for name, value in one.items() if value != two[name]]


def _listed(what: str, found: Collection[str]) -> Iterator[str]:
    lines = [f"{line[:_LONGEST]} ..." if len(line) > _LONGEST else line for line in sorted(found)]
    more = f", and {len(lines) - _SHOWN} more" if len(lines) > _SHOWN else ""
    if lines:
        yield f"{what}: {', '.join(lines[:_SHOWN])}{more}"
