"""Short ids of passes (people.md, rule 14)."""

from __future__ import annotations

import re
from contextlib import closing
from pathlib import Path

import pytest
from full_database import NOW, lay_out
from plugin_package import Env, clean_environment, command, json_of, run_pollctl
from pseudo_terminal import show

from pollctl.errors import DatabaseError, UsageError
from pollctl.store.database import open_to_read, open_to_write, writing
from pollctl.store.run_ids import resolved, shortened


@pytest.fixture
def place(tmp_path: Path) -> Path:
    lay_out(tmp_path, is_full=True)
    return tmp_path


def env(folder: Path) -> Env:
    return clean_environment(folder) | {"POLLCTL_NOW": NOW}


def ids(place: Path, plugin: str = "") -> list[str]:
    with closing(open_to_read(place / "pollctl.db")) as db:
        where = "WHERE plugin=?" if plugin else ""
        return [
            row[0] for row in db.execute(f"SELECT id FROM runs {where} ORDER BY id DESC", [plugin] if plugin else [])
        ]


def test_a_run_is_found_by_its_letters_by_any_beginning_and_as_the_latest(place: Path) -> None:
    newest, wanted = ids(place)[0], ids(place, "toilet_gap")[2]
    letters = wanted.partition("-")[2]
    with closing(open_to_read(place / "pollctl.db")) as db:
        for words in ([wanted], [wanted[:-2]], [letters], [letters[:6]], [letters[:4]]):
            assert resolved(db, words) == [wanted], words
        assert resolved(db, ["latest"]) == [newest]
        assert (
            resolved(db, ["latest", "toilet-gap"])
            == resolved(db, ["latest toilet_gap"])
            == [ids(place, "toilet_gap")[0]]
        )
        assert resolved(db, ["latest", letters]) == [newest, wanted]


def test_a_beginning_that_fits_several_names_them(place: Path) -> None:
    with closing(open_to_read(place / "pollctl.db")) as db:
        with pytest.raises(UsageError, match=r"'20261128' is the beginning of \d+ runs: .*, \.\.\.; write more of it"):
            resolved(db, ["20261128"])
        with pytest.raises(DatabaseError, match="no run 'zzz'; `pollctl history` lists them"):
            resolved(db, ["zzz"])


def test_a_short_id_that_looks_like_the_beginning_of_a_date_is_still_a_short_id(place: Path) -> None:
    odd = "20261128T180100.000Z-20261128"
    with closing(open_to_write(place / "pollctl.db")) as db:
        with writing(db):
            db.conn.execute("UPDATE runs SET id=? WHERE id=?", (odd, ids(place)[5]))
        assert shortened(db, [odd]) == {odd: "202611"}
        assert resolved(db, ["202611"]) == [odd]


def test_where_two_are_alike_a_short_id_has_more_letters(place: Path) -> None:
    wanted = ids(place)[3]
    day, _, letters = wanted.partition("-")
    other = f"{day[:-2]}0Z-{letters[:7]}{'0' if letters[7] != '0' else '1'}"
    with closing(open_to_write(place / "pollctl.db")) as db:
        with writing(db):
            db.conn.execute(
                "INSERT INTO runs SELECT ?, plugin, trigger, started_at, finished_at, outcome, batches, decisions, effects,"
                " delivered, undelivered, duration_ms, stats, error, trace_id, pid, host FROM runs WHERE id=?",
                (other, wanted),
            )
        assert shortened(db, [wanted, other, ids(place)[9]]) == {
            wanted: letters,
            other: other.partition("-")[2],
            ids(place)[9]: ids(place)[9].partition("-")[2][:6],
        }


def test_what_history_shows_on_a_terminal_can_be_given_to_show(place: Path) -> None:
    listed = show(command("history", "toilet-gap"), columns=80, cwd=place, env=env(place)).lines
    [short] = [line.split()[0] for line in listed if "crashed" in line]
    assert re.fullmatch("[0-9a-f]{6}", short)
    assert json_of(run_pollctl(place, env(place), "show", short, "--json"))["id"] == ids(place, "toilet_gap")[3]
    assert json_of(run_pollctl(place, env(place), "show", "latest", "--json"))["id"] == ids(place)[0]


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("show l", "latest"),
        ("latency show ", "4"),
        ("stockx-ops account revoke b", "ben"),
        ("shell-query show c2", "c2f7a9d4-11e3-4f0b-8c6e-6f1d2e3a4b02"),
        ("toilet-gap records ", "2"),
        ("soc-sections pause 5", "501"),
        ("outbox retry 10", "103"),
        ("history toi", "toilet-gap"),
    ],
)
def test_completion_knows_ids(place: Path, typed: str, offered: str) -> None:
    words = f"pollctl {typed}"
    asking = env(place) | {
        "_POLLCTL_COMPLETE": "bash_complete",
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(words.split(" ")) - 1),
    }
    done = run_pollctl(place, asking)
    assert f"plain,{offered}" in done.stdout.splitlines()
