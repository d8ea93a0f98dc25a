"""The manual as tests read it: pages, fenced blocks, the files and command lines in them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from itertools import dropwhile
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
CONTRIBUTING = ROOT / "CONTRIBUTING.md"
OPERATING = DOCS / "operating.md"
PLUGINS = DOCS / "plugins.md"
_BLOCK = re.compile(
    r"(?:<!-- (?P<mark>[^\n]+) -->\n)?^```(?P<language>\w+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)
_CRON_FIELDS = re.compile(r"(?:[\d*][\d*/,-]* ){5}")
_ASSIGNMENT = re.compile(r"[A-Z_]+=.*")
_SEPARATORS = {"|", "||", "&&", ";"}
_REDIRECTIONS = {">", ">>", "<", "2>"}


def script(name: str) -> ModuleType:
    """A script that lies beside the manual."""
    spec = spec_from_file_location(f"docs_{name}", DOCS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Block(NamedTuple):
    """A fenced block, and the words of the comment right before it."""

    page: str
    language: str
    mark: str
    text: str


def pages() -> list[Path]:
    """Every page of the manual, for users and for maintainers, and the READMEs of the plugins that README.md names."""
    of_plugins = re.findall(r"\(plugins/(\w+/README\.md)\)", read(ROOT / "README.md"))
    return [ROOT / "README.md", CONTRIBUTING, *sorted(DOCS.rglob("*.md")), *map(plugin_file, of_plugins)]


def plugin_file(name: str) -> Path:
    """A file of a plugin that comes with pollctl, wherever it is installed."""
    module, _, inner = name.partition("/")
    spec = find_spec(module)
    assert spec is not None, module
    assert spec.origin is not None, module
    return Path(spec.origin).parent / inner


def read(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def blocks(page: Path) -> Iterator[Block]:
    """The fenced blocks of a page."""
    for match in _BLOCK.finditer(read(page)):
        yield Block(page.name, match["language"], match["mark"] or "", match["text"])


def files_of(page: Path) -> dict[str, str]:
    """The files that a page holds whole: blocks marked ``<!-- file: NAME -->``."""
    marked = ((block.mark.removeprefix("file: "), block) for block in blocks(page) if block.mark.startswith("file: "))
    return {name: block.text for name, block in marked}


def section(page: Path, heading: str) -> str:
    """What stands below a heading of the second level."""
    match = re.search(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", read(page), re.MULTILINE | re.DOTALL)
    assert match is not None, heading
    return match[1]


def without_blocks(text: str) -> str:
    return re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)


def command_lines(block: Block) -> Iterator[list[str]]:
    """The arguments of each call of pollctl in a block that a shell, cron or systemd would run."""
    if block.language not in ("sh", "console", "crontab", "ini"):
        return
    for line in block.text.splitlines():
        shell = _shell(block.language, line)
        for words in _simple_commands(shell):
            unprivileged = words[3:] if words[:2] == ["sudo", "-u"] else words
            command = list(dropwhile(_ASSIGNMENT.fullmatch, unprivileged))
            if command and command[0].rpartition("/")[2] == "pollctl":
                yield command[1:]


def _shell(language: str, line: str) -> str:
    """The part of a line that is a command, or nothing."""
    if language == "console":
        return line.removeprefix("$ ") if line.startswith("$ ") else ""
    if language == "ini":
        return line.removeprefix("ExecStart=") if line.startswith("ExecStart=") else ""
    if language == "crontab":
        match = _CRON_FIELDS.match(line)
        return line[match.end() :] if match else ""
    return line


def _simple_commands(shell: str) -> Iterator[list[str]]:
    lexer = shlex.shlex(shell, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    words: list[str] = []
    is_redirected = False
    for word in lexer:
        if word in _SEPARATORS:
            yield words
            words, is_redirected = [], False
        elif word in _REDIRECTIONS:
            is_redirected = True
        elif not is_redirected:
            words.append(word)
    yield words
