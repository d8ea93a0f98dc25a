"""Command lines and settings files as nobody would write them: drawn by a grammar, then mutated.

The grammar is pollctl's own: commands, arguments and options as click has them, keys and their types as the structs of the settings
have them, those of the plugins too. A new command or setting is drawn from the day it is there.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from functools import cache
from typing import Any, get_args, get_origin

import click
from msgspec import Struct
from msgspec.structs import fields
from worlds.every import every
from wrong_settings import EVERY

from pollctl.cli import cli
from pollctl.cli.table import COMMANDS
from pollctl.config.messages import bare
from pollctl.config.schema import Core, PluginConfig
from pollctl.plugin_host import discovery, loader
from pollctl.redaction import Secret

ENDLESS = ("--serve", "--follow", "demo", "fake")
"""Words that are left out: what they start ends by a signal only, or takes ten seconds when all is well."""
PIPE, FULL, ZERO = "pipe", "full", "zero"
"""In the folder of each case: a pipe that nobody writes into, and links to devices without end."""
NUMBERS = (
    "0",
    "1",
    "2",
    "-1",
    "7",
    "10000",
    "10001",
    "99999999999999999999",
    "9" * 5000,
    "1e999",
    "nan",
    "1.5",
    "٣",
    "0x10",
    " 1",
)
DURATIONS = (
    "0s",
    "1s",
    "500ms",
    "20s",
    "15m",
    "2h",
    "1d",
    "365d",
    "36500d",
    "36501d",
    "99999999d",
    "-1s",
    "1.5s",
    "1,5s",
    "9" * 400 + "d",
    "5",
)
SCHEDULES = (
    "* * * * *", "*/30 * * * * *", "* * * * * *", "@hourly", "@yearly", "H H * * *", "0 0 29 2 *", "0 0 30 2 *", "0 0 * 2 5#5", "59/15 * * * *",
    "0,59 0,1 * * *", "0 0 31 */2 *", "0 0 L * *", "r * * * *", "0-59/0 * * * *", "*/999999999 * * * *", "0," * 600 + "0 * * * *",
)  # fmt: skip
MOMENTS = (
    "2026-03-08T06:59:00Z", "@2026-11-01T05:59:00Z", "2199-12-31T23:59:59Z", "2200-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00",
    "2026-02-30T00:00:00Z", "2026-03-08", "2019-12-31T23:59:59Z", "@", "T",
)  # fmt: skip
NAMES = (
    "a/b",
    "../x",
    "a" * 64,
    "a" * 65,
    "a" * 300,
    "\x1b[31mred",
    "A",
    "1a",
    "_",
    "-",
    "a.b",
    "é",
    "pollctl.healthcheck",
    "a b",
    "a\nb",
    "nobody",
)
PATHS = (
    PIPE,
    FULL,
    ZERO,
    "",
    ".",
    "gone/x",
    "x" * 300,
    "pollctl.db",
    "pollctl.toml",
    "out",
    "pollctl.toml/x",
    "a\nb",
    "\x1b[2J",
    "loop",
    "secret",
)
TEXTS = (
    "", " ", "x", "\x1b[31m", "\x00", "a\rb", "\u202e", "\udcff", "'; DROP TABLE runs; --", '"', "{", "%s", "x" * 5000, "https://me:pw@127.0.0.1:9/",
    "http://127.0.0.1:9/?a=1", "http://[::1", "ftp://127.0.0.1", "json://127.0.0.1:9", "127.0.0.1:9", "mailto:a@b", "01:198:111", "NB", "92026",
    "Europe/Amsterdam", "Mars/Olympus", "../../etc/passwd", "2026", "select 1", "1/s", "32MB", "64KB", "999999999GB", "--", "-", "--help", "--json", "-h",
)  # fmt: skip
EVERYTHING = (*NUMBERS, *DURATIONS, *SCHEDULES, *MOMENTS, *NAMES, *PATHS, *TEXTS)


RIGHT: dict[str, tuple[str, ...]] = {
    "schedule": ("* * * * *", "*/5 * * * *", "H H * * *", "@hourly", "@yearly", "0 0 29 2 *", "0 0 * 2 5#5", "*/30 * * * * *", "0,59 0,1 * * *"),
    "timezone": ("UTC", "Europe/Amsterdam", "Australia/Lord_Howe", "America/Sao_Paulo"),
    "database": ("pollctl.db", "other.db", "gone/x.db"),
    "start": ("09:00",), "end": ("21:00",), "robot_id": ("r-1",), "terms": ("92026",), "campuses": ("NB",), "rate": ("1/s",), "ca_file": ("secret", "gone"),
}  # fmt: skip
"""Texts that may stand for a setting of that name; addresses for the others."""
RIGHT_DURATIONS = ("1s", "500ms", "20s", "40s", "15m", "2h", "1d", "365d", "36500d")
RIGHT_TEXTS = ("http://127.0.0.1:9", "https://me:pw@127.0.0.1:9/a?b=1", "one")


class Case(Struct, frozen=True):
    """One process: its words, the settings file, its variables, and how its folder is beforehand.

    Attributes:
        has_database: whether there is a database with all tables.
        mode: of the settings file.
    """

    words: tuple[str, ...]
    settings: bytes | None
    environ: dict[str, str]
    has_database: bool
    mode: int


def drawn(seed: int, number: int) -> Case:
    """Case *number* of a campaign: the same for the same seed."""
    draw = random.Random(f"{seed}:{number}")
    environ = {}
    if draw.random() < 0.9:
        environ["POLLCTL_NOW"] = MOMENTS[0] if draw.random() < 0.85 else draw.choice(MOMENTS)
    if draw.random() < 0.03:
        environ["POLLCTL_CONFIG"] = draw.choice(PATHS)
    environ = {name: value for name, value in environ.items() if "\0" not in value}
    settings = None if draw.random() < 0.05 else _settings(draw)
    mode = draw.choice((0o666, 0o620, 0o604, 0o400)) if draw.random() < 0.05 else 0o600
    return Case(_words(draw), settings, environ, draw.random() < 0.6, mode)


def _words(draw: random.Random) -> tuple[str, ...]:
    """A command line without NUL, which no process can be given."""
    words = _global_options(draw) + _command_line(draw)
    while draw.random() < 0.2:
        words = _mutated_words(draw, words)
    return tuple(word.replace("\0", "") for word in words if word not in ENDLESS)


def _global_options(draw: random.Random) -> list[str]:
    chance = draw.random()
    if chance < 0.05:
        return ["--config", draw.choice(PATHS)]
    return ["--config", "pollctl.toml"] if chance < 0.4 else []


def _command_line(draw: random.Random) -> list[str]:
    is_core = draw.random() < 0.5
    path, command = draw.choice([one for one in _commands() if (one[0][0] in COMMANDS) is is_core])
    words = [word.replace("-", "_") if draw.random() < 0.1 else word for word in path]
    for parameter in command.params:
        words += _of_parameter(draw, parameter)
    return words


def _of_parameter(draw: random.Random, parameter: click.Parameter) -> list[str]:
    if isinstance(parameter, click.Argument):
        count = 1 if parameter.required and draw.random() < 0.9 else draw.randint(0, 2)
        return [_value(draw, parameter) for _ in range(count)]
    is_wanted = draw.random() < (0.9 if parameter.required else 0.3)
    option = draw.choice(parameter.opts)
    if not is_wanted or option in ENDLESS:
        return []
    is_flag = isinstance(parameter, click.Option) and parameter.is_flag
    return [option] if is_flag else [option, _value(draw, parameter)]


def _value(draw: random.Random, parameter: click.Parameter) -> str:
    kind = parameter.type
    if draw.random() < 0.08:
        return draw.choice(EVERYTHING)
    if isinstance(kind, click.Choice):
        return str(draw.choice(kind.choices))
    if isinstance(kind, click.types.IntParamType | click.types.FloatParamType):
        return draw.choice(("1", "2", "20", *NUMBERS))
    if isinstance(kind, click.Path):
        return draw.choice([path for path in PATHS if path != PIPE or type(kind) is not click.Path])
    if parameter.name in ("names", "plugin", "name"):
        return draw.choice((*every(), *every(), *NAMES))
    return draw.choice((*DURATIONS, *MOMENTS, *TEXTS, *NUMBERS))


def _mutated_words(draw: random.Random, words: list[str]) -> list[str]:
    at = draw.randrange(len(words) + 1)
    return draw.choice((
        lambda: [*words[:at], draw.choice(EVERYTHING), *words[at:]],
        lambda: words[:at] + words[at + 1 :],
        lambda: words[:at] + words[at : at + 1] * 3 + words[at + 1 :],
        lambda: words[:at] + [_mutated_text(draw, word) for word in words[at : at + 1]] + words[at + 1 :],
        lambda: draw.sample(words, len(words)),
    ))()  # fmt: skip


def _mutated_text(draw: random.Random, word: str) -> str:
    at = draw.randrange(len(word) + 1)
    return (
        word[:at]
        + draw.choice(("\udc80", "\x1b", "é", "=", "/", "-", "", "\n", "x" * 1000))
        + word[at + draw.randint(0, 1) :]
    )


@cache
def _commands() -> list[tuple[tuple[str, ...], click.Command]]:
    """Every command below the root, those of plugins too, each with the words that call it."""
    return [(path, command) for path, command in _walked((), cli) if path and path[0] not in ENDLESS]


def _walked(path: tuple[str, ...], command: click.Command) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    if not isinstance(command, click.Group):
        yield path, command
        return
    with click.Context(command) as context:
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            if below is not None:
                yield from _walked((*path, name), below)


def _settings(draw: random.Random) -> bytes:
    """A file: drawn by the grammar, or one that is known to be wrong; then perhaps mutated."""
    if draw.random() < 0.15:
        content = draw.choice(list(EVERY.values())).content
        written = content if isinstance(content, bytes) else content.encode()
    else:
        written = "\n".join(_tables(draw)).encode(errors="surrogateescape")
    while draw.random() < 0.15:
        written = _mutated_bytes(draw, written)
    return written


def _tables(draw: random.Random) -> Iterator[str]:
    wrongness = draw.choice((0.0, 0.0, 0.0, 0.02, 0.3))
    yield "[pollctl]"
    yield from _keys(draw, Core, wrongness, inner="pollctl")
    for name in draw.sample(sorted(every()), draw.randint(0, len(every()))):
        yield f"[plugins.{name}]"
        yield from _keys(draw, PluginConfig, wrongness, inner="")
        yield from _keys(draw, _settings_of()[name], wrongness, inner=f"plugins.{name}")
    if draw.random() < 0.15:
        yield f"[plugins.{_toml_text(draw.choice(NAMES))}]"


@cache
def _settings_of() -> dict[str, type[Struct]]:
    return {name: loader.load(discovery.find(name)).poller.settings for name in every()}


def _keys(draw: random.Random, kind: type[Struct], wrongness: float, inner: str) -> Iterator[str]:
    """Lines for some keys of a table; then, where *inner* names the table, tables below it."""
    below = []
    for field in fields(kind):
        plain = bare(field.type)
        if draw.random() < (0.05 if field.required else 0.85):
            continue
        if isinstance(plain, type) and issubclass(plain, Struct):
            below.append((field.encode_name, plain))
            continue
        yield f"{field.encode_name} = {_junk(draw) if draw.random() < wrongness else _typed(draw, field.type, field.encode_name)}"
    if draw.random() < wrongness:
        yield f"{_toml_text(draw.choice(EVERYTHING))} = {_junk(draw)}"
    for name, plain in below if inner else ():
        yield f"[{inner}.{name}]"
        yield from _keys(draw, plain, wrongness, inner="")


def _typed(draw: random.Random, kind: Any, name: str) -> str:
    """A value that might do for a setting."""
    kind = bare(kind)
    origin = get_origin(kind)
    if origin in (tuple, list):
        return f"[{', '.join(_typed(draw, get_args(kind)[0], name) for _ in range(draw.randint(0, 3)))}]"
    if isinstance(kind, type) and issubclass(kind, Struct):
        return f"{{ {', '.join(f'{field.encode_name} = {_typed(draw, field.type, field.encode_name)}' for field in fields(kind))} }}"
    if get_args(kind) and not isinstance(kind, type):
        choice = draw.choice(get_args(kind))
        return _toml_text(choice) if isinstance(choice, str) else _junk(draw)
    for known, values in _VALUES:
        if isinstance(kind, type) and issubclass(kind, known):
            return values(draw)
    return _toml_text(
        draw.choice(RIGHT.get(name, RIGHT_TEXTS) if draw.random() < 0.97 else (*PATHS, *TEXTS, *SCHEDULES))
    )


def _secret(draw: random.Random) -> str:
    return draw.choice((
        '"hunter2hunter2"', f"{{ file = {_toml_text(draw.choice(PATHS))} }}", '{ env = "HOME" }', '{ env = "GONE" }', '{ file = "secret" }', "{ }",
    ))  # fmt: skip


_VALUES: Sequence[tuple[type, Callable[[random.Random], str]]] = (
    (bool, lambda draw: draw.choice(("true", "false"))),
    (int, lambda draw: draw.choice(("0", "1", "8", "100", "-1", "9223372036854775807", '"32MB"'))),
    (float, lambda draw: draw.choice(("0.0", "0.5", "1.5", "1e308", "inf", "nan"))),
    (timedelta, lambda draw: _toml_text(draw.choice(RIGHT_DURATIONS if draw.random() < 0.95 else DURATIONS))),
    (Secret, _secret),
)


def _junk(draw: random.Random) -> str:
    return draw.choice((
        _toml_text(draw.choice(EVERYTHING)), draw.choice(NUMBERS), "[]", "{}", "[[1], {a = 1}]", "2026-01-01", "07:32:00", "true", "", "'", '"""', "[" * 900,
        "{ file = 'secret', env = 'HOME' }", "[" + "1," * 3000 + "]", _secret(draw), f"{{ {'a.' * 400}a = 1 }}",
    ))  # fmt: skip


def _toml_text(text: str) -> str:
    """A basic TOML string; what is no UTF-8 goes into the file as the byte that it stands for."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return (
        '"' + "".join(c if c.isprintable() or "\ud800" <= c <= "\udfff" else f"\\u{ord(c):04x}" for c in escaped) + '"'
    )


def _mutated_bytes(draw: random.Random, content: bytes) -> bytes:
    at, length = draw.randrange(len(content) + 1), draw.choice((1, 1, 4, 40))
    piece = content[at : at + length]
    return draw.choice((
        lambda: content[:at] + content[at + length :],
        lambda: content[:at] + piece * draw.choice((2, 50, 2000)) + content[at + length :],
        lambda: content[:at] + draw.randbytes(length) + content[at:],
        lambda: content[:at],
        lambda: content[:at] + draw.choice((b"=", b"[", b"]", b"\n", b'"', b"'''", b".", b"#", b"{", b"\\", b"\0", b"\xff", b"[plugins.x]\n")) + content[at:],
        lambda: content[at:] + content[:at],
    ))()  # fmt: skip
