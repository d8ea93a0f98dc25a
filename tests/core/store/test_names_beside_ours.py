"""Files beside the database and its copies: whose they are, which go, and which are never touched (reliability, second attack)."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest
from journals import choosing, in_both_journals, take
from plugin_package import Env, json_of, make_plugin_package, spawn_pollctl, write_settings
from sample_plugin import PLAIN

from pollctl.config import settings
from pollctl.errors import DatabaseError
from pollctl.store import content, database, files, lock

BACKUP = """
import sys
from pathlib import Path
from pollctl.store import database, files

source, target, stop = sys.argv[1:]
db = database.open_to_read(Path(source))
if stop == "within":
    def halved(conn, unfinished, on_part):
        unfinished.write_bytes(Path(source).read_bytes()[:5000])
        print("there", flush=True)
        sys.stdin.readline()
    files._copy = halved
    files.backup(db, Path(target))
else:
    copied = files._sync
    def sync(path):
        print("there", flush=True)
        sys.stdin.readline()
        files._sync = copied
        copied(path)
    files._sync = sync
    files.backup(db, Path(target))
"""

DIES = """
import os, signal, sys
from pathlib import Path
from pollctl.store import database

db = database.open_to_write(Path(sys.argv[1]))
db.execute("PRAGMA cache_size=1")
for is_over in (True, False):
    db.execute("BEGIN IMMEDIATE")
    for number in range(2000):
        db.execute("INSERT INTO holds VALUES (?,?,?)", ("x", f"{is_over}{number}" * 50, "never"))
    if is_over:
        db.execute("COMMIT")
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "pollctl.db"


def backing_up(source: Path, target: Path, stop: str) -> subprocess.Popen[str]:
    """A backup that has come to a certain point and waits there for a line."""
    command = [sys.executable, "-c", BACKUP, str(source), str(target), stop]
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdout.readline() == "there\n"
    return child


def is_whole(copy: Path) -> bool:
    with closing(database.open_to_read(copy)) as db:
        return content.problems(db) == [] and bool(db.execute("SELECT count(*) FROM runs").fetchone())


@in_both_journals
def test_two_backups_to_one_file_do_not_disturb_each_other(
    path: Path, tmp_path: Path, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    take(mode, monkeypatch)
    target = tmp_path / "copy.db"
    with closing(database.open_to_write(path)) as db:
        files.backup(db, target)
    earlier = target.read_bytes()
    first = backing_up(path, target, "before the end")
    second = backing_up(path, target, "within")
    assert target.read_bytes() == earlier, "the earlier copy stands until then"
    first.communicate("go\n")
    assert first.returncode == 0
    assert is_whole(target), "what the other had written by then was taken for the copy"
    second.kill()
    second.communicate()
    assert is_whole(target)


def test_a_killed_backup_leaves_the_earlier_copy_and_the_next_day_cleans_up(path: Path, tmp_path: Path) -> None:
    target = tmp_path / "copy.db"
    target.write_bytes(b"the earlier copy")
    database.open_to_write(path).close()
    killed = backing_up(path, target, "within")
    killed.kill()
    killed.communicate()
    assert target.read_bytes() == b"the earlier copy"
    (leftover,) = tmp_path.glob("copy.db.part-*")
    foreign = [
        tmp_path / name for name in ("copy.db.part", "copy.db.part-of-mine", f"{leftover.name}.txt", "copy.db.new")
    ]
    for file in foreign:
        file.write_bytes(b"mine")
    with closing(database.open_to_read(path)) as db:
        files.backup(db, target)
        assert leftover.exists(), "it may still be at work"
        for file in (leftover, *foreign):
            os.utime(file, (time.time() - 90_000,) * 2)
        files.backup(db, target)
    assert not leftover.exists()
    assert all(file.exists() for file in foreign)
    assert is_whole(target)


def test_a_backup_that_fails_leaves_nothing_behind(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: Path) -> None:
        raise OSError(28, "No space left on device")

    with closing(database.open_to_write(path)) as db:
        monkeypatch.setattr(files, "_sync", full)
        with pytest.raises(OSError, match="No space"):
            files.backup(db, tmp_path / "copy.db")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["pollctl.db", "pollctl.db.lock"]


@in_both_journals
def test_the_journals_of_a_database_that_was_removed_are_not_played_into_the_next(path: Path, mode: str) -> None:
    env = choosing(os.environ, mode)
    subprocess.run([sys.executable, "-c", DIES, str(path)], check=False, env=env)
    journal = path.with_name(f"pollctl.db-{'wal' if mode == 'WAL' else 'journal'}")
    assert journal.stat().st_size > 0
    path.unlink()
    with closing(database.open_to_write(path)) as db:
        assert content.problems(db) == []
        assert db.execute("SELECT count(*) FROM holds").fetchone() == (0,)
    assert not [name for name in path.parent.iterdir() if name.suffix in (".db-journal", ".db-wal", ".db-shm")]


def test_creation_removes_its_own_leftovers_and_no_file_that_only_begins_like_them(path: Path) -> None:
    own = [path.with_name(f"pollctl.db.new{suffix}") for suffix in ("", "-journal", "-wal", "-shm")]
    foreign = [
        path.with_name(f"pollctl.db{suffix}") for suffix in (".new-from-backup", ".newer", "-wal-of-tuesday", ".bak")
    ]
    for file in (*own, *foreign):
        file.write_bytes(b"something")
    database.open_to_write(path).close()
    assert not any(file.exists() for file in own)
    assert [file.read_bytes() for file in foreign] == [b"something"] * len(foreign)


@pytest.fixture
def env(tmp_path: Path) -> Env:
    write_settings(tmp_path, "[plugins.counter]")
    return make_plugin_package(tmp_path, "counter", PLAIN)


@pytest.mark.parametrize("name", ["pollctl.db.counter.lock", "pollctl.db.lock"])
@pytest.mark.parametrize("is_there", [True, False], ids=["to a file", "to nothing"])
def test_a_lock_file_that_is_a_link_is_not_followed(tmp_path: Path, env: Env, name: str, is_there: bool) -> None:
    victim = tmp_path / "victim"
    if is_there:
        victim.write_text("precious")
    (tmp_path / name).symlink_to(victim)
    done = spawn_pollctl(tmp_path, env, "run", "counter")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert f"{tmp_path / name}: is a symbolic link" in done.stderr
    assert "remove it" in done.stderr
    assert victim.read_text() == "precious" if is_there else not victim.exists()


def test_asking_who_holds_a_lock_follows_no_link_either_and_waits_for_no_pipe(tmp_path: Path) -> None:
    link, pipe = tmp_path / "link.lock", tmp_path / "pipe.lock"
    link.symlink_to(tmp_path / "victim")
    os.mkfifo(pipe)
    with pytest.raises(DatabaseError, match="is a symbolic link"):
        lock.holder(link)
    assert lock.holder(pipe) is None


@pytest.fixture
def linked(tmp_path: Path, env: Env) -> tuple[Path, Path]:
    """Two settings files: one names the database, the other a link to it that lies elsewhere."""
    spawn_pollctl(tmp_path, env, "db", "migrate")
    other = tmp_path / "elsewhere"
    other.mkdir()
    (other / "linked.db").symlink_to(tmp_path / "pollctl.db")
    (other / "pollctl.toml").write_text('[pollctl]\ndatabase = "linked.db"\n[plugins.counter]\n')
    return tmp_path / "pollctl.toml", other / "pollctl.toml"


def test_a_database_with_two_names_has_one_set_of_locks(tmp_path: Path, env: Env, linked: tuple[Path, Path]) -> None:
    first, second = linked
    path = settings.load(first).core.database
    assert settings.load(second).core.database == path
    with lock.held(lock.lock_path(path, "counter"), run_id="the first"):
        done = spawn_pollctl(tmp_path, env, f"--config={second}", "run", "counter")
    assert done.returncode == 75
    assert spawn_pollctl(tmp_path, env, f"--config={second}", "run", "counter").returncode == 0
    assert sorted(file.name for file in second.parent.iterdir()) == ["linked.db", "pollctl.toml"]
    assert len(json_of(spawn_pollctl(tmp_path, env, f"--config={first}", "history", "--json"))) == 1


def test_a_link_to_a_database_that_is_not_there_yet_is_not_replaced_by_it(tmp_path: Path, env: Env) -> None:
    (tmp_path / "pollctl.db").symlink_to(tmp_path / "real.db")
    assert spawn_pollctl(tmp_path, env, "run", "counter").returncode == 0
    assert (tmp_path / "pollctl.db").is_symlink()
    assert is_whole(tmp_path / "real.db")
