"""The source of a plugin's own modules, found without importing any, and what each defines."""

from __future__ import annotations

import ast
import importlib.machinery
import importlib.util
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from pollctl.plugin_host.conformance.scopes import Function, Scope, within

Kind = Literal["function", "class", "value"]


class Definition(NamedTuple):
    """A function, method, class, or a statement that gives a module's variable its value.

    Attributes:
        name: within its module: ``judge``, ``Job.age``.
        owner: the name of the class that it is a method of, or that it is.
    """

    kind: Kind
    module: Module
    name: str
    node: ast.stmt
    owner: str = ""

    @property
    def dotted(self) -> str:
        """Its name, module included."""
        return f"{self.module.name}.{self.name}"


class Module:
    """One module of a plugin.

    Attributes:
        file: its path, as messages name it.
        definitions: by their names; a name that is defined twice has two.
    """

    def __init__(self, name: str, file: str, source: str, *, is_package: bool = False) -> None:
        self.name = name
        self.file = file
        self.tree = ast.parse(source)
        self.scope = Scope(None, prefix=name, package=name if is_package else name.rpartition(".")[0])
        self.scope.bind_all(self.tree.body)
        self.definitions: dict[str, list[Definition]] = defaultdict(list)
        for statement in self.tree.body:
            self._define(statement)

    def at(self, line: int) -> Definition | None:
        """The innermost function that stands at a line."""
        found = [
            one
            for same in self.definitions.values()
            for one in same
            if one.kind == "function" and _first_line(one.node) <= line <= (one.node.end_lineno or line)
        ]
        return max(found, key=lambda one: one.node.lineno, default=None)

    def _define(self, statement: ast.stmt) -> None:
        if isinstance(statement, Function | ast.ClassDef):
            self._define_named(statement, "")
            return
        for node in within([statement]):
            if isinstance(node, Function | ast.ClassDef):
                self._define_named(node, "")
        for name in self._concerned(statement):
            self.definitions[name].append(Definition("value", self, name, statement))

    def _define_named(self, node: Function | ast.ClassDef, owner: str) -> None:
        name = f"{owner}.{node.name}" if owner else node.name
        if isinstance(node, Function):
            self.definitions[name].append(Definition("function", self, name, node, owner))
            return
        self.definitions[name].append(Definition("class", self, name, node, name))
        for inner in within(node.body):
            if isinstance(inner, Function | ast.ClassDef):
                self._define_named(inner, name)

    def _concerned(self, statement: ast.stmt) -> set[str]:
        """The variables of the module that a statement gives a value, or may change."""
        if isinstance(statement, ast.Import | ast.ImportFrom):
            return set()
        names = [node for node in within([statement]) if isinstance(node, ast.Name)]
        stored = {node.id for node in names if isinstance(node.ctx, ast.Store)}
        if stored and isinstance(statement, ast.Assign | ast.AnnAssign):
            return stored
        own = {node.id for node in names if f"{self.name}.{node.id}" in self.scope.names.get(node.id, ())}
        return stored | own


def _first_line(node: ast.stmt) -> int:
    """That of its first decorator, as Python counts."""
    decorators = node.decorator_list if isinstance(node, Function | ast.ClassDef) else []
    return min(node.lineno, *(one.lineno for one in decorators), node.lineno)


class Sources:
    """The modules of one plugin, read when they are first asked for.

    Args:
        tops: the top-level names that are the plugin's own.
    """

    def __init__(self, tops: Collection[str]) -> None:
        self.tops = frozenset(tops)
        self.modules: dict[str, Module | None] = {}
        self._specs: dict[str, importlib.machinery.ModuleSpec | None] = {}
        self._splits: dict[str, list[tuple[Module, Sequence[str]]]] = {}
        self._definitions: dict[str, list[Definition]] = {}

    def module(self, name: str) -> Module | None:
        """One of the plugin's modules; None for any other, and where there is no source."""
        if name not in self.modules:
            self.modules[name] = self._read(name)
        return self.modules[name]

    def loaded(self) -> list[Module]:
        """Those that were asked for so far."""
        return [module for module in self.modules.values() if module]

    def files(self) -> list[Path]:
        """Where those lie."""
        origins = [spec.origin for name, spec in self._specs.items() if spec and self.modules.get(name)]
        return [Path(origin) for origin in origins if origin]

    def splits(self, dotted: str) -> list[tuple[Module, Sequence[str]]]:
        """Every way to take a dotted name for a module and what is in it, the longest module first."""
        if dotted not in self._splits:
            self._splits[dotted] = list(self._split(dotted.split(".")))
        return self._splits[dotted]

    def definitions(self, dotted: str) -> list[Definition]:
        """What a dotted name is defined by: itself, or what it is an attribute, an item or a result of."""
        plain = dotted.partition("(")[0].partition("[")[0]
        if plain not in self._definitions:
            self._definitions[plain] = self._defined(plain)
        return self._definitions[plain]

    def _split(self, parts: Sequence[str]) -> Iterator[tuple[Module, Sequence[str]]]:
        if parts[0] not in self.tops:
            return
        for end in range(len(parts), 0, -1):
            module = self.module(".".join(parts[:end]))
            if module:
                yield module, parts[end:]

    def _defined(self, plain: str) -> list[Definition]:
        for module, rest in self.splits(plain):
            for end in range(len(rest), 0, -1):
                if found := module.definitions.get(".".join(rest[:end])):
                    return found
            if rest and (found := module.definitions.get("__getattr__")):
                return found
        return []

    def _read(self, name: str) -> Module | None:
        spec = self._spec(name)
        get_source = getattr(spec.loader, "get_source", None) if spec else None
        if spec is None or get_source is None:
            return None
        try:
            source = get_source(name)
            file = self._shown(spec)
            is_package = spec.submodule_search_locations is not None
            return Module(name, file, source, is_package=is_package) if source is not None else None
        except (ImportError, SyntaxError, ValueError):
            return None  # that it cannot be imported is told by whoever imports it

    def _spec(self, name: str) -> importlib.machinery.ModuleSpec | None:
        if name not in self._specs:
            self._specs[name] = self._find(name)
        return self._specs[name]

    def _find(self, name: str) -> importlib.machinery.ModuleSpec | None:
        """Where a module is; its parents are not imported for that, unlike by ``importlib.util.find_spec``."""
        parent, _, last = name.rpartition(".")
        if not last.isidentifier() or name.partition(".")[0] not in self.tops:
            return None
        if not parent:
            try:
                return importlib.util.find_spec(name)
            except (ImportError, ValueError):
                return None
        around = self._spec(parent)
        if around is None or around.submodule_search_locations is None:
            return None
        return importlib.machinery.PathFinder.find_spec(name, list(around.submodule_search_locations))

    def _shown(self, spec: importlib.machinery.ModuleSpec) -> str:
        """A file as messages name it: from the folder of the plugin on."""
        depth = spec.name.count(".") + (spec.submodule_search_locations is not None) + 1
        return "/".join(Path(spec.origin or spec.name).parts[-depth:])
