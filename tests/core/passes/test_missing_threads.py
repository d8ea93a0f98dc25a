"""On a machine that has no thread to give: one line, exit 1, nothing ``unknown`` that had not begun, and the next pass goes on."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from plugin_package import Done, make_plugin_package, spawn_pollctl, write_settings
from sink import Sink

from pollctl.store.database import open_to_write

pytestmark = pytest.mark.slow

LIMIT = """
import faulthandler, os, threading
most = os.environ.get("MOST_THREADS")
if most is not None:
    start = threading.Thread.start

    def limited(thread):
        if threading.active_count() > int(most):  # the main thread aside
            raise RuntimeError("can't start new thread")
        start(thread)

    def no_backstop(*arguments, **more):
        raise RuntimeError("unable to start watchdog thread")

    threading.Thread.start = limited
    if "NO_BACKSTOP" in os.environ:
        faulthandler.dump_traceback_later = no_backstop
"""
"""A sitecustomize.py: what RLIMIT_NPROC and pids.max do, which bind neither root nor a test alone."""

PLUGIN = """
import time
import msgspec
from pollctl import Poller, Request, hookimpl

class Settings(msgspec.Struct, frozen=True):
    fetch: str = ""
    effects: int = 0
    deliver: str = ""
    url: str = ""

class Batch(msgspec.Struct, frozen=True):
    number: int

class Say(msgspec.Struct, frozen=True, tag=True):
    number: int
    reason: str

@hookimpl
def pollctl_poller():
    return Poller(
        contract=1, summary="Says numbers.", settings=Settings, batch=Batch, decision=Say, effects={"say": "hold"}
    )

@hookimpl
def pollctl_fetch(run):
    yield Batch(1)
    if run.settings.fetch == "map":
        list(run.map(lambda item: item, [1, 2], timeout=5))
    if run.settings.fetch == "get_many":
        list(run.get_many([Request(url=run.settings.url)]))

@hookimpl
def pollctl_decide(batch, settings):
    return [Say(number, "it is there") for number in range(settings.effects)]

@hookimpl
def pollctl_apply(db, decisions, run):
    for say in decisions:
        run.effect("say", f"say {say.number}", {"number": say.number}, lane=str(say.number))

@hookimpl
def pollctl_deliver(effect, run):
    how = run.settings.deliver
    if how == "notifies":
        run.notify(run.settings.url, title="a number", body=str(effect.payload["number"]), key=effect.key)
    if how == "asks":
        run.send(Request(url=run.settings.url, method="POST"))
    if how == "opens a session":
        run.session().post(run.settings.url, headers={"Idempotency-Key": effect.key})
    if how == "counts":
        with run.reading() as db:
            ((sending,),) = db.execute("SELECT count(*) FROM outbox WHERE status='sending'").fetchall()
        run.log(f"{sending} on their way")
        time.sleep(0.05)
"""


class Scene:
    """The plugin, with settings of its own for each pass."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.env = make_plugin_package(folder, "alpha", PLUGIN)
        (folder / "site-alpha/sitecustomize.py").write_text(LIMIT)
        open_to_write(folder / "pollctl.db").close()

    def run(self, *lines: str, words: Sequence[str] = ("run", "alpha"), **limits: str) -> Done:
        """Run a pass under limits; *lines* stand in its section."""
        write_settings(self.folder, "[plugins.alpha]", 'backoff = "0s"', *lines)
        return spawn_pollctl(self.folder, {**self.env, **limits}, *words)

    def sql(self, query: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.folder / "pollctl.db")) as connection:
            return connection.execute(query).fetchall()


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def assert_one_line(done: Done) -> None:
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert "no thread can be started" in done.stderr
    assert "raise the limit of processes" in done.stderr


@pytest.mark.parametrize("words", [("run", "alpha"), ("due", "--run")], ids=["by hand", "due"])
@pytest.mark.parametrize(
    "limits", [{"MOST_THREADS": "0"}, {"MOST_THREADS": "1", "NO_BACKSTOP": "1"}], ids=["no thread", "no backstop"]
)
def test_without_a_watchdog_no_pass_begins(scene: Scene, words: Sequence[str], limits: dict[str, str]) -> None:
    assert scene.run(words=("db", "migrate")).returncode == 0
    assert_one_line(scene.run("effects = 1", words=words, **limits))
    assert scene.sql("SELECT * FROM runs") == []
    assert scene.run("effects = 1", words=words).returncode == 0
    assert scene.sql("SELECT outcome FROM runs") == [("ok",)]


@pytest.mark.parametrize("fetch", ["map", "get_many"])
def test_a_fetch_without_threads_fails_its_pass_and_keeps_what_was_committed(scene: Scene, fetch: str) -> None:
    line = f"fetch = {fetch!r}"
    assert_one_line(scene.run(line, "url = 'http://127.0.0.1:9'", MOST_THREADS="1"))
    assert scene.sql("SELECT outcome, batches FROM runs") == [("failed", 1)]
    assert scene.run(line, "url = 'http://127.0.0.1:9'").returncode == 0


def test_effects_that_no_thread_can_send_stay_pending_and_the_pass_has_an_end(scene: Scene) -> None:
    assert_one_line(scene.run("effects = 3", MOST_THREADS="1"))
    assert scene.sql("SELECT outcome, batches, effects, finished_at IS NULL FROM runs") == [("failed", 1, 3, 0)]
    assert scene.sql("SELECT DISTINCT status, attempts FROM outbox") == [("pending", 0)]
    assert scene.run().returncode == 0
    assert scene.sql("SELECT DISTINCT status, attempts FROM outbox") == [("delivered", 1)]


def test_alerts_that_no_thread_can_send_wait_for_the_next_pass(scene: Scene) -> None:
    with Sink() as sink:
        address = f'"{sink.url.replace("http", "json")}"'
        notify = f"[pollctl.notify]\nurls = [{address}]\nalert_after = 1\n[plugins.alpha]"
        write_settings(scene.folder, notify, 'fetch = "map"')
        assert_one_line(spawn_pollctl(scene.folder, {**scene.env, "MOST_THREADS": "1"}, "run", "alpha"))
        assert scene.sql("SELECT status FROM outbox") == [("pending",)]
        write_settings(scene.folder, notify)
        assert spawn_pollctl(scene.folder, scene.env, "run", "alpha").returncode == 0
    assert [kind.partition(":")[0] for kind in sink.keys] == ["pollctl.failing", "pollctl.recovered"]


@pytest.mark.parametrize("deliver", ["notifies", "asks", pytest.param("opens a session", marks=pytest.mark.slow)])
def test_a_delivery_that_finds_no_thread_has_not_begun_and_is_tried_again(scene: Scene, deliver: str) -> None:
    with Sink() as sink:
        url = sink.url.replace("http", "json") if deliver == "notifies" else f"{sink.url}/?key=1"
        lines = ("effects = 1", f"deliver = {deliver!r}", f"url = {url!r}")
        assert_one_line(scene.run(*lines, MOST_THREADS="2"))
        assert scene.sql("SELECT status, attempts FROM outbox") == [("pending", 1)]
        assert scene.sql("SELECT outcome FROM runs") == [("failed",)]
        assert scene.run(words=("outbox", "retry", "1")).returncode == 0
        assert scene.run(*lines).returncode == 0
    assert scene.sql("SELECT status FROM outbox") == [("delivered",)]


def test_no_more_effects_are_claimed_than_there_are_workers(scene: Scene) -> None:
    done = scene.run("effects = 9", "deliver = 'counts'", MOST_THREADS="3")
    assert done.returncode == 0
    assert scene.sql("SELECT DISTINCT status FROM outbox") == [("delivered",)]
    counts = {int(line.split()[1]) for line in done.stderr.splitlines()}
    assert max(counts) <= 2
