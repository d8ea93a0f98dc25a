"""The database file: how it comes to be, what is refused, what a transaction promises (core §4)."""

from __future__ import annotations

import os
import resource
import sqlite3
import stat
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest
from sqlite_utils import Database, Migrations

from pollctl.errors import DatabaseError, PluginError
from pollctl.patience import BUSY_TIMEOUT_S
from pollctl.store import content, database, files, journal


def new_set(name: str, *tables: str) -> Migrations:
    migrations = Migrations(name)
    for number, table in enumerate(tables):

        def step(db: Database, table: str = table) -> None:
            db.execute(f"CREATE TABLE {table} (id INTEGER PRIMARY KEY) STRICT")

        migrations(name=f"m{number:03d}")(step)
    return migrations


def tables(db: Database) -> set[str]:
    return {name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type='table'")}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "poll.db"


def test_a_new_database_is_private_whatever_the_umask(path: Path) -> None:
    before = os.umask(0)
    try:
        database.open_to_write(path).close()
    finally:
        os.umask(before)
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    assert modes == {"poll.db": 0o600, "poll.db.lock": 0o600}


def test_a_database_says_whose_it_is_and_is_safe_against_power_cuts(path: Path) -> None:
    with closing(database.open_to_write(path)) as db:
        pragmas = {
            name: db.execute(f"PRAGMA {name}").fetchone()[0]
            for name in (
                "application_id",
                "user_version",
                "foreign_keys",
                "trusted_schema",
                "synchronous",
                "journal_mode",
                "busy_timeout",
            )
        }
    assert pragmas == {
        "application_id": database.APPLICATION_ID,
        "user_version": 1,
        "foreign_keys": 1,
        "trusted_schema": 0,
        "synchronous": 2,
        "journal_mode": journal.mode().lower(),
        "busy_timeout": BUSY_TIMEOUT_S * 1000,
    }


@pytest.mark.parametrize(
    ("version", "mode"),
    [
        ((3, 40, 1), "TRUNCATE"),
        ((3, 44, 5), "TRUNCATE"),
        ((3, 44, 6), "WAL"),
        ((3, 45, 0), "TRUNCATE"),
        ((3, 50, 6), "TRUNCATE"),
        ((3, 50, 7), "WAL"),
        ((3, 51, 2), "TRUNCATE"),
        ((3, 51, 3), "WAL"),
        ((3, 52, 0), "WAL"),
    ],
)
def test_wal_only_where_sqlite_is_free_of_the_reset_race(version: tuple[int, int, int], mode: str) -> None:
    assert journal.mode(version) == mode


@pytest.fixture
def other_journal(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A database made under another SQLite, one for which another journal is right."""
    database.open_to_write(path).close()
    other = "TRUNCATE" if journal.mode() == "WAL" else "WAL"
    monkeypatch.setattr(journal, "mode", lambda: other)


@pytest.mark.usefixtures("other_journal")
def test_a_change_of_the_journal_waits_for_a_next_time_while_others_read(path: Path) -> None:
    with closing(database.open_to_read(path)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM runs").fetchall()
        began = time.monotonic()
        database.open_to_write(path).close()
        assert time.monotonic() - began < BUSY_TIMEOUT_S / 2, "it waited for the reader"
    with closing(database.open_to_write(path)) as db:
        assert db.execute("PRAGMA journal_mode").fetchone() == (journal.mode().lower(),)


@pytest.mark.usefixtures("other_journal")
def test_a_disk_that_fails_while_the_journal_changes_is_named(path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1024, before[1]))
    try:
        with pytest.raises(DatabaseError, match=r"poll\.db: .*a limit on the size of files"):
            database.open_to_write(path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    with closing(database.open_to_write(path)) as db:
        assert content.problems(db) == []


def test_an_empty_file_is_refused_where_a_database_is_expected(path: Path) -> None:
    path.touch()
    with pytest.raises(DatabaseError, match="empty or cut-off file where a database is expected"):
        database.open_to_write(path)
    assert path.stat().st_size == 0


def test_another_programs_database_is_refused_and_left_untouched(path: Path) -> None:
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE theirs (x)")
    before = path.read_bytes()
    for open_it in (database.open_to_write, database.open_to_read):
        with pytest.raises(DatabaseError, match="belongs to another program"):
            open_it(path)
    assert path.read_bytes() == before


def test_a_newer_user_version_is_refused_and_left_untouched(path: Path) -> None:
    database.open_to_write(path).close()
    with closing(sqlite3.connect(path)) as newer:
        newer.execute("PRAGMA user_version=2")
    before = path.read_bytes()
    with pytest.raises(DatabaseError, match=r"newer pollctl \(database version 2, this one knows 1\); update pollctl"):
        database.open_to_write(path)
    assert path.read_bytes() == before


def test_an_unknown_migration_means_newer_and_is_refused(path: Path) -> None:
    database.open_to_write(path, [new_set("weather", "weather_a", "weather_b")]).close()
    with pytest.raises(DatabaseError, match=r"newer weather \(it has m001, unknown here\)"):
        database.open_to_write(path, [new_set("weather", "weather_a")])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"not a database at all" * 400, r"poll\.db: .*not a database.*set pollctl\.database to another"),
        (b"x", r"poll\.db: an empty or cut-off file"),
    ],
    ids=["long rubbish", "one byte"],
)
def test_a_file_that_is_no_database_is_refused_by_name(path: Path, content: bytes, message: str) -> None:
    path.write_bytes(content)
    with pytest.raises(DatabaseError, match=message):
        database.open_to_write(path)
    assert path.read_bytes() == content


def test_a_missing_folder_is_named_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(DatabaseError, match=r"there is no folder .*nowhere; create it, or set pollctl\.database"):
        database.open_to_write(tmp_path / "nowhere" / "poll.db")


def test_reading_never_creates_a_database(path: Path) -> None:
    with pytest.raises(DatabaseError, match="no database yet"):
        database.open_to_read(path)
    assert not path.exists()


def test_pending_migrations_are_applied_in_the_order_of_the_plugins_names(path: Path) -> None:
    sets = [new_set("zebra", "zebra_t"), new_set("ant", "ant_t")]
    database.open_to_write(path, sets).close()
    with closing(database.open_to_read(path)) as db:
        order = [row[0] for row in db.execute("SELECT DISTINCT migration_set FROM _sqlite_migrations ORDER BY id")]
    assert order == ["pollctl", "ant", "zebra"]


def test_a_migration_that_fails_leaves_nothing_behind(path: Path) -> None:
    database.open_to_write(path).close()
    broken = new_set("weather", "weather_a")

    @broken()
    def m999_breaks(db: Database) -> None:
        db.execute("CREATE TABLE weather_b (x) STRICT")

    with pytest.raises(PluginError, match="'weather' raised OperationalError"):
        database.open_to_write(path, [broken])
    with closing(database.open_to_read(path)) as db:
        assert not {"weather_a", "weather_b"} & tables(db)


def test_a_plan_without_a_database_works_on_an_empty_one_in_memory(path: Path) -> None:
    with closing(database.open_to_plan(path, [new_set("weather", "weather_a")])) as db:
        assert {"runs", "weather_a"} <= tables(db)
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            db.execute("INSERT INTO weather_a DEFAULT VALUES")
    assert not path.exists()


def test_a_plan_on_an_older_database_migrates_a_copy_and_not_the_file(path: Path) -> None:
    with closing(database.open_to_write(path, [new_set("weather", "weather_a")])) as db, database.writing(db):
        db.execute("INSERT INTO weather_a VALUES (7)")
    before = path.read_bytes()
    with closing(database.open_to_plan(path, [new_set("weather", "weather_a", "weather_b")])) as db:
        assert "weather_b" in tables(db)
        assert db.execute("SELECT id FROM weather_a").fetchone() == (7,)
    assert path.read_bytes() == before


def test_a_transaction_is_committed_whole_or_not_at_all(path: Path) -> None:
    with closing(database.open_to_write(path, [new_set("weather", "weather_a")])) as db:
        with pytest.raises(ZeroDivisionError), database.writing(db):
            db.execute("INSERT INTO weather_a VALUES (1)")
            _ = 1 / 0
        assert db.execute("SELECT count(*) FROM weather_a").fetchone() == (0,)


def test_a_transaction_that_was_ended_inside_is_an_error(path: Path) -> None:
    with (
        closing(database.open_to_write(path)) as db,
        pytest.raises(DatabaseError, match="ended inside"),
        database.writing(db),
    ):
        db.conn.execute("ROLLBACK")


def test_a_transaction_begins_immediate_so_that_a_second_writer_waits_at_the_start(path: Path) -> None:
    with closing(database.open_to_write(path)) as db, closing(sqlite3.connect(path, timeout=0)) as other:
        with database.writing(db), pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")


def test_a_backup_is_whole_private_and_replaces_the_last_one(path: Path, tmp_path: Path) -> None:
    target = tmp_path / "copy.db"
    target.write_bytes(b"the last backup")
    with closing(database.open_to_write(path)) as db:
        files.backup(db, target)
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    with closing(database.open_to_read(target)) as copy:
        assert content.problems(copy) == []
    assert sorted(file.name for file in tmp_path.iterdir()) == ["copy.db", "poll.db", "poll.db.lock"]


def test_a_half_written_transaction_is_undone_by_the_next_reader(path: Path) -> None:
    script = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from pollctl.store import database\n"
        "db = database.open_to_write(Path(sys.argv[1]))\n"
        "db.execute('PRAGMA cache_size=1')\n"
        "db.execute('BEGIN IMMEDIATE')\n"
        "for n in range(2000):\n"
        "    db.execute('INSERT INTO holds VALUES (?,?,?)', ('x', str(n) * 50, 'never'))\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", script, str(path)], check=False)
    beside = "wal" if journal.mode() == "WAL" else "journal"
    assert path.with_name(f"poll.db-{beside}").stat().st_size > 0
    with closing(database.open_to_read(path)) as db:
        assert db.execute("SELECT count(*) FROM holds").fetchone() == (0,)
        assert content.problems(db) == []


def test_a_crash_while_the_database_is_made_leaves_nothing_that_stops_the_next_try(path: Path) -> None:
    path.with_name("poll.db.new").write_bytes(b"half a database")
    path.with_name("poll.db.new-journal").write_bytes(b"half a journal")
    with closing(database.open_to_write(path)) as db:
        assert content.problems(db) == []
    assert sorted(file.name for file in path.parent.iterdir()) == ["poll.db", "poll.db.lock"]


def test_many_processes_may_make_the_same_database_at_once(path: Path) -> None:
    script = "import sys; from pathlib import Path; from pollctl.store import database; database.open_to_write(Path(sys.argv[1])).close()"
    children = [subprocess.Popen([sys.executable, "-c", script, str(path)], stderr=subprocess.PIPE) for _ in range(6)]
    assert [child.communicate()[1] for child in children] == [b""] * 6
    with closing(database.open_to_read(path)) as db:
        assert content.problems(db) == []
