"""A command that writes is for the owner of the database; who looks may be another (people.md, rule 23)."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest
from other_users import NOBODY, as_root, run_as_nobody
from place import Place

from pollctl.store.lock import held, lock_path

pytestmark = [as_root, pytest.mark.slow]
WRITING = [
    "run plain",
    "run plain other",
    "due --run",
    "db migrate",
    "db prune",
    "outbox retry 1",
    "outbox drop 1",
    "latency add 127.0.0.1",
]
LOOKING = [
    "status",
    "metrics",
    "report",
    "history",
    "show latest",
    "why",
    "due",
    "check",
    "outbox list",
    "db check",
    "plan plain",
    "db backup copy.db",
    "latency jobs",
    "replay",
]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A folder and a database of `nobody`, with a pass behind each of two plugins."""
    place = Place(tmp_path)
    place.plugin("plain")
    place.plugin("other")
    place.settings("[plugins.plain]", "[plugins.other]", "[plugins.latency]")
    place.do("run", "plain", now="2026-03-02T09:00:00Z")
    place.do("run", "other", now="2026-03-02T09:00:00Z")
    for path in (tmp_path, *tmp_path.glob("pollctl.db*")):
        os.chown(path, NOBODY, NOBODY)
    return place


def owners(place: Place) -> dict[str, tuple[int, int]]:
    return {path.name: (path.stat().st_uid, path.stat().st_gid) for path in place.folder.glob("pollctl.db*")}


@pytest.mark.parametrize("words", WRITING)
def test_a_command_that_writes_is_refused_with_the_remedy_and_writes_nothing(place: Place, words: str) -> None:
    before = place.database.read_bytes(), beside(place)
    done = place.call(*words.split())
    assert done.returncode == 2, done
    (line,) = done.stderr.splitlines()
    assert line.startswith(
        f"pollctl: {place.database}: the database belongs to nobody (uid {NOBODY}, gid {NOBODY}), mode 0600"
    )
    assert line.endswith("and you are root; write to it as its owner: `sudo -u nobody pollctl ...`")
    assert (place.database.read_bytes(), beside(place)) == before


def beside(place: Place) -> list[Path]:
    """What lies in the folder, which is a home too; the state folder in it has the stamps of what was said."""
    return sorted(path for path in place.folder.iterdir() if path.name != ".local")


def test_commands_that_only_read_work_for_root_and_leave_nothing_of_root(place: Place) -> None:
    settings = place.folder / "pollctl.toml"
    os.chown(settings, NOBODY, NOBODY)
    for words in LOOKING:
        if words != "plan plain":  # which acts by the settings: it asks upstreams with their secrets
            done = place.call("--config", str(settings), *words.split())
            assert done.returncode == 0, (words, done)
    assert set(owners(place).values()) == {(NOBODY, NOBODY)}


def test_root_writes_nothing_by_settings_of_others_through_a_plugin(place: Place) -> None:
    settings = place.folder / "pollctl.toml"
    os.chown(settings, NOBODY, NOBODY)
    done = place.call("--config", str(settings), "latency", "add", "127.0.0.1")
    assert done.returncode == 2
    assert ": not obeyed: it belongs to nobody (uid 65534, gid 65534), mode 0644, and you are root: " in done.stderr
    assert "`sudo -u nobody pollctl ...`, or" in done.stderr, "chown alone would lock out the owner's cron"


def test_who_may_write_by_the_group_makes_files_of_the_same_group_and_mode(place: Place) -> None:
    place.database.chmod(0o660)
    os.chown(place.database, 4242, 0)
    place.do("run", "plain", now="2026-03-02T09:05:00Z")
    lock = lock_path(place.database, "latency")
    with held(lock, run_id="mine", like=place.database):
        state = lock.stat()
    assert (state.st_uid, state.st_gid, stat.S_IMODE(state.st_mode)) == (4242, 0, 0o660)


def test_without_a_group_that_may_write_a_lock_is_for_its_owner_alone(place: Place) -> None:
    lock = lock_path(place.database, "latency")
    with held(lock, run_id="mine", like=place.database):
        assert stat.S_IMODE(lock.stat().st_mode) == 0o600


def test_a_lock_that_cannot_be_read_hides_only_its_own_plugin(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    lock = lock_path(place.database, "plain")
    os.chown(lock, 0, 0)
    open_file = os.open

    def refusing(path: os.PathLike[str] | str, *more: int) -> int:
        if path == lock:
            raise PermissionError(13, "Permission denied", str(path))
        return open_file(path, *more)

    monkeypatch.setattr(os, "open", refusing)
    for words in ("status --json", "why plain"):
        assert "belongs to root (uid 0, gid 0), mode 0600, not to you" in place.do(*words.split())
    assert [row["plugin"] for row in json.loads(place.do("status", "--json"))] == ["latency", "other", "plain"]
    assert 'pollctl_last_run_outcome{outcome="ok",plugin="other"} 1.0' in place.do("metrics")


def test_a_pass_that_cannot_have_its_lock_says_whose_it_is(place: Place) -> None:
    lock = lock_path(place.database, "plain")
    os.chown(lock, 0, 0)
    done = run_as_nobody(place.folder, place.env, "run", "plain")
    assert done.returncode == 1
    assert done.stderr == (
        f"pollctl: {lock}: belongs to root (uid 0, gid 0), mode 0600, not to you; "
        "give it to the owner of the database with `chown`\n"
    )


def test_check_names_owner_and_mode_of_database_folder_and_locks(place: Place) -> None:
    os.chown(lock_path(place.database, "plain"), 0, 0)
    done = run_as_nobody(place.folder, place.env, "check")
    text = done.stdout
    assert done.returncode == 1
    assert f"{place.database}: nobody (uid {NOBODY}, gid {NOBODY}), mode 0600" in text
    assert f"folder {place.folder}: nobody (uid {NOBODY}, gid {NOBODY}), mode 0700" in text
    assert f"{lock_path(place.database, 'plain')}: belongs to root (uid 0, gid 0), mode 0600" in text
    assert "give it to the owner of the database: `chown nobody:" in text


def failures_of_check(stdout: str) -> list[str]:
    return [row["text"] for row in json.loads(stdout) if row["level"] == "FAIL"]


def test_check_fails_where_its_user_may_not_write(place: Place) -> None:
    """people.md, rule 26: everything can be read and nothing written; who may and what to do is said."""
    os.chown(place.folder, 0, 0)
    place.folder.chmod(0o755)
    place.database.chmod(0o400)
    done = run_as_nobody(place.folder, place.env, "check", "--json")
    assert failures_of_check(done.stdout) == [
        f"folder {place.folder}: no journal, no lock can be made in it: only root (uid 0, gid 0), mode 0755, may write there, "
        f"and you are nobody; as root `install -d -o nobody {place.folder}/pollctl`, and set pollctl.database to a file in that",
        f"{place.database}: its own user may not write to it: nobody (uid {NOBODY}, gid {NOBODY}), mode 0400; "
        f"`chmod u+w {place.database}`",
    ]
    assert done.returncode == 1


def test_check_fails_for_a_user_whose_passes_would_be_refused(place: Place) -> None:
    for path in (place.folder, *place.folder.glob("pollctl.db*")):
        os.chown(path, 0, 0)
    place.folder.chmod(0o755)
    place.database.chmod(0o644)
    done = run_as_nobody(place.folder, place.env, "check", "--json")
    assert failures_of_check(done.stdout) == [
        f"{place.database}: the database belongs to root (uid 0, gid 0), mode 0644, and you are nobody; "
        "write to it as its owner: `sudo -u root pollctl ...`"
    ]
    assert done.returncode == 1


def test_root_learns_that_the_owner_of_a_database_cannot_write_beside_it(place: Place) -> None:
    settings = place.folder / "pollctl.toml"
    os.chown(settings, NOBODY, NOBODY)
    os.chown(place.folder, 0, 0)
    (text,) = failures_of_check(place.do("--config", str(settings), "check", "--json", code=1))
    assert text.startswith(f"folder {place.folder}: no journal, no lock can be made in it by nobody: only root ")
