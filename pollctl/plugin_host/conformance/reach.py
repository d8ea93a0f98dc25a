"""Which functions of a plugin its ``decide`` can reach, by a static call graph over names.

Where it is not known what is called, everything of that name is taken for reachable: the methods and properties of
every class of which an object can be at hand (made, named in a type, or one of the plugin's values).
"""

from __future__ import annotations

import ast
from collections import deque
from collections.abc import Iterable
from typing import NamedTuple

from pollctl.plugin_host.conformance.names import Names
from pollctl.plugin_host.conformance.reader import read
from pollctl.plugin_host.conformance.reading import Change, Reading
from pollctl.plugin_host.conformance.scopes import Function
from pollctl.plugin_host.conformance.sources import Definition, Module, Sources


class Reached(NamedTuple):
    """One definition that can be reached, what stands in it, and how one comes there.

    Attributes:
        on_import: whether it runs only while its module is imported, when tables may still be filled.
    """

    definition: Definition
    reading: Reading
    way: tuple[str, ...]
    on_import: bool


class _Step(NamedTuple):
    """A definition that is to be entered, from where, and whether only while its module is imported."""

    definition: Definition
    way: tuple[str, ...]
    on_import: bool = False


class Reach:
    """Follows definitions to what they refer to, until nothing new comes up."""

    def __init__(self, sources: Sources) -> None:
        self.sources = sources
        self.names = Names(sources)
        self.reached: dict[int, Reached] = {}
        self._attributes: dict[str, tuple[str, ...]] = {}
        self._classes: dict[str, Reached] = {}
        self._dynamic: tuple[str, ...] | None = None
        self._followed: set[str] = set()

    def follow(self, definitions: Iterable[Definition], way: tuple[str, ...] = ()) -> None:
        """Take definitions for reachable, and whatever they lead to."""
        waiting = deque(_Step(one, way) for one in definitions)
        while waiting:
            step = waiting.popleft()
            known = self.reached.get(id(step.definition.node))
            if not known or (known.on_import and not step.on_import):
                found = self._enter(step)
                waiting += self._steps_from(found)
                waiting += [_Step(one, found.way) for one in self._registered(found.definition)]
            if not waiting:
                waiting += self._by_name()

    def is_own_method(self, name: str) -> bool:
        """Whether a class of which an object can be at hand has a method of that name."""
        return bool(self._methods(name))

    def is_state(self, change: Change) -> bool:
        """Whether what is changed outlives the call: a variable, class, function or module, not what a call made."""
        if isinstance(change.node, ast.Global):
            return True
        lasting = [name for name in change.names if "()" not in name and self._is_own(name)]
        if not lasting or not change.method:
            return bool(lasting)
        called = {f"{name}.{change.method}" for name in lasting}
        if any(one.dotted in called for name in called for one in self.sources.definitions(name)):
            return False  # a function of a module or class, which is followed
        methods = self._methods(change.method)
        return any(self._changes_itself(one) for one in methods) if methods else change.is_sure

    def changes(self, found: Reached) -> list[Change]:
        """What it changes that outlives the call, while or after its module is imported."""
        runs_on_import = found.on_import or found.definition.kind != "function"
        return [one for one in found.reading.changes if self.is_state(one) and (one.depth or not runs_on_import)]

    def _is_own(self, name: str) -> bool:
        return bool(self.sources.definitions(name) or self.sources.module(name))

    def _methods(self, name: str) -> list[Definition]:
        """Those of that name of all classes of which an object can be at hand."""
        classes = [one.definition for one in self._classes.values()]
        return [method for one in classes for method in one.module.definitions.get(f"{one.name}.{name}", ())]

    def _changes_itself(self, method: Definition) -> bool:
        own = f"{method.module.name}.{method.owner}()"
        return any(
            one.is_sure and name.startswith(own) for one in read(method, self.names).changes for name in one.names
        )

    def _enter(self, step: _Step) -> Reached:
        definition = step.definition
        way = (*step.way, definition.name)
        found = Reached(definition, read(definition, self.names), way, step.on_import)
        self.reached[id(definition.node)] = found
        self._load_imports(definition.module)
        if definition.kind == "class":
            self._classes.setdefault(definition.dotted, found)
        for name in found.reading.attributes:
            self._attributes.setdefault(name, way)
        if found.reading.is_dynamic:
            self._dynamic = self._dynamic or way
        return found

    def _steps_from(self, found: Reached) -> list[_Step]:
        """To everything that it refers to; what a module calls while it is imported does not run again."""
        runs_on_import = found.on_import or found.definition.kind != "function"
        steps = []
        for use in found.reading.uses:
            is_decorator = use.is_call and use.arguments is None
            on_import = use.is_call and not use.depth and (runs_on_import or is_decorator)
            steps += [_Step(one, found.way, on_import) for name in sorted(use.names) for one in self._defined(name)]
        changed = {name for change in found.reading.changes if not change.method for name in change.names}
        steps += [_Step(one, found.way) for name in sorted(changed) for one in self._defined(name)]
        types = [one for name in sorted(found.reading.types) for one in self._defined(name) if one.kind != "function"]
        return steps + [_Step(one, found.way) for one in types]

    def _defined(self, name: str) -> list[Definition]:
        """What a name is defined by; with a method comes its class. What a call gives was reached by the call."""
        found = [one for one in self.sources.definitions(name) if "()" not in name or one.kind == "class"]
        owners = {f"{one.module.name}.{one.owner}" for one in found if one.kind == "function" and one.owner}
        return found + [one for owner in sorted(owners) for one in self.sources.definitions(owner)]

    def _by_name(self) -> list[_Step]:
        """Methods of classes at hand that are looked up by name somewhere, or that Python itself calls; subclasses."""
        found = []
        for one in self._classes.values():
            module, prefix = one.definition.module, f"{one.definition.name}."
            for name, definitions in list(module.definitions.items()):
                method = name.removeprefix(prefix)
                if name == method or "." in method:
                    continue
                way = self._way_to(method, one)
                if way is not None:
                    found += [_Step(each, way) for each in definitions]
        return [step for step in [*found, *self._subclasses()] if id(step.definition.node) not in self.reached]

    def _way_to(self, method: str, owner: Reached) -> tuple[str, ...] | None:
        if method.startswith("__") and method.endswith("__"):
            return owner.way
        return self._attributes.get(method, self._dynamic)

    def _subclasses(self) -> list[_Step]:
        found = []
        for module in self.sources.loaded():
            for same in list(module.definitions.values()):
                for one in same:
                    if one.kind == "class" and id(one.node) not in self.reached:
                        found += [
                            _Step(one, self._classes[base].way) for base in self._bases(one) if base in self._classes
                        ]
        return found

    def _bases(self, definition: Definition) -> set[str]:
        assert isinstance(definition.node, ast.ClassDef)  # noqa: S101 - what its kind says
        return set().union(*(self.names.of(base, definition.module.scope) for base in definition.node.bases))

    def _registered(self, definition: Definition) -> list[Definition]:
        """Of a table that a decorator fills: what is decorated."""
        if definition.kind != "value":
            return []
        return [
            one
            for module in self.sources.loaded()
            for same in list(module.definitions.values())
            for one in same
            if isinstance(one.node, Function | ast.ClassDef) and self._is_put_into(definition.dotted, one)
        ]

    def _is_put_into(self, table: str, definition: Definition) -> bool:
        node = definition.node
        decorators = node.decorator_list if isinstance(node, Function | ast.ClassDef) else []
        makers = {name for one in decorators for name in self.names.of(one, definition.module.scope)}
        functions = [one for name in makers for one in self.sources.definitions(name) if one.kind == "function"]
        return any(
            name.partition("[")[0] == table
            for one in functions
            for change in read(one, self.names).changes
            for name in change.names
        )

    def _load_imports(self, module: Module) -> None:
        """Read the plugin's modules that this one imports, so that subclasses and registered functions in them are seen."""
        if module.name in self._followed:
            return
        self._followed.add(module.name)
        for meanings in list(module.scope.names.values()):
            for meaning in meanings:
                if isinstance(meaning, str):
                    self.sources.splits(meaning)
