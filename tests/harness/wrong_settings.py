"""Settings files that are wrong, each in one way, with what must be said of it."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

CANARY = "canary-4f1d9c"
"""Stands in every file as a secret; no message may repeat it."""
SECRETS = f'[pollctl.healthcheck]\nurl = "https://hc.example.net/{CANARY}"\n[pollctl.notify]\nurls = ["json://{CANARY}@127.0.0.1"]\n'
"""Goes before or after what is wrong, so that a message that repeats too much is found out."""


class Wrong(Struct, frozen=True):
    """One wrong file.

    Attributes:
        content: of the file; text is followed by a table of secrets.
        says: words that one line of the message must have, beside the name of the file: key, what was found, what would do.
        plugin: whose section it is; empty when all of pollctl stands still.
        environ: variables beside the usual ones.
        is_for_check: whether only ``check`` finds it, because looking costs too much or may fail for a while.
    """

    content: str | bytes
    says: tuple[str, ...]
    plugin: str = ""
    environ: Mapping[str, str] = {}
    is_for_check: bool = False


def _core(key: str, value: str, *says: str, table: str = "pollctl") -> Wrong:
    name = f"{table}.{key}"
    return Wrong(f"[{table}]\n{key} = {value}\n", (name, *says))


SYNTAX = {
    "text without end": Wrong(f'[pollctl]\ndatabase = "{CANARY}\n', ("line 2", "in: database = ...")),
    "text without quotes": Wrong(f"[pollctl]\ndatabase = {CANARY}\n", ("line 2, column 12", "in: database = ...")),
    "list without end": Wrong(f'x = ["{CANARY}",\n', ("line ",)),
    "table without end": Wrong("[pollctl\n", ("line 1", "Expected ']'")),
    "inline table without end": Wrong(f'x = {{ a = "{CANARY}"\n', ("line ",)),
    "no equals sign": Wrong('[pollctl]\ndeadline "50s"\n', ("line 2, column 10", "Expected '='")),
    "no value": Wrong("[pollctl]\ndeadline =\n", ("line 2", "Invalid value")),
    "two values": Wrong(f'[pollctl]\ndatabase = "a" "{CANARY}"\n', ("line 2",)),
    "key twice": Wrong('[pollctl]\ngrace = "1s"\ngrace = "2s"\n', ("line 3", "Cannot overwrite", "grace")),
    "table twice": Wrong("[pollctl]\n[pollctl]\n", ("line 2", "twice")),
    "bad escape": Wrong('[pollctl]\ndatabase = "C:\\work"\n', ("line 2", "in: database = ...")),
    "tab in a text": Wrong(b'[pollctl]\ndatabase = "a\x01b"\n', ("line 2", "Illegal character")),
    "single equals in a table": Wrong("[pollctl = 5]\n", ("line 1",)),
    "INI colon": Wrong("[pollctl]\ndeadline: 50s\n", ("line 2", "Expected '='")),
    "JSON": Wrong(f'{{"pollctl": {{"url": "{CANARY}"}}}}\n', ("line 1", "Invalid statement")),
    "YAML": Wrong("pollctl:\n  deadline: 50s\n", ("line 1",)),
    "shell": Wrong("export POLLCTL_X=1\n", ("line 1",)),
    "30th of February": Wrong("x = 2026-02-30\n", ("line 1", "Invalid date")),
    "octal": Wrong("[pollctl.outbox]\nmax_attempts = 08\n", ("line 2", "in: max_attempts = ...")),
    "five thousand digits": Wrong(f"x = {'1' * 5000}\n", ("too many digits",)),
    "too deep": Wrong(f"x = {'[' * 5000}\n", ("nested too deeply",)),
    "merge conflict": Wrong("<<<<<<< HEAD\n[pollctl]\n=======\n", ("line 1",)),
}
BYTES = {
    "NUL": Wrong(b"[pollctl]\n\0\n", ("line 2",)),
    "only NUL": Wrong(bytes(4096), ("line 1",)),
    "Latin-1": Wrong(b"[pollctl]\n# caf\xe9\n", ("line 2", "byte 0xe9 is not UTF-8")),
    "UTF-16": Wrong('[pollctl]\ngrace = "1s"\n'.encode("utf-16"), ("line 1", "UTF-8")),
    "UTF-16 without mark": Wrong("[pollctl]\n".encode("utf-16-le"), ("line 1",)),
    "two byte order marks": Wrong(b"\xef\xbb\xbf\xef\xbb\xbf[pollctl]\n", ("line 1",)),
    "huge": Wrong(b"#" * 1_000_001, ("larger than 1 MB",)),
    "a database": Wrong(b"SQLite format 3\0" + bytes(100), ("line 1",)),
    "ANSI codes": Wrong(b"\x1b[31m = 1\n", ("line 1",)),
    "carriage returns": Wrong(b'[pollctl]\rgrace = "1s"\r', ("line 1",)),
}
CORE = {
    "log format": Wrong('[pollctl]\nlog_format = "xml"\n', ("pollctl.log_format", '"xml"', '"json" or "text"')),
    "unknown table": Wrong("[latency]\n", ("latency: unknown table", "[plugins.latency]")),
    "folder of plugins as a number": _core("plugins_dir", "5", "found 5", "a path"),
    "misspelt table": Wrong("[polctl]\n", ("polctl", "did you mean 'pollctl'?")),
    "key outside": Wrong('deadline = "5s"\n', ("deadline: unknown key", "it belongs in")),
    "unknown key": _core("dedline", '"5s"', "unknown key", "did you mean 'deadline'?"),
    "unknown key of http": _core("proxy", '"x"', "unknown key", "allowed: ", table="pollctl.http"),
    "unknown key of outbox": _core("max_atempts", "3", "did you mean 'max_attempts'?", table="pollctl.outbox"),
    "unknown key of notify": Wrong(f'[pollctl.notify]\nurl = "{CANARY}"\n', ("pollctl.notify.url", "did you mean 'urls'?")),
    "unknown key of healthcheck": Wrong(f'[pollctl.healthcheck]\nuri = "{CANARY}"\n', ("pollctl.healthcheck.uri", "did you mean 'url'?")),
    "unknown key of retention": _core("run", '"5d"', "did you mean 'runs'?", table="pollctl.retention"),
    "unknown key of fanout": _core("adress", '"x"', "did you mean 'address'?", table="pollctl.fanout"),
    "fan-out without a scheduler": Wrong('[pollctl.fanout]\nengine = "dask"\n', ("pollctl.fanout: address", 'found ""', "tls://scheduler.example:8786")),
    "scheduler open to all": Wrong(
        '[pollctl.fanout]\nengine = "dask"\naddress = "tcp://192.0.2.7:8786"\n', ("pollctl.fanout: address", "runs code on it", "write tls://")
    ),
    "scheduler without certificates": Wrong(
        f'[pollctl.fanout]\nengine = "dask"\naddress = "tls://192.0.2.7:8786"\nkey = "{CANARY}"\n', ("pollctl.fanout: address", "needs ca_file, cert and key")
    ),
    "chunk of nothing": _core("chunk", "0", "found 0", table="pollctl.fanout"),
    "duration without unit": _core("deadline", "50", "found 50", 'a duration such as "500ms"'),
    "duration in words": _core("deadline", '"50 seconds"', 'found "50 seconds"', 'a duration such as "500ms"'),
    "negative duration": _core("grace", '"-1s"', 'found "-1s"', "a duration"),
    "duration of zero": _core("deadline", '"0s"', 'more than "0s"'),
    "duration beyond reason": _core("backoff", '"99999999d"', 'at most "36500d"'),
    "duration with a comma": _core("jitter", '"1,5s"', 'found "1,5s"', "a duration"),
    "duration in other digits": _core("jitter", '"٣s"', "jitter", "a duration"),
    "not a number": _core("grace", "nan", "grace", "a duration"),
    "list for a duration": _core("backoff", '["1m"]', "found a list"),
    "unknown zone": _core("timezone", '"Europe/Amsterdm"', 'did you mean "Europe/Amsterdam"?'),
    "zone as an offset": _core("timezone", '"+02:00"', 'found "+02:00"', 'such as "Europe/Amsterdam"'),
    "zone outside": _core("timezone", '"../../etc/passwd"', "an IANA zone"),
    "schedule of four": _core("schedule", '"* * * *"', "* * * *"),
    "schedule of minute 61": _core("schedule", '"61 * * * *"', "61 * * * *"),
    "schedule of no day": _core("schedule", '"0 0 30 2 *"', "0 0 30 2 *"),
    "schedule in words": _core("schedule", '"every minute"', "every minute"),
    "empty schedule": _core("schedule", '""', "schedule"),
    "number for a schedule": _core("schedule", "5", "found 5", "allowed text"),
    "unknown catch_up": _core("catch_up", '"twice"', '"once" or "skip"'),
    "unknown record": _core("record", '"al"', '"all", "failures" or "off"'),
    "number for the database": _core("database", "3", "allowed a path"),
    "empty database": _core("database", '""', "allowed a path"),
    "NUL in the database": _core("database", r'"a\u0000b"', "allowed a path"),
    "home in the database": _core("database", '"~/x.db"', "write the whole path"),
    "size without unit": _core("max_body", "100", "found 100", 'a size such as "64KB"', table="pollctl.http"),
    "size in small letters": _core("max_body", '"32mb"', 'found "32mb"', "a size", table="pollctl.http"),
    "text for a switch": _core("trust_env", '"no"', "true or false", table="pollctl.http"),
    "header injection": _core("user_agent", r'"a\r\nX: y"', "printable ASCII", table="pollctl.http"),
    "no attempts": _core("max_attempts", "0", "at least 1", table="pollctl.outbox"),
    "fraction of attempts": _core("max_attempts", "8.0", "found 8.0", table="pollctl.outbox"),
    "text for urls": Wrong(f'[pollctl.notify]\nurls = "{CANARY}"\n', ("pollctl.notify.urls", "found text", "a list of")),
    "secret missing in the environment": Wrong('[pollctl.notify]\nurls = [{ env = "GONE" }]\n', ("pollctl.notify.urls[0]", "environment variable GONE is not set")),
    "secret empty in the environment": Wrong('[pollctl.healthcheck]\nurl = { env = "EMPTY" }\n', ("pollctl.healthcheck.url", "EMPTY is not set, or empty"), "", {"EMPTY": ""}),
    "secret file absent": Wrong('[pollctl.healthcheck]\nurl = { file = "gone" }\n', ("pollctl.healthcheck.url", "gone", "No such file")),
    "secret file is a folder": Wrong('[pollctl.healthcheck]\nurl = { file = "." }\n', ("pollctl.healthcheck.url", "not a regular file")),
    "secret both ways": Wrong('[pollctl.healthcheck]\nurl = { file = "a", env = "B" }\n', ("pollctl.healthcheck.url", '{ env = "NAME" }')),
    "secret in a table": Wrong(f'[pollctl.healthcheck]\nurl = {{ value = "{CANARY}" }}\n', ("pollctl.healthcheck.url", '{ env = "NAME" }')),
    "healthcheck that is no address": Wrong(f'[pollctl.healthcheck]\nurl = "{CANARY}"\n', ("pollctl.healthcheck.url",), is_for_check=True),
    "notify that is no address": Wrong(f'[pollctl.notify]\nurls = ["{CANARY}"]\n', ("pollctl.notify.urls[0]",), is_for_check=True),
    "CA file absent": Wrong('[pollctl.http]\nca_file = "gone.pem"\n', ("pollctl.http.ca_file", "there is no file", "gone.pem"), is_for_check=True),
    "window over the deadline": _core("window", '"51s"', 'at most the deadline, "50s"'),
    "value for a table": _core("http", "5", "found a whole number", "allowed a table"),
    "list of tables": Wrong("[[pollctl]]\n", ("pollctl", "allowed a table")),
    "plugins is a value": Wrong("plugins = 1\n", ("plugins", "[plugins.latency]")),
}  # fmt: skip


def _section(plugin: str, key: str, value: str, *says: str) -> Wrong:
    return Wrong(f"[plugins.{plugin}]\n{key} = {value}\n", (f"plugins.{plugin}", key, *says), plugin)


LATENCY = {
    "unknown key": _section("latency", "base_ur", '"http://x"', "did you mean 'base_url'?"),
    "address without scheme": _section("latency", "base_url", '"127.0.0.1:4402"', "allowed an http or https address"),
    "address without a host": _section("latency", "base_url", '"http://"', "allowed an http or https address"),
    "file address": _section("latency", "base_url", '"file:///etc/passwd"', "allowed an http or https address"),
    "a time-out that outlasts a pass": _section("latency", "timeout", '"60s"', "a pass ends after its deadline of 58s"),
    "no concurrency": _section("latency", "concurrency", "0", "at least 1"),
    "much concurrency": _section("latency", "concurrency", "1001", "at most 1000"),
    "timeout of zero": _section("latency", "timeout", '"0s"', "longer than 0s"),
    "label of nothing": _section("latency", "label", '""', "at least 1 characters"),
    "samples for a number": _section("latency", "keep_samples", "30", "found 30", "a duration"),
    "schedule": _section("latency", "schedule", '"* * *"', "* * *"),
    "zone": _section("latency", "timezone", '"Mars/Olympus"', "an IANA zone"),
    "enabled in words": _section("latency", "enabled", '"yes"', "true or false"),
    "window over the deadline": _section("latency", "window", '"2h"', 'at most the deadline, "58s"'),
    "key of the core": _section("latency", "database", '"x.db"', "it belongs in [pollctl]"),
    "section is a value": Wrong("[plugins]\nlatency = 5\n", ("plugins.latency", "allowed a table"), "latency"),
}
SOC = {
    "term": _section("soc_sections", "terms", '["2026"]', "2026"),
    "number for a term": _section("soc_sections", "terms", "[92026]", "terms[0]", "allowed text"),
    "campus": _section("soc_sections", "campuses", '["n b"]', "n b"),
    "text for campuses": _section("soc_sections", "campuses", '"NB"', "a list of text"),
    "guard of everything": _section("soc_sections", "drop_guard", "1.5", "at most 1"),
    "guard in percent": _section("soc_sections", "drop_guard", '"10%"', "a number"),
    "no polls": _section("soc_sections", "confirm_polls", "0", "at least 1"),
    "address": _section("soc_sections", "base_url", '"ftp://x"', "allowed an http or https address"),
    "unknown key": _section("soc_sections", "campus", '["NB"]', "did you mean 'campuses'?"),
    "hyphen and underscore": Wrong("[plugins.soc-sections]\n[plugins.soc_sections]\n", ("plugins.soc_sections", "keep one of the two"), "soc_sections"),
    "host with a path": _section("soc_sections", "allow_hosts", "[5]", "allow_hosts[0]", "allowed text"),
}  # fmt: skip
STOCKX = {
    "rate in words": _section("stockx_ops", "rate", '"fast"', 'write "1/s"'),
    "rate of nothing": _section("stockx_ops", "rate", '"0/s"', 'write "1/s"'),
    "rate as a number": _section("stockx_ops", "rate", "1", "allowed text"),
    "dialect": _section("stockx_ops", "dialect", '"v3"', '"operations" or "v2"'),
    "many jobs": _section("stockx_ops", "max_jobs", "1001", "at most 1000"),
    "address": _section("stockx_ops", "token_url", '"accounts"', "allowed an http or https address"),
    "number for a key": _section("stockx_ops", "api_key", "5", "found a whole number", '{ env = "NAME" }'),
    "key missing in the environment": _section("stockx_ops", "api_key", '{ env = "STOCKX_API_KEY" }', "environment variable STOCKX_API_KEY is not set"),
    "key with a typo": Wrong(f'[plugins.stockx_ops]\napi_kee = "{CANARY}"\n', ("plugins.stockx_ops.api_kee", "did you mean 'api_key'?"), "stockx_ops"),
    "delay of zero": _section("stockx_ops", "poll_delay", '"0s"', 'more than "0s"'),
    "news that is none": _section("stockx_ops", "notify_on", '["lost"]', "auth"),
    "round of nothing": _section("stockx_ops", "round_every", '"0s"', 'more than "0s"'),
    "text for notify": Wrong(f'[plugins.stockx_ops]\nnotify = "{CANARY}"\n', ("plugins.stockx_ops.notify", "found text"), "stockx_ops"),
}  # fmt: skip
SHELL = {
    "address with a path": _section("shell_query", "auth_url", '"https://x.example.net/v2/token"', "auth_url ends behind its host"),
    "address without scheme": _section("shell_query", "auth_url", '"x.example.net"', "allowed an http or https address"),
    "address with a login": Wrong(f'[plugins.shell_query]\nauth_url = "https://me:{CANARY}@x.example.net"\n', ("plugins.shell_query", "auth_url", "holds no login"), "shell_query"),
    "account in quotes": _section("shell_query", "account_id", '"123"', 'found "123"', "a whole number"),
    "account below zero": _section("shell_query", "account_id", "-1", "at least 0"),
    "backoff that shrinks": _section("shell_query", "backoff", "0.5", "at least 1"),
    "first delay over the longest": _section("shell_query", "initial_delay", '"1m"', "longer than max_delay"),
    "longer than a year": _section("shell_query", "target_keep", '"400d"', "longer than a year"),
    "no polls": _section("shell_query", "max_polls", "0", "at least 1"),
    "text for a switch": _section("shell_query", "keep_sql", '"no"', "true or false"),
    "file for the client": _section("shell_query", "client_secret", '{ file = "gone" }', "gone", "No such file"),
    "key with a typo": Wrong(f'[plugins.shell_query]\nclient_secrt = "{CANARY}"\n', ("plugins.shell_query.client_secrt", "did you mean 'client_secret'?"), "shell_query"),
}  # fmt: skip


def _monitor(key: str, value: str, *says: str) -> Wrong:
    good = {
        "name": '"one"',
        "robot_id": '"r-1"',
        "timezone": '"Europe/Amsterdam"',
        "start": '"09:00"',
        "end": '"21:00"',
    }
    lines = "\n".join(f"{name} = {text}" for name, text in {**good, key: value}.items())
    content = (
        f'[plugins.toilet_gap]\nevent_service_url = "http://127.0.0.1:9"\n[[plugins.toilet_gap.monitors]]\n{lines}\n'
    )
    return Wrong(content, ("plugins.toilet_gap.monitors[0]", key, *says), "toilet_gap")


TOILET = {
    "nobody to ask": Wrong('[[plugins.toilet_gap.monitors]]\nname = "a"\nrobot_id = "r"\ntimezone = "UTC"\nstart = "09:00"\nend = "21:00"\n', ("plugins.toilet_gap", "event_service_url is missing"), "toilet_gap"),
    "address with a question mark": _section("toilet_gap", "event_service_url", '"http://x/?a=1"', "must end before any ? or #"),
    "queue without a host": _section("toilet_gap", "queue_url", '"https:///queue"', "allowed an http or https address"),
    "wait of a minute": _section("toilet_gap", "queue_wait", '"1m"', "whole seconds, at most"),
    "no history and no queue": _section("toilet_gap", "replay_required", "false", "needs a queue_url"),
    "one monitor for a list": Wrong('[plugins.toilet_gap.monitors]\nname = "a"\n', ("plugins.toilet_gap.monitors", "found a table", "a list of"), "toilet_gap"),
    "monitor without a zone": Wrong('[[plugins.toilet_gap.monitors]]\nname = "a"\nrobot_id = "r"\nstart = "09:00"\nend = "21:00"\n', ("plugins.toilet_gap.monitors[0]", "timezone"), "toilet_gap"),
    "zone": _monitor("timezone", '"Europe/Amsterdm"', 'did you mean "Europe/Amsterdam"?'),
    "start of 25 hours": _monitor("start", '"25:00"', "25:00"),
    "start without quotes": _monitor("start", "09:00:00", "allowed text"),
    "gap over the day": _monitor("gap", '"13h"', "no alarm could ever come"),
    "gap of seconds": _monitor("gap", '"30s"', "too short"),
    "grace over the gap": _monitor("grace", '"3h"', "must be shorter than the gap"),
    "alarm that counts as a visit": _monitor("alarm", '"TOILET_ACTIVITY"', "would count as a visit"),
    "key with a typo": _monitor("robot", '"r-2"', "did you mean 'robot_id'?"),
}  # fmt: skip
PLUGINS: dict[str, dict[str, Wrong]] = {
    "latency": LATENCY, "soc_sections": SOC, "stockx_ops": STOCKX, "shell_query": SHELL, "toilet_gap": TOILET,
}  # fmt: skip
"""Faults of the sections of the plugins; add a table for a new one."""

EVERY: dict[str, Wrong] = {
    **{f"syntax: {name}": wrong for name, wrong in SYNTAX.items()},
    **{f"bytes: {name}": wrong for name, wrong in BYTES.items()},
    **{f"core: {name}": wrong for name, wrong in CORE.items()},
    **{f"{plugin}: {name}": wrong for plugin, table in PLUGINS.items() for name, wrong in table.items()},
}
