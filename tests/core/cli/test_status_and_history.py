"""What needs attention comes first; passes are narrowed and followed (people.md, rule 16)."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import time
from contextlib import closing
from pathlib import Path

import pytest
from full_database import NOW, lay_out
from plugin_package import Env, clean_environment, command, json_of, run_pollctl
from pseudo_terminal import show

from pollctl.store.database import open_to_write, writing


@pytest.fixture
def env(tmp_path: Path) -> Env:
    lay_out(tmp_path, is_full=True)
    return clean_environment(tmp_path) | {"POLLCTL_NOW": NOW}


def test_status_begins_with_what_needs_attention_failures_first(tmp_path: Path, env: Env) -> None:
    lines = show(command("status"), columns=80, cwd=tmp_path, env=env).lines
    assert lines[:7] == [
        "3 things need attention",
        "  ✗ soc_sections  1 effect given up; see `pollctl outbox list --status dead`",
        "  ✗ toilet_gap    failed 3 times in a row since 18:51:00:",
        "                  https://events.example.net/incomings: 503 Service Unavailable",
        "                  (maintenance until Monday), 3 tries",
        "  ! shell_query   1 effect may or may not have arrived; see `pollctl outbox list",
        "                  --status unknown`",
    ]


def test_status_says_that_all_is_well(tmp_path: Path, env: Env) -> None:
    with closing(open_to_write(tmp_path / "pollctl.db")) as db, writing(db):
        db.conn.execute("UPDATE schedules SET last_outcome='ok', consecutive_failures=0, not_before=NULL")
        db.conn.execute("UPDATE runs SET outcome='ok', error=NULL")
        db.conn.execute("DELETE FROM outbox")
    lines = show(command("status"), columns=80, cwd=tmp_path, env=env).lines
    assert lines[0] == "all well"
    assert "▂▂▂" in lines[3]


def test_what_is_wrong_although_no_pass_failed_needs_attention_too(tmp_path: Path, env: Env) -> None:
    with closing(open_to_write(tmp_path / "pollctl.db")) as db, writing(db):
        db.conn.execute("UPDATE schedules SET last_outcome='partial' WHERE plugin='latency'")
        db.conn.execute(
            """UPDATE runs SET outcome='partial', error='{"type": "Unreached", "message": "gw: no answer"}'
               WHERE id = (SELECT max(id) FROM runs WHERE plugin='latency')"""
        )
    settings = tmp_path / "pollctl.toml"
    settings.write_text(
        settings.read_text().replace("[plugins.stockx_ops]", '[plugins.stockx_ops]\nschedule = "never"')
    )
    lines = show(command("status"), columns=120, cwd=tmp_path, env=env).lines
    assert lines[0] == "5 things need attention"
    assert "  ! latency       partial: gw: no answer" in lines
    assert any(
        line.startswith("  ! stockx_ops    pollctl.toml: plugins.stockx_ops.schedule: 'never'") for line in lines
    )


@pytest.mark.parametrize(
    ("more", "strip"),
    [
        ({}, "▂▂████"),
        ({"NO_COLOR": "1"}, "▂▂FFFF"),
        ({"NO_COLOR": "1", "PYTHONIOENCODING": "ascii"}, "..FFFF"),
    ],
)
def test_the_last_passes_stand_in_a_row_the_newest_at_the_right(
    tmp_path: Path, env: Env, more: Env, strip: str
) -> None:
    lines = show(command("status"), columns=100, cwd=tmp_path, env=env | more).lines
    [line] = [line for line in lines if line.startswith("toilet_gap")]
    assert strip in line.split()


def test_before_the_first_pass_there_is_no_strip(tmp_path: Path) -> None:
    lay_out(tmp_path, is_full=False)
    text = show(command("status"), columns=80, cwd=tmp_path, env=clean_environment(tmp_path)).text
    assert text.startswith("all well")
    assert "partial or interrupted" not in text


@pytest.mark.parametrize(
    ("options", "number"),
    [
        (("--since", "-5m"), 10),
        (("--outcome", "failed"), 4),
        (("--outcome", "failed", "--since", "2026-11-28T18:56:00+01:00"), 3),
        (("toilet-gap", "--outcome", "crashed"), 1),
        (("--limit", "2"), 2),
        (("--outcome", "running"), 0),
    ],
)
def test_history_can_be_narrowed(tmp_path: Path, env: Env, options: tuple[str, ...], number: int) -> None:
    assert len(json_of(run_pollctl(tmp_path, env, "history", *options, "--json"))) == number


def test_followed_passes_are_printed_as_they_end(tmp_path: Path, env: Env) -> None:
    master, slave = pty.openpty()
    process = subprocess.Popen(
        command("history", "latency", "--limit", "2", "--follow"),
        cwd=tmp_path,
        env=env | {"TERM": "xterm"},
        stdout=slave,
        stderr=slave,
    )
    os.close(slave)
    try:
        assert b"samples" in os.read(master, 65536)
        with closing(open_to_write(tmp_path / "pollctl.db")) as db, writing(db):
            db.conn.execute(
                "INSERT INTO runs (id, plugin, trigger, started_at, finished_at, outcome, stats, trace_id, pid, host) VALUES "
                "('20261128T180201.000Z-abcdef01', 'latency', 'due', '2026-11-28T18:02:01.000Z', '2026-11-28T18:02:02.000Z',"
                " 'ok', '{\"samples\": 77}', '', 1, 'box')"
            )
        seen = b""
        began = time.monotonic()
        while b"samples 77" not in seen and time.monotonic() - began < 60:
            seen += os.read(master, 65536)
        assert seen.count(b"abcdef") == 1
        assert b"outcome" not in seen
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 130
    finally:
        process.kill()
        process.wait()
        os.close(master)


def test_following_is_no_json_document(tmp_path: Path, env: Env) -> None:
    done = run_pollctl(tmp_path, env, "history", "--follow", "--json")
    assert (done.returncode, done.stdout) == (2, "")


def test_effects_are_listed_newest_first_and_one_is_shown_whole(tmp_path: Path, env: Env) -> None:
    assert [row["id"] for row in json_of(run_pollctl(tmp_path, env, "outbox", "list", "--json"))] == [
        104,
        103,
        102,
        101,
        100,
    ]
    one = json_of(run_pollctl(tmp_path, env, "outbox", "show", "100", "--json"))
    assert (one["status"], one["attempts"], one["payload"]) == ("dead", 60, {})
    missing = run_pollctl(tmp_path, env, "outbox", "show", "7")
    assert (missing.returncode, missing.stderr) == (2, "pollctl: no effect 7; `pollctl outbox list` lists them\n")
