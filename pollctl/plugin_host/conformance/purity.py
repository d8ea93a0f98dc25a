"""Whether ``decide`` can be pure, told from the source of everything in the plugin that it can reach.

Static, so it errs on the side of doubt; compiled modules and other distributions are not looked into. What it cannot see,
``pollctl.testing.impurities`` sees by calling.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import PackageNotFoundError, PackagePath, files
from pathlib import Path
from typing import Any, NamedTuple, get_args

from pollctl.plugin_host.conformance import forbidden
from pollctl.plugin_host.conformance.reach import Reach
from pollctl.plugin_host.conformance.reader import read_module
from pollctl.plugin_host.conformance.reading import Change, Use
from pollctl.plugin_host.conformance.sources import Definition, Module, Sources
from pollctl.plugin_host.loader import Plugin

_OURS = "pollctl"
_TOO_DEEP = "its source is nested too deeply to be judged; give parts of the long expression names"


class Impurity(NamedTuple):
    """One thing that a pure function does not do."""

    line: int
    text: str
    instead: str


class Judgement(NamedTuple):
    """What was found in a plugin, and the files that were read for it: while they stay as they are, so does it."""

    problems: list[str]
    files: list[Path]


def purity_problems(plugin: Plugin) -> list[str]:
    """What ``decide`` can reach in its plugin that is not pure, one line each: file, line, what, and the remedy."""
    return judge(plugin).problems


def judge(plugin: Plugin) -> Judgement:
    """As ``purity_problems``, with the files that were read."""
    roots = plugin.hooks.implementations("pollctl_decide", plugin.name)
    poller = plugin.poller
    roots += poller.decides_with
    try:
        reach = _reach(roots, [poller.settings, poller.batch, poller.state, poller.decision], _tops(plugin))
        return Judgement(list(dict.fromkeys(_problems(reach))), reach.sources.files())
    except RecursionError:
        return Judgement([_TOO_DEEP], [])


def impure_functions(
    functions: Sequence[Callable[..., Any]], kinds: Sequence[Any] = (), *, tops: Sequence[str] = ()
) -> list[str]:
    """What can be reached from functions that should be pure.

    Args:
        functions: where to begin.
        kinds: the types of the values that they are given.
        tops: top-level names of modules that are followed; those of the functions' own are, pollctl's are not.
    """
    return list(dict.fromkeys(_problems(_reach(functions, kinds, tops))))


def _reach(functions: Sequence[Callable[..., Any]], kinds: Sequence[Any], tops: Sequence[str]) -> Reach:
    unwrapped = [inspect.unwrap(getattr(one, "__func__", one)) for one in functions]
    own = {*tops, *(one.__module__.partition(".")[0] for one in unwrapped)} - {_OURS}
    reach = Reach(Sources(own))
    for function in unwrapped:
        reach.follow(_definitions_of(function, reach.sources))
    for kind in _classes_in(kinds):
        reach.follow(reach.sources.definitions(f"{kind.__module__}.{kind.__qualname__}"))
    return reach


def impure_source(source: str) -> list[str]:
    """What anything in one module's source does that is not pure: it is read whole, and no other module is."""
    module = Module("source", "source", source)
    sources = Sources(["source"])
    sources.modules["source"] = module
    reach = Reach(sources)
    reach.follow(one for same in module.definitions.values() for one in same)
    reading = read_module(module, reach.names)
    changes = [one for one in reading.changes if one.depth and reach.is_state(one)]
    found = {(one.line, one.text) for one in (*_of_uses(reading.uses, reach), *_of_changes(changes))}
    return [f"line {line} {text}" for line, text in sorted(found)]


def _tops(plugin: Plugin) -> list[str]:
    """The top-level names that belong to a plugin: its entry point's, and what else its distribution installs."""
    entry_point = plugin.found.entry_point
    modules = [file.parts[0].removesuffix(".py") for file in _files(entry_point.distribution) if file.suffix == ".py"]
    return [entry_point.module.partition(".")[0], *(name for name in modules if name.isidentifier())]


def _files(distribution: str) -> Sequence[PackagePath]:
    try:
        return files(distribution) or ()
    except (PackageNotFoundError, ValueError):
        return ()


def _definitions_of(function: Callable[..., Any], sources: Sources) -> Sequence[Definition]:
    module = sources.module(function.__module__)
    code = getattr(function, "__code__", None)
    if module is None or code is None:
        return []
    standing_there = module.at(code.co_firstlineno)
    named = module.definitions.get(function.__qualname__, [])
    return [*([standing_there] if standing_there else []), *named]


def _classes_in(kinds: Sequence[Any]) -> Iterator[type]:
    for kind in kinds:
        if isinstance(kind, type) and not get_args(kind):
            yield kind
        yield from _classes_in(get_args(kind))


def _problems(reach: Reach) -> Iterator[str]:
    for found in reach.reached.values():
        definition, way = found.definition, found.way
        by = f" (reached by {' > '.join(way)})" if len(way) > 1 else ""
        is_hash = definition.name.endswith("__hash__")
        for one in (*_of_uses(found.reading.uses, reach, is_hash=is_hash), *_of_changes(reach.changes(found))):
            yield f"{definition.module.file}:{one.line}: {definition.name} {one.text}; {one.instead}{by}"


def _of_uses(uses: Sequence[Use], reach: Reach, *, is_hash: bool = False) -> Iterator[Impurity]:
    for use in uses:
        refusal, name = _refusal(use, reach)
        if refusal and not (is_hash and refusal is forbidden.HASH):
            yield Impurity(use.node.lineno, _said(use, refusal, name), refusal.instead)


def _of_changes(changes: Sequence[Change]) -> Iterator[Impurity]:
    for change in changes:
        line = getattr(change.node, "lineno", 0)
        yield Impurity(line, f"{forbidden.STATE.does} ({_changed(change)})", forbidden.STATE.instead)


def _refusal(use: Use, reach: Reach) -> tuple[forbidden.Refusal | None, str]:
    for name in sorted(use.names):
        if name.partition(".")[0] not in reach.sources.tops and (found := forbidden.refused(name, use.arguments)):
            return found, name
    last = use.node.attr if isinstance(use.node, ast.Attribute) else ""
    is_own = reach.is_own_method(last) or any(
        one.dotted == name for name in use.names for one in reach.sources.definitions(name)
    )
    return (None if is_own else forbidden.refused_method(last, use.arguments)), ""


def _said(use: Use, refusal: forbidden.Refusal, name: str) -> str:
    """What it does, in the words of the source, and what they stand for where they do not say it."""
    text, plain = ast.unparse(use.node), name.removeprefix("builtins.")
    if name == f"builtins.{text}" and use.arguments is not None:
        return f"calls {text}(), which {refusal.does}"
    return f"{refusal.does} ({text if plain in ('', text) else f'{text}, which is {plain}'})"


def _changed(change: Change) -> str:
    node = change.node
    return ", ".join(node.names) if isinstance(node, ast.Global) else ast.unparse(node)
