"""`pollctl check` finds what will go wrong before it does (people.md, rule 26)."""

from __future__ import annotations

import json
import os
from datetime import datetime
from pathlib import Path

import pytest
from place import Place
from sample_plugin import PLAIN

from pollctl.inspection.check import places

pytestmark = pytest.mark.slow

NOW = "2026-03-02T09:00:00Z"
HOOK = """
@hookimpl
def pollctl_check(db, settings, now):
    {body}
"""


@pytest.fixture
def place(tmp_path: Path) -> Place:
    place = Place(tmp_path)
    place.plugin("plain")
    place.settings("[plugins.plain]")
    place.do("run", "plain", "--trigger", "due", now="2026-03-02T08:59:30Z")
    return place


def findings(place: Place, *, code: int = 0, now: str = NOW) -> list[tuple[str, str, str]]:
    rows = json.loads(place.do("check", "--json", now=now, code=code))
    return [(row["level"], row["subject"], row["text"]) for row in rows]


def warnings(place: Place, *, now: str = NOW) -> list[str]:
    """What `check` warns of, and nothing else: exit 0."""
    return [text for level, _, text in findings(place, now=now) if level == "warn"]


def test_where_all_is_well_nothing_is_warned_of(place: Place) -> None:
    assert warnings(place) == []
    assert ("ok", "cron", "the last pass that `due --run` started began 30 s ago") in findings(place)


NEEDS = '[pollctl.notify]\nurls = [{ env = "NOTIFY_URL" }]\n[plugins.plain]\nword = { env = "WORD" }'


def test_variables_that_cron_may_not_have_are_named_at_once(place: Place) -> None:
    (place.folder / "site-plain" / "plain.py").write_text(PLAIN.replace('word: str = "hello"', "word: Secret"))
    place.settings(NEEDS)
    place.env |= {"NOTIFY_URL": "json://127.0.0.1:9/secret-name", "WORD": "x"}
    (text,) = warnings(place)
    assert text == (
        "NOTIFY_URL and WORD are set here; cron knows them only if the crontab sets them, a unit if its EnvironmentFile does"
    )


def test_a_variable_that_a_pass_of_due_had_is_no_news(place: Place) -> None:
    """Its settings were read then, by whoever calls `due --run`, as they are now: the variable was there."""
    (place.folder / "site-plain" / "plain.py").write_text(PLAIN.replace('word: str = "hello"', "word: Secret"))
    place.settings(NEEDS)
    place.env |= {"NOTIFY_URL": "json://127.0.0.1:9/secret-name", "WORD": "x"}
    written_at = datetime.fromisoformat("2026-03-02T08:59:00Z").timestamp()
    os.utime(place.folder / "pollctl.toml", (written_at, written_at))
    assert warnings(place) == []
    place.sql("UPDATE runs SET plugin='other'")
    (text,) = warnings(place)
    assert text.startswith("WORD is set here")


def test_a_secret_file_that_others_may_read_is_named(place: Place) -> None:
    (place.folder / "site-plain" / "plain.py").write_text(PLAIN.replace('word: str = "hello"', "word: Secret"))
    place.settings('[plugins.plain]\nword = { file = "word.txt" }')
    secret = place.folder / "word.txt"
    secret.write_text("hush")
    secret.chmod(0o640)
    assert warnings(place) == [f"{secret}: others may read this secret; `chmod 600` it"]
    secret.chmod(0o600)
    assert warnings(place) == []


def test_a_disk_without_room_is_named(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "_LEAST_ROOM", 1 << 62)
    (text,) = warnings(place)
    assert f"MB are free in {place.folder}, and the database has 0 MB: make room" in text


def test_a_read_only_mount_fails(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    class ReadOnly:
        f_flag, f_bavail, f_frsize = os.ST_RDONLY, 1 << 40, 4096

    monkeypatch.setattr(os, "statvfs", lambda _: ReadOnly)
    assert ("FAIL", "database", f"{place.folder} lies on a read-only mount: no pass can write there") in findings(
        place, code=1
    )


def test_a_caller_that_does_not_come_is_missed(place: Place) -> None:
    (text,) = warnings(place, now="2026-03-02T11:00:00Z")
    assert text.startswith("plain has been due for ")
    assert "the last pass that `due --run` started began 2 h ago: does anybody call it?" in text
    assert "`pollctl crontab` prints the lines" in text


def test_where_nobody_ever_called_it_says_so(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.plugin("plain")
    place.settings("[plugins.plain]")
    place.do("run", "plain", now=NOW)
    assert warnings(place) == [
        "`due --run` has started no pass yet: does anybody call it? `pollctl crontab` prints the lines"
    ]


@pytest.mark.parametrize(
    ("schedule", "says"),
    [
        ("59/15 * * * *", "means 59 only"),
        ("*/90 * * * *", "there are no 90 of them"),
        ("*/30 * * * * *", "has seconds, but cron starts nothing between two minutes: set a window"),
    ],
)
def test_a_schedule_that_does_not_mean_what_it_says(place: Place, schedule: str, says: str) -> None:
    place.settings(f'[plugins.plain]\nschedule = "{schedule}"')
    assert any(says in text for text in warnings(place))


def test_seconds_with_a_window_or_at_zero_are_well(place: Place) -> None:
    place.settings('[plugins.plain]\nschedule = "*/30 * * * * *"\nwindow = "40s"')
    assert warnings(place) == []
    place.settings('[plugins.plain]\nschedule = "0 * * * * *"')
    assert warnings(place) == []


def test_a_time_out_that_outlasts_its_pass(place: Place) -> None:
    place.settings('[plugins.plain]\ndeadline = "5s"')
    assert warnings(place) == ["pollctl.http.timeout is 10s, and a pass ends after its deadline of 5s"]
    place.settings('[pollctl.http]\ntimeout = "60s"\n[plugins.latency]')
    assert "pollctl.http.timeout is 1m, and a pass ends after its deadline of 58s" in warnings(place)
    patient = PLAIN.replace('word: str = "hello"', 'word: str = "hello"\n    timeout: Duration = Duration(seconds=60)')
    file = place.folder / "site-plain" / "plain.py"
    file.write_text(patient.replace("import DeliveryError,", "import DeliveryError, Duration,"))
    place.settings("[plugins.plain]")
    assert warnings(place) == ["timeout is 1m, and a pass ends after its deadline of 50s"]


def test_a_plugin_may_warn_and_its_bug_hides_nothing(place: Place) -> None:
    for body, said in (
        ("return ['one job waits']", "one job waits"),
        ("raise ValueError('no')", "pollctl_check raised ValueError: no"),
        ("db.execute('DELETE FROM runs')", "pollctl_check raised OperationalError"),
    ):
        (place.folder / "site-plain" / "plain.py").write_text(PLAIN + HOOK.format(body=body))
        (text,) = warnings(place)
        assert text.startswith(said)


def test_subscriptions_jobs_and_runs_that_nobody_polls_are_named(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.settings("[plugins.soc_sections]", 'campuses = ["NB"]', "[plugins.latency]")
    add = (
        "soc-sections",
        "subscribe",
        "00500",
        "--term",
        "SP2027",
        "--campus",
        "NK",
        "--contact",
        "json://127.0.0.1/x",
    )
    place.do(*add, now=NOW)
    place.do("latency", "add", "127.0.0.1", "--cadence", "60s", "--duration", "2h", now=NOW)
    said = warnings(place, now="2026-03-02T10:00:00Z")
    assert any("1 subscription for " in text and " NK, which nobody polls: " in text for text in said)
    assert any(text.startswith("no sample for more than twice the cadence: job 1 (127.0.0.1)") for text in said)


def test_a_switch_that_can_never_be_pinged(place: Place) -> None:
    place.settings('[pollctl.healthcheck]\nurl = "htp://x"\n[plugins.plain]\nhealthcheck = "not a url"')
    said = place.do("check", code=2)
    for key in ("pollctl.healthcheck.url", "plugins.plain.healthcheck"):
        assert f"pollctl.toml: {key}: it is not an http or https address" in said
