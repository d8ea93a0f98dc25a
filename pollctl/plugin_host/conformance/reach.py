"""Which functions of a plugin its ``decide`` can reach, by a static call graph over names.

Where it is not known what is called, everything of that name is taken for reachable: the methods and properties of
every class of which an object can be at hand (made, named in a type, or one of the plugin's values).
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import NamedTuple

from pollctl.plugin_host.conformance.names import Names
from pollctl.plugin_host.conformance.reader import read
from pollctl.plugin_host.conformance.reading import Change, Reading
from pollctl.plugin_host.conformance.scopes import Function
from pollctl.plugin_host.conformance.sources import Definition, Sources


class Reached(NamedTuple):
    """One definition that can be reached, what stands in it, and how one comes there."""

    definition: Definition
    reading: Reading
    way: tuple[str, ...]


class Reach:
    """Follows definitions to what they refer to, until nothing new comes up."""

    def __init__(self, sources: Sources) -> None:
        self.sources = sources
        self.names = Names(sources)
        self.reached: dict[int, Reached] = {}
        self._attributes: dict[str, tuple[str, ...]] = {}
        self._classes: dict[str, Reached] = {}
        self._dynamic: tuple[str, ...] | None = None

    def follow(self, definitions: Iterable[Definition], way: tuple[str, ...] = ()) -> None:
        """Take definitions for reachable, and whatever they lead to."""
        waiting = [(one, way) for one in definitions]
        while waiting:
            definition, way = waiting.pop(0)
            if id(definition.node) in self.reached:
                continue
            way = (*way, definition.name)
            reading = read(definition, self.names)
            found = self.reached[id(definition.node)] = Reached(definition, reading, way)
            self._note(found)
            self._load_imports(definition)
            waiting += [(one, way) for one in self._referred_to(reading)]
            waiting += self._by_name()
            waiting += [(one, way) for one in self._registered(definition)]

    def is_own_method(self, name: str) -> bool:
        """Whether a class of which an object can be at hand has a method of that name."""
        return any(
            f"{one.definition.name}.{name}" in one.definition.module.definitions for one in self._classes.values()
        )

    def is_state(self, change: Change) -> bool:
        """Whether what is changed outlives the call: a variable, class, function or module, not what a call made."""
        if isinstance(change.node, ast.Global):
            return True
        lasting = [name for name in change.names if "()" not in name]
        return any(self.sources.definitions(name) or self.sources.module(name) for name in lasting)

    def _note(self, found: Reached) -> None:
        definition, way = found.definition, found.way
        if definition.kind == "class":
            self._classes.setdefault(definition.dotted, found)
        for name in found.reading.attributes:
            self._attributes.setdefault(name, way)
        if found.reading.is_dynamic:
            self._dynamic = self._dynamic or way

    def _referred_to(self, reading: Reading) -> list[Definition]:
        names = {name for use in reading.uses for name in use.names} | {
            name for change in reading.changes for name in change.names
        }
        found = [one for name in sorted(names) for one in self._defined(name)]
        types = [one for name in sorted(reading.types) for one in self._defined(name) if one.kind != "function"]
        return found + types

    def _defined(self, name: str) -> list[Definition]:
        """What a name is defined by; with a method comes its class."""
        found = self.sources.definitions(name)
        owners = {f"{one.module.name}.{one.owner}" for one in found if one.kind == "function" and one.owner}
        return found + [one for owner in sorted(owners) for one in self.sources.definitions(owner)]

    def _by_name(self) -> list[tuple[Definition, tuple[str, ...]]]:
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
                    found += [(each, way) for each in definitions]
        return [pair for pair in [*found, *self._subclasses()] if id(pair[0].node) not in self.reached]

    def _way_to(self, method: str, owner: Reached) -> tuple[str, ...] | None:
        if method.startswith("__") and method.endswith("__"):
            return owner.way
        return self._attributes.get(method, self._dynamic)

    def _subclasses(self) -> list[tuple[Definition, tuple[str, ...]]]:
        found = []
        for module in self.sources.loaded():
            for same in list(module.definitions.values()):
                for one in same:
                    if one.kind == "class" and id(one.node) not in self.reached:
                        found += [(one, self._classes[base].way) for base in self._bases(one) if base in self._classes]
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

    def _load_imports(self, definition: Definition) -> None:
        """Read the plugin's modules that this one imports, so that subclasses and registered functions in them are seen."""
        for meanings in list(definition.module.scope.names.values()):
            for meaning in meanings:
                if isinstance(meaning, str):
                    list(self.sources.splits(meaning))
