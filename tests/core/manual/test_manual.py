"""The manual cannot lag behind: what it names exists, and what exists is named."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tomllib
from contextlib import closing
from itertools import combinations
from pathlib import Path
from typing import Any

import click
import pytest
from manual_pages import (
    DOCS,
    OPERATING,
    PLUGINS,
    ROOT,
    Block,
    blocks,
    command_lines,
    files_of,
    pages,
    plugin_file,
    read,
    script,
    section,
    without_blocks,
)
from msgspec.structs import fields
from plugin_package import clean_environment, run_pollctl, write_settings

import pollctl
from pollctl import errors
from pollctl.api import hookspecs
from pollctl.cli import bounded_pass, cli
from pollctl.cli.invocation import Invocation
from pollctl.config import settings as config
from pollctl.config.messages import bare
from pollctl.config.schema import Core, PluginConfig
from pollctl.plugin_host.discovery import find
from pollctl.plugin_host.loader import defaults_of, load, migrations_of
from pollctl.store.authorizer import CORE_TABLES
from pollctl.store.database import open_to_write

BLOCKS = [block for page in pages() for block in blocks(page)]
EXAMPLES = (
    "gauge",
    "watch",
    "spring",
    "river_level",
)  # the plugins that plugins.md, targets.md and tutorial.md build; tests of their own run what is said of them
COMMAND_LINES = [
    pytest.param(words, id=f"{block.page}: pollctl {' '.join(words)}")
    for block in BLOCKS
    for words in command_lines(block)
    if not {*EXAMPLES} & {*words}
]
SETTINGS = [
    block
    for block in BLOCKS
    if block.language == "toml" and re.search(r"^\[(pollctl|plugins)\b", block.text, re.MULTILINE)
]


GENERATE = script("generate")
COMMANDS = {" ".join(path): context.command for path, context in GENERATE.walk(GENERATE.root_context())}
SHIPPED = [plugin.name for plugin in GENERATE.shipped()]
CORE_COMMANDS = [path for path in COMMANDS if path.split()[0].replace("-", "_") not in SHIPPED]


# --- what is generated


def test_generating_the_reference_gives_what_is_there_whatever_the_terminal_and_the_home(tmp_path: Path) -> None:
    odd = {**clean_environment(tmp_path), "COLUMNS": "37", "LC_ALL": "C", "TZ": "Asia/Kolkata", "TERM": "xterm"}
    command = [sys.executable, str(DOCS / "generate.py"), str(tmp_path / "reference")]
    subprocess.run(command, cwd=tmp_path, env=odd, check=True, capture_output=True, timeout=60)
    made, there = pages_below(tmp_path / "reference"), pages_below(DOCS / "reference")
    assert sorted(made) == sorted(there)
    for name, text in made.items():
        assert text == there[name], f"docs/reference/{name} lags behind: run `make docs`"


def pages_below(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): read(path) for path in folder.rglob("*") if path.is_file()}


def test_every_command_has_a_man_page_that_man_reads_without_a_warning(tmp_path: Path) -> None:
    pages = sorted((DOCS / "reference" / "man").iterdir())
    words = {path.stem for path in pages}
    assert {"pollctl", "pollctl-run", "pollctl-db-backup", "pollctl-latency-add"} <= words
    groff = shutil.which("groff")
    if groff is None:
        pytest.skip("groff is missing")
    command = [groff, "-man", "-ww", "-K", "utf8", "-T", "utf8", *map(str, pages)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
    assert done.stderr == ""
    assert "several side by side" in " ".join(done.stdout.split())


def test_the_reference_says_what_every_setting_means() -> None:
    rows = re.findall(r"^\| `\w+` \|.*\|$", read(DOCS / "reference" / "settings.md"), re.MULTILINE)
    assert len(rows) > 20
    assert [row for row in rows if re.search(r"\|\s*\|$", row) or "``" in row] == []


def tables_below(heading: str) -> list[str]:
    return re.findall(r"^### (\w+)$", section(DOCS / "reference" / "tables.md", heading), re.MULTILINE)


@pytest.mark.parametrize("name", SHIPPED)
def test_the_reference_lists_the_tables_of_a_plugin_that_its_migrations_make_alone(name: str, tmp_path: Path) -> None:
    sets = migrations_of([load(find(name))])
    with closing(open_to_write(tmp_path / "pollctl.db", sets)) as db:
        made = {table for table in db.table_names() if not table.startswith("sqlite_")}
    assert sets
    assert sorted(tables_below(name)) == sorted(made - CORE_TABLES)


def test_the_reference_lists_every_table_once() -> None:
    named = [table for heading in ("The core", *SHIPPED) for table in tables_below(heading)]
    created = re.findall(r'^CREATE TABLE "?(\w+)"?', read(ROOT / "schema.sql"), re.MULTILINE)
    assert sorted(named) == sorted(table for table in created if not table.startswith("_"))


def test_the_reference_names_no_path_of_this_machine() -> None:
    for text in pages_below(DOCS / "reference").values():
        assert str(ROOT) not in text
        assert sys.prefix not in text


# --- what exists is named


@pytest.mark.parametrize("path", CORE_COMMANDS)
def test_the_manual_names_every_command(path: str) -> None:
    group = isinstance(COMMANDS[path], click.Group)
    assert group or f"`pollctl {path}`" in read(OPERATING)


@pytest.mark.parametrize("name", SHIPPED)
def test_the_readme_names_every_plugin(name: str) -> None:
    assert f"(plugins/pollctl_{name}/README.md)" in read(ROOT / "README.md")
    assert f"\n## pollctl {name.replace('_', '-')}\n" in read(DOCS / "reference" / "commands.md")


@pytest.mark.parametrize("extra", tomllib.loads(read(ROOT / "pyproject.toml"))["project"]["optional-dependencies"])
def test_the_manual_names_every_extra(extra: str) -> None:
    assert re.search(rf"`(pollctl\[)?{extra}\]?`", read(OPERATING))


@pytest.mark.parametrize("hook", [name for name in vars(hookspecs) if name.startswith("pollctl_")])
def test_the_manual_names_every_hook(hook: str) -> None:
    assert f"`{hook}`" in section(PLUGINS, "Hooks")


@pytest.mark.parametrize("table", sorted(name for name in CORE_TABLES if not name.startswith("_")))
def test_the_manual_names_every_table_of_the_core(table: str) -> None:
    assert f"| `{table}` |" in section(OPERATING, "The database")
    assert f"### {table}\n" in read(DOCS / "reference" / "tables.md")


def test_the_manual_names_exactly_the_exit_codes_that_there_are() -> None:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.PollctlError)]
    codes = {kind.exit_code for kind in kinds} | set(bounded_pass._EXIT_CODES.values())
    codes |= {bounded_pass._SIGNALLED + number for number in (signal.SIGINT, signal.SIGTERM)}
    named = re.findall(r"^\| (\d+) \|", section(OPERATING, "Exit codes"), re.MULTILINE)
    assert [int(code) for code in named] == sorted(codes)


@pytest.mark.parametrize("key", [*Core.__struct_fields__, *PluginConfig.__struct_fields__])
def test_the_manual_names_every_key_of_the_core(key: str) -> None:
    kinds = {field.name: bare(field.type) for field in fields(Core)}
    inner = getattr(kinds.get(key), "__struct_fields__", ())
    settings = section(OPERATING, "Settings")
    for row in [f"| `[pollctl.{key}]` `{name}` |" for name in inner] or [f"| `{key}` |"]:
        assert row in settings


def test_the_manual_names_exactly_the_metrics_of_the_core(tmp_path: Path) -> None:
    write_settings(tmp_path)
    done = run_pollctl(tmp_path, clean_environment(tmp_path), "metrics")
    named = re.findall(r"^\| `(pollctl_\w+)`", section(OPERATING, "Monitoring"), re.MULTILINE)
    assert sorted(named) == sorted(re.findall(r"^# HELP (\w+)", done.stdout, re.MULTILINE))


# --- what is named exists


def parsed(arguments: list[str], settings: Path) -> click.Context:
    """Have click read a command line to its end without running it.

    Raises:
        click.UsageError: there is no such command or option, or a value is none.
    """
    context = cli.make_context("pollctl", list(arguments))
    context.obj = Invocation(str(settings), is_debugging=False)
    while isinstance(context.command, click.Group):
        rest = [*context._protected_args, *context.args]
        if not rest and context.command.invoke_without_command:
            return context
        name, command, rest = context.command.resolve_command(context, rest)
        assert command is not None
        context = command.make_context(name, rest, parent=context)
    return context


@pytest.mark.parametrize("words", COMMAND_LINES)
def test_every_command_line_of_the_manual_can_be_given(words: list[str], tmp_path: Path) -> None:
    try:
        context = parsed(words, write_settings(tmp_path))
    except click.exceptions.Exit:
        return  # --help and --version end it
    named = [*context.params.get("names", ()), context.params.get("plugin") or "latency"]
    assert [name for name in named if name not in SHIPPED and not name.isupper()] == []


def test_a_command_line_that_cannot_be_given_would_be_noticed(tmp_path: Path) -> None:
    assert len(COMMAND_LINES) > 30
    for words in (["statsu"], ["status", "--jsn"], ["outbox", "drop", "x"], ["latency", "show"]):
        with pytest.raises(click.UsageError):
            parsed(words, write_settings(tmp_path))


@pytest.mark.parametrize("page", pages(), ids=lambda page: f"{page.parent.name}/{page.name}")
def test_every_command_named_in_the_text_exists(page: Path) -> None:
    for words in re.findall(r"`pollctl ([a-z][^`]*)`", without_blocks(read(page))):
        first, second = [*str(words).split(), ""][:2]
        assert first in COMMANDS or first in EXAMPLES, words
        if isinstance(COMMANDS.get(first), click.Group) and re.fullmatch(r"[a-z-]+", second):
            assert f"{first} {second}" in COMMANDS, words


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives to the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", without_blocks(read(page)), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def linked(page: Path, target: str) -> Path:
    """Where a relative link leads, plugins' files wherever they are installed."""
    path = Path(os.path.normpath(page.parent / target)) if target else page
    if path.is_relative_to(ROOT / "plugins"):
        return plugin_file(str(path.relative_to(ROOT / "plugins")))
    return path


@pytest.mark.parametrize("page", pages(), ids=lambda page: f"{page.parent.name}/{page.name}")
def test_every_link_leads_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", without_blocks(read(page))):
        if "://" in link:
            continue
        target, _, anchor = link.partition("#")
        path = linked(page, target)
        assert path.exists(), link
        assert not anchor or anchor in anchors(path), link


@pytest.mark.parametrize("block", SETTINGS, ids=lambda block: f"{block.page}: {block.text.splitlines()[0]}")
def test_every_settings_file_of_the_manual_is_right(block: Block, tmp_path: Path) -> None:
    for name in re.findall(r'file = "([^"]+)"', block.text):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("https://hc.example.net/ping/1\n")
    path = tmp_path / "pollctl.toml"
    path.write_text(block.text)
    loaded = config.load(path, dict.fromkeys(re.findall(r'env = "(\w+)"', block.text), "json://127.0.0.1/"))
    for name in loaded.names:
        if name in EXAMPLES:
            continue
        plugin = load(find(name))
        kind: Any = plugin.poller.settings
        loaded.timing_and_limits(name, defaults_of(plugin), check_schedule=True)
        loaded.settings(name, kind, defaults_of(plugin))


def test_the_settings_files_are_found() -> None:
    assert {block.page for block in SETTINGS} >= {"operating.md", "plugins.md"}


def messages() -> list[str]:
    rows = re.findall(r"^\| (`.+?) \|", section(OPERATING, "Troubleshooting"), re.MULTILINE)
    return [message for row in rows for message in re.findall(r"``.+?``|`[^`]+`", row)]


@pytest.mark.parametrize("message", messages())
def test_the_messages_that_trouble_is_known_by_are_those_of_the_code(message: str) -> None:
    """Some words in a row, ten characters or more, that the code says too; the others are names and values."""
    sources = [*Path(pollctl.__file__).parent.rglob("*.py"), *Path(tomllib.__file__).parent.glob("*.py")]
    said = " ".join(read(path) for path in sources)
    words = message.strip("`").split()
    runs = [" ".join(words[first:last]) for first, last in combinations(range(len(words) + 1), 2) if last - first > 1]
    assert [run for run in runs if len(run) >= 10 and run in said]


def test_the_messages_are_found() -> None:
    assert len(messages()) > 15


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="needs systemd-analyze")
def test_systemd_takes_the_units(tmp_path: Path) -> None:
    units = {name: text for name, text in files_of(OPERATING).items() if name.startswith("pollctl.")}
    assert sorted(units) == ["pollctl.service", "pollctl.timer"]
    for name, text in units.items():
        (tmp_path / name).write_text(text.replace("/opt/pollctl/bin/pollctl", f"{sys.executable} -m pollctl"))
    command = ["systemd-analyze", "verify", "--man=no", *(str(tmp_path / name) for name in units)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert "pollctl" not in done.stderr
    assert done.returncode == 0, done.stderr
