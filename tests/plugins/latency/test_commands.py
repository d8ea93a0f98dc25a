"""The commands of latency, called in this process with a settings file and a database of their own."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import place
import pytest

NOON = "2026-03-08T12:00:00Z"


class Shell(place.Place):
    """A place whose commands are those of latency, at noon where nothing else is said."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.now = NOON
        self.settings("[plugins.latency]", "max_running = 3")

    def do(self, *words: str, now: str = "", code: int = 0) -> str:
        return self.pollctl("latency", *words, now=now, code=code)

    def pollctl(self, *words: str, now: str = "", code: int = 0) -> str:
        """What a command prints, or says on stderr where it fails."""
        printed = super().do(*words, now=now, code=code)
        return self.stderr if code else printed

    def rows(self, *words: str) -> Any:
        return json.loads(self.do(*words, "--json"))


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


def test_add_prints_the_id_of_a_job_with_the_defaults_of_the_manual(shell: Shell) -> None:
    assert shell.do("add", "192.0.2.7") == "1\n"
    assert shell.sql(
        "SELECT target, probe, monitoring_mode, cadence_seconds, duration_seconds, status, started_at FROM latency_jobs"
    ) == [("192.0.2.7", "api", "real_polling", 60, 3600, "running", "2026-03-08T12:00:00.000Z")]


@pytest.mark.parametrize(
    ("target", "probe"),
    [("https://example.net/", "http"), ("example.net:5432", "tcp"), ("192.0.2.7", "api")],
)
def test_add_infers_the_probe_from_the_target(shell: Shell, target: str, probe: str) -> None:
    assert shell.rows("add", target)["probe"] == probe


def test_add_takes_every_option(shell: Shell) -> None:
    words = ["--cadence", "5s", "--duration", "2h", "--mode", "simulated", "--probe", "icmp", "--alert-offline"]
    added = shell.rows("add", "192.0.2.7", *words, "--alert-recovery", "--notify", "json://127.0.0.1/x")

    expected = {
        "id": 1,
        "cadence_seconds": 5,
        "duration_seconds": 7200,
        "monitoring_mode": "simulated",
        "probe": "icmp",
        "alert_offline": True,
        "alert_recovery": True,
        "recipients": 1,
    }
    assert expected.items() <= added.items()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["a b"], "'a b' cannot be probed by api: a target is printable text without blanks"),
        (["example.net:0"], "port from 1 to 65535"),
        (["ftp://example.net/"], "http://host/path"),
        (["a", "--cadence", "500ms"], "at least 1s"),
        (["a", "--cadence", "1500ms"], "whole seconds"),
        (["a", "--cadence", "soon"], "'soon' is not a valid duration"),
        (["a", "--duration", "99999999999d"], "99999999999d"),
        (["a", "--cadence", "60s", "--duration", "59s"], "59s is shorter than the cadence, 1m"),
        (["a", "--mode", "dry"], "'dry'"),
        (["a", "--probe", "udp"], "'udp'"),
        ([], "TARGET"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_is_malformed_is_refused_before_anything_is_written(shell: Shell, words: list[str], message: str) -> None:
    assert message in shell.do("add", *words, code=2)
    assert not (shell.folder / "pollctl.db").exists()


def test_a_second_running_job_for_the_same_target_and_probe_is_refused(shell: Shell) -> None:
    shell.do("add", "192.0.2.7")

    assert "job 1 samples 192.0.2.7 by api already" in shell.do("add", "192.0.2.7", code=1)
    assert shell.do("add", "192.0.2.7", "--probe", "icmp") == "2\n"
    shell.do("cancel", "1")
    assert shell.do("add", "192.0.2.7") == "3\n"


def test_one_job_over_max_running_is_refused_and_simulated_ones_do_not_count(shell: Shell) -> None:
    shell.do("add", "synthetic", "--mode", "simulated")
    for number in range(3):
        shell.do("add", f"192.0.2.{number}")

    assert "max_running is 3" in shell.do("add", "192.0.2.9", code=1)
    shell.do("add", "another", "--mode", "simulated")


def test_only_a_running_job_can_be_cancelled(shell: Shell) -> None:
    shell.do("add", "192.0.2.7")
    shell.do("cancel", "1")

    assert shell.sql("SELECT status FROM latency_jobs") == [("cancelled",)]
    assert "job 1 is cancelled" in shell.do("cancel", "1", code=1)


@pytest.mark.parametrize("command", ["show", "samples", "cancel"])
def test_a_job_that_is_not_there_is_named(shell: Shell, command: str) -> None:
    assert "no job 7" in shell.do(command, "7", code=2)


def add_job_with_samples(shell: Shell) -> None:
    shell.do("add", "192.0.2.7", "--notify", "json://127.0.0.1/a-secret-path")
    for number, (status, rtt) in enumerate(
        [("success", 10.0), ("missed", None), ("success", 40.0), ("system_error", None)]
    ):
        shell.sql(
            "INSERT INTO latency_samples VALUES (1, ?, ?, ?, NULL, '2026-03-08T12:00:00.000Z', NULL)",
            [number, status, rtt],
        )
    shell.sql("UPDATE latency_jobs SET success = 2, missed = 1, system_error = 1")
    shell.sql("INSERT INTO latency_alerts VALUES (1, 1, 'offline', '2026-03-08T12:00:00.000Z')")


def test_listings_have_stable_keys_and_numbers(shell: Shell) -> None:
    add_job_with_samples(shell)

    assert [sample["status"] for sample in shell.rows("samples", "1")] == [
        "success", "missed", "success", "system_error",
    ]  # fmt: skip
    assert shell.rows("alerts") == [
        {
            "id": 1,
            "job_id": 1,
            "target": "192.0.2.7",
            "alert_type": "offline",
            "triggered_at": "2026-03-08T12:00:00.000Z",
        }
    ]
    (job,) = shell.rows("jobs")
    assert job == shell.rows("show", "1")
    assert (job["loss_percent"], job["stale"], job["verdict"]) == (pytest.approx(33.33, abs=0.01), False, None)


def test_show_draws_the_samples(shell: Shell) -> None:
    add_job_with_samples(shell)
    drawn = shell.do("show", "1")

    assert re.search(r"^▃x█\?  █ = 40.0 ms, x missed, \? system error$", drawn, re.MULTILINE)


def test_addresses_are_counted_but_never_shown(shell: Shell) -> None:
    add_job_with_samples(shell)
    printed = "".join(
        shell.do(*words) for words in (["jobs"], ["jobs", "--json"], ["show", "1"], ["show", "1", "--json"])
    )

    assert "recipients" in printed
    assert "a-secret-path" not in printed


def test_listings_are_empty_before_anything_was_added(shell: Shell) -> None:
    assert (shell.rows("jobs"), shell.rows("alerts")) == ([], [])
    assert not (shell.folder / "pollctl.db").exists()


# rule 12


@pytest.mark.parametrize(
    ("last_ping_at", "now", "is_stale"),
    [
        (None, "2026-03-08T12:02:00Z", False),
        (None, "2026-03-08T12:02:00.001Z", True),
        ("2026-03-08T12:05:00.000Z", "2026-03-08T12:07:00Z", False),
        ("2026-03-08T12:05:00.000Z", "2026-03-08T12:07:00.001Z", True),
    ],
    ids=["two cadences since the start", "more", "two cadences since the latest sample", "more than that"],
)
def test_a_running_job_without_a_sample_for_more_than_twice_its_cadence_is_stale(
    shell: Shell, last_ping_at: str | None, now: str, *, is_stale: bool
) -> None:
    shell.do("add", "192.0.2.7")
    shell.sql("UPDATE latency_jobs SET last_ping_at = ?", [last_ping_at])
    shell.now = now
    assert shell.rows("jobs")[0]["stale"] is is_stale
    (state,) = json.loads(shell.pollctl("status", "--json"))
    notice = "no sample for more than twice the cadence: job 1 (192.0.2.7)"
    assert state["notice"] == (notice if is_stale else None)

    shell.do("cancel", "1")
    assert shell.rows("jobs")[0]["stale"] is False


# people.md 3


def test_an_address_that_apprise_does_not_know_is_refused_where_it_is_given(shell: Shell) -> None:
    assert "--notify" in shell.do("add", "192.0.2.7", "--notify", "nonsense-that-is-secret", code=2)
    assert "nonsense" not in shell.do("add", "192.0.2.7", "--notify", "nonsense-that-is-secret", code=2)
    assert shell.rows("jobs") == []


def test_several_addresses_in_one_option_are_a_row_each(shell: Shell) -> None:
    shell.do("add", "192.0.2.7", "--notify", "json://127.0.0.1/a,json://127.0.0.1/b")
    assert shell.sql("SELECT url FROM latency_notify") == [("json://127.0.0.1/a",), ("json://127.0.0.1/b",)]
