"""The rooms of a plugin: which there are, how large a file gets, and who may import what."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pollctl
from pollctl.plugin_host.conformance.scopes import absolute

ROOMS = frozenset(
    {
        *("__init__", "model", "client", "fetch", "decide", "store", "deliver", "commands", "queries"),
        *("metrics", "migrations", "report", "fake", "demo"),
    }
)
"""Each a file, or a package of that name; a reader of another plugin expects all of them."""
NEEDED_FILES = frozenset({"sample.toml", "README.md"})
MOST_LINES = 250
"""Of one file of Python."""
PUBLIC = frozenset(
    {
        *("pollctl", "pollctl.testing", "pollctl.fakes", "pollctl.demo", "pollctl.targets", "pollctl.sql"),
        *("pollctl.oauth", "pollctl.metrics"),
    }
)
"""All that plugins may import of pollctl."""
_FOR_DECIDE = frozenset({"pollctl", "msgspec"}) | sys.stdlib_module_names


class Import(NamedTuple):
    """One name that one line imports: the module, and what is taken out of it, if anything."""

    line: int
    module: str
    name: str = ""

    @property
    def target(self) -> str:
        """What is imported, in one dotted name."""
        return f"{self.module}.{self.name}" if self.name else self.module


def stray_files(folder: Path) -> list[str]:
    """Python that lies in no room; data files may lie anywhere."""
    return [
        f"{folder.name}/{path.relative_to(folder)}: there is no room {room!r}; the rooms are {', '.join(sorted(ROOMS))}"
        for path in _sources(folder)
        if (room := path.relative_to(folder).parts[0].removesuffix(".py")) not in ROOMS
    ]


def double_rooms(folder: Path) -> list[str]:
    """Rooms that are a file and a package as well: Python takes the package, a reader maybe the file."""
    return [
        f"{folder.name}/{room}: it is a file and a package"
        for room in sorted(ROOMS)
        if _file(folder, room) and _package(folder, room)
    ]


def missing_rooms(folder: Path) -> list[str]:
    """What a reader of another plugin expects and does not find."""
    rooms = [room for room in sorted(ROOMS) if not (_file(folder, room) or _package(folder, room))]
    files = [name for name in sorted(NEEDED_FILES) if not (folder / name).is_file()]
    return [f"{folder.name}: it lacks {name}" for name in [*rooms, *files]]


def long_files(folder: Path) -> list[str]:
    """Files of Python that should be packages."""
    counted = [(path, len(path.read_text(encoding="utf-8").splitlines())) for path in _sources(folder)]
    return [
        f"{folder.name}/{path.relative_to(folder)}: {lines} lines, more than {MOST_LINES}; make it a package, cut along its headings"
        for path, lines in counted
        if lines > MOST_LINES
    ]


def private_imports(folder: Path) -> list[str]:
    """What a plugin imports of pollctl that is not public, wherever in a file and however it is imported."""
    return [
        f"{_place(folder, path, one)}: it imports {one.target}; public are {', '.join(sorted(PUBLIC))}"
        for path in _sources(folder)
        for one in imports_in(path, folder)
        if not _is_public(one)
    ]


def foreign_imports_of_rules(folder: Path) -> list[str]:
    """What decide imports beyond model, its own parts, pollctl and plain Python, and model beyond its parts and the same."""
    return [*_foreign(folder, "decide", ("decide", "model")), *_foreign(folder, "model", ("model",))]


def imports_in(path: Path, folder: Path) -> Iterator[Import]:
    """Every import of a file: in functions and below ``TYPE_CHECKING`` too, relative ones, and by name with importlib."""
    package = ".".join((folder.name, *path.relative_to(folder).parent.parts))
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (Import(node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = absolute(node, package)
            yield from (Import(node.lineno, module, alias.name) for alias in node.names)
        elif isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in ("import_module", "__import__"):
            texts = [one.value for one in node.args[:1] if isinstance(one, ast.Constant) and isinstance(one.value, str)]
            yield from (Import(node.lineno, text) for text in texts)


def _foreign(folder: Path, room: str, rooms: tuple[str, ...]) -> Iterator[str]:
    files = [folder / f"{room}.py", *sorted((folder / room).rglob("*.py"))]
    for path in filter(Path.is_file, files):
        for one in imports_in(path, folder):
            if not _is_for_rules(one, folder.name, rooms):
                allowed = ", ".join((*rooms, "pollctl", "msgspec"))
                yield f"{_place(folder, path, one)}: {room} imports {one.target}; it may import {allowed} and plain Python"


def _is_for_rules(one: Import, package: str, rooms: tuple[str, ...]) -> bool:
    parts = one.target.split(".")
    if parts[0] == package:
        return len(parts) > 1 and parts[1] in rooms
    if parts[0] == "pollctl":
        return one.module == "pollctl" and one.name in pollctl.__all__
    return parts[0] in _FOR_DECIDE


def _is_public(one: Import) -> bool:
    if one.module.partition(".")[0] != "pollctl":
        return True
    if one.module != "pollctl" or not one.name:
        return one.module in PUBLIC
    return one.name in pollctl.__all__ or one.target in PUBLIC


def _sources(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*.py") if "__pycache__" not in path.parts)


def _file(folder: Path, room: str) -> bool:
    return (folder / f"{room}.py").is_file()


def _package(folder: Path, room: str) -> bool:
    return any((folder / room).glob("*.py"))


def _place(folder: Path, path: Path, one: Import) -> str:
    return f"{folder.name}/{path.relative_to(folder)}:{one.line}"
