"""The idle case of ``due --run``: it knows that nothing is due, or it takes the full way (core §3)."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from core.due.idle import PLAIN_RUN, YEARLY, Idle, age

from pollctl import clock
from pollctl.config.places import find
from pollctl.config.settings import load
from pollctl.due import fast_path, selection, state
from pollctl.errors import ConfigError
from pollctl.store import migrations
from pollctl.store.database import APPLICATION_ID

pytestmark = pytest.mark.slow


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Idle:
    monkeypatch.chdir(tmp_path)
    return Idle(tmp_path)


def test_after_a_pass_nothing_is_due_until_the_next_slot(place: Idle) -> None:
    assert place.is_idle()
    ((due_at, reckoned_at),) = place.sql("SELECT due_at, reckoned_at FROM next_due")
    assert str(due_at).endswith("-12-31T15:00:00.000Z")
    assert str(reckoned_at) <= clock.to_text(clock.now()) < str(due_at)


def test_a_settings_file_named_by_option_or_variable_is_answered_for_from_anywhere(
    place: Idle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir("/")
    assert not place.is_idle()
    assert place.is_idle("--config", str(place.settings_file), *PLAIN_RUN)
    assert place.is_idle(*PLAIN_RUN, POLLCTL_CONFIG=str(place.settings_file))


@pytest.mark.parametrize(
    "arguments",
    [
        ("due",),
        ("due", "--run", "--json"),
        ("--debug", "due", "--run"),
        ("due", "--run", "--help"),
        ("run", "due", "--run"),
        ("--config", "", "due", "--run"),
        ("--config=pollctl.toml", "due", "--run"),
    ],
    ids=" ".join,
)
def test_any_other_command_line_takes_the_full_way(place: Idle, arguments: tuple[str, ...]) -> None:
    assert not place.is_idle(*arguments)


def same_size_and_mtime(place: Idle) -> None:
    before = place.settings_file.stat()
    text = place.settings_file.read_text()
    place.settings_file.write_text(text.replace("0 0 1 1 *", "* * * * *"))
    os.utime(place.settings_file, ns=(before.st_atime_ns, before.st_mtime_ns))


def replaced_by_a_copy(place: Idle) -> None:
    copy = place.folder / "copy.db"
    shutil.copy2(place.database, copy)
    copy.replace(place.database)


def a_zone_appears(place: Idle) -> None:
    (place.folder / "zones/Asia").mkdir(parents=True)
    shutil.copy2("/usr/share/zoneinfo/UTC", place.folder / "zones/Asia/Tokyo")


DOUBTS: dict[str, Callable[[Idle], object]] = {
    "settings changed": lambda place: place.settings_file.write_text("[pollctl]\n"),
    "settings changed, size and mtime kept": same_size_and_mtime,
    "settings gone": lambda place: place.settings_file.unlink(),
    "settings unreadable as UTF-8": lambda place: place.settings_file.write_bytes(b'[pollctl]\ndatabase = "\xff"\n'),
    "settings larger than any": lambda place: place.settings_file.write_text("#" * 1_000_001),
    "database gone": lambda place: place.database.unlink(),
    "database replaced by a copy": replaced_by_a_copy,
    "database no database": lambda place: place.database.write_text("not at all"),
    "row missing": lambda place: place.sql("DELETE FROM next_due"),
    "table missing": lambda place: place.sql("DROP TABLE next_due"),
    "the moment has come": lambda place: place.sql("UPDATE next_due SET due_at='2026-01-01T00:00:00.000Z'"),
    "clock stepped back": lambda place: place.sql("UPDATE next_due SET reckoned_at='2999-01-01T00:00:00.000Z'"),
    "another machine": lambda place: place.sql("UPDATE next_due SET fingerprint=replace(fingerprint, char(10), '')"),
    "a nearer zone file appears": a_zone_appears,
}


@pytest.mark.parametrize("change", DOUBTS.values(), ids=DOUBTS.keys())
def test_any_doubt_takes_the_full_way(place: Idle, change: Callable[[Idle], object]) -> None:
    assert place.is_idle()
    change(place)
    assert not place.is_idle()


@pytest.mark.parametrize("variable", ["POLLCTL_NOW", "POLLCTL_CONFIG", "PYTHONPATH", "PYTHONTZPATH"])
def test_another_environment_takes_the_full_way(place: Idle, variable: str) -> None:
    assert not place.is_idle(**{variable: "2026-01-01T00:00:00Z"})


@pytest.mark.parametrize("part", ["version", "prefix", "code folder", "host"])
def test_every_line_of_the_head_counts(place: Idle, part: str) -> None:
    number = {"version": 1, "prefix": 2, "code folder": 3, "host": 4}[part]
    ((text,),) = place.sql("SELECT fingerprint FROM next_due")
    lines = str(text).split("\n")
    lines[number] += "x"
    with closing(sqlite3.connect(place.database)) as connection, connection:
        connection.execute("UPDATE next_due SET fingerprint=?", ("\n".join(lines),))
    assert not place.is_idle()


def test_the_code_that_reckons_is_part_of_the_fingerprint(place: Idle) -> None:
    ((text,),) = place.sql("SELECT fingerprint FROM next_due")
    for module in (
        "croniter/croniter.py",
        "pollctl/schedule/evaluation.py",
        "pollctl/due/selection.py",
        "pollctl/config/settings.py",
    ):
        assert f"/{module}" in str(text)


def test_a_copy_that_another_line_names_is_not_taken_for_the_database(place: Idle) -> None:
    """The scan is misled by a text over several lines, towards a backup that has the row."""
    place.sql("DELETE FROM next_due")
    place.settings_file.write_text(
        '[plugins.counter]\nschedule = "0 0 1 1 *"\nword = """\n[pollctl]\ndatabase = "decoy.db"\n"""\n'
    )
    age()
    place.due_run()
    ((count,),) = place.sql("SELECT count(*) FROM next_due")
    shutil.copy2(place.database, place.folder / "decoy.db")
    assert count == 1
    assert fast_path.guess_database(str(place.settings_file)).endswith("/decoy.db")
    assert not place.is_idle()


def test_a_hand_started_pass_lets_the_next_moment_be_reckoned_anew(place: Idle) -> None:
    assert place.call("run", "counter").returncode == 0
    assert not place.is_idle()
    place.due_run()
    assert place.is_idle()


REMEMBER = """
import sqlite3, sys
from pollctl import clock
from pollctl.config import places, settings
from pollctl.due import selection as due
found = settings.load(places.find(None))
evaluation = due.evaluate(found, clock.now())
with sqlite3.connect(found.core.database) as connection:
    connection.execute("DELETE FROM next_due")
    connection.execute(sys.argv[1])
connection.close()
due.remember(found, evaluation)
"""


@pytest.mark.parametrize(
    ("meanwhile", "is_idle"), [("SELECT 1", True), ("UPDATE schedules SET last_outcome='failed'", False)]
)
def test_a_pass_that_wrote_after_the_reckoning_wins(place: Idle, meanwhile: str, *, is_idle: bool) -> None:
    subprocess.run([sys.executable, "-c", REMEMBER, meanwhile], env=place.env, check=True)
    assert place.is_idle() is is_idle
    assert bool(place.sql("SELECT * FROM next_due")) is is_idle


def test_settings_younger_than_the_process_are_not_relied_on(place: Idle) -> None:
    place.settings_file.touch()
    place.sql("DELETE FROM next_due")
    found = load(place.settings_file)
    selection.remember(found, selection.evaluate(found, clock.now()))
    assert place.sql("SELECT * FROM next_due") == []


def test_nothing_is_remembered_of_a_rehearsal(place: Idle) -> None:
    place.sql("DELETE FROM next_due")
    place.due_run(now=clock.to_text(clock.now()))
    assert place.sql("SELECT * FROM next_due") == []


def test_a_plugin_with_wrong_settings_leaves_nothing_to_be_idle_about(place: Idle) -> None:
    place.settings(YEARLY, '[plugins.other]\nschedule = "nonsense"')
    age()
    for _ in range(2):
        place.due_run(code=1)
        assert not place.is_idle()


def test_reading_does_not_create_or_change_anything(place: Idle) -> None:
    def files() -> dict[str, int]:
        paths = [path for path in place.folder.iterdir() if not path.name.endswith(("-shm", "-wal"))]
        return {path.name: path.stat().st_mtime_ns for path in paths}

    before = files()
    assert place.is_idle()
    assert files() == before


PLACES = ("HOME", "XDG_CONFIG_HOME", "POLLCTL_CONFIG")


@pytest.mark.parametrize(
    "values", [("h", "x", ""), ("h", "", ""), ("", "x", ""), ("", "", ""), ("h", "x", "named.toml")]
)
@pytest.mark.parametrize("present", [(), ("home",), ("xdg",), ("here",), ("home", "xdg", "here"), ("dangling",)])
@pytest.mark.parametrize("is_xdg_relative", [False, True])
def test_the_settings_file_is_found_as_config_finds_it(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    values: tuple[str, str, str],
    present: tuple[str, ...],
    is_xdg_relative: bool,
) -> None:
    monkeypatch.chdir(tmp_path)
    home, xdg, named = values
    environ = {"HOME": home and str(tmp_path / home), "POLLCTL_CONFIG": named}
    environ["XDG_CONFIG_HOME"] = xdg if is_xdg_relative else xdg and str(tmp_path / xdg)
    files = {"home": "h/.config/pollctl/config.toml", "xdg": "x/pollctl/config.toml", "here": "pollctl.toml"}
    for name in present:
        path = tmp_path / files.get(name, "pollctl.toml")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to("nowhere") if name == "dangling" else path.touch()
    try:
        found = find(None, environ)
    except ConfigError:
        found = None
    assert fast_path.find("", environ) == (str(found.absolute()) if found else "")


SETTINGS = {
    'database = "plain.db"': True,
    "database='single.db'  # with a comment": True,
    '  database  =  "sub/folder.db"': True,
    'database = "/absolute.db"': True,
    'database = "../up.db"': True,
    "# database = 'comment.db'": True,
    "": True,
    'database = "ünï cödé #1?%20.db"': True,
    r'database = "esc\u0061ped.db"': False,
    'database = """\nlines.db"""': False,
    'database_url = "x"\ndatabase = "plain.db"': True,
    '"database" = "quoted-key.db"': None,
    'database."x" = 1': None,
}


@pytest.mark.parametrize(("line", "is_known"), SETTINGS.items(), ids=SETTINGS.keys())
def test_a_guessed_database_is_that_of_the_settings_or_none(tmp_path: Path, line: str, is_known: bool | None) -> None:
    """None marks what is guessed wrong or is an error: there no row can fit, as the tests above show."""
    path = tmp_path / "pollctl.toml"
    path.write_text(f'[pollctl]\n{line}\n[plugins.counter]\ndatabase = "own.db"\n')
    guessed = fast_path.guess_database(str(path))
    try:
        real = str(load(path).core.database)
    except ConfigError:
        return
    assert (guessed == real) is bool(is_known)
    assert bool(guessed) is (is_known is not False)


def test_a_database_with_odd_characters_in_its_name_is_opened(tmp_path: Path) -> None:
    path = tmp_path / "a #1?b%20 ü.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE found (yes)")
    with closing(sqlite3.connect(fast_path.connect_address(str(path), "ro"), uri=True)) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("found",)]


def test_the_marks_of_the_database_are_those_of_the_store() -> None:
    assert (state.APPLICATION_ID, state.USER_VERSION) == (APPLICATION_ID, migrations.USER_VERSION)
