"""A week in the life of a plugin: a third-party package polls a loopback upstream that fails and comes back."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from plugin_package import Done, json_of, make_plugin_package, run_pollctl, write_settings

from pollctl.fakes import FakeUpstream, ServerRequest, ServerResponse

GATE = """
import msgspec
from pollctl import DeliveryError, Poller, Request, hookimpl
from sqlite_utils import Migrations

class Settings(msgspec.Struct, frozen=True):
    url: str

class Reading(msgspec.Struct, frozen=True):
    is_open: bool

class Opened(msgspec.Struct, frozen=True, tag=True):
    reason: str

class Closed(msgspec.Struct, frozen=True, tag=True):
    reason: str

migrations = Migrations("gate")

@migrations()
def m001(db):
    db.execute("CREATE TABLE gate_state (id INTEGER PRIMARY KEY CHECK (id = 1), is_open INTEGER NOT NULL) STRICT")

@hookimpl
def pollctl_poller():
    return Poller(
        contract=1,
        summary="Is the gate open?", settings=Settings, batch=Reading, state=bool | None, decision=Opened | Closed,
        migrations=lambda: migrations, effects={"say": "keyed"}, defaults={"record": "all"},
    )

@hookimpl
def pollctl_fetch(run):
    answer = run.send(Request(url=run.settings.url + "/gate"))
    if not answer.is_ok:
        run.failed("gate", answer.error.message if answer.error else f"status {answer.status}")
        return
    yield msgspec.json.decode(answer.body, type=Reading)

@hookimpl
def pollctl_load(db):
    row = db.execute("SELECT is_open FROM gate_state").fetchone()
    return bool(row[0]) if row else None

@hookimpl
def pollctl_decide(state, batch):
    if state == batch.is_open:
        return []
    return [Opened(f"it was {state}")] if batch.is_open else [Closed(f"it was {state}")]

@hookimpl
def pollctl_apply(db, decisions, run):
    for decision in decisions:
        is_open = isinstance(decision, Opened)
        db.execute("INSERT OR REPLACE INTO gate_state VALUES (1, ?)", [is_open])
        run.effect("say", f"gate-{is_open}-{run.id}", {"is_open": is_open}, lane="porter")

@hookimpl
def pollctl_deliver(effect, run):
    body = msgspec.json.encode({"key": effect.key, **effect.payload})
    answer = run.send(Request(url=run.settings.url + "/porter", method="POST", body=body))
    if not answer.is_ok:
        raise DeliveryError("the porter does not answer")
"""


class World(FakeUpstream):
    """Knows whether the gate is open, and takes what the porter is told."""

    def __init__(self) -> None:
        super().__init__()
        self.is_open = False
        self.status = 200
        self.is_porter_away = False
        self.told: list[dict[str, Any]] = []

    def respond(self, request: ServerRequest) -> ServerResponse:
        if request.method == "GET":
            return ServerResponse.json({"is_open": self.is_open}, self.status)
        if self.is_porter_away:
            return ServerResponse(503)
        self.told.append(json.loads(request.body))
        return ServerResponse.json({}, self.status)


@pytest.fixture
def upstream() -> Iterator[World]:
    with World() as world:
        yield world


def test_a_gate_is_watched_through_an_outage(tmp_path: Path, upstream: World) -> None:
    env = make_plugin_package(tmp_path, "gate", GATE)
    write_settings(tmp_path, "[plugins.gate]", f'url = "{upstream.url}"')

    def at(time: str, *words: str) -> Done:
        return run_pollctl(tmp_path, env | {"POLLCTL_NOW": f"2026-03-08T{time}Z"}, *words)

    assert json_of(at("12:00:00", "plan", "gate", "--json"))["decisions"] == [
        {"type": "Closed", "reason": "it was None"}
    ]
    assert at("12:00:01", "db", "migrate").returncode == 0
    quiet = at("12:00:01", "due", "--run")
    assert (quiet.returncode, quiet.stdout, quiet.stderr) == (0, "", "")
    assert [told["is_open"] for told in upstream.told] == [False]
    assert at("12:00:02", "due").stdout == ""

    upstream.status, upstream.is_open = 503, True
    outage = at("12:01:00", "due", "--run")
    assert (outage.returncode, outage.stdout) == (1, "")
    assert outage.stderr == "gate: failed: gate: status 503\n"
    assert at("12:01:30", "due").stdout == ""
    assert "not before 2026-03-08T12:02:00Z" in at("12:01:30", "why", "gate").stdout
    again = at("12:02:00", "due", "--run")
    assert (again.returncode, again.stderr) == (1, "")

    upstream.status = 200
    assert at("12:04:00", "due", "--run").returncode == 0
    assert [told["is_open"] for told in upstream.told] == [False, True]
    assert len({told["key"] for told in upstream.told}) == 2
    outcomes = [run["outcome"] for run in json_of(at("12:04:01", "history", "--json"))]
    assert outcomes == ["ok", "failed", "failed", "ok"]
    (row,) = json_of(at("12:04:01", "status", "--json"))
    assert (row["outcome"], row["consecutive_failures"], row["outbox"]) == ("ok", 0, {"delivered": 2})
    assert at("12:04:02", "replay", "--all").returncode == 0
    assert at("12:04:02", "db", "check").returncode == 0


def test_what_could_not_be_told_is_told_later_once_and_with_its_key(tmp_path: Path, upstream: World) -> None:
    env = make_plugin_package(tmp_path, "gate", GATE)
    write_settings(tmp_path, "[plugins.gate]", f'url = "{upstream.url}"')
    upstream.is_porter_away = True
    first = run_pollctl(tmp_path, env | {"POLLCTL_NOW": "2026-03-08T12:00:00Z"}, "run", "gate")
    assert (first.returncode, upstream.told) == (3, [])
    (effect,) = json_of(run_pollctl(tmp_path, env, "outbox", "list", "--json"))
    assert (effect["status"], effect["last_error"]) == ("pending", "the porter does not answer")
    upstream.is_porter_away = False
    second = run_pollctl(tmp_path, env | {"POLLCTL_NOW": "2026-03-08T12:05:00Z"}, "run", "gate")
    assert second.returncode == 0
    third = run_pollctl(tmp_path, env | {"POLLCTL_NOW": "2026-03-08T12:10:00Z"}, "run", "gate")
    assert third.returncode == 0
    assert upstream.told == [{"key": effect["key"], "is_open": False}]
