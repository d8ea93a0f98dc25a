"""A sound plugin of several modules, into which tests plant violations of the architecture."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from pollctl.plugin_host.discovery import Found
from pollctl.plugin_host.installed import EntryPoint
from pollctl.plugin_host.loader import Plugin, load

MARK = "# HERE"
"""Stands at the end of a line that must be named by the message."""

INIT = """
from pollctl import Poller, hookimpl
from PKG.model import Batch, Seen, Settings, State

@hookimpl
def pollctl_poller():
    return Poller(contract=1, summary="Counts.", settings=Settings, batch=Batch, state=State, decision=Seen)

@hookimpl
def pollctl_fetch(run):
    from PKG import client
    yield from client.get()

@hookimpl
def pollctl_load(db):
    from PKG import store
    return store.load(db)

@hookimpl
def pollctl_decide(state, batch, now, settings):
    from PKG import decide
    return decide.decide(state, batch, now, settings)

@hookimpl
def pollctl_apply(db, decisions, run):
    from PKG import store
    store.apply(db, decisions)
"""
MODEL = """
from msgspec import Struct, field
MODEL_TOP
class Settings(Struct, frozen=True):
    word: str = "hello"
    path: str = "x"

class Part(Struct, frozen=True):
    number: int = 1
    PART

class Batch(Struct, frozen=True):
    parts: list[Part] = []

class State(Struct, frozen=True):
    known: list[int] = []

class Seen(Struct, frozen=True, tag=True):
    number: int
    reason: str
    SEEN
"""
DECIDE = """
from PKG.model import Seen
from PKG.rules import judge

def decide(state, batch, now, settings):
    return [judge(part, now, settings) for part in batch.parts]
"""
RULES = """
from PKG.deep import words
from PKG.model import Part, Seen

def judge(part: Part, now, settings):
    return Seen(part.number, words(part, now, settings))
"""
DEEP = """
TOP
def words(part, now, settings):
    BODY
    return f"{part.number} at {now}"
"""
CLIENT = """
import os, random, socket, time
from datetime import datetime

SEED = random.random()
HOST = os.environ.get("HOST")
_CACHE = {}

def get():
    _CACHE["at"] = time.time()
    print(datetime.now())
    yield from ()
"""
STORE = """
import sqlite3

def load(db):
    return db.execute("SELECT 1").fetchall()

def apply(db, decisions):
    db.execute("SELECT 1")
"""
SOUND = {
    "__init__.py": INIT,
    "model.py": MODEL,
    "decide.py": DECIDE,
    "rules.py": RULES,
    "deep.py": DEEP,
    "client.py": CLIENT,
    "store.py": STORE,
}
"""What fetch and apply do is impure, and is not one of decide's business."""

_HOLES = ("MODEL_TOP", "PART", "SEEN", "TOP", "BODY")
_numbers = count()


class Planted(dict[str, str]):
    """The files of a package, by their names within it; ``package`` is its name."""

    def __init__(self, files: Mapping[str, str], **holes: str) -> None:
        self.package = f"planted_{next(_numbers)}"
        super().__init__({name: self._filled(text, holes) for name, text in files.items() if text})

    def _filled(self, text: str, holes: Mapping[str, str]) -> str:
        lines = []
        for line in text.splitlines():
            hole = line.strip()
            if hole not in _HOLES:
                lines.append(line)
                continue
            indent = line[: len(line) - len(line.lstrip())]
            lines += [indent + part for part in holes.get(hole, "pass" if indent else "").splitlines()]
        return "\n".join(lines).replace("PKG", self.package) + "\n"

    def marked(self) -> list[str]:
        """``file:line`` of every line that a message must name."""
        is_one_file = set(self) == {"__init__.py"}
        return [
            f"{self.package}.py:{number}" if is_one_file else f"{self.package}/{name}:{number}"
            for name, text in self.items()
            for number, line in enumerate(text.splitlines(), 1)
            if line.rstrip().endswith(MARK)
        ]

    def write(self, folder: Path) -> Path:
        """Write the package below a folder, or the module when it is of one file; answers where."""
        if set(self) == {"__init__.py"}:
            path = folder / f"{self.package}.py"
            path.write_text(self["__init__.py"])
            return path
        for name, text in self.items():
            path = folder / self.package / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return folder / self.package

    @contextmanager
    def loaded(self, folder: Path, attribute: str = "") -> Iterator[Plugin]:
        """The plugin, loaded as pollctl loads one; its modules are forgotten again."""
        self.write(folder)
        sys.path.insert(0, str(folder))
        value = f"{self.package}:{attribute}" if attribute else self.package
        try:
            yield load(Found("planted", EntryPoint("planted", value, "pollctl"), "planted-package", "1.0"))
        finally:
            sys.path.remove(str(folder))
            for name in [name for name in sys.modules if name.partition(".")[0] == self.package]:
                del sys.modules[name]
