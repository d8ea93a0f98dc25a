"""What an expression in a plugin's source may refer to, as dotted names: aliases, re-exports and types looked through.

``pathlib.Path()`` is what a call of it gives, ``model.TABLE[]`` an item of it, ``?`` what nobody knows.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Sequence

from pollctl.plugin_host.conformance.scopes import UNKNOWN, Meaning, Scope, Typed
from pollctl.plugin_host.conformance.sources import Sources

Seen = frozenset[tuple[int, str]]
"""Names that are being looked through, so that ``x = x.next`` comes to an end."""


class Names:
    """Looks names up in the modules of one plugin."""

    def __init__(self, sources: Sources) -> None:
        self.sources = sources

    def of(self, node: ast.expr | None, scope: Scope, seen: Seen = frozenset()) -> set[str]:
        """Everything that an expression may refer to."""
        match node:
            case ast.Name(id=name):
                return self._of_name(name, scope, seen)
            case ast.Attribute(value=value, attr=name):
                return self._attribute(self.of(value, scope, seen), name, seen)
            case ast.Call():
                return self._of_call(node, scope, seen)
            case ast.Subscript(value=value):
                return {f"{name}[]" for name in self.of(value, scope, seen)}
        return set().union(*(self.of(one, scope, seen) for one in _choices(node))) or {UNKNOWN}

    def _of_call(self, node: ast.Call, scope: Scope, seen: Seen) -> set[str]:
        match node:
            case ast.Call(func=ast.Name(id="getattr"), args=[value, ast.Constant(value=str(name)), *_]):
                return self._attribute(self.of(value, scope, seen), name, seen)
        return {f"{name}()" for name in self.of(node.func, scope, seen)}

    def _attribute(self, bases: set[str], name: str, seen: Seen) -> set[str]:
        return set().union(*(self._looked_through(f"{base}.{name}", seen) for base in bases))

    def _of_name(self, name: str, scope: Scope, seen: Seen) -> set[str]:
        holder = scope.holder(name)
        if holder is not None:
            return self._bound(holder, name, seen)
        starred = {one for star in scope.outermost().stars for one in self._starred(star, name, seen)}
        return starred | ({f"builtins.{name}"} if hasattr(builtins, name) else set()) or {UNKNOWN}

    def _starred(self, star: str, name: str, seen: Seen) -> set[str]:
        """A name out of a module of which everything was imported; any name may come from one that is not the plugin's."""
        dotted = f"{star}.{name}"
        found = self._looked_through(dotted, seen)
        is_own = star.partition(".")[0] in self.sources.tops
        return found if not is_own or found != {dotted} or self.sources.definitions(dotted) else set()

    def _bound(self, scope: Scope, name: str, seen: Seen) -> set[str]:
        key = (id(scope), name)
        if key in seen:
            return {UNKNOWN}
        found = set()
        for meaning in scope.names[name]:
            if meaning == f"{scope.prefix}.{name}":
                found.add(f"{scope.prefix}.{name}")
            else:
                found |= self._meant(meaning, scope, seen | {key})
        return found

    def _meant(self, meaning: Meaning, scope: Scope, seen: Seen) -> set[str]:
        if isinstance(meaning, str):
            return self._looked_through(meaning, seen)
        if isinstance(meaning, Typed):
            return {f"{name}()" for name in self.of(unquoted(meaning.annotation), scope, seen)}
        return self.of(meaning, scope, seen)

    def _looked_through(self, dotted: str, seen: Seen) -> set[str]:
        """What a dotted name stands for, when one of the plugin's modules only imported it or gave it another name."""
        found: set[str] = set()
        for module, rest in self.sources.splits(dotted):
            if not rest:
                found.add(dotted)
                continue
            head, *tail = rest
            if head in module.scope.names:
                found |= {".".join([name, *tail]) for name in self._bound(module.scope, head, seen)}
            for star in module.scope.stars if head not in module.scope.names else ():
                found |= self._looked_through(".".join([star, *rest]), seen)
        return found or {dotted}


def _choices(node: ast.expr | None) -> Sequence[ast.expr]:
    """What an expression may come out as, where it is one of several; also the parts of ``Path | None`` and ``path / name``."""
    match node:
        case ast.IfExp(body=first, orelse=second) | ast.BinOp(left=first, right=second):
            return [first, second]
        case ast.BoolOp(values=values):
            return values
        case ast.NamedExpr(value=value) | ast.Starred(value=value):
            return [value]
    return []


def unquoted(annotation: ast.expr) -> ast.expr:
    """An annotation, also when it stands in quotes."""
    if not (isinstance(annotation, ast.Constant) and isinstance(annotation.value, str)):
        return annotation
    try:
        return ast.parse(annotation.value.strip(), mode="eval").body
    except SyntaxError:
        return annotation
