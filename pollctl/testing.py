"""The conformance kit: what authors of plugins hold their plugin against, and what ``pollctl check`` uses.

```python
from pollctl import testing

def test_my_plugin_keeps_the_contract():
    assert testing.contract_problems("my_plugin") == []

def test_decide_is_pure():
    assert testing.impurities(decide, state, batch, now, settings) == []
```
"""

from __future__ import annotations

import ast
import copy
import importlib.util
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec

from pollctl import units
from pollctl.errors import PluginError, PollctlError
from pollctl.plugin_host.discovery import find
from pollctl.plugin_host.loader import Plugin, load, migrations_of
from pollctl.store import database

HEAVY = frozenset({"apprise", "boto3", "lxml", "requests", "zeep"})
"""What importing a plugin must not import: a pass pays for it only when it is needed."""

_IMPURE_MODULES = frozenset(
    {
        "asyncio",
        "io",
        "os",
        "pathlib",
        "random",
        "requests",
        "secrets",
        "socket",
        "sqlite3",
        "subprocess",
        "time",
        "urllib3",
    }
)
_IMPURE_CALLS = frozenset({"open", "input", "print"})
_CLOCK_CALLS = frozenset({"now", "utcnow", "today", "fromtimestamp"})
_HARMLESS_EVENTS = (
    "import",
    "compile",
    "exec",
    "marshal.",
    "object.",
    "sys._getframe",
    "builtins.id",
    "code.__new__",
)

_heard: list[str] | None = None
_is_listening = False


def contract_problems(name: str) -> list[str]:
    """Every way in which an installed plugin breaks the contract, one line each; empty when it keeps it."""
    try:
        plugin = load(find(name))
    except PollctlError as error:
        return [str(error)]
    return problems_of(plugin)


def _migration_problems(plugin: Plugin) -> list[str]:
    """Whether the tables can be made, tried in memory, and whose they are said to be."""
    try:
        sets = migrations_of([plugin])
        with closing(database.open_to_plan(Path(os.devnull, "nowhere"), sets)):
            return [
                f"its migrations are named {one.name!r}, not {plugin.name!r}" for one in sets if one.name != plugin.name
            ]
    except PluginError as error:
        return [str(error)]


def problems_of(plugin: Plugin) -> list[str]:
    """As ``contract_problems``, of a plugin that was loaded, which has the hooks that it must have."""
    return [*_fact_problems(plugin), *_source_problems(plugin)]


def impurities(decide: Callable[..., Sequence[Any]], *arguments: Any) -> list[str]:
    """What shows that a call of ``decide`` is not pure: audited events, changed arguments, two different answers."""
    before = copy.deepcopy(arguments)
    events = audited(lambda: decide(*arguments))
    found = [f"it caused the event {event!r}" for event in dict.fromkeys(events)]
    if arguments != before:
        found.append("it changed its arguments")
    first, second = decide(*before), decide(*copy.deepcopy(before))
    if _as_json(first) != _as_json(second):
        found.append("the same input gave two different answers")
    return found


def round_trip_problems(value: Any, kind: Any) -> list[str]:
    """Whether a value survives being written to a recording and read back as *kind*; empty when it does."""
    try:
        again = read_back(_as_json(value), kind)
    except (msgspec.MsgspecError, ValueError, TypeError, NotImplementedError) as error:
        return [f"{type(value).__name__} does not survive a recording: {error}"]
    return [] if again == value else [f"{type(value).__name__} comes back from a recording as another value"]


def read_back(text: bytes | str, kind: Any) -> Any:
    """A value from the JSON text of a recording.

    Raises:
        msgspec.ValidationError: the text does not fit the type.
    """
    return msgspec.json.decode(text, type=kind, dec_hook=units.decode)


def audited(call: Callable[[], Any]) -> list[str]:
    """The events that Python's audit hooks tell of during a call: files, sockets, processes ...; imports do not count."""
    global _heard  # noqa: PLW0603 - an audit hook cannot be removed, only switched off
    _listen()
    heard: list[str] = []
    _heard = heard
    try:
        call()
    finally:
        _heard = None
    return heard


def _listen() -> None:
    global _is_listening  # noqa: PLW0603 - as above
    if not _is_listening:
        sys.addaudithook(_hear)
        _is_listening = True


def _hear(event: str, arguments: tuple[Any, ...]) -> None:
    if _heard is None or event.startswith(_HARMLESS_EVENTS):
        return
    if event == "open" and str(arguments[0]).endswith((".py", ".pyc")):
        return
    _heard.append(event)


def _as_json(value: Any) -> bytes:
    return msgspec.json.encode(value, enc_hook=units.encode)


def _fact_problems(plugin: Plugin) -> list[str]:
    poller = plugin.poller
    found = []
    if "\n" in poller.summary or not poller.summary.strip():
        found.append("its summary must be one line")
    if poller.effects and "pollctl_deliver" not in plugin.implemented:
        found.append("it names kinds of effects but has no pollctl_deliver")
    if unknown := set(poller.tireless) - set(poller.effects):
        found.append(
            f"it calls kinds of effects tireless that it does not name in effects: {', '.join(sorted(unknown))}"
        )
    found += _migration_problems(plugin)
    for role in ("batch", "state", "decision"):
        found += _type_problems(role, getattr(poller, role))
    return found


def _type_problems(role: str, kind: Any) -> list[str]:
    try:
        msgspec.json.Decoder(kind, dec_hook=units.decode)
    except TypeError as error:
        return [f"its {role} cannot be read back from a recording: {error}"]
    return []


def _source_problems(plugin: Plugin) -> list[str]:
    """What the source of the plugin's ``decide`` module imports or calls that a pure function cannot need."""
    module = plugin.found.entry_point.module
    own = importlib.util.find_spec(module)
    if own is None or own.submodule_search_locations is None:
        return []  # a plugin of one file; its decide is seen by ``impurities``
    spec = importlib.util.find_spec(f"{module}.decide")
    if spec is None or spec.origin is None:
        return []
    return [f"decide.py {problem}" for problem in impure_source(Path(spec.origin).read_text(encoding="utf-8"))]


def impure_source(source: str) -> list[str]:
    """Imports and calls in a module's source by which it would read the clock, files, the network or chance."""
    return [f"line {getattr(node, 'lineno', 0)} {sin}" for node in ast.walk(ast.parse(source)) for sin in _sins(node)]


def _sins(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Global):
        return ["changes a global"]
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _CLOCK_CALLS:
        return [f"reads the clock ({ast.unparse(node.func)}); it is given `now`"]
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _IMPURE_CALLS:
        return [f"calls {node.func.id}()"]
    return [f"imports {module}" for module in _imported(node) if module.split(".")[0] in _IMPURE_MODULES]


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        return [node.module or ""]
    return []


def imports_of(module: str, python: str = sys.executable) -> set[str]:
    """The top-level packages that importing *module* brings along, seen in a fresh interpreter."""
    import subprocess

    script = f"import sys, {module}; print(' '.join({{name.split('.')[0] for name in sys.modules}}))"
    done = subprocess.run([python, "-c", script], capture_output=True, text=True, check=True)
    return set(done.stdout.split())
