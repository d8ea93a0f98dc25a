"""What a wrong settings file is told: one line with file, key, what was found and what is allowed."""

from __future__ import annotations

import string
from datetime import time
from pathlib import Path
from typing import Annotated, Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as limits
from hypothesis import strategies as st
from msgspec import Meta, Struct

from pollctl.config import load
from pollctl.errors import ConfigError
from pollctl.text import one_line
from pollctl.units import Duration, HttpUrl, Secret, Size

DURATION = 'allowed a duration such as "500ms", "20s", "15m", "2h" or "1d"'
LONGER = f'{DURATION}, more than "0s"'
SIZE = 'allowed a size such as "64KB" or "32MB", more than "0B"'
ZONE = 'allowed an IANA zone such as "Europe/Amsterdam"'
SECRET = 'allowed text, { env = "NAME" } or { file = "PATH" }'
URL = 'allowed an http or https address such as "https://api.example.net"'
WHOLE = "allowed a whole number, at least 1"
CORE_KEYS = (
    "backoff, backoff_max, catch_up, database, deadline, grace, healthcheck, http, jitter, max_lateness, "
    "notify, outbox, record, retention, schedule, timezone, window"
)

IN_CORE = {
    "deadline without a unit": ("deadline = 50", f"deadline: found 50; {LONGER}"),
    "deadline of zero": ('deadline = "0s"', f'deadline: found "0s"; {LONGER}'),
    "negative deadline": ('deadline = "-5s"', f'deadline: found "-5s"; {LONGER}'),
    "two units": ('deadline = "1m30s"', f'deadline: found "1m30s"; {LONGER}'),
    "duration beyond reason": ('deadline = "36501d"', 'deadline: found "36501d"; allowed at most "36500d"'),
    "duration beyond datetime": (
        'deadline = "99999999999999d"',
        'deadline: found "99999999999999d"; allowed at most "36500d"',
    ),
    "boolean for a duration": ("jitter = true", f"jitter: found true; {DURATION}"),
    "negative jitter": ("jitter = -1", f"jitter: found -1; {DURATION}"),
    "fractional grace": ("grace = 5.5", f"grace: found 5.5; {DURATION}"),
    "infinite grace": ("grace = inf", f"grace: found a number out of range; {DURATION}"),
    "list for a duration": ('backoff = ["1m"]', f"backoff: found a list; {DURATION}"),
    "table for a duration": ("backoff = { env = 'X' }", f"backoff: found a table; {DURATION}"),
    "backoff_max of zero": ('backoff_max = "0s"', f'backoff_max: found "0s"; {LONGER}'),
    "max_lateness of zero": ('max_lateness = "0s"', f'max_lateness: found "0s"; {LONGER}'),
    "window over the deadline": (
        'window = "51s"',
        'window: found "51s"; allowed at most the deadline, "50s"',
    ),
    "window over a set deadline": (
        'window = "60s"\ndeadline = "20s"',
        'window: found "60s"; allowed at most the deadline, "20s"',
    ),
    "unknown record": ('record = "failure"', 'record: found "failure"; allowed "all", "failures" or "off"'),
    "boolean record": ("record = true", 'record: found true; allowed "all", "failures" or "off"'),
    "unknown catch_up": ('catch_up = "twice"', 'catch_up: found "twice"; allowed "once" or "skip"'),
    "number for a schedule": ("schedule = 5", "schedule: found 5; allowed text"),
    "zone with a typo": (
        'timezone = "Europe/Amsterdm"',
        f'timezone: found "Europe/Amsterdm"; {ZONE} (did you mean "Europe/Amsterdam"?)',
    ),
    "zone in the wrong case": (
        'timezone = "america/new_york"',
        f'timezone: found "america/new_york"; {ZONE} (did you mean "America/New_York"?)',
    ),
    "zone like nothing": ('timezone = "+05:30"', f'timezone: found "+05:30"; {ZONE}'),
    "zone that is a folder": ('timezone = "America"', None),
    "empty zone": ('timezone = ""', f'timezone: found ""; {ZONE}'),
    "zone outside the database": (
        'timezone = "../../etc/passwd"',
        f'timezone: found "../../etc/passwd"; {ZONE}',
    ),
    "number for a zone": ("timezone = 2", f"timezone: found 2; {ZONE}"),
    "number for a path": ("database = 3", "database: found 3; allowed a path"),
    "empty path": ('database = ""', 'database: found ""; allowed a path'),
    "NUL in a path": (r'database = "a\u0000b"', r'database: found "a\x00b"; allowed a path'),
    "tilde": (
        'database = "~/x.db"',
        'database: found "~/x.db"; ~ is not expanded: write the whole path',
    ),
    "typo": ('dedline = "50s"', "dedline: unknown key (did you mean 'deadline'?)"),
    "no near key": ("colour = 1", f"colour: unknown key; allowed: {CORE_KEYS}"),
    "key of http": ('max_body = "1MB"', "max_body: unknown key; it belongs in [pollctl.http]"),
    "key of outbox": ("max_attempts = 3", "max_attempts: unknown key; it belongs in [pollctl.outbox]"),
    "key of a plugin's section": ("enabled = false", "enabled: unknown key; it belongs in [plugins.NAME]"),
    "unprintable key": (r'"a\nb\u001b" = 1', rf'"a\nb\x1b": unknown key; allowed: {CORE_KEYS}'),
    "value for a table": ("http = 5", "http: found a whole number; allowed a table"),
    "list for a table": ("[[pollctl.http]]", "http: found a list; allowed a table"),
    "http timeout of zero": ('[pollctl.http]\ntimeout = "0s"', f'http.timeout: found "0s"; {LONGER}'),
    "size without a unit": ("[pollctl.http]\nmax_body = 100", f"http.max_body: found 100; {SIZE}"),
    "size of zero": ('[pollctl.http]\nmax_body = "0MB"', f'http.max_body: found "0MB"; {SIZE}'),
    "size in small letters": ('[pollctl.http]\nmax_body = "32mb"', f'http.max_body: found "32mb"; {SIZE}'),
    "text for a boolean": (
        '[pollctl.http]\ntrust_env = "no"',
        'http.trust_env: found "no"; allowed true or false',
    ),
    "number for a boolean": (
        "[pollctl.http]\ntrust_env = 0",
        "http.trust_env: found 0; allowed true or false",
    ),
    "header injection": (
        '[pollctl.http]\nuser_agent = "a\\r\\nX: y"',
        r'http.user_agent: found "a\r\nX: y"; allowed printable ASCII text',
    ),
    "no attempts": ("[pollctl.outbox]\nmax_attempts = 0", f"outbox.max_attempts: found 0; {WHOLE}"),
    "boolean for a number": (
        "[pollctl.outbox]\nmax_attempts = true",
        f"outbox.max_attempts: found true; {WHOLE}",
    ),
    "fraction for a whole number": (
        "[pollctl.outbox]\nmax_attempts = 8.0",
        f"outbox.max_attempts: found 8.0; {WHOLE}",
    ),
    "number beyond 64 bits": (
        "[pollctl.outbox]\nmax_attempts = 9223372036854775808",
        f"outbox.max_attempts: found a number out of range; {WHOLE}",
    ),
    "endless hexadecimal": (
        f"[pollctl.outbox]\nmax_attempts = 0x{'f' * 9000}",
        f"outbox.max_attempts: found a number out of range; {WHOLE}",
    ),
    "text for a list": (
        '[pollctl.notify]\nurls = "a"',
        f"notify.urls: found text; allowed a list of {SECRET[8:]}",
    ),
    "number in a list": (
        "[pollctl.notify]\nurls = ['a', 5]",
        f"notify.urls[1]: found a whole number; {SECRET}",
    ),
    "singular": ("[pollctl.notify]\nurl = 'a'", "notify.url: unknown key (did you mean 'urls'?)"),
    "alert at once": ("[pollctl.notify]\nalert_after = 0", f"notify.alert_after: found 0; {WHOLE}"),
    "text for a number": ('[pollctl.notify]\nalert_after = "3"', f'notify.alert_after: found "3"; {WHOLE}'),
    "number for a secret": (
        "[pollctl.healthcheck]\nurl = 5",
        f"healthcheck.url: found a whole number; {SECRET}",
    ),
    "retention of zero": ('[pollctl.retention]\nruns = "0d"', f'retention.runs: found "0d"; {LONGER}'),
    "date for a duration": (
        "[pollctl.retention]\nruns = 2026-01-01",
        f"retention.runs: found a date; {LONGER}",
    ),
    "plugin's key in a core table": (
        '[pollctl.outbox]\nschedule = "x"',
        "outbox.schedule: unknown key; it belongs in [plugins.NAME] or [pollctl]",
    ),
    "long text": (
        f"record = '{'x' * 100}'",
        f'record: found "{"x" * 60}..."; allowed "all", "failures" or "off"',
    ),
    "control characters": (
        r'record = "\u001b[31m\u009b\n"',
        r'record: found "\x1b[31m\x9b\n"; allowed "all", "failures" or "off"',
    ),
}

WHOLE_FILES = {
    "key outside every table": (
        'deadline = "5s"',
        "deadline: unknown key; it belongs in [plugins.NAME] or [pollctl]",
    ),
    "typo in a table": ("[polctl]", "polctl: unknown key (did you mean 'pollctl'?)"),
    "plugin singular": ("[plugin.latency]", "plugin: unknown key (did you mean 'plugins'?)"),
    "plugin at the top": ("[latency]", "latency: unknown table; a plugin's section is [plugins.latency]"),
    "core table at the top": ("[http]", "http: unknown key; it belongs in [pollctl]"),
    "core is a value": ("pollctl = 1", "pollctl: found a whole number; allowed a table"),
    "plugins is a value": (
        "plugins = 1",
        "plugins: allowed a table for each plugin, such as [plugins.latency]",
    ),
    "no equals sign": (
        '[pollctl]\ndeadline "50s"',
        "line 2, column 10: Expected '=' after a key in a key/value pair",
    ),
    "duration without quotes": (
        "[pollctl]\ndeadline = 50s",
        "line 2, column 14: Expected newline or end of document after a statement, in: deadline = ...",
    ),
    "word without quotes": ("[pollctl]\nrecord = all", "line 2, column 10: Invalid value, in: record = ..."),
    "open table": (
        "[pollctl\n",
        "line 1, column 9: Expected ']' at the end of a table declaration, in: [pollctl",
    ),
    "key twice": (
        '[pollctl]\ngrace = "1s"\ngrace = "2s"',
        "line 3, the end of the file: Cannot overwrite a value, in: grace = ...",
    ),
    "table twice": (
        "[pollctl]\n[pollctl]\n",
        "line 2, column 9: Cannot declare ('pollctl',) twice, in: [pollctl]",
    ),
    "unended list": (
        "[pollctl.notify]\nurls = [",
        "line 2, the end of the file: Invalid value, in: urls = ...",
    ),
    "30th of February": ("x = 2026-02-30", "line 1, column 5: Invalid date or datetime, in: x = ..."),
    "too many digits": (f"x = {'1' * 5000}", "a number in it has too many digits"),
    "too deep": (f"x = {'[' * 5000}", "tables or lists are nested too deeply"),
}


def problems_of(folder: Path, text: str | bytes) -> tuple[str, ...]:
    path = folder / "pollctl.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ConfigError) as error:
        load(path, {})
    assert error.value.exit_code == 2
    return tuple(line.removeprefix(f"{folder}/") for line in error.value.problems)


@pytest.mark.parametrize(("text", "expected"), IN_CORE.values(), ids=IN_CORE.keys())
def test_a_fault_in_the_core_is_one_line(tmp_path: Path, text: str, expected: str | None) -> None:
    (line,) = problems_of(tmp_path, f"[pollctl]\n{text}")
    if expected is None:  # whether a hint follows depends on the zones of this machine
        assert line.startswith(f'pollctl.toml: pollctl.timezone: found "America"; {ZONE}')
        return
    assert line == f"pollctl.toml: pollctl.{expected}"


@pytest.mark.parametrize(("text", "expected"), WHOLE_FILES.values(), ids=WHOLE_FILES.keys())
def test_a_fault_in_the_file_is_one_line(tmp_path: Path, text: str, expected: str) -> None:
    assert problems_of(tmp_path, text) == (f"pollctl.toml: {expected}",)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"[pollctl]\n# \xff\n", "line 2: byte 0xff is not UTF-8"),
        (b"#" * 1_000_001, "larger than 1 MB; that is no settings file"),
    ],
    ids=["Latin-1", "huge"],
)
def test_bytes_that_are_no_settings_are_one_line(tmp_path: Path, content: bytes, expected: str) -> None:
    assert problems_of(tmp_path, content) == (f"pollctl.toml: {expected}",)


def test_a_byte_order_mark_is_no_fault(tmp_path: Path) -> None:
    (tmp_path / "pollctl.toml").write_bytes(b"\xef\xbb\xbf[pollctl]\ngrace = '1s'")
    assert load(tmp_path / "pollctl.toml", {}).core.grace == Duration(seconds=1)


def test_a_folder_is_no_settings_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r": cannot be read: Is a directory$"):
        load(tmp_path, {})


def test_all_problems_of_the_core_are_told_at_once(tmp_path: Path) -> None:
    text = '[pollctl]\ndeadline = 1\ncolour = 2\n[pollctl.http]\ntimeout = 3\nmax_body = "x"\n[other]'
    keys = [line.split(": ")[1] for line in problems_of(tmp_path, text)]
    expected = [
        "other",
        "pollctl.colour",
        "pollctl.deadline",
        "pollctl.http.timeout",
        "pollctl.http.max_body",
    ]
    assert sorted(keys) == sorted(expected)


class Monitor(Struct, frozen=True, kw_only=True):
    name: str
    robot_id: str
    gap: Duration = Duration(hours=2)
    level: Annotated[int, Meta(ge=1, le=10)] = 10
    token: Secret = Secret("")


class Rate(float):
    @classmethod
    def parse(cls, text: str) -> Rate:
        raise ValueError(f"{len(text)} characters are no rate; write 1/s")


class Own(Struct, frozen=True, kw_only=True):
    event_service_url: str
    max_messages: Annotated[int, Meta(ge=1)] = 500
    share: Annotated[float, Meta(gt=0, lt=1)] = 0.1
    label: Annotated[str, Meta(min_length=1, max_length=20)] = "x"
    terms: Annotated[tuple[str, ...], Meta(min_length=1)] = ("a",)
    quota: dict[str, int] = {}
    chunk: Size | None = None
    queue_url: HttpUrl | None = None
    backoff: float = 2.0
    at: time | None = None
    rate: Rate | None = None
    client_secret: Secret = Secret("")
    monitors: tuple[Monitor, ...] = ()
    min_gap: Duration = Duration(seconds=1)
    max_gap: Duration = Duration(seconds=9)

    def __post_init__(self) -> None:
        if self.min_gap > self.max_gap:
            raise ValueError(f"min_gap {self.min_gap} is more than max_gap {self.max_gap}\nmake it less")


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


scalars = st.one_of(
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(["1s", "0s", "UTC", "1MB", "once", "~"]),
)
key_names = st.one_of(
    st.sampled_from(
        ["pollctl", "plugins", "own", "http", "deadline", "window", "timezone", "urls", "monitors", "enabled"]
    ),
    st.text(string.printable, min_size=1, max_size=8),
)
tables = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(key_names, inner, max_size=4)),
    max_leaves=20,
)
TOP = {"pollctl": tables, "plugins": st.one_of(tables, st.fixed_dictionaries({"own": tables}))}
gently = limits(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def as_toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{as_toml(key)} = {as_toml(item)}" for key, item in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(as_toml, value)) + "]"
    if isinstance(value, str):
        return '"' + "".join(f"\\U{ord(c):08X}" if not "\ud800" <= c <= "\udfff" else "?" for c in value) + '"'
    return str(value).lower()


def assert_told_in_lines(path: Path) -> None:
    """Whatever is not a ConfigError fails the test by itself."""
    problems: tuple[str, ...] = ()
    try:
        config = load(path, {})
        for name in config.names:
            config.settings(name, Own)
    except ConfigError as error:
        problems = error.problems or ("",)
    assert all(line and one_line(line) == line for line in problems)


@gently
@given(st.fixed_dictionaries({}, optional=TOP))
def test_tables_of_any_shape_give_settings_or_a_configuration_error(tmp_path: Path, content: dict[str, Any]) -> None:
    path = tmp_path / "pollctl.toml"
    path.write_text("\n".join(f"{key} = {as_toml(value)}" for key, value in content.items()), encoding="utf-8")
    assert_told_in_lines(path)


@gently
@given(st.one_of(st.binary(max_size=200), st.text("[]{}=\"'\\\n .#_-+:,0xpolctugins", max_size=80).map(str.encode)))
def test_bytes_of_any_kind_give_settings_or_a_configuration_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "pollctl.toml"
    path.write_bytes(content)
    assert_told_in_lines(path)
