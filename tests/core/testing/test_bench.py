"""authors.md 18: one plugin on a bench, pass by pass, and everything that comes of it."""

from __future__ import annotations

import subprocess
import sys
import threading
import tomllib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from core.testing.gauge import SECTION, URL, gauge, source

from pollctl import HttpUrl, PositiveDuration
from pollctl.testing import Bench, Message
from pollctl_latency.model import Settings


@pytest.fixture
def river(tmp_path: Path) -> Iterator[Bench]:
    with gauge(tmp_path) as bench:
        yield bench.answer(URL, {"cm": 300})


def test_a_pass_says_all_that_came_of_it(river: Bench) -> None:
    result = river.at("09:01").run()
    assert result.outcome == "ok"
    assert [(one.cm, one.is_high, one.reason) for one in result.decisions] == [
        (300, False, "300 cm"),
        (300, True, "it rose"),
    ]
    assert [(one.kind, one.key, one.payload, one.status) for one in result.effects] == [
        ("high", "high:2026-03-02T09:01:00.000Z", {"cm": 300}, "delivered")
    ]
    assert result.rows == {"gauge_levels": [{"at": "2026-03-02T09:01:00.000Z", "cm": 300, "told": 1}]}
    assert result.stats == {"levels": 1}
    assert result.error == ""
    assert "it was created" in result.log


def test_messages_are_those_that_arrived_in_this_pass(river: Bench) -> None:
    first = river.run()
    river.answer(URL, {"cm": 100}).at("+10m").run()
    again = river.answer(URL, {"cm": 260}).at("+10m").run()
    key = first.effects[0].key
    assert first.messages == [Message(to="crew", title="High water", body="300 cm", level="info", key=key)]
    assert [one.body for one in again.messages] == ["260 cm"]
    assert [one.body for one in river.messages] == ["300 cm", "260 cm"]


def test_a_message_that_is_like_an_earlier_one_arrived_all_the_same(river: Bench) -> None:
    address = river.mail_address("ann@example.net")
    river.settings(SECTION.replace("json://inbox/crew", address))
    titles = []
    for level in (300, 100, 300):
        result = river.answer(URL, {"cm": level}).at("+10m").run()
        titles.append([message.title for message in result.messages])
    assert titles == [["High water"], [], ["High water"]]


def test_settings_that_are_no_toml_leave_nothing_behind(tmp_path: Path) -> None:
    before = threading.active_count()
    with pytest.raises(tomllib.TOMLDecodeError):
        Bench("latency", "url =", folder=tmp_path)
    assert threading.active_count() == before


def test_what_a_plugin_uses_that_will_go_is_told_to_its_test(tmp_path: Path) -> None:
    fetch = "(run):\n    import warnings\n    warnings.warn('it goes', DeprecationWarning)\n    yield from ()"
    with gauge(tmp_path, fetch=fetch) as bench:
        with pytest.warns(DeprecationWarning, match="it goes") as told:
            assert bench.run().outcome == "ok"
        assert [Path(one.filename).name for one in told] == ["gauge.py"]
        assert "it goes" not in bench.command("history")
        with pytest.raises(DeprecationWarning, match="it goes"):  # as errors, as they are in this project's tests
            bench.run()


def test_mail_arrives_as_it_is_read(river: Bench) -> None:
    river.settings(SECTION.replace("json://inbox/crew", river.mail_address("ann@example.net")))
    (mail,) = river.run().messages
    assert (mail.to, mail.title, mail.body) == ("ann@example.net", "High water", "300 cm")


def test_an_upstream_that_fails_makes_the_pass_fail(river: Bench) -> None:
    result = river.answer(URL, "no", status=503).run()
    assert (result.outcome, result.decisions) == ("failed", [])
    assert result.error == "gauge: it answered 503"
    assert [request.address for request in river.requests] == [URL]


def test_what_nobody_said_an_answer_for_is_named(river: Bench) -> None:
    river.settings(SECTION.replace("/level", "/lvl"))
    assert river.run().error == "gauge: it answered 501"
    assert river.unanswered == ["GET https://gauge.example.net/lvl"]


def test_a_plan_writes_nothing(river: Bench) -> None:
    result = river.plan()
    assert [one["reason"] for one in result.decisions] == ["300 cm", "it rose"]
    assert not (river.folder / "pollctl.db").exists()
    assert river.messages == []


def test_settings_that_are_wrong_are_no_pass(river: Bench) -> None:
    result = river.settings("urll = 1").run()
    assert result.outcome == ""
    assert "urll" in result.log


def test_settings_may_be_a_whole_file(river: Bench) -> None:
    river.settings(f'[pollctl.outbox]\nbackoff = "20s"\n[plugins.gauge]\nrecord = "off"\n{SECTION}')
    result = river.run()
    assert (result.outcome, result.decisions) == ("ok", [])


def test_settings_may_be_a_struct(tmp_path: Path) -> None:
    settings = Settings(base_url=HttpUrl("https://api.example.net"), timeout=PositiveDuration(seconds=3))
    with Bench("latency", settings, folder=tmp_path) as latency:
        assert latency.run().outcome == "ok"


def test_a_plugin_of_one_file_needs_no_packaging(tmp_path: Path) -> None:
    (tmp_path / "gauge.py").write_text(source())
    (tmp_path / "bench").mkdir()
    with Bench("gauge", SECTION, folder=tmp_path / "bench", plugins_dir=tmp_path) as bench:
        result = bench.answer(URL, {"cm": 100}).run()
    assert (result.outcome, [one.cm for one in result.decisions]) == ("ok", [100])


def test_commands_and_rows_can_be_asked_for(river: Bench) -> None:
    river.run()
    assert "gauge" in river.command("history")
    assert river.sql("SELECT cm FROM gauge_levels") == [{"cm": 300}]
    with pytest.raises(AssertionError, match="exits with 2"):
        river.command("nonesuch")


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("09:01", "2026-03-02T09:01:00"),
        ("23:59:30", "2026-03-02T23:59:30"),
        ("+10m", "2026-03-02T09:10:00"),
        ("2026-03-08T07:00:00+01:00", "2026-03-08T06:00:00"),
        (datetime(2026, 4, 1, tzinfo=UTC) + timedelta(hours=1), "2026-04-01T01:00:00"),
    ],
)
def test_the_clock_stands_where_it_is_put(tmp_path: Path, moment: str | datetime, expected: str) -> None:
    with Bench("latency", folder=tmp_path) as bench:
        assert f"{bench.at(moment).now:%Y-%m-%dT%H:%M:%S}" == expected


def test_the_fixture_makes_benches(bench: Callable[..., Bench]) -> None:
    one, other = bench("latency"), bench("latency")
    assert one.folder != other.folder
    assert one.run().outcome == "ok"


def test_only_the_fixture_imports_pytest() -> None:
    script = (
        "import sys, pollctl.testing as t; [getattr(t, name) for name in t.__all__]; sys.exit('pytest' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_pytest_pays_nothing_for_the_fixture() -> None:
    script = "import sys, pytest; before = set(sys.modules); import pollctl.testing.pytest_plugin; print(set(sys.modules) - before)"
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert done.stdout.strip().replace("'", "") in {
        "{" + ", ".join(order) + "}"
        for order in __import__("itertools").permutations(
            ["pollctl", "pollctl.testing", "pollctl.testing.pytest_plugin"]
        )
    }
