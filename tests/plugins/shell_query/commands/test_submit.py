"""``submit``: what it takes, what it refuses, what it prints."""

from __future__ import annotations

import hashlib
import json

import pytest
from plugins.shell_query.place import SQL, Place


def test_submit_writes_a_queued_run_and_prints_its_id(place: Place) -> None:
    run_id = place.submit("--name", "opens", sql=SQL)
    row = place.shown("show", run_id)
    assert (row["status"], row["name"], row["sql_text"], row["target_update_type"]) == (
        "queued",
        "opens",
        SQL,
        "Overwrite",
    )
    assert row["sql_text_hash"] == hashlib.sha256(SQL.encode()).hexdigest()
    assert (row["target_de_customer_key"], row["is_own_target"], row["task_id"]) == ("DE_1", False, None)
    assert row["customer_key"].startswith("pollctl_")
    assert len(row["customer_key"]) == 36
    assert place.upstream.asked == []


def test_submit_takes_a_file_and_prints_json(place: Place) -> None:
    (place.folder / "q.sql").write_text("\ufeffSELECT\n 1", encoding="utf-8")
    arguments = (
        "shell-query",
        "submit",
        "--file",
        str(place.folder / "q.sql"),
        "--target",
        "T",
        "--mode",
        "update",
        "--json",
    )
    row = json.loads(place.do(*arguments))
    assert (row["status"], row["target_update_type"]) == ("queued", "Update")
    assert "sql_text" not in row
    assert place.shown("show", row["id"])["sql_text"] == "SELECT\n 1"


def test_a_target_of_its_own_is_known_by_the_key_of_the_run(place: Place) -> None:
    row = place.shown("show", place.submit("--create-target", "Name:Text(50)"))
    assert row["is_own_target"] is True
    assert row["target_de_customer_key"] == row["customer_key"]


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("--target", "T"), "either --sql or --file"),
        (("--sql", "S", "--file", "f", "--target", "T"), "either --sql or --file"),
        (("--sql", "S"), "either --target or --create-target"),
        (("--sql", "S", "--target", "T", "--create-target", "a:Number"), "either --target or --create-target"),
        (("--sql", "  ", "--target", "T"), "no SQL text"),
        (("--sql", "SELECT '\x01'", "--target", "T"), "'\\x01' at 8"),
        (("--sql", "SELECT '\udc80'", "--target", "T"), "cannot be sent"),
        (("--sql", "S", "--target", " "), "--target"),
        (("--sql", "S", "--target", "T\n"), "--target"),
        (("--sql", "S", "--target", "T" * 201), "--target"),
        (("--sql", "S", "--target", "T", "--name", "a\x1b[1m"), "--name"),
        (("--sql", "S", "--create-target", "a"), "is not a valid column"),
        (("--sql", "S", "--create-target", "a:Number", "--mode", "update"), "primary key"),
        (("--sql", "S", "--target", "T", "--mode", "merge"), "merge"),
        (("--file", "nowhere.sql", "--target", "T"), "nowhere.sql"),
    ],
)
def test_what_cannot_be_submitted_is_refused_in_words(place: Place, arguments: tuple[str, ...], why: str) -> None:
    place.do("shell-query", "submit", *arguments, code=2)
    assert why in " ".join(place.stderr.replace("│", " ").split())
    assert "Traceback" not in place.stderr


def test_a_file_that_is_no_text_is_refused(place: Place) -> None:
    path = place.folder / "q.sql"
    path.write_bytes(b"SELECT '\xff'")
    place.do("shell-query", "submit", "--file", str(path), "--target", "T", code=2)
    assert "not UTF-8" in place.stderr
