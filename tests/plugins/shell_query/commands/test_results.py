"""``results``: each format, page by page, and what becomes of a run without rows."""

from __future__ import annotations

import csv
import io
import json
import os
import pty
import subprocess
import sys

import pytest
from plugins.shell_query.place import Place

from pollctl_shell_query.commands.rows import PAGE_SIZE
from pollctl_shell_query.fake import COMPLETE, HTML_500, Reply


def test_rows_are_printed_in_each_format(place: Place) -> None:
    run_id = place.ready([{"Name": "Ada", "Note": 'a "b", c'}, {"Name": "Bo\x1b[1m", "Note": None}])
    rows = json.loads(place.do("shell-query", "results", run_id, "--format", "json"))
    assert rows == [{"Name": "Ada", "Note": 'a "b", c'}, {"Name": "Bo\x1b[1m", "Note": None}]
    printed = list(csv.reader(io.StringIO(place.do("shell-query", "results", run_id, "--format", "csv"))))
    assert printed == [["Name", "Note"], ["Ada", 'a "b", c'], ["Bo\x1b[1m", ""]]
    table = place.do("shell-query", "results", run_id)
    assert "Ada" in table
    assert "\x1b" not in table


def test_csv_on_a_terminal_cannot_steer_it_and_goes_into_files_as_it_is(place: Place) -> None:
    run_id = place.ready([{"Na\x9bme": "Bo\x1b[1m", "Note": 'a "b",\nc\r', "None": None, "More": ["\u202e", 1]}])
    arguments = ["shell-query", "results", run_id, "--format", "csv"]
    out = place.folder / "rows.csv"
    place.do(*arguments, "--out", str(out))
    whole = 'Na\x9bme,Note,None,More\nBo\x1b[1m,"a ""b"",\nc\r",,"[""\\u202e"", 1]"\n'
    with out.open(encoding="utf-8", newline="") as file:
        assert file.read() == whole
    assert place.do(*arguments) == whole
    primary, secondary = pty.openpty()
    command = [sys.executable, "-m", "pollctl", "--config", str(place.folder / "pollctl.toml"), *arguments]
    env = {**os.environ, "POLLCTL_NOW": "2026-03-08T12:00:03.000Z"}
    subprocess.run(command, stdout=secondary, stderr=subprocess.DEVNULL, env=env, check=True)
    os.close(secondary)
    seen = os.read(primary, 65_536).decode().replace("\r\n", "\n")
    os.close(primary)
    assert seen == 'Na\\x9bme,Note,None,More\nBo\\x1b[1m,"a ""b"",\\nc\\r",,"[""\\u202e"", 1]"\n'


def test_a_row_with_nul_can_be_had(place: Place) -> None:
    run_id = place.ready([{"a": "x\0y"}])
    assert json.loads(place.do("shell-query", "results", run_id, "--format", "json")) == [{"a": "x\0y"}]
    assert "\0" not in place.do("shell-query", "results", run_id)


def test_rows_come_page_by_page(place: Place) -> None:
    rows = [{"n": str(number)} for number in range(2 * PAGE_SIZE + 1)]
    run_id = place.ready(rows)
    out = place.folder / "rows.csv"
    place.do("shell-query", "results", run_id, "--format", "csv", "--out", str(out))
    assert place.upstream.asked == ["rowset"] * 3
    assert out.read_text().splitlines() == ["n", *(row["n"] for row in rows)]


def test_no_rows_are_an_empty_result(place: Place) -> None:
    run_id = place.ready([])
    assert json.loads(place.do("shell-query", "results", run_id, "--format", "json")) == []
    assert place.do("shell-query", "results", run_id, "--format", "csv") == ""


def test_a_count_that_promises_more_than_there_is_comes_to_an_end(place: Place) -> None:
    run_id = place.ready([{"a": 1}])
    place.upstream.reported_count = 10**12
    assert json.loads(place.do("shell-query", "results", run_id, "--format", "json")) == [{"a": 1}]
    assert place.upstream.asked == ["rowset"] * 2


@pytest.mark.parametrize("state", ["queued", "running", "failed", "canceled"])
def test_an_unfinished_run_has_no_rows_and_says_its_status(place: Place, state: str) -> None:
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


def test_a_page_that_fails_leaves_no_file_and_the_old_one_stands(place: Place) -> None:
    run_id = place.ready([{"n": "1"}] * (PAGE_SIZE + 1))
    out = place.folder / "rows.csv"
    out.write_text("old")
    place.upstream.replies["rowset"] = [
        Reply(body=json.dumps({"count": 5000, "items": [{"values": {"n": 1}}]}).encode()),
        HTML_500,
    ]
    place.do("shell-query", "results", run_id, "--format", "csv", "--out", str(out), "--force", code=1)
    assert "page 2" in place.stderr
    assert out.read_text() == "old"
    assert [path.name for path in place.folder.iterdir() if "part" in path.name] == []


def test_rows_with_other_columns_cannot_be_csv(place: Place) -> None:
    run_id = place.ready([{"a": 1}, {"b": 2}])
    place.do("shell-query", "results", run_id, "--format", "csv", code=1)
    assert "--format json" in place.stderr


@pytest.mark.parametrize("arguments", [("--format", "table", "--out", "x"), ("--format", "xml")])
def test_formats_that_make_no_sense_are_refused(place: Place, arguments: tuple[str, ...]) -> None:
    place.do("shell-query", "results", place.submit(), *arguments, code=2)


@pytest.mark.parametrize("out", ["/proc/nowhere/x.csv", "/dev/null/x.csv", "n" * 255])
def test_a_file_that_cannot_be_written_is_named(place: Place, out: str) -> None:
    run_id = place.ready([{"a": 1}])
    place.do("shell-query", "results", run_id, "--format", "csv", "--out", str(place.folder / out), code=1)
    assert f"{out} cannot be written" in place.stderr


def test_a_target_that_was_deleted_after_its_time_has_no_rows_and_says_why(place: Place) -> None:
    place.upstream.script = [COMPLETE]
    run_id = place.started("--create-target", "a:Number")
    place.run(2)
    place.run(8 * 86_400)
    place.do("shell-query", "results", run_id, code=1)
    assert "target_keep after its end" in place.stderr
    assert place.upstream.targets == {}


def test_results_use_the_token_of_the_passes_and_leave_theirs_to_them(place: Place) -> None:
    run_id = place.ready([{"a": 1}])
    place.do("shell-query", "results", run_id)
    assert place.upstream.count("token") == 0
    place.do("shell-query", "results", run_id, now="2026-03-08T13:00:00.000Z")
    assert place.upstream.count("token") == 1
    place.do("shell-query", "results", run_id, now="2026-03-08T13:00:01.000Z")
    assert place.upstream.count("token") == 1


def test_another_number_of_rows_than_at_the_end_of_the_run_is_said(place: Place) -> None:
    run_id = place.ready([{"a": 1}, {"a": 2}])
    place.do("shell-query", "results", run_id, "--format", "csv")
    assert place.stderr == ""
    place.upstream.rows.append({"keys": {}, "values": {"a": 3}})
    assert place.do("shell-query", "results", run_id, "--format", "csv").splitlines() == ["a", "1", "2", "3"]
    assert place.stderr == f"run {run_id} was ready with 2 rows; its data extension holds 3 now\n"
