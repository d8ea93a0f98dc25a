"""The names that a stretch of source binds, and what each may stand for."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import NamedTuple

UNKNOWN = "?"
Function = ast.FunctionDef | ast.AsyncFunctionDef
_OTHER_SCOPES = (
    *(ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda),
    *(ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp),
)
_MUTABLE = (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp, ast.Call)


class Typed(NamedTuple):
    """What is known of a name by its annotation only."""

    annotation: ast.expr


Meaning = str | ast.expr | Typed
"""A dotted name, an expression that was assigned, or a type."""


class Scope:
    """The names of a module, class or function; what is not bound here is looked for further out.

    Attributes:
        prefix: the dotted name of the module or class, empty within functions.
        package: what relative imports begin from.
        stars: modules from which everything was imported.
    """

    def __init__(self, outer: Scope | None, *, prefix: str = "", package: str = "") -> None:
        self.outer = outer
        self.prefix = prefix
        self.package: str = package or (outer.package if outer else "")
        self.names: dict[str, list[Meaning]] = {}
        self.stars: list[str] = []

    def bind(self, name: str, meaning: Meaning) -> None:
        """Note that *name* may stand for *meaning*, beside what it may stand for already."""
        self.names.setdefault(name, []).append(meaning)

    def holder(self, name: str) -> Scope | None:
        """The innermost scope that binds a name."""
        scope: Scope | None = self
        while scope is not None and name not in scope.names:
            scope = scope.outer
        return scope

    def outermost(self) -> Scope:
        """That of the module."""
        return self.outer.outermost() if self.outer else self

    def bind_all(self, nodes: Iterable[ast.AST]) -> None:
        """Bind what statements or expressions bind here, not what functions and classes within them do."""
        held = list(within(nodes))
        elsewhere = {name for node in held if isinstance(node, ast.Global | ast.Nonlocal) for name in node.names}
        for node in held:
            for name, meaning in self._bindings(node):
                if name not in elsewhere:
                    self.bind(name, meaning)

    def bind_parameters(self, arguments: ast.arguments, function: str = "") -> None:
        """Bind parameters; one with a default that can change keeps it from call to call, as an attribute of *function*."""
        plain = [*arguments.posonlyargs, *arguments.args]
        every = [*plain, *arguments.kwonlyargs, *filter(None, (arguments.vararg, arguments.kwarg))]
        for parameter in every:
            self.bind(parameter.arg, Typed(parameter.annotation) if parameter.annotation else UNKNOWN)
        defaults = [*zip(reversed(plain), reversed(arguments.defaults), strict=False)]
        for parameter, default in [*defaults, *zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)]:
            if function and isinstance(default, _MUTABLE):
                self.bind(parameter.arg, f"{function}.{parameter.arg}")

    def _bindings(self, node: ast.AST) -> Iterator[tuple[str, Meaning]]:
        match node:
            case ast.Import() | ast.ImportFrom():
                yield from self._imports(node)
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name, self._here(name)
            case ast.Assign(targets=targets, value=value):
                yield from ((target.id, value) for target in targets if isinstance(target, ast.Name))
            case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation, value=value):
                yield name, value or Typed(annotation)
            case ast.NamedExpr(target=target, value=value):
                yield target.id, value
            case ast.Name(id=name, ctx=ast.Store()):
                yield name, self._here(name)
            case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                yield name, UNKNOWN

    def _here(self, name: str) -> str:
        return f"{self.prefix}.{name}" if self.prefix else UNKNOWN

    def _imports(self, node: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, Meaning]]:
        if isinstance(node, ast.Import):
            for alias in node.names:
                first = alias.name.partition(".")[0]
                yield (alias.asname, alias.name) if alias.asname else (first, first)
            return
        base = absolute(node, self.package)
        for alias in node.names:
            if alias.name == "*":
                self.outermost().stars.append(base)
            else:
                yield alias.asname or alias.name, f"{base}.{alias.name}"


def absolute(node: ast.ImportFrom, package: str) -> str:
    """The module from which something is imported, relative or not."""
    if not node.level:
        return node.module or ""
    parts = package.split(".")
    return ".".join([*parts[: len(parts) - node.level + 1], *filter(None, [node.module])])


def within(nodes: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """Nodes and what they hold, without what stands in scopes of its own."""
    for node in nodes:
        yield node
        if not isinstance(node, _OTHER_SCOPES):
            yield from within(ast.iter_child_nodes(node))
