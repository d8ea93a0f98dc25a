"""Many at once: of fifty starts of one plugin one works and the others exit 75; backups during passes are whole.

``POLLCTL_CAMPAIGN=full``: 100 rounds and 100 backups; otherwise two and four.
"""

from __future__ import annotations

import os
import re
import sqlite3
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from campaign import figure, size
from plugin_package import command, make_plugin_package, spawn_pollctl, write_settings

ROUNDS = size(2, 100)
BACKUPS = size(4, 100)
STARTS = 50
PATIENCE_S = 240

SOURCE = """
import time
from pathlib import Path
import msgspec
from pollctl import Poller, hookimpl

class Batch(msgspec.Struct, frozen=True):
    number: int

class Seen(msgspec.Struct, frozen=True, tag=True):
    number: int
    reason: str

class Settings(msgspec.Struct, frozen=True):
    batches: int = 1

@hookimpl
def pollctl_poller():
    return Poller(
        contract=1, summary="Waits for a file.", settings=Settings, batch=Batch, decision=Seen, effects={"word": "resend"}
    )

@hookimpl
def pollctl_fetch(run):
    while not Path("go").exists() and not run.is_stopping:
        time.sleep(0.02)
    for number in range(run.settings.batches):
        time.sleep(0.005)
        yield Batch(number)

@hookimpl
def pollctl_decide(batch):
    return [Seen(batch.number, "seen")]

@hookimpl
def pollctl_apply(db, decisions, run):
    run.count(seen=len(decisions))
    for seen in decisions:
        run.effect("word", f"{run.id}:{seen.number}", {"text": "x" * 500}, lane=str(seen.number))

@hookimpl
def pollctl_deliver(effect, run):
    return {}
"""
"""A plugin whose passes wait for the file ``go`` and then queue one effect in each of their transactions."""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]


def start_at_once(folder: Path, env: dict[str, str]) -> list[subprocess.Popen[str]]:
    """Fifty passes, all let go in the same moment."""
    gate, opened = os.pipe()
    words = ["/bin/sh", "-c", 'read go; exec "$@" </dev/null', "sh", *command("run", "turnstile")]
    starts = [
        subprocess.Popen(
            words, cwd=folder, env=env, stdin=gate, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        for _ in range(STARTS)
    ]
    os.close(gate)
    os.close(opened)
    return starts


def await_losers(starts: list[subprocess.Popen[str]]) -> None:
    give_up_at = time.monotonic() + PATIENCE_S
    while sum(start.poll() is None for start in starts) > 1:
        assert time.monotonic() < give_up_at, "more than one is still at work"
        time.sleep(0.02)


@contextmanager
def ending(starts: list[subprocess.Popen[str]]) -> Iterator[None]:
    try:
        yield
    finally:
        for start in starts:
            start.kill()
            start.communicate()


def query(database: Path, sql: str) -> list[Any]:
    with closing(sqlite3.connect(database, timeout=20)) as db:
        return db.execute(sql).fetchall()


def test_of_fifty_starts_at_once_one_works_and_the_others_say_who(tmp_path: Path) -> None:
    env = make_plugin_package(tmp_path, "turnstile", SOURCE)
    write_settings(tmp_path, f'[plugins.turnstile]\ndeadline = "{PATIENCE_S}s"')
    for number in range(1, ROUNDS + 1):
        (tmp_path / "go").unlink(missing_ok=True)
        starts = start_at_once(tmp_path, env)
        with ending(starts):
            await_losers(starts)
            (tmp_path / "go").touch()
            told = [start.communicate(timeout=PATIENCE_S)[1] for start in starts]
            codes = [start.returncode for start in starts]
            assert sorted(codes) == [0] + [75] * (STARTS - 1), told
            winner = starts[codes.index(0)].pid
            who = rf"pollctl: pollctl\.db\.turnstile\.lock is held by another pass \(pid ({winner}|0), run .*\)\n"
            assert all(re.fullmatch(who, said) for said, code in zip(told, codes, strict=True) if code), told
        assert query(tmp_path / "pollctl.db", "SELECT outcome, count(*) FROM runs GROUP BY 1") == [("ok", number)]
    figure(f"overlap: {ROUNDS} rounds of {STARTS} starts at once; in each one worked and {STARTS - 1} exit 75")


def test_a_backup_during_passes_is_whole(tmp_path: Path) -> None:
    env = make_plugin_package(tmp_path, "turnstile", SOURCE)
    write_settings(tmp_path, "[plugins.turnstile]\nbatches = 150")
    (tmp_path / "go").touch()
    assert spawn_pollctl(tmp_path, env, "db", "migrate").returncode == 0
    is_over = threading.Event()
    endings: list[int] = []

    def pass_after_pass() -> None:
        while not is_over.is_set():
            endings.append(spawn_pollctl(tmp_path, env, "run", "turnstile").returncode)

    passes = threading.Thread(target=pass_after_pass)
    passes.start()
    try:
        sizes = [check_backup(tmp_path, env, tmp_path / f"backup-{number}.db") for number in range(BACKUPS)]
    finally:
        is_over.set()
        passes.join()
    assert set(endings) == {0}, "a backup disturbed a pass"
    assert sizes == sorted(sizes)
    assert len(set(sizes)) > BACKUPS / 2, f"the passes hardly wrote anything meanwhile: {sizes}"
    figure(f"overlap: {BACKUPS} backups during {len(endings)} passes, all whole; the last holds {sizes[-1]} effects")


def check_backup(folder: Path, env: dict[str, str], copy: Path) -> int:
    """Make a backup and look into it: sound, private, and between two transactions; answers how many effects it holds."""
    done = spawn_pollctl(folder, env, "db", "backup", str(copy))
    assert done.returncode == 0, done.stderr
    assert copy.stat().st_mode & 0o777 == 0o600
    assert query(copy, "PRAGMA integrity_check") == [("ok",)]
    ((effects, counted, seen),) = query(
        copy, "SELECT (SELECT count(*) FROM outbox), total(effects), total(stats ->> 'seen') FROM runs"
    )
    assert effects == counted == seen, "a copy from the midst of a transaction"
    with suppress(FileNotFoundError):
        copy.unlink()
    return int(effects)
