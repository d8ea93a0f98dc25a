"""Recording a failure cannot fail: whatever a plugin raises or answers, that effect alone is marked."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import pytest
from plugin_package import json_of, make_plugin_package, run_pollctl, write_settings
from sample_plugin import PLAIN

FAILURES: Mapping[str, tuple[str, str, str]] = {
    "retry_after_is_text": (
        "raise DeliveryError('wait', retry_after='60')",
        "pending",
        "TypeError: retry_after of a DeliveryError is seconds as a number, not '60'",
    ),
    "retry_after_set_to_text": (
        "error = DeliveryError('wait')\nerror.retry_after = '60'\nraise error",
        "pending",
        "wait",
    ),
    "retry_after_set_to_nothing_known": (
        "error = DeliveryError('wait')\nerror.retry_after = object()\nraise error",
        "pending",
        "wait",
    ),
    "retry_after_beyond_all_bounds": ("raise DeliveryError('wait', retry_after=10**400)", "pending", "wait"),
    "retry_after_deleted": ("error = DeliveryError('wait')\ndel error.retry_after\nraise error", "pending", "wait"),
    "flags_without_truth": (
        "error = DeliveryError('wait')\nerror.permanent = error.uncertain = NoTruth()\nraise error",
        "pending",
        "wait",
    ),
    "its_own_delivery_error": ("raise Forgetful(17)", "pending", "17"),
    "message_raises": ("raise Speechless", "pending", "Speechless: (its message cannot be read: RuntimeError)"),
    "message_of_a_delivery_error_raises": (
        "raise Mute('x')",
        "pending",
        "(its message cannot be read: ZeroDivisionError)",
    ),
    "message_exits": ("raise Leaving", "pending", "Leaving: (its message cannot be read: SystemExit)"),
    "message_is_not_text": ("raise DeliveryError({'code': object})", "pending", "{'code': <class 'object'>}"),
    "value_that_is_not_json": ("raise ValueError({1, 2}, b'\\xff', object)", "pending", "ValueError: ({1, 2}, b'"),
    "half_a_character": ("raise ValueError('\\ud800')", "pending", "ValueError: \\ud800"),
    "nul": ("raise ValueError('a\\0b')", "pending", "ValueError: a\\x00b"),
    "message_without_end": ("raise ValueError('x' * 50_000_000)", "pending", "ValueError: xxx"),
    "stop_iteration": ("raise StopIteration(1)", "pending", "StopIteration: 1"),
    "interrupt": ("raise KeyboardInterrupt", "pending", "KeyboardInterrupt"),
    "result_is_not_json": ("return object()", "pending", "NotImplementedError: object cannot be recorded"),
    "result_contains_itself": ("answer = []\nanswer.append(answer)\nreturn answer", "pending", "RecursionError: "),
    "result_is_half_a_character": ("return '\\ud800'", "pending", "UnicodeEncodeError: "),
    "result_with_a_key_that_is_not_text": (
        "return {(1, 2): 3}",
        "pending",
        "NotImplementedError: tuple cannot be recorded",
    ),
}
"""By name of the effect: what its delivery does, its status afterwards, and how its error begins."""

HEAD = """
from datetime import timedelta
import msgspec
from pollctl import DeliveryError, Poller, hookimpl

class Settings(msgspec.Struct, frozen=True):
    pass

class Batch(msgspec.Struct, frozen=True):
    keys: tuple[str, ...]

class Ring(msgspec.Struct, frozen=True, tag=True):
    key: str
    reason: str

class NoTruth:
    def __bool__(self):
        raise ValueError("all or any?")

class Forgetful(DeliveryError):
    def __init__(self, code):
        self.args = (code,)

class Speechless(Exception):
    def __str__(self):
        raise RuntimeError("no words")

class Mute(DeliveryError):
    def __str__(self):
        return str(1 / 0)

class Leaving(Exception):
    def __str__(self):
        raise SystemExit(0)

@hookimpl
def pollctl_poller():
    return Poller(
        contract=1, summary="Rings bells.", settings=Settings, batch=Batch, decision=Ring,
        effects={"ring": "keyed", "toll": "hold"},
    )

@hookimpl
def pollctl_fetch(run):
    yield Batch(tuple(DELIVERIES))

@hookimpl
def pollctl_decide(batch):
    return [Ring(key, "it is time") for key in batch.keys]

@hookimpl
def pollctl_apply(db, decisions, run):
    for ring in decisions:
        run.effect("ring", f"{ring.key}-before", {}, lane=f"{ring.key}-before")
        run.effect(KIND, ring.key, {})
        run.effect("ring", f"{ring.key}-after", {}, lane=f"{ring.key}-after")

@hookimpl
def pollctl_deliver(effect):
    if effect.key in DELIVERIES:
        return DELIVERIES[effect.key]()
    with open("arrived.txt", "a") as arrived:
        arrived.write(effect.key + "\\n")
"""


def source(kind: str) -> str:
    """A plugin whose deliveries fail in all ways, each between two sound ones."""
    functions = []
    for name, (body, _, _) in FAILURES.items():
        indented = "\n".join(f"    {line}" for line in body.splitlines())
        functions.append(f"def {name}():\n{indented}\n")
    table = f"DELIVERIES = {{{', '.join(f'{name!r}: {name}' for name in FAILURES)}}}\nKIND = {kind!r}\n"
    return "\n".join([HEAD, *functions, table])


class Rung:
    """What a pass left."""

    def __init__(self, folder: Path, kind: str) -> None:
        env = make_plugin_package(folder, "bells", source(kind))
        write_settings(folder, "[plugins.bells]")
        self.done = run_pollctl(folder, env, "run", "bells", "--json")
        with closing(sqlite3.connect(folder / "pollctl.db")) as db:
            self.rows = {
                key: (status, attempts, error)
                for key, status, attempts, error in db.execute("SELECT key, status, attempts, last_error FROM outbox")
            }
        self.arrived = sorted((folder / "arrived.txt").read_text().split())


@pytest.fixture(scope="module")
def rung(tmp_path_factory: pytest.TempPathFactory) -> Rung:
    """All of them in one pass."""
    return Rung(tmp_path_factory.mktemp("rung"), "ring")


@pytest.mark.parametrize("name", FAILURES)
def test_the_effect_that_failed_is_marked_with_what_can_be_said_of_it(rung: Rung, name: str) -> None:
    _, status, begins = FAILURES[name]
    assert rung.rows[name][:2] == (status, 1)
    said = rung.rows[name][2].removeprefix("deliver raised ")  # of what deliver raises, not of what it answers
    assert said.startswith(begins)
    assert len(rung.rows[name][2]) <= 10_000


def test_what_others_delivered_is_kept(rung: Rung) -> None:
    sound = sorted(f"{name}-{side}" for name in FAILURES for side in ("before", "after"))
    undone = [key for key in sound if rung.rows[key] != ("delivered", 1, None)]
    assert not undone, f"what others delivered was undone: {undone}"
    assert rung.arrived == sound


def test_the_pass_says_how_many_failed_and_nothing_else(rung: Rung) -> None:
    report = json_of(rung.done)
    assert rung.done.returncode == 3
    assert report["outcome"] == "partial"
    assert report["effects"] == {"queued": 3 * len(FAILURES), "delivered": 2 * len(FAILURES), "failed": len(FAILURES)}
    assert "Traceback" not in rung.done.stderr


def test_of_kinds_that_must_not_be_repeated_whatever_may_have_arrived_waits_for_a_person(tmp_path: Path) -> None:
    rung = Rung(tmp_path, "toll")
    known_not_to_have_arrived = {name for name in FAILURES if rung.rows[name][0] == "pending"}
    assert known_not_to_have_arrived == {
        "retry_after_set_to_text",
        "retry_after_set_to_nothing_known",
        "retry_after_beyond_all_bounds",
        "retry_after_deleted",
        "message_of_a_delivery_error_raises",
        "message_is_not_text",
    }
    assert {rung.rows[name][0] for name in FAILURES} == {"pending", "unknown"}


@pytest.mark.parametrize(
    "hook", ["fetch(run):\n    yield Batch(1)", "decide(batch, settings):", "apply(db, decisions, run):"]
)
def test_an_error_without_a_readable_message_fails_its_pass_and_names_the_plugin(tmp_path: Path, hook: str) -> None:
    speechless = "class Speechless(Exception):\n    def __str__(self):\n        raise RuntimeError('no words')\n\n"
    raising = PLAIN.replace(f"def pollctl_{hook}\n", f"def pollctl_{hook}\n    raise Speechless\n")
    assert raising != PLAIN
    env = make_plugin_package(tmp_path, "counter", speechless + raising)
    write_settings(tmp_path, "[plugins.counter]")
    done = run_pollctl(tmp_path, env, "run", "counter", "--json")
    assert done.returncode == 1
    name = hook.partition("(")[0]
    assert f"{name} raised Speechless: (its message cannot be read: RuntimeError)" in json_of(done)["error"]["message"]
    assert "Traceback" not in done.stderr
