"""What a command writes never takes the place of something else (people.md, rule 25)."""

from __future__ import annotations

import os
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest
from place import Place

from pollctl.config import settings
from pollctl.config.target_file import require_new
from pollctl.errors import UsageError

REPORT = ["report", "--out"]
METRICS = ["metrics", "--textfile"]
BACKUP = ["db", "backup"]
FOREIGN = {
    "notes": b"dear diary\n",
    "another page": b'<!doctype html>\n<html lang="en">\n<p>mine</p>\n',
    "other metrics": b"# HELP node_cpu_seconds_total Seconds.\n",
    "another program's database": b"SQLite format 3\0" + bytes(200),
}
OWN = (
    "pollctl.db",
    "pollctl.toml",
    "pollctl.db-wal",
    "pollctl.db-journal",
    "pollctl.db.new",
    "pollctl.db.lock",
    "pollctl.db.latency.lock",
    "hard link",
    "hard link to the settings",
)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    place = Place(tmp_path)
    place.settings("[plugins.latency]")
    place.do("db", "migrate")
    os.link(place.database, tmp_path / "hard link")
    os.link(tmp_path / "pollctl.toml", tmp_path / "hard link to the settings")
    return place


def refused(place: Place, words: list[str], path: Path) -> str:
    """What is said, after nothing of the folder has changed."""
    before = {file.name: file.lstat().st_mtime_ns for file in place.folder.iterdir()}
    done = place.call(*words, str(path))
    assert (done.returncode, done.stdout) == (2, ""), done
    assert {file.name: file.lstat().st_mtime_ns for file in place.folder.iterdir()} == before
    return done.stderr


@pytest.mark.parametrize("words", [METRICS, REPORT, BACKUP], ids=" ".join)
def test_foreign_files_are_refused_and_empty_or_earlier_ones_replaced(place: Place, words: list[str]) -> None:
    path = place.folder / "target"
    for content in FOREIGN.values():
        path.write_bytes(content)
        assert "is there already and is not a " in refused(place, words, path)
        assert path.read_bytes() == content
    path.write_bytes(b"")
    place.do(*words, str(path))
    first = path.read_bytes()
    place.do(*words, str(path))
    assert first
    assert path.read_bytes()[:14] == first[:14]


@pytest.mark.parametrize("words", [METRICS, REPORT, BACKUP], ids=" ".join)
def test_what_is_pollctls_own_is_refused_there_or_not(place: Place, words: list[str]) -> None:
    for name in OWN:
        assert "name another file" in refused(place, words, place.folder / name)


def device(folder: Path) -> Path:
    """A device; root, by whom a mistake of ours would replace that of the machine, gets one of its own."""
    if os.geteuid() != 0:
        return Path("/dev/null")
    path = folder / "device"
    try:
        os.mknod(path, stat.S_IFCHR | 0o600, os.makedev(1, 3))
    except PermissionError:
        pytest.skip("no device can be made here")
    return path


@pytest.mark.parametrize("words", [METRICS, REPORT, BACKUP], ids=" ".join)
def test_devices_pipes_links_and_folders_are_refused(place: Place, words: list[str]) -> None:
    os.mkfifo(place.folder / "pipe")
    (place.folder / "link").symlink_to("anywhere")
    kinds: dict[str | Path, str] = {
        device(place.folder): "a device",
        "pipe": "a pipe",
        "link": "a link",
        ".": "a folder",
    }
    for name, kind in kinds.items():
        assert f"is {kind}, which is not replaced" in refused(place, words, place.folder / name)


def test_a_backup_of_an_earlier_version_is_replaced(place: Place) -> None:
    path = place.folder / "copy.db"
    with closing(sqlite3.connect(path)) as db:
        db.execute(f"PRAGMA application_id={0x706F6C63}")
        db.execute("PRAGMA user_version=0")
        db.execute("CREATE TABLE runs (id)")
    place.do(*BACKUP, str(path))
    assert place.do("--config", "pollctl.toml", "db", "check").endswith("ok\n")


def test_a_dash_is_stdout(place: Place) -> None:
    assert place.do(*METRICS, "-").startswith("# HELP pollctl_")
    copy = place.folder / "copy.db"
    with copy.open("wb") as file:
        assert place.spawn(*BACKUP, "-", stdout=file).returncode == 0
    with closing(sqlite3.connect(copy)) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert db.execute("SELECT count(*) FROM runs").fetchone() == (0,)
    assert not (place.folder / "-").exists()


def test_exports_for_people_replace_nothing_unless_forced(place: Place) -> None:
    config = settings.load(place.folder / "pollctl.toml")
    path = place.folder / "rows.csv"
    require_new(path, config, may_replace=False)
    path.write_text("mine")
    with pytest.raises(UsageError, match="is there already; --force replaces it"):
        require_new(path, config, may_replace=False)
    require_new(path, config, may_replace=True)
    for name in (*OWN, device(place.folder)):
        with pytest.raises(UsageError):
            require_new(place.folder / name, config, may_replace=True)
