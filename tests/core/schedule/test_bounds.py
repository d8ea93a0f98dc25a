"""Settings whose evaluation would not end are bounded where they are read, and check says so."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from plugin_package import clean_environment, json_of, spawn_pollctl, write_settings

from pollctl.config.settings import load
from pollctl.config.toml import parse
from pollctl.due.selection import evaluate, next_slots
from pollctl.errors import ConfigError
from pollctl.schedule.expression import LONGEST, Expression
from pollctl.schedule.slots import Schedule

pytestmark = pytest.mark.slow

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
AT_ONCE_S = 10.0


@pytest.mark.parametrize(
    ("expression", "seconds"),
    [
        ("* * * * *", 60), ("*/5 * * * *", 300), ("0 * * * *", 3600), ("0 9 * * 1-5", 86_400), ("*/30 * * * * *", 30), ("* * * * * *", 1), ("0,59 * * * *", 60),
        ("0,59 0,1 * * *", 60), ("0 0 1 1 *", 365 * 86_400), ("0 0 29 2 *", 4 * 365 * 86_400 + 86_400), ("H H * * *", 86_400), ("10,11,50 3 1 * *", 60), ("0 * * * * | 0 0 * * *", 3600), ("0 8 * * * | 5 8 * * *", 300),
    ],
)  # fmt: skip
def test_the_distance_of_two_slots(expression: str, seconds: int) -> None:
    assert Schedule.parse(expression, ZoneInfo("UTC"), spread="latency@box").shortest_pause == timedelta(
        seconds=seconds
    )


@pytest.mark.parametrize(("jitter", "allowed"), [("365d", "1m"), ("61s", "1m"), ("36500d", "1m")])
def test_a_jitter_beyond_the_next_slot_is_an_error_of_its_section(tmp_path: Path, jitter: str, allowed: str) -> None:
    write_settings(
        tmp_path,
        f'[plugins.latency]\nschedule = "* * * * *"\njitter = "{jitter}"',
        "[plugins.stockx_ops]",
        "enabled = false",
    )
    env = clean_environment(tmp_path)
    says = f'plugins.latency.jitter: found "{jitter}"; allowed at most "{allowed}", the distance of two slots of \'* * * * *\''
    done = spawn_pollctl(tmp_path, env, "check", timeout=60)
    assert done.returncode == 2
    assert says in done.stdout
    done = spawn_pollctl(tmp_path, env, "due", timeout=60)
    assert done.returncode == 0, "others are not concerned"
    assert says in done.stderr


def test_a_jitter_of_the_distance_is_right(tmp_path: Path) -> None:
    write_settings(tmp_path, '[plugins.latency]\nschedule = "* * * * *"\njitter = "60s"')
    assert spawn_pollctl(tmp_path, clean_environment(tmp_path), "check").returncode == 0


def test_a_jitter_for_all_gives_way_to_the_schedule_of_each_and_check_says_so(tmp_path: Path) -> None:
    path = write_settings(
        tmp_path,
        'jitter = "365d"',
        '[plugins.latency]\nschedule = "* * * * *"',
        '[plugins.stockx_ops]\nschedule = "@hourly"',
    )
    config = load(path)
    began = time.monotonic()
    evaluation = evaluate(config, NOW)
    assert time.monotonic() - began < AT_ONCE_S
    assert {name: str(limits.jitter) for name, limits in evaluation.limits.items()} == {
        "latency": "1m",
        "stockx_ops": "1h",
    }
    done = spawn_pollctl(tmp_path, clean_environment(tmp_path), "check")
    assert "a jitter of 365d is more than the distance of two slots: 1m holds" in done.stdout


@pytest.mark.parametrize("expression", ["0 0 29 2 *", "0 0 * 2 5#5", "@yearly", "@monthly", "@daily", "* * * * *"])
def test_many_slots_of_a_rare_schedule_end_at_a_hundred_years(tmp_path: Path, expression: str) -> None:
    config = load(
        write_settings(tmp_path, f'[plugins.latency]\nschedule = "{expression}"\ntimezone = "Europe/Amsterdam"')
    )
    began = time.monotonic()
    slots = next_slots(config, NOW, 10_000)["latency"]
    assert not isinstance(slots, ConfigError)
    assert time.monotonic() - began < 6 * AT_ONCE_S
    assert NOW < slots[-1] < NOW + timedelta(days=36_525)
    assert len(slots) == 10_000 or slots[-1] > NOW + timedelta(days=60 * 365)


def test_a_rest_of_years_is_searched_once_however_often_the_clock_changes_within_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from croniter import croniter

    asked: list[str] = []
    for name in ("get_next", "get_prev"):
        search = getattr(croniter, name)

        def counted(self: Any, *words: Any, name: str = name, search: Any = search, **options: Any) -> Any:
            asked.append(name)
            return search(self, *words, **options)

        monkeypatch.setattr(croniter, name, counted)
    schedule = Schedule.parse("0 0 * 2 5#5", ZoneInfo("Europe/Amsterdam"))
    asked.clear()
    assert schedule.latest(NOW) == datetime(2008, 2, 28, 23, tzinfo=UTC)
    assert next(schedule.slots_after(NOW)) == datetime(2036, 2, 28, 23, tzinfo=UTC)
    assert asked == ["get_prev", "get_next"]


@pytest.mark.parametrize("at", ["2199-12-31T23:59:59Z", "2026-03-08T06:59:00Z"])
def test_slots_end_with_the_times_that_are_known(tmp_path: Path, at: str) -> None:
    write_settings(tmp_path, '[plugins.latency]\nschedule = "@yearly"')
    done = spawn_pollctl(tmp_path, clean_environment(tmp_path), "due", "--next", "10000", "--at", at, "--json")
    assert all(slot < "2200" for slot in json_of(done)["latency"])


@pytest.mark.parametrize(
    "now", ["9999-12-31T23:59:59Z", "@9999-12-31T23:59:59Z", "2200-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"]
)  # fmt: skip
@pytest.mark.parametrize("words", [("due",), ("due", "--run"), ("status",), ("run", "latency")], ids=" ".join)
def test_a_clock_at_the_end_of_the_calendar_is_refused(tmp_path: Path, now: str, words: tuple[str, ...]) -> None:
    write_settings(tmp_path, "[plugins.latency]")
    done = spawn_pollctl(tmp_path, {**clean_environment(tmp_path), "POLLCTL_NOW": now}, *words)
    assert done.returncode == 2, done
    (line,) = done.stderr.splitlines()
    assert "POLLCTL_NOW" in line or "after 2199" in line


def test_a_schedule_of_a_thousand_characters_is_the_longest() -> None:
    with pytest.raises(ValueError, match="more than 1000 characters"):
        Expression("0," * LONGEST + "0 * * * *", spread="")
    Expression(",".join(map(str, range(60))) + " * * * *", spread="")


DEEP = {
    "key": b".".join([b"a"] * 100_000) + b" = 1",
    "key with blanks": b" . ".join([b"a"] * 100_000) + b" = 1",
    "quoted key": b".".join([b'"a"'] * 100_000) + b" = 1",
    "table": b"[" + b".".join([b"a"] * 100_000) + b"]",
    "inline table": b"x = { " + b".".join([b"a"] * 100_000) + b" = 1 }",
    "after a text": b'x = """\n\\"""" \n' + b".".join([b"a"] * 100_000) + b" = 1",
}


@pytest.mark.parametrize("content", DEEP.values(), ids=DEEP)
def test_a_key_of_very_many_parts_is_refused_at_once(content: bytes) -> None:
    began = time.monotonic()
    with pytest.raises(ValueError, match="nested too deeply"):
        parse(content)
    assert time.monotonic() - began < AT_ONCE_S


DOTS = {
    "in a text": b'x = "' + b"a." * 500 + b'"',
    "in a literal text": b"x = '" + b"a." * 500 + b"'",
    "in a long text": b'x = """\n' + b"a." * 500 + b'\n"""',
    "in a long literal text": b"x = '''\n" + b"a." * 500 + b"\n'''",
    "in a comment": b"# " + b"a." * 500,
    "behind a hash in a text": b'x = "#"\ny = "' + b"a." * 500 + b'"',
    "behind an escaped quote": b'x = "\\"' + b"a." * 500 + b'"',
    "of numbers": b"x = [" + b"1.5, " * 500 + b"]",
    "of a key that is long enough for anybody": b".".join([b"a"] * 50) + b" = 1",
}


@pytest.mark.parametrize("content", DOTS.values(), ids=DOTS)
def test_dots_elsewhere_are_right(content: bytes) -> None:
    parse(content)


def test_very_many_sections_and_problems_are_told_in_short(tmp_path: Path) -> None:
    path = tmp_path / "pollctl.toml"
    path.write_text("".join(f"[plugins.p{number}]\n" for number in range(501)))
    with pytest.raises(ConfigError, match="found 501 sections; allowed at most 500"):
        load(path)
    path.write_text("[pollctl]\n" + "".join(f"key{number} = 1\n" for number in range(50_000)))
    began = time.monotonic()
    with pytest.raises(ConfigError) as raised:
        load(path)
    assert time.monotonic() - began < 3 * AT_ONCE_S
    assert len(raised.value.problems) == 101
    assert raised.value.problems[-1].endswith("there are more problems")
