"""The commands of shell_query: what they take, what they refuse, what they print."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import pty
import subprocess
import sys
from typing import Any

import pytest

from pollctl_shell_query.commands.rows import PAGE_SIZE
from pollctl_shell_query.fake.upstream import COMPLETE, HTML_500, Reply
from pollctl_shell_query.model.columns import Field, read_fields

SQL = "SELECT Name FROM Subscribers"


def ready(place: Any, rows: list[dict[str, Any]]) -> str:
    """A run that is ready, with rows of one column each."""
    place.upstream.script = [COMPLETE]
    place.upstream.rows = [{"keys": {}, "values": row} for row in rows]
    run_id: str = place.started()
    place.run(2)
    place.upstream.asked.clear()
    return run_id


# submit


def test_submit_writes_a_queued_run_and_prints_its_id(place: Any) -> None:
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


def test_submit_takes_a_file_and_prints_json(place: Any) -> None:
    (place.folder / "q.sql").write_text("\ufeffSELECT\n 1", encoding="utf-8")
    words = (
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
    row = json.loads(place.do(*words))
    assert (row["status"], row["target_update_type"]) == ("queued", "Update")
    assert "sql_text" not in row
    assert place.shown("show", row["id"])["sql_text"] == "SELECT\n 1"


def test_a_target_of_its_own_is_known_by_the_key_of_the_run(place: Any) -> None:
    row = place.shown("show", place.submit("--create-target", "Name:Text(50)"))
    assert row["is_own_target"] is True
    assert row["target_de_customer_key"] == row["customer_key"]


@pytest.mark.parametrize(
    ("words", "why"),
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
        (("--sql", "S", "--create-target", "a"), "is no column"),
        (("--sql", "S", "--create-target", "a:Number", "--mode", "update"), "primary key"),
        (("--sql", "S", "--target", "T", "--mode", "merge"), "merge"),
        (("--file", "nowhere.sql", "--target", "T"), "nowhere.sql"),
    ],
)
def test_what_cannot_be_submitted_is_refused_in_words(place: Any, words: tuple[str, ...], why: str) -> None:
    place.do("shell-query", "submit", *words, code=2)
    assert why in " ".join(place.stderr.replace("│", " ").split())
    assert "Traceback" not in place.stderr


def test_a_file_that_is_no_text_is_refused(place: Any) -> None:
    path = place.folder / "q.sql"
    path.write_bytes(b"SELECT '\xff'")
    place.do("shell-query", "submit", "--file", str(path), "--target", "T", code=2)
    assert "not UTF-8" in place.stderr


def test_columns_are_read_with_their_sizes() -> None:
    assert read_fields(" Name : text(50) ,Rate:Decimal(10, 2),At:Date,Price:Decimal") == [
        Field(name="Name", kind="Text", length=50),
        Field(name="Rate", kind="Decimal", length=10, scale=2),
        Field(name="At", kind="Date"),
        Field(name="Price", kind="Decimal", length=18, scale=0),
    ]


@pytest.mark.parametrize(
    "words",
    ["", " ", "a", "a:", ":Text", "a:Text(0)", "a:Text(4001)", "a:Text(5,1)", "a:Number(5)", "a:Blob", "a:Text,", "a:Text,,b:Text",
     "a:Text,A:Date", "a:Decimal(39)", "a:Decimal(5,6)", "a:Text(50", "a:Text)50(", f"{'a' * 129}:Text"],
)  # fmt: skip
def test_columns_that_make_no_sense_are_refused(words: str) -> None:
    with pytest.raises(ValueError, match=r"column|type|name|Text|takes|Decimal|called"):
        read_fields(words)


# runs, show, cancel


def test_runs_are_listed_the_newest_first_without_their_sql(place: Any) -> None:
    older, newer = place.submit(seconds=0), place.submit(seconds=1)
    rows = place.shown("runs")
    assert [row["id"] for row in rows] == [newer, older]
    assert "sql_text" not in rows[0]
    assert older in place.do("shell-query", "runs")


def test_cancel_of_a_finished_run_says_so_and_changes_nothing(place: Any) -> None:
    run_id = ready(place, [])
    before = place.row(run_id, "*")
    assert place.do("shell-query", "cancel", run_id) == f"run {run_id} is ready already; nothing changed\n"
    assert place.row(run_id, "*") == before
    other = place.submit()
    assert place.do("shell-query", "cancel", other) == ""
    assert "canceled already" in place.do("shell-query", "cancel", other)


@pytest.mark.parametrize("command", ["show", "cancel", "results"])
def test_an_unknown_id_is_an_error(place: Any, command: str) -> None:
    place.do("shell-query", command, "nobody", code=2)
    assert "no run 'nobody'" in place.stderr


# results


def test_rows_are_printed_in_each_format(place: Any) -> None:
    run_id = ready(place, [{"Name": "Ada", "Note": 'a "b", c'}, {"Name": "Bo\x1b[1m", "Note": None}])
    rows = json.loads(place.do("shell-query", "results", run_id, "--format", "json"))
    assert rows == [{"Name": "Ada", "Note": 'a "b", c'}, {"Name": "Bo\x1b[1m", "Note": None}]
    printed = list(csv.reader(io.StringIO(place.do("shell-query", "results", run_id, "--format", "csv"))))
    assert printed == [["Name", "Note"], ["Ada", 'a "b", c'], ["Bo\x1b[1m", ""]]
    table = place.do("shell-query", "results", run_id)
    assert "Ada" in table
    assert "\x1b" not in table


def test_csv_on_a_terminal_cannot_steer_it_and_goes_into_files_as_it_is(place: Any) -> None:
    run_id = ready(place, [{"Na\x9bme": "Bo\x1b[1m", "Note": 'a "b",\nc\r', "None": None, "More": ["\u202e", 1]}])
    words = ["shell-query", "results", run_id, "--format", "csv"]
    out = place.folder / "rows.csv"
    place.do(*words, "--out", str(out))
    whole = 'Na\x9bme,Note,None,More\nBo\x1b[1m,"a ""b"",\nc\r",,"[""\\u202e"", 1]"\n'
    with out.open(encoding="utf-8", newline="") as file:
        assert file.read() == whole
    assert place.do(*words) == whole
    primary, secondary = pty.openpty()
    command = [sys.executable, "-m", "pollctl", "--config", str(place.folder / "pollctl.toml"), *words]
    env = {**os.environ, "POLLCTL_NOW": "2026-03-08T12:00:03.000Z"}
    subprocess.run(command, stdout=secondary, stderr=subprocess.DEVNULL, env=env, check=True)
    os.close(secondary)
    seen = os.read(primary, 65_536).decode().replace("\r\n", "\n")
    os.close(primary)
    assert seen == 'Na\\x9bme,Note,None,More\nBo\\x1b[1m,"a ""b"",\\nc\\r",,"[""\\u202e"", 1]"\n'


def test_a_row_with_nul_can_be_had(place: Any) -> None:
    run_id = ready(place, [{"a": "x\0y"}])
    assert json.loads(place.do("shell-query", "results", run_id, "--format", "json")) == [{"a": "x\0y"}]
    assert "\0" not in place.do("shell-query", "results", run_id)


def test_rows_come_page_by_page(place: Any) -> None:
    rows = [{"n": str(number)} for number in range(2 * PAGE_SIZE + 1)]
    run_id = ready(place, rows)
    out = place.folder / "rows.csv"
    place.do("shell-query", "results", run_id, "--format", "csv", "--out", str(out))
    assert place.upstream.asked == ["rowset"] * 3
    assert out.read_text().splitlines() == ["n", *(row["n"] for row in rows)]


def test_no_rows_are_an_empty_result(place: Any) -> None:
    run_id = ready(place, [])
    assert json.loads(place.do("shell-query", "results", run_id, "--format", "json")) == []
    assert place.do("shell-query", "results", run_id, "--format", "csv") == ""


def test_a_count_that_promises_more_than_there_is_comes_to_an_end(place: Any) -> None:
    run_id = ready(place, [{"a": 1}])
    place.upstream.counted = 10**12
    assert json.loads(place.do("shell-query", "results", run_id, "--format", "json")) == [{"a": 1}]
    assert place.upstream.asked == ["rowset"] * 2


@pytest.mark.parametrize("state", ["queued", "running", "failed", "canceled"])
def test_an_unfinished_run_has_no_rows_and_says_its_status(place: Any, state: str) -> None:
    run_id = place.submit() if state in ("queued", "canceled") else place.started()
    if state == "canceled":
        place.do("shell-query", "cancel", run_id)
    if state == "failed":
        place.upstream.replies["status"] = [Reply(status=500)]
        place.sql("UPDATE shell_query_polls SET poll_count = 120")
        place.run(2)
    place.do("shell-query", "results", run_id, code=1)
    assert f"run {run_id} is {state}" in place.stderr
    assert ("Poll budget exceeded" in place.stderr) == (state == "failed")


def test_a_page_that_fails_leaves_no_file_and_the_old_one_stands(place: Any) -> None:
    run_id = ready(place, [{"n": "1"}] * (PAGE_SIZE + 1))
    out = place.folder / "rows.csv"
    out.write_text("old")
    place.upstream.replies["rowset"] = [
        Reply(body=json.dumps({"count": 5000, "items": [{"values": {"n": 1}}]}).encode()),
        HTML_500,
    ]
    place.do("shell-query", "results", run_id, "--format", "csv", "--out", str(out), code=1)
    assert "page 2" in place.stderr
    assert out.read_text() == "old"
    assert [path.name for path in place.folder.iterdir() if "part" in path.name] == []


def test_rows_with_other_columns_cannot_be_csv(place: Any) -> None:
    run_id = ready(place, [{"a": 1}, {"b": 2}])
    place.do("shell-query", "results", run_id, "--format", "csv", code=1)
    assert "--format json" in place.stderr


@pytest.mark.parametrize("words", [("--format", "table", "--out", "x"), ("--format", "xml")])
def test_formats_that_make_no_sense_are_refused(place: Any, words: tuple[str, ...]) -> None:
    place.do("shell-query", "results", place.submit(), *words, code=2)


@pytest.mark.parametrize("out", ["/proc/nowhere/x.csv", "/dev/null/x.csv", "n" * 255])
def test_a_file_that_cannot_be_written_is_named(place: Any, out: str) -> None:
    run_id = ready(place, [{"a": 1}])
    place.do("shell-query", "results", run_id, "--format", "csv", "--out", str(place.folder / out), code=1)
    assert f"{out} cannot be written" in place.stderr


def test_a_target_that_was_deleted_after_its_time_has_no_rows_and_says_why(place: Any) -> None:
    place.upstream.script = [COMPLETE]
    run_id = place.started("--create-target", "a:Number")
    place.run(2)
    place.run(8 * 86_400)
    place.do("shell-query", "results", run_id, code=1)
    assert "target_keep after its end" in place.stderr
    assert place.upstream.targets == {}


def test_results_use_the_token_of_the_passes_and_leave_theirs_to_them(place: Any) -> None:
    run_id = ready(place, [{"a": 1}])
    place.do("shell-query", "results", run_id)
    assert place.upstream.count("token") == 0
    place.do("shell-query", "results", run_id, now="2026-03-08T13:00:00.000Z")
    assert place.upstream.count("token") == 1
    place.do("shell-query", "results", run_id, now="2026-03-08T13:00:01.000Z")
    assert place.upstream.count("token") == 1


# validate


def test_valid_sql_is_valid(place: Any) -> None:
    assert place.do("shell-query", "validate", "--sql", SQL) == "valid\n"
    assert place.upstream.asked == ["token", "validate"]


def test_invalid_sql_prints_why(place: Any) -> None:
    place.do("shell-query", "validate", "--sql", "SELEC 1", code=1)
    assert "Incorrect syntax" in place.stderr


@pytest.mark.parametrize(
    "reply", [HTML_500, Reply(body=b"[]"), Reply(body=b'{"queryValid": "yes"}'), Reply(status=403), Reply(is_lost=True)]
)
def test_what_could_not_be_validated_says_so(place: Any, reply: Reply) -> None:
    place.upstream.replies["validate"] = [reply]
    place.do("shell-query", "validate", "--sql", SQL, code=1)
    assert "could not be validated" in place.stderr


def test_a_command_that_must_ask_names_the_settings_it_lacks(place: Any) -> None:
    place.settle(auth_url="", client_secret="")
    place.do("shell-query", "validate", "--sql", SQL, code=2)
    assert "auth_url is empty" in place.stderr
    assert "client_secret is empty" in place.stderr


# settings


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"auth_url": "ftp://x"}, "auth_url"),
        ({"auth_url": "http://"}, "auth_url"),
        ({"auth_url": "https://127.0.0.1/a b"}, "auth_url"),
        ({"auth_url": "https://127.0.0.1/v2/token"}, "auth_url ends behind its host"),
        ({"auth_url": "https://127.0.0.1/?a=b"}, "auth_url ends behind its host"),
        ({"auth_url": "https://127.0.0.1/#a"}, "auth_url ends behind its host"),
        ({"auth_url": "https://somebody:pass@127.0.0.1"}, "auth_url ends behind its host"),
        ({"initial_delay": "1m"}, "initial_delay"),
        ({"initial_delay": "0s"}, "initial_delay"),
        ({"rowset_delay": "9s"}, "rowset_delay"),
        ({"stuck_after": "30m"}, "stuck_after"),
        ({"confirmation_gap": "30m"}, "confirmation_gap"),
        ({"completed_date_after": "30m"}, "completed_date_after"),
        ({"row_probe_after": "30m"}, "row_probe_after"),
        ({"max_duration": "25h"}, "max_duration"),
        ({"sweep_after": "400d"}, "longer than a year"),
        ({"backoff": 0.5}, "backoff"),
        ({"jitter": 1.0}, "jitter"),
        ({"max_polls": 0}, "max_polls"),
        ({"confirmations": 0}, "confirmations"),
        ({"rowset_attempts": 0}, "rowset_attempts"),
        ({"max_active": 0}, "max_active"),
        ({"account_id": -1}, "account_id"),
        ({"client_idd": "x"}, "client_idd"),
    ],
)
def test_settings_that_make_no_sense_are_refused_by_name(place: Any, settings: dict[str, Any], why: str) -> None:
    place.settle(**settings)
    place.do("run", "shell_query", code=2)
    assert why in place.stderr
