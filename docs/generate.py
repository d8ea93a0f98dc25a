"""Write the pages of docs/reference that the code knows best; ``make docs`` runs it.

The same code gives the same bytes: fixed width, no path of this machine, no date. Only what comes with pollctl is
described; a plugin of it that does not load yet is left out and named on stderr.
"""
# ruff: noqa: INP001 - a script beside the manual, no package

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import cache
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click
from click_man.man import ManPage
from msgspec import NODEFAULT
from msgspec.structs import fields
from sqlite_utils import Database

from pollctl import demo, errors, fakes, testing
from pollctl.api import hookspecs, poller, run, values
from pollctl.cli import cli
from pollctl.cli.invocation import Invocation
from pollctl.cli.table import COMMANDS
from pollctl.config import settings
from pollctl.config.messages import allowed, bare, shown
from pollctl.config.schema import Core, PluginConfig
from pollctl.plugin_host import command_context, discovery, loader
from pollctl.plugin_host.configured import defaults_of
from pollctl.plugin_host.loader import Plugin
from pollctl.store import database

FOLDER = Path(__file__).parent / "reference"
WIDTH = 80
NOTE = "<!-- Written by docs/generate.py from the code (`make docs`); changes made here are lost. -->\n\n"
_SETTING = re.compile(r"(?:# )?(?P<key>\w+) = (?P<value>.+?) +# (?P<meaning>.+)")
_SECTION = re.compile(r"^(Args|Attributes|Raises):\n((?:    .*\n?|\n)+)", re.MULTILINE)
_QUOTED = re.compile(r"''|'([^']+)'")  # an empty text, or an annotation, which is text until it is looked at
_SHORT = {
    'a duration such as "500ms", "20s", "15m", "2h" or "1d"': "duration",
    'an http or https address such as "https://api.example.net"': "http or https address",
    'a size such as "64KB" or "32MB"': "size",
    'text, { env = "NAME" } or { file = "PATH" }': "secret",
}


@cache
def shipped() -> list[Plugin]:
    """The plugins that come with pollctl, by name; one without a README is not finished yet."""
    loaded = []
    for found in discovery.discover().values():
        if found.distribution != discovery.OWN_DISTRIBUTION:
            continue
        try:
            plugin = loader.load(found)
        except errors.PluginError as error:
            sys.stderr.write(f"left out: {error}\n")
            continue
        if files(found.entry_point.module).joinpath("README.md").is_file():
            loaded.append(plugin)
        else:
            sys.stderr.write(f"left out: {found.name} has no README.md yet\n")
    return loaded


# --- commands


def commands_page() -> str:
    """The help of every command, those of plugins too."""
    context = root_context()
    parts = [f"# Commands\n\n{NOTE}What `pollctl COMMAND --help` says.\n", *_help_of_root(context)]
    for path, inner in walk(context):
        parts.append(f"{'#' * min(len(path) + 1, 4)} pollctl {' '.join(path)}\n\n```text\n{inner.get_help()}\n```\n")
    return "\n".join(parts)


def root_context() -> click.Context:
    """The context of ``pollctl`` itself, as wide as the manual."""
    invocation = Invocation(None, is_debugging=False)
    return click.Context(cli, info_name="pollctl", terminal_width=WIDTH, obj=invocation, **cli.context_settings)


def walk(context: click.Context) -> Iterator[tuple[tuple[str, ...], click.Context]]:
    """Every command that exists, by the words that name it, with a context of its own."""
    own = {plugin.name.replace("_", "-") for plugin in shipped()}
    there = [name for name, entry in COMMANDS.items() if find_spec(f"pollctl.cli.{entry.module}")]
    for name in (*there, *sorted(own)):
        yield from _walk(context, (name,))


def _walk(parent: click.Context, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], click.Context]]:
    group = parent.command
    assert isinstance(group, click.Group)  # noqa: S101 - what is walked through is a group
    command = group.get_command(parent, path[-1])
    assert command is not None, path  # noqa: S101 - its name was listed
    context = click.Context(command, info_name=path[-1], parent=parent)
    yield path, context
    for name in command.list_commands(context) if isinstance(command, click.Group) else ():
        yield from _walk(context, (*path, name))


def _help_of_root(context: click.Context) -> list[str]:
    formatter = context.make_formatter()
    cli.format_usage(context, formatter)
    cli.format_help_text(context, formatter)
    click.Command.format_options(cli, context, formatter)
    return [f"## pollctl\n\n```text\n{formatter.getvalue().rstrip()}\n```\n"]


# --- settings


def settings_page() -> str:
    """Every key of the settings with its type, default and meaning."""
    core = settings.sample()
    meanings = meanings_of(core)
    parts = [f"# Settings\n\n{NOTE}{_SETTINGS_INTRO}"]
    parts += _core_tables(Core, "pollctl", meanings)
    parts += [_SECTIONS_INTRO, *(_plugin_table(plugin, meanings["pollctl"]) for plugin in shipped())]
    return "\n".join(parts)


_SETTINGS_INTRO = """\
A duration is a number and one of `ms`, `s`, `m`, `h`, `d`, as text: `"20s"`. A size is a whole number and one of `B`,
`KB`, `MB`, `GB`: `"32MB"`. A secret is text, `{ env = "NAME" }` or `{ file = "PATH" }`. Relative paths start from the
folder of the settings file. [The manual](../operating.md#settings) says how the file is found and what goes first.
"""

_SECTIONS_INTRO = """\
## [plugins.NAME]

One section for each plugin, written with `_` or `-`. It may say `enabled = false`, and it may set again each key of
[\\[pollctl\\]](#pollctl) from `schedule` to `record`; the rest of its keys are the plugin's own.
"""


def meanings_of(sample: str) -> dict[str, dict[str, tuple[str, str]]]:
    """By table and key, the default and the meaning, as the comments of a sample say them."""
    found: dict[str, dict[str, tuple[str, str]]] = {}
    table = ""
    for line in sample.splitlines():
        if line.startswith("["):
            table = line.strip("[]")
        elif match := _SETTING.fullmatch(line):
            found.setdefault(table, {})[match["key"]] = (match["value"], match["meaning"])
    return found


def _core_tables(kind: Any, where: str, meanings: dict[str, dict[str, tuple[str, str]]]) -> Iterator[str]:
    nested = []
    rows = []
    for field in fields(kind):
        if hasattr(bare(field.type), "__struct_fields__"):
            nested.append(field)
            continue
        rows.append(_row(field, meanings.get(where, {})))
    yield f"## [{where}]\n\n{_paragraph(kind)}{_table(rows)}"
    for field in nested:
        yield from _core_tables(field.type, f"{where}.{field.name}", meanings)


def _plugin_table(plugin: Plugin, common: dict[str, tuple[str, str]]) -> str:
    section = f"plugins.{plugin.name}"
    sample = files(plugin.found.entry_point.module).joinpath("sample.toml").read_text(encoding="utf-8")
    by_table = meanings_of(sample)
    meanings = by_table.get(section, {})
    own = defaults_of(plugin)
    nested = [field for field in fields(plugin.poller.settings) if hasattr(bare(field.type), "__struct_fields__")]
    rows = [_row(field, meanings) for field in fields(plugin.poller.settings) if field not in nested]
    core = [
        _row(field, meanings if field.name in meanings else common, own.get(field.name))
        for field in fields(PluginConfig)
        if field.name in own
    ]
    return (
        f"## [{section}]\n\n{plugin.poller.summary}\n\n{_table(rows)}\n"
        f"Keys of the core for which this plugin has defaults of its own:\n\n{_table(core)}\n"
        + "".join(_nested_table(field, f"{section}.{field.name}", by_table) for field in nested)
    )


def _nested_table(field: Any, where: str, by_table: dict[str, dict[str, tuple[str, str]]]) -> str:
    rows = [_row(one, by_table.get(where, {})) for one in fields(field.type)]
    return f"## [{where}]\n\n{_paragraph(field.type)}{_table(rows)}\n"


def _row(field: Any, meanings: dict[str, tuple[str, str]], default: str | None = None) -> tuple[str, ...]:
    written, meaning = meanings.get(field.name, ("", ""))
    value = shown(default) if default is not None else _default(field) or written
    kind = allowed(field.type)
    for long, short in _SHORT.items():
        kind = kind.replace(long, short)
    return f"`{field.name}`", kind.removeprefix("a "), f"`{value}`", meaning


def _default(field: Any) -> str:
    """The default as TOML has it; nothing where only the sample can say it."""
    value = field.default
    if value is NODEFAULT:
        return ""
    if value is None or repr(value) == "***":
        return '""'
    if isinstance(value, tuple):
        return f"[{', '.join(map(shown, value))}]"
    if isinstance(value, bool) or type(value) in (int, float):
        return shown(value)
    return shown(str(value))


def _table(rows: list[tuple[str, ...]]) -> str:
    lines = ["| key | type | default | meaning |", "| --- | --- | --- | --- |"]
    lines += [f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows]
    return "\n".join(lines) + "\n"


# --- the contract


def hooks_page() -> str:
    """The contract for authors of plugins: hooks, what a pass offers them, and the values that go in and out."""
    hooks = [function for name, function in vars(hookspecs).items() if name.startswith("pollctl_")]
    parts = [f"# The contract\n\n{NOTE}Contract version {poller.CONTRACT_VERSION}. {_HOOKS_INTRO}", "## Hooks\n"]
    parts += [_hook(function) for function in hooks]
    parts += ["## The pass: `run`\n", _paragraph(run.Run), *_members(run.Run)]
    parts += ["## Values\n"]
    parts += [
        _value(kind)
        for kind in (poller.Poller, values.Effect, values.Request, values.Answer, values.FetchError, values.Result)
    ]
    parts += ["## Errors\n", *_errors()]
    parts += [
        "## Commands: `PluginContext`\n",
        _paragraph(command_context.PluginContext),
        *_members(command_context.PluginContext),
    ]
    kit: list[Callable[..., Any]] = [
        testing.conformance,
        testing.contract_problems,
        testing.impurities,
        testing.round_trip_problems,
        testing.imports_of,
    ]
    parts += ["## The conformance kit: `pollctl.testing`\n", *(_function(function) for function in kit)]
    parts += ["## The bench: `pollctl.testing.Bench`\n", _paragraph(testing.Bench), *_members(testing.Bench)]
    parts += map(_value, (testing.Result, testing.QueuedEffect, testing.Message))
    fake = fakes.FakeUpstream
    parts += ["## Fake upstreams: `pollctl.fakes`\n", *map(_value, (fakes.ServerRequest, fakes.ServerResponse))]
    parts += [f"### {fake.__name__}\n\n{_paragraph(fake)}", *_members(fake)]
    parts += ["## Demos: `session`\n", _paragraph(demo.DemoSession), *_members(demo.DemoSession)]
    return "\n".join(parts)


_HOOKS_INTRO = "[docs/plugins.md](../plugins.md) says how it fits together.\n"


def _hook(function: Callable[..., Any]) -> str:
    must = "required" if function.__name__ in hookspecs.REQUIRED else "optional"
    return f"### {function.__name__}\n\n```python\n{_signature(function)}\n```\n\n*{must}.* {_paragraph(function)}"


def _function(function: Callable[..., Any]) -> str:
    return f"### {function.__name__}\n\n```python\n{_signature(function)}\n```\n\n{_paragraph(function)}"


def _members(kind: type) -> Iterator[str]:
    for name, member in vars(kind).items():
        if inspect.isfunction(member) and not name.startswith("_"):
            yield _function(member)


def _value(kind: Any) -> str:
    if issubclass(kind, tuple):
        names, defaults = kind._fields, kind._field_defaults
    else:
        names = kind.__struct_fields__
        defaults = dict(zip(reversed(names), reversed(kind.__struct_defaults__), strict=False))
    shown_defaults = {name: _shown_default(value) for name, value in defaults.items()}
    types = {name: getattr(kind.__annotations__[name], "__forward_arg__", kind.__annotations__[name]) for name in names}
    lines = [f"    {name}: {types[name]}{shown_defaults.get(name, '')}" for name in names]
    body = "\n".join([f"class {kind.__name__}:", *lines])
    return f"### {kind.__name__}\n\n```python\n{body}\n```\n\n{_paragraph(kind)}"


def _shown_default(value: Any) -> str:
    if value is NODEFAULT:
        return ""
    return f" = {value.factory() if hasattr(value, 'factory') else value!r}".replace("'", '"')


def _errors() -> Iterator[str]:
    for kind in vars(errors).values():
        if inspect.isclass(kind) and issubclass(kind, errors.PollctlError):
            yield f"### {kind.__name__}\n\nExit code {kind.exit_code}. {_paragraph(kind)}"


def _signature(function: Callable[..., Any]) -> str:
    """The signature without self, on one line."""
    signature = inspect.signature(inspect.unwrap(function))
    arguments = [argument for argument in signature.parameters.values() if argument.name != "self"]
    words = str(signature.replace(parameters=arguments)).replace(repr(sys.executable), "sys.executable")
    words = _QUOTED.sub(lambda match: match[1] or '""', words)
    return f"{function.__name__}{words}"


def _paragraph(thing: Any) -> str:
    """A docstring as Markdown."""
    text = inspect.cleandoc(thing.__doc__ or "")
    text = _SECTION.sub(lambda match: f"{match[1]}:\n\n{_items(match[2])}\n", text)
    return text.replace("``", "`").rstrip() + "\n\n"


def _items(block: str) -> str:
    """The entries of a section, as a list: a line that begins with a name begins an entry."""
    entries: list[str] = []
    for line in inspect.cleandoc(block).splitlines():
        if line and not line.startswith(" "):
            names, _, rest = line.partition(": ")
            entries.append(f"- `{names.replace(', ', '`, `')}`: {rest}")
        elif line:
            entries[-1] += f" {line.strip()}"
    return "\n".join(entries) + "\n"


# --- tables


def tables_page() -> str:
    """Every table, below the one whose migrations make it: the core, or a plugin."""
    parts = [f"# Tables\n\n{NOTE}{_TABLES_INTRO}"]
    for owner, tables in tables_by_owner().items():
        parts += [f"## {owner or 'The core'}\n", *(_sql(table, tables[table]) for table in tables)]
    return "\n".join(parts)


def tables_by_owner() -> dict[str, dict[str, list[str]]]:
    """By plugin, the core first as ``""``, what its migrations add to a database: statements by table.

    The sets are applied one after another to one database, as they are to one in use. Names are not asked: a plugin's
    tables need not begin with its name.
    """
    made: dict[str, dict[str, list[str]]] = {}
    with TemporaryDirectory() as folder:
        path = Path(folder, "pollctl.db")
        for owner, sets in [("", []), *((plugin.name, loader.migrations_of([plugin])) for plugin in shipped())]:
            with closing(database.open_to_write(path, sets)) as db:
                before = {table for tables in made.values() for table in tables}
                made[owner] = {table: sql for table, sql in _tables(db).items() if table not in before}
    return made


def _tables(db: Database) -> dict[str, list[str]]:
    rows = db.execute(
        "SELECT tbl_name, sql FROM sqlite_master WHERE sql IS NOT NULL AND tbl_name NOT GLOB '_*' "
        "AND tbl_name NOT GLOB 'sqlite_*' ORDER BY rowid"
    )
    statements: dict[str, list[str]] = {}
    for table, sql in rows:
        statements.setdefault(table, []).append(f"{sql};")
    return statements


_TABLES_INTRO = """\
Moments are text in UTC, `YYYY-MM-DDTHH:MM:SS.mmmZ`, so that they sort as text. All tables are STRICT.
[The manual](../operating.md#the-database) says what the core's tables are for.
"""


def _sql(table: str, statements: list[str]) -> str:
    return f"### {table}\n\n```sql\n" + "\n".join(statements) + "\n```\n"


PAGES: dict[str, Callable[[], str]] = {
    "commands.md": commands_page,
    "settings.md": settings_page,
    "hooks.md": hooks_page,
    "tables.md": tables_page,
}


# --- man pages


def man_pages() -> dict[str, str]:
    """Every command as a page of section 1, by the name of its file."""
    context = root_context()
    commands = [context, *(inner for _, inner in walk(context))]
    return {f"{inner.command_path.replace(' ', '-')}.1": _man_page(inner) for inner in commands}


def _man_page(context: click.Context) -> str:
    """One page; it has no date and no version, so that it changes with its command only."""
    command = context.command
    man = ManPage(context.command_path)
    man.date = man.version = ""
    man.short_help = command.get_short_help_str(limit=WIDTH)
    man.synopsis = " ".join(command.collect_usage_pieces(context))
    man.description = _roff(inspect.cleandoc(command.help or ""))
    records = (one.get_help_record(context) for one in command.get_params(context) if isinstance(one, click.Option))
    man.options = [(names, _roff(text)) for names, text in filter(None, records)]
    if isinstance(command, click.Group):
        man.commands = [(name, _roff(text)) for name, text in _summaries(command, context)]
    return f"{man}\n"


def _summaries(group: click.Group, context: click.Context) -> Iterator[tuple[str, str]]:
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command and not command.hidden:
            yield name, COMMANDS[name].help if group is cli and name in COMMANDS else command.get_short_help_str()


def _roff(text: str) -> str:
    """A text in which nothing is taken for an instruction of roff."""
    return re.sub(r"^(?=[.'])", r"\\&", text.replace("\\", r"\e"), flags=re.MULTILINE)


def page(name: str) -> str:
    """The text of one page: no blanks at the ends of lines, one newline at the end, no two empty lines in a row."""
    lines = "\n".join(line.rstrip() for line in PAGES[name]().splitlines())
    return re.sub(r"\n{3,}", "\n\n", lines).strip() + "\n"


def main(folder: Path) -> None:
    """Write all pages."""
    folder.mkdir(exist_ok=True)
    for name in PAGES:
        (folder / name).write_text(page(name), encoding="utf-8")
    manual = folder / "man"
    manual.mkdir(exist_ok=True)
    pages = man_pages()
    for name, text in pages.items():
        (manual / name).write_text(text, encoding="utf-8")
    for path in manual.iterdir():
        if path.name not in pages:
            path.unlink()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
