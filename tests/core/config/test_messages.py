"""What a wrong settings file is told: one line with file, key, what was found and what is allowed."""

from __future__ import annotations

from pathlib import Path

import pytest
from core.config.section import DURATION, LONGER, SECRET, SIZE, WHOLE, ZONE

from pollctl.config.settings import load
from pollctl.errors import ConfigError
from pollctl.units import Duration

CORE_KEYS = (
    "backoff, backoff_max, catch_up, database, deadline, fanout, grace, healthcheck, host_id, http, idle_max, jitter, log_format, max_lateness, "
    "notify, outbox, plugins_dir, record, retention, schedule, timezone, window"
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
    "number as catch_up": ("catch_up = 10000", 'catch_up: found 10000; allowed "once" or "skip"'),
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
        (b"#" * 1_000_001, "larger than 1 MB; that is not a settings file"),
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
