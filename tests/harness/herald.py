"""A plugin that tells each word it reads to a web address, once: the smallest thing that can lose or double an effect."""

from __future__ import annotations

from pathlib import Path

from plugin_package import make_plugin_package, write_settings

SOURCE = """
import msgspec
from sqlite_utils import Migrations
from pollctl import DeliveryError, Poller, Request, hookimpl

class Settings(msgspec.Struct, frozen=True):
    sink: str
    words: tuple[str, ...] = ()

class Batch(msgspec.Struct, frozen=True):
    words: list[str]

class State(msgspec.Struct, frozen=True):
    known: list[str]

class Learn(msgspec.Struct, frozen=True, tag=True):
    word: str
    reason: str

migrations = Migrations("herald")

@migrations()
def m001(db):
    db.execute("CREATE TABLE herald_words (word TEXT PRIMARY KEY, told INTEGER NOT NULL DEFAULT 0) STRICT")

@hookimpl
def pollctl_poller():
    return Poller(
        contract=1, summary="Tells words.", settings=Settings, batch=Batch, state=State, decision=Learn,
        migrations=lambda: migrations, effects={"tell": "keyed"},
    )

@hookimpl
def pollctl_fetch(run):
    words = list(run.settings.words)
    for start in range(0, len(words), 2):
        yield Batch(words[start:start + 2])

@hookimpl
def pollctl_load(db):
    return State([row["word"] for row in db.query("SELECT word FROM herald_words")])

@hookimpl
def pollctl_decide(state, batch):
    return [Learn(word, "never heard before") for word in batch.words if word not in state.known]

@hookimpl
def pollctl_apply(db, decisions, run):
    for learn in decisions:
        db.execute("INSERT INTO herald_words (word) VALUES (?)", [learn.word])
        run.effect("tell", learn.word, {"word": learn.word}, lane=learn.word[0])
        run.count(learned=1)

@hookimpl
def pollctl_deliver(effect, run):
    headers = {"Idempotency-Key": effect.key, "Content-Type": "text/plain"}
    answer = run.send(Request(url=run.settings.sink, method="POST", headers=headers, body=effect.key.encode()))
    if not answer.is_ok:
        raise DeliveryError(f"the sink answered {answer.status}: {answer.error}")
    return {"status": answer.status}

@hookimpl
def pollctl_settle(db, effect):
    db.execute("UPDATE herald_words SET told = told + 1 WHERE word = ?", [effect.key])
"""


def herald(folder: Path) -> dict[str, str]:
    """Install the plugin; answers the environment in which processes find it."""
    site = folder / "site"
    site.mkdir()
    return {**make_plugin_package(site, "herald", SOURCE), "HOME": str(folder)}


def with_sqlite(env: dict[str, str], version: str) -> dict[str, str]:
    """An environment in which pollctl takes its SQLite for another version, and chooses its journal by that."""
    pretended = Path(__file__).with_name("pretended_sqlite")
    return {**env, "PYTHONPATH": f"{pretended}:{env['PYTHONPATH']}", "PRETENDED_SQLITE": version}


def herald_settings(folder: Path, url: str, words: list[str]) -> None:
    """Settings that let it tell *words* to the sink at *url*."""
    write_settings(folder, "[plugins.herald]", f'sink = "{url}/"', f"words = {words}")
