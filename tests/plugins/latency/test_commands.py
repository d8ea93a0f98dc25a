"""The commands of latency, called in this process with a settings file and a database of their own."""

from __future__ import annotations

import json
import re
import socket
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
        self.settings("[plugins.latency]", 'base_url = "http://127.0.0.1:4402"', "max_running = 3")

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


def test_add_prints_what_it_understood_with_the_defaults_of_the_manual(shell: Shell) -> None:
    assert shell.do("add", "192.0.2.7") == "job 1: api probe of 192.0.2.7 every 1 min for 1 h\n"
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
    assert shell.do("add", "192.0.2.7", "--probe", "icmp").startswith("job 2: icmp echo to 192.0.2.7 ")
    shell.do("cancel", "1")
    assert shell.do("add", "192.0.2.7").startswith("job 3: ")


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
            "INSERT INTO latency_samples VALUES (1, ?, ?, ?, NULL, '2026-03-08T12:00:00.000Z', NULL, NULL)",
            [number, status, rtt],
        )
    shell.sql("UPDATE latency_jobs SET success = 2, missed = 1, system_error = 1")
    shell.sql("INSERT INTO latency_alerts VALUES (1, 1, 'offline', '2026-03-08T12:00:00.000Z')")


def test_listings_have_stable_keys_and_numbers(shell: Shell) -> None:
    add_job_with_samples(shell)

    assert [sample["status"] for sample in shell.rows("samples", "1")] == [
        "system_error", "success", "missed", "success",
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
    assert (job["loss_percent"], job["stale"], job["verdict"]) == (pytest.approx(33.33, abs=0.01), False, "unreliable")


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


def test_a_listing_reads_the_jobs_that_it_shows_and_counts_the_others(shell: Shell) -> None:
    shell.do("add", "192.0.2.7")
    shell.sql(
        """INSERT INTO latency_jobs (target, probe)
           SELECT 'host-' || value, 'tcp' FROM json_each(?)""",
        [json.dumps(list(range(149)))],
    )
    assert len(shell.rows("jobs")) == 150
    assert [row["id"] for row in shell.rows("jobs", "--limit", "2")] == [150, 149]
    assert len(shell.rows("jobs", "--limit", str(10**30))) == 150
    shell.do("jobs")
    assert shell.stderr == "50 more; `--limit 0` shows all\n"


# people.md 3


def test_an_address_that_apprise_does_not_know_is_refused_where_it_is_given(shell: Shell) -> None:
    assert "--notify" in shell.do("add", "192.0.2.7", "--notify", "nonsense-that-is-secret", code=2)
    assert "nonsense" not in shell.do("add", "192.0.2.7", "--notify", "nonsense-that-is-secret", code=2)
    assert shell.rows("jobs") == []


def test_several_addresses_in_one_option_are_a_row_each(shell: Shell) -> None:
    shell.do("add", "192.0.2.7", "--notify", "json://127.0.0.1/a,json://127.0.0.1/b")
    assert shell.sql("SELECT url FROM latency_notify") == [("json://127.0.0.1/a",), ("json://127.0.0.1/b",)]


# what add understood


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (
            ["127.0.0.1:5432", "--cadence", "30s", "--duration", "8h", "--alert-offline", "--alert-recovery", "--notify", "json://h/x"],
            "job 1: tcp connect to 127.0.0.1:5432 every 30 s for 8 h\noffline and recovery to 1 address",
        ),
        (["http://127.0.0.1/", "--notify", "json://h/x,json://h/y"], "job 1: http GET of http://127.0.0.1/ every 1 min for 1 h\nthe verdict to 2 addresses"),
        (["127.0.0.1", "--probe", "icmp", "--alert-blind"], "job 1: icmp echo to 127.0.0.1 every 1 min for 1 h\nblind to nobody (name somebody by --notify)"),
        (["gw", "--mode", "simulated", "--cadence", "90s", "--duration", "1d"], "job 1: simulated samples of gw every 1 min 30 s for 1 d"),
        (["gw"], "job 1: api probe of gw every 1 min for 1 h"),
    ],
    ids=["tcp", "http", "icmp", "simulated", "api"],
)  # fmt: skip
def test_add_prints_what_it_understood(shell: Shell, words: list[str], line: str) -> None:
    assert shell.do("add", *words) == f"{line}\n"
    assert shell.stderr == ""


@pytest.mark.parametrize("may_echo", [True, False])
def test_without_an_api_a_host_is_asked_by_icmp_or_refused_with_what_would_work(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, *, may_echo: bool
) -> None:
    import icmplib

    def create(self: Any, kind: Any) -> Any:
        if not may_echo:
            raise PermissionError(1, "Operation not permitted")
        return socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

    monkeypatch.setattr(icmplib.ICMPv4Socket, "_create_socket", create)
    shell.settings("[plugins.latency]")
    if may_echo:
        assert shell.rows("add", "127.0.0.1")["probe"] == "icmp"
        return
    said = shell.do("add", "127.0.0.1", code=2)
    for advice in ("may not send ICMP echoes", "127.0.0.1:443", "https://127.0.0.1/", "base_url"):
        assert advice in said
    assert shell.rows("add", "127.0.0.1", "--mode", "simulated")["monitoring_mode"] == "simulated"
    assert "base_url is not set" in shell.do("add", "127.0.0.1", "--probe", "api", code=2)


def test_a_name_that_does_not_resolve_now_is_warned_of_and_added(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_such_name(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", no_such_name)
    assert shell.do("add", "db.example.net:5432").startswith("job 1: ")
    assert shell.stderr == "warning: db.example.net does not resolve now (no address: Name or service not known)\n"
    shell.do("add", "db.example.net")  # whose name the latency API looks up
    shell.do("add", "db.example.net:1", "--mode", "simulated")
    assert shell.stderr == ""


def test_limits_family_and_statuses_are_those_of_the_job(shell: Shell) -> None:
    limits = ["--max-loss", "0.5%", "--max-p95", "250ms", "--max-jitter", "1s", "--outage", "3"]
    added = shell.rows(
        "add", "http://127.0.0.1/", *limits, "--family", "4", "--expect", "200,301-302", "--no-alert-blind"
    )
    expected = {
        "max_loss_percent": 0.5, "max_p95_ms": 250, "max_jitter_ms": 1000, "outage_length": 3, "family": 4,
        "expect": "200,301-302", "alert_blind": False,
    }  # fmt: skip
    assert expected.items() <= added.items()
    plain = shell.rows("add", "http://127.0.0.2/", "--notify", "json://127.0.0.1/x")
    defaults = {
        "max_loss_percent": 2, "max_p95_ms": 100, "max_jitter_ms": 30, "outage_length": 5, "family": None,
        "expect": "200-399", "alert_blind": True,
    }  # fmt: skip
    assert defaults.items() <= plain.items()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--max-loss", "101%"], "'101%' is not a valid percentage"),
        (["--max-loss", "few"], "'few' is not a valid percentage"),
        (["--max-p95", "100"], "'100' is not a valid duration"),
        (["--outage", "0"], "is not in the range"),
        (["--family", "5"], "'5'"),
        (["--family", "4"], "the latency API chooses the address itself"),
        (["--expect", "200"], "api has no HTTP status"),
        (["--expect", "399-200"], "write HTTP statuses such as"),
        (["--expect", "99"], "write HTTP statuses such as"),
        (["--from", "jobs.csv"], "a target, or --from FILE.csv"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_limits_that_mean_nothing_are_refused(shell: Shell, words: list[str], message: str) -> None:
    assert message in shell.do("add", "192.0.2.7", *words, code=2)
    assert shell.rows("jobs") == []


# many from a file


def test_a_file_adds_many_with_the_options_where_it_says_nothing(shell: Shell) -> None:
    (shell.folder / "jobs.csv").write_text(
        "﻿target,cadence,alert-offline,notify,max_loss,probe\n"
        "127.0.0.1:1,30s,yes,json://127.0.0.1/a,5%,\n"
        "127.0.0.1,,,,,api\n"
        "http://127.0.0.1/,2m,no,,,\n"
    )
    shell.settings("[plugins.latency]", 'base_url = "http://127.0.0.1:4402"')
    printed = shell.do("add", "--from", "jobs.csv", "--duration", "8h", "--cadence", "10s", "--alert-offline")
    assert printed.splitlines() == [
        "job 1: tcp connect to 127.0.0.1:1 every 30 s for 8 h",
        "offline to 1 address",
        "job 2: api probe of 127.0.0.1 every 10 s for 8 h",
        "offline to nobody (name somebody by --notify)",
        "job 3: http GET of http://127.0.0.1/ every 2 min for 8 h",
    ]
    assert [job["max_loss_percent"] for job in shell.rows("jobs")] == [2, 2, 5]


@pytest.mark.parametrize(
    ("text", "messages"),
    [
        ("target,cadence\na:1,5s\nb:0,5s\nc:1,soon\n", ["line 3: ", "'b:0' cannot be probed by tcp", "line 4: ", "'soon'"]),
        ("target\na:1\na:1\n", ["job 1 samples a:1 by tcp already"]),
        ("target\na:1\nb:1\nc:1\nd:1\n", ["max_running is 3"]),
        ("host\na:1\n", ["there is no column `target`"]),
        ("target,colour\na:1,red\n", ["no option is called 'colour'"]),
        ("target,target\na:1,b:1\n", ["a column stands there twice"]),
        ("target\na:1,b\n", ["more cells than the heading has"]),
        ("target\n", ["it has no job"]),
        ("", ["there is no column `target`"]),
        ('target\n"a:1\n', ["line 2: "]),
        ("target,notify\na:1,nonsense\n", ["line 2: "]),
    ],
    ids=["two wrong lines", "the same twice", "too many", "no target", "unknown column", "a column twice", "more cells", "no line", "empty", "an open quote", "no address"],
)  # fmt: skip
def test_a_file_adds_all_or_none(shell: Shell, text: str, messages: list[str]) -> None:
    (shell.folder / "jobs.csv").write_text(text)
    code = 1 if "already" in messages[0] or "max_running" in messages[0] else 2
    said = shell.do("add", "--from", "jobs.csv", code=code)
    for message in messages:
        assert message in said
    assert shell.rows("jobs") == []


def test_a_file_that_cannot_be_read_is_named(shell: Shell) -> None:
    assert "gone.csv: No such file" in shell.do("add", "--from", "gone.csv", code=2)
    (shell.folder / "bytes.csv").write_bytes(b"target\n\xff\n")
    assert "bytes.csv: not UTF-8" in shell.do("add", "--from", "bytes.csv", code=2)


# samples


def test_samples_are_listed_newest_first_and_go_out_as_csv(shell: Shell) -> None:
    add_job_with_samples(shell)
    assert [row["sequence_number"] for row in shell.rows("samples", "1", "--limit", "2")] == [3, 2]
    assert shell.do("samples", "1", "--format", "csv", "--limit", "3").splitlines() == [
        "sequence_number,status,rtt_ms,jitter_ms,recorded_at,reason,address",
        "3,system_error,,,2026-03-08T12:00:00.000Z,,",
        "2,success,40.0,,2026-03-08T12:00:00.000Z,,",
        "1,missed,,,2026-03-08T12:00:00.000Z,,",
    ]
    assert json.loads(shell.do("samples", "1", "--format", "json")) == shell.rows("samples", "1")
    shell.sql("UPDATE latency_samples SET rtt_ms = 20.1, jitter_ms = 3.349999999999998 WHERE sequence_number = 2")
    assert "2,success,20.1,3.35," in shell.do("samples", "1", "--format", "csv")


def test_numbers_in_pipes_and_json_have_three_places(shell: Shell) -> None:
    """people.md, rule 12: 66.66666666666667 is no number for anybody."""
    add_job_with_samples(shell)
    shell.sql("UPDATE latency_samples SET rtt_ms = 20.10000000000003, jitter_ms = 3.349999999999998 WHERE rtt_ms > 11")
    shell.sql("UPDATE latency_samples SET status = 'missed' WHERE status = 'system_error'")
    printed = [shell.do(*words.split()) for words in ("jobs", "show 1", "samples 1", "jobs --json", "show 1 --json")]
    printed.append(shell.do("samples", "1", "--json"))
    assert [re.findall(r"\d\.\d{4,}", text) for text in printed] == [[]] * 6
    assert shell.rows("jobs")[0]["rtt_avg_ms"] == 15.05


def test_a_table_of_many_samples_ends_with_how_to_see_more(shell: Shell) -> None:
    shell.do("add", "192.0.2.7")
    for number in range(101):
        shell.sql(
            "INSERT INTO latency_samples VALUES (1, ?, 'success', 1, NULL, '2026-03-08T12:00:00.000Z', NULL, NULL)",
            [number],
        )
    assert len(shell.do("samples", "1").splitlines()) == 101  # with the heading
    assert shell.stderr == "the latest 100; `--limit 0` shows all\n"
    assert len(shell.rows("samples", "1")) == 101
    assert len(shell.do("samples", "1", "--limit", "0").splitlines()) == 102


def test_a_table_of_many_jobs_counts_those_that_it_leaves_out(shell: Shell) -> None:
    shell.do("add", "192.0.2.7")
    columns = "target, probe, cadence_seconds, duration_seconds, status, started_at"
    shell.sql(
        f"""INSERT INTO latency_jobs ({columns}) WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 119)
            SELECT '192.0.2.8', 'tcp', 1, 1, 'cancelled', '2026-03-08T12:00:00.000Z' FROM n""", []
    )  # fmt: skip
    assert len(shell.do("jobs").splitlines()) == 101  # with the heading
    assert shell.stderr == "20 more; `--limit 0` shows all\n"
    assert len(shell.do("jobs", "--limit", "0").splitlines()) == 121
    assert (shell.stderr, len(shell.rows("jobs")), len(shell.rows("jobs", "--limit", "2"))) == ("", 120, 2)


# rule 9: numbers of a running job


def test_a_running_job_has_numbers_over_what_there_is_so_far_marked_provisional(shell: Shell) -> None:
    add_job_with_samples(shell)
    row = shell.rows("show", "1")
    expected = {
        "provisional": True, "success": 2, "missed": 1, "system_error": 1, "rtt_avg_ms": 25, "rtt_min_ms": 10, "rtt_max_ms": 40,
        "rtt_median_ms": 25, "rtt_p95_ms": 40, "outages": 0, "longest_streak": 1, "verdict": "unreliable",
    }  # fmt: skip
    assert expected.items() <= row.items()
    assert "unreliable so far" in shell.do("jobs")
    shell.do("cancel", "1")
    assert shell.rows("show", "1")["provisional"] is False
    assert "so far" not in shell.do("jobs")
