"""Reading the source of a definition for what it refers to, calls and changes."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from contextlib import contextmanager

from pollctl.plugin_host.conformance.names import Names, unquoted
from pollctl.plugin_host.conformance.reading import Change, Reading, Use
from pollctl.plugin_host.conformance.scopes import Function, Scope
from pollctl.plugin_host.conformance.sources import Definition, Module

_METHODS_THAT_CHANGE = """
    add append appendleft clear discard difference_update extend extendleft insert intersection_update move_to_end pop popitem
    popleft put remove reverse rotate setdefault sort subtract symmetric_difference_update update
    __setitem__ __delitem__ __setattr__"""
_FUNCTIONS_THAT_CHANGE = """
    builtins.next builtins.setattr builtins.delattr heapq.heappush heapq.heappop heapq.heapify heapq.heapreplace
    heapq.heappushpop bisect.insort bisect.insort_left bisect.insort_right operator.setitem operator.delitem"""
_MUTATING_METHODS = frozenset(_METHODS_THAT_CHANGE.split())
_MUTATING_FUNCTIONS = frozenset(_FUNCTIONS_THAT_CHANGE.split())
_BY_NAME_IN_TEXT = frozenset({"builtins.getattr", "operator.attrgetter", "operator.methodcaller"})
_TYPE_TESTS = frozenset({"builtins.isinstance", "builtins.issubclass"})


def read(definition: Definition, names: Names) -> Reading:
    """What stands in a definition: of a class what runs when it is made, its methods apart."""
    scope = definition.module.scope
    for outer in definition.name.split(".")[:-1] if definition.kind == "class" else ():
        scope = Scope(scope, prefix=f"{scope.prefix}.{outer}")
    reader = _Reader(names, scope)
    if isinstance(definition.node, Function):
        owner = f"{definition.module.name}.{definition.owner}" if definition.owner else ""
        reader.function(definition.node, definition.dotted, owner)
    elif isinstance(definition.node, ast.ClassDef):
        reader.class_body(definition.node, definition.dotted)
    else:
        reader.visit(definition.node)
    return reader.reading


def read_module(module: Module, names: Names) -> Reading:
    """Everything that stands in a module, whether it can be reached or not."""
    reader = _Reader(names, module.scope)
    reader.visit(module.tree)
    return reader.reading


class _Reader(ast.NodeVisitor):
    """Reads nodes of one module into a ``Reading``."""

    def __init__(self, names: Names, scope: Scope) -> None:
        self.names = names
        self.scope = scope
        self.reading = Reading()
        self._depth = 0

    def function(self, node: Function, name: str, owner: str = "") -> None:
        """Read a function by its dotted name, decorators and defaults included; *owner* is the class it is a method of."""
        for decorator in node.decorator_list:
            self._decorator(decorator)
        self._signature(node.args, node.returns)
        inner = Scope(self.scope)
        self._bind_self(inner, node, owner)
        inner.bind_parameters(node.args, name)
        inner.bind_all(node.body)
        with self._within(inner):
            self._visit_all(node.body)

    def class_body(self, node: ast.ClassDef, name: str, *, with_methods: bool = False) -> None:
        """Read what runs when a class is made: bases, decorators, defaults of its fields."""
        for decorator in node.decorator_list:
            self._decorator(decorator)
        self._visit_all([*node.bases, *(keyword.value for keyword in node.keywords)])
        inner = Scope(self.scope, prefix=name)
        inner.bind_all(node.body)
        outer = self.scope
        with self._within(inner):
            for statement in node.body:
                if not isinstance(statement, Function | ast.ClassDef):
                    self.visit(statement)
        for statement in node.body if with_methods else ():
            if isinstance(statement, Function):
                with self._within(outer), self._deeper():
                    self.function(statement, f"{name}.{statement.name}", name)
            elif isinstance(statement, ast.ClassDef):
                self.class_body(statement, f"{name}.{statement.name}", with_methods=True)

    # scopes

    def _nested_function(self, node: Function) -> None:
        with self._deeper():
            self.function(node, f"{self.scope.prefix}.{node.name}" if self.scope.prefix else "")

    visit_FunctionDef = visit_AsyncFunctionDef = _nested_function  # noqa: N815 - ast's names

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self.class_body(node, f"{self.scope.prefix}.{node.name}", with_methods=True)

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self._signature(node.args, None)
        inner = Scope(self.scope)
        inner.bind_parameters(node.args)
        inner.bind_all([node.body])
        with self._within(inner), self._deeper():
            self.visit(node.body)

    def _comprehension(self, node: ast.AST) -> None:
        inner = Scope(self.scope)
        inner.bind_all(ast.iter_child_nodes(node))
        with self._within(inner):
            self.generic_visit(node)

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _comprehension  # noqa: N815

    # what is referred to

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load):
            self._use(node, None)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        if isinstance(node.ctx, ast.Load):
            self._use(node, None)
            return
        self._change(node, node.value)
        self.visit(node.value)

    def visit_Subscript(self, node: ast.Subscript) -> None:
        if not isinstance(node.ctx, ast.Load):
            self._change(node, node.value)
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        called = self.names.of(node.func, self.scope)
        if called & _TYPE_TESTS and node.args:
            self.visit(node.args[0])  # what it is tested for is only named
            return
        if called & _BY_NAME_IN_TEXT:
            self._named_in_text(node, called)
        if called & _MUTATING_FUNCTIONS and node.args:
            self._change(node, node.args[0])
        if isinstance(node.func, ast.Attribute):
            method = node.func.attr
            self._change(node, node.func.value, method=method, is_sure=method in _MUTATING_METHODS)
        if isinstance(node.func, ast.Name | ast.Attribute):
            self._use(node.func, _number_of_arguments(node), is_call=True)
        else:
            self.visit(node.func)
        self._visit_all([*node.args, *(keyword.value for keyword in node.keywords)])

    def visit_Global(self, node: ast.Global) -> None:
        prefix = self.scope.outermost().prefix
        self.reading.changes.append(Change(node, frozenset(f"{prefix}.{name}" for name in node.names), self._depth))

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        self._visit_all(node.body)  # what is caught is only named

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        self._type(node.annotation)
        self.visit(node.target)
        if node.value:
            self.visit(node.value)

    def _use(self, node: ast.Name | ast.Attribute, arguments: int | None, *, is_call: bool = False) -> None:
        self._note_use(node, arguments, is_call=is_call)
        base: ast.expr = node
        while isinstance(base, ast.Attribute):
            self.reading.attributes.add(base.attr)
            base = base.value
        if not isinstance(base, ast.Name):
            self.visit(base)

    def _note_use(self, node: ast.expr, arguments: int | None, *, is_call: bool) -> None:
        names = frozenset(self.names.of(node, self.scope))
        self.reading.uses.append(Use(node, names, arguments, is_call, self._depth))

    def _change(self, node: ast.AST, changed: ast.expr, *, method: str = "", is_sure: bool = True) -> None:
        names = frozenset(self.names.of(changed, self.scope))
        self.reading.changes.append(Change(node, names, self._depth, method, is_sure))

    def _decorator(self, node: ast.expr) -> None:
        if isinstance(node, ast.Name | ast.Attribute):
            self._use(node, None, is_call=True)
        else:
            self.visit(node)

    def _named_in_text(self, node: ast.Call, called: set[str]) -> None:
        texts = node.args[1:2] if "builtins.getattr" in called else node.args
        for text in texts:
            if not (isinstance(text, ast.Constant) and isinstance(text.value, str)):
                self.reading.is_dynamic = True
                continue
            self.reading.attributes.update(text.value.split("."))
        if "builtins.getattr" in called:
            self._note_use(node, None, is_call=False)

    # types

    def _signature(self, arguments: ast.arguments, returns: ast.expr | None) -> None:
        self._visit_all([*arguments.defaults, *filter(None, arguments.kw_defaults)])
        plain = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        for parameter in [*plain, *filter(None, (arguments.vararg, arguments.kwarg))]:
            self._type(parameter.annotation)
        self._type(returns)

    def _type(self, annotation: ast.expr | None) -> None:
        for node in ast.walk(unquoted(annotation)) if annotation else ():
            if isinstance(node, ast.Name | ast.Attribute):
                self.reading.types |= self.names.of(node, self.scope)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str) and unquoted(node) is not node:
                self._type(unquoted(node))

    # scopes, within

    def _bind_self(self, inner: Scope, node: Function, owner: str) -> None:
        parameters = [*node.args.posonlyargs, *node.args.args]
        decorators = {name for one in node.decorator_list for name in self.names.of(one, self.scope)}
        if owner and parameters and "builtins.staticmethod" not in decorators:
            is_of_class = "builtins.classmethod" in decorators or node.name in ("__new__", "__init_subclass__")
            inner.bind(parameters[0].arg, owner if is_of_class else f"{owner}()")

    @contextmanager
    def _within(self, scope: Scope) -> Iterator[None]:
        outer, self.scope = self.scope, scope
        yield
        self.scope = outer

    @contextmanager
    def _deeper(self) -> Iterator[None]:
        self._depth += 1
        yield
        self._depth -= 1

    def _visit_all(self, nodes: list[ast.expr] | list[ast.stmt]) -> None:
        for node in nodes:
            self.visit(node)


def _number_of_arguments(call: ast.Call) -> int:
    """With how many arguments it is called: many, where they are unpacked."""
    is_unpacked = any(isinstance(one, ast.Starred) for one in call.args) or any(not one.arg for one in call.keywords)
    return 99 if is_unpacked else len(call.args) + len(call.keywords)
