"""What a fault in a plugin's section is told like: one line each, all of them at once (core §5)."""

from __future__ import annotations

from pathlib import Path

import pytest
from core.config.section import DURATION, LONGER, URL, WHOLE, Own

from pollctl.config.settings import load
from pollctl.errors import ConfigError

IN_SECTION = {
    "typo of a core key": ('shedule = "x"', "shedule: unknown key (did you mean 'schedule'?)"),
    "typo of an own key": ("max_mesages = 1", "max_mesages: unknown key (did you mean 'max_messages'?)"),
    "key of the core only": ('database = "x"', "database: unknown key; it belongs in [pollctl]"),
    "key of a core table": ('user_agent = "x"', "user_agent: unknown key; it belongs in [pollctl.http]"),
    "key of an inner table": (
        'robot_id = "r"',
        "robot_id: unknown key; it belongs in [[plugins.own.monitors]]",
    ),
    "too little": ("max_messages = 0", f"max_messages: found 0; {WHOLE}"),
    "text for a number": ('max_messages = "5"', f'max_messages: found "5"; {WHOLE}'),
    "number on the edge": ("share = 1", "share: found 1; allowed a number, more than 0, less than 1"),
    "not a number": (
        "share = nan",
        "share: found a number out of range; allowed a number, more than 0, less than 1",
    ),
    "empty text": (
        'label = ""',
        'label: found ""; allowed text, at least 1 characters, at most 20 characters',
    ),
    "empty list": ("terms = []", "terms: found a list; allowed a list of text, at least 1 items"),
    "wrong item": ("terms = ['a', 2]", "terms[1]: found 2; allowed text"),
    "text for a list": ("terms = 'a'", "terms: found text; allowed a list of text, at least 1 items"),
    "wrong value in a table": ('quota = { a = 1, b = "x" }', 'quota.b: found "x"; allowed a whole number'),
    "optional size": ("chunk = 5", 'chunk: found 5; allowed a size such as "64KB" or "32MB"'),
    "address of another kind": ('queue_url = "ftp://x.example.net"', f'queue_url: found "ftp://x.example.net"; {URL}'),
    "address without a host": ('queue_url = "https:///queue"', f'queue_url: found "https:///queue"; {URL}'),
    "address with a space": (
        'queue_url = "https://x.example.net "',
        f'queue_url: found "https://x.example.net "; {URL}',
    ),
    "number for an address": ("queue_url = 4402", f"queue_url: found 4402; {URL}"),
    "own meaning of a core key": ('backoff = "x"', None),
    "text for a time": ('at = "8 o\'clock"', "at: found text; allowed a time of day"),
    "type of the plugin's own": ('rate = "fast"', "rate: found text; 4 characters are no rate; write 1/s"),
    "rule over two keys": (
        'min_gap = "20s"',
        r"min_gap 20s is more than max_gap 9s\nmake it less",
    ),
    "text for enabled": ('enabled = "no"', 'enabled: found "no"; allowed true or false'),
    "core key with a number": ("deadline = 50", f"deadline: found 50; {LONGER}"),
    "window over the deadline": (
        'window = "60s"',
        'window: found "60s"; allowed at most the deadline, "50s"',
    ),
    "text for an inner table": ("monitors = ['x']", "monitors[0]: found text; allowed a table"),
    "table for a list of them": ("monitors = {}", "monitors: found a table; allowed a list of a table"),
    "missing inner key": (
        "monitors = [{ name = 'a', robot_id = 'r' }, { name = 'b' }]",
        "monitors[1].robot_id: missing; needs text",
    ),
    "wrong inner value": (
        "monitors = [{ name = 'a', robot_id = 'r', gap = '2' }]",
        f'monitors[0].gap: found "2"; {DURATION}',
    ),
    "own key in an inner table": (
        "monitors = [{ name = 'a', robot_id = 'r', max_messages = 5 }]",
        "monitors[0].max_messages: unknown key; it belongs in [plugins.own]",
    ),
    "inner limit": (
        "monitors = [{ name = 'a', robot_id = 'r', level = 11 }]",
        "monitors[0].level: found 11; allowed a whole number, at least 1, at most 10",
    ),
}


def problems_of_own(folder: Path, section: str, **defaults: str) -> tuple[str, ...]:
    path = folder / "pollctl.toml"
    path.write_text(f"[plugins.own]\n{section}", encoding="utf-8")
    with pytest.raises(ConfigError) as error:
        load(path, {}).settings("own", Own, defaults)
    return tuple(line.removeprefix(f"{folder}/") for line in error.value.problems)


@pytest.mark.parametrize(("text", "expected"), IN_SECTION.values(), ids=IN_SECTION.keys())
def test_a_fault_in_a_section_is_one_line(tmp_path: Path, text: str, expected: str | None) -> None:
    lines = problems_of_own(tmp_path, f"event_service_url = 'http://127.0.0.1'\n{text}")
    if expected is None:
        assert lines == (
            f'pollctl.toml: plugins.own.backoff: found "x"; {DURATION}',
            'pollctl.toml: plugins.own.backoff: found "x"; allowed a number',
        )
        return
    own = "" if text.startswith("min_gap") else "."
    assert lines == (f"pollctl.toml: plugins.own{own or ': '}{expected}",)


def test_a_missing_setting_says_what_it_needs(tmp_path: Path) -> None:
    assert problems_of_own(tmp_path, "") == ("pollctl.toml: plugins.own.event_service_url: missing; needs text",)


def test_all_problems_of_a_section_are_told_at_once(tmp_path: Path) -> None:
    text = "window = 'x'\nmax_messages = 0\ncolour = 1\nmonitors = [{ gap = 1 }, 2]"
    keys = {line.split(": ")[1].removeprefix("plugins.own.") for line in problems_of_own(tmp_path, text)}
    inner = {"monitors[0].name", "monitors[0].robot_id", "monitors[0].gap", "monitors[1]"}
    assert keys == {"window", "max_messages", "colour", "event_service_url", *inner}


def test_a_wrong_default_of_a_plugin_is_told_as_such(tmp_path: Path) -> None:
    lines = problems_of_own(tmp_path, "event_service_url = 'x'", jitter="5", gap="1s")
    assert len(lines) == 2
    assert lines[0].startswith("pollctl.toml: plugins.own (the plugin's defaults).gap: unknown key")
    assert lines[1] == f'pollctl.toml: plugins.own.jitter (the plugin\'s default): found "5"; {DURATION}'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[plugins]\nown = 5", "plugins.own: found a whole number; allowed a table"),
        (
            "[plugins.o-n]\n[plugins.o_n]",
            "plugins.o_n: the same plugin as [plugins.o-n]; keep one of the two",
        ),
        ('[plugins.o-n]\njitter = "x"', f'plugins.o-n.jitter: found "x"; {DURATION}'),
    ],
    ids=["not a table", "written in both ways", "named as it was written"],
)
def test_a_section_that_cannot_be_used_stops_its_plugin(tmp_path: Path, text: str, expected: str) -> None:
    path = tmp_path / "pollctl.toml"
    path.write_text(text, encoding="utf-8")
    config = load(path, {})
    (name,) = config.enabled
    with pytest.raises(ConfigError) as error:
        config.timing_and_limits(name)
    assert error.value.problems == (f"{path}: {expected}",)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("[plugins.own]\nschedule = '61 * * * *'", "plugins.own.schedule"),
        ("[pollctl]\nschedule = '61 * * * *'\n[plugins.own]", "pollctl.schedule"),
    ],
    ids=["section", "core"],
)
def test_a_wrong_schedule_is_told_with_the_key_it_stands_under(tmp_path: Path, text: str, key: str) -> None:
    path = tmp_path / "pollctl.toml"
    path.write_text(text, encoding="utf-8")
    config = load(path, {})
    assert config.timing_and_limits("own").schedule == "61 * * * *"
    with pytest.raises(ConfigError) as error:
        config.timing_and_limits("own", check_schedule=True)
    (line,) = error.value.problems
    assert line.startswith(f"{path}: {key}: ")
    assert "61 * * * *" in line


def test_a_file_name_cannot_break_the_line(tmp_path: Path) -> None:
    path = tmp_path / "a\nb.toml"
    path.write_text("x = 1", encoding="utf-8")
    with pytest.raises(ConfigError) as error:
        load(path, {})
    assert str(error.value).startswith(f"{tmp_path}/a\\nb.toml: x: ")
