"""Every public name of pollctl with its signature, as tests/contract/public_names.txt records them: ``python public_names.py``."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from msgspec import Struct

from pollctl.api import hookspecs

MODULES = (
    "pollctl",
    "pollctl.targets",
    "pollctl.testing",
    "pollctl.fakes",
    "pollctl.demo",
    "pollctl.sql",
    "pollctl.metrics",
    "pollctl.oauth",
    "pollctl.targets",
)
RECORD = Path(__file__).parents[1] / "contract" / "public_names.txt"


def signatures() -> str:
    """One line for each name, hook, field and method, in the order of their modules and names."""
    hooks = {name: one for name, one in vars(hookspecs).items() if name.startswith("pollctl_")}
    lines = [f"hook {line}" for name, one in sorted(hooks.items()) for line in _lines(name, one)]
    for module in map(import_module, MODULES):
        lines += [
            f"{module.__name__}.{line}"
            for name in sorted(_names(module))
            for line in _lines(name, getattr(module, name))
        ]
    return "\n".join(lines) + "\n"


def _names(module: Any) -> list[str]:
    listed = getattr(module, "__all__", None)
    own = [name for name, one in vars(module).items() if getattr(one, "__module__", None) == module.__name__]
    return [name for name in listed or own if not name.startswith("_")]


def _lines(name: str, thing: Any) -> Iterator[str]:
    if isinstance(thing, type):
        yield f"{name}: class"
        yield from (f"{name}.{line}" for line in _members(thing))
    elif callable(thing) and hasattr(thing, "__code__"):
        yield f"{name}{_signature(thing)}"
    else:
        yield f"{name}: {type(thing).__name__}"


def _members(kind: type) -> Iterator[str]:
    if issubclass(kind, Struct):
        optional = kind.__struct_fields__[len(kind.__struct_fields__) - len(kind.__struct_defaults__) :]
        for field in kind.__struct_fields__:
            yield f"{field}: {_annotation(kind, field)}{' = ...' if field in optional else ''}"
    elif "__init__" in vars(kind):
        yield f"__init__{_signature(kind.__init__)}"
    yield from (
        f"{name}: {getattr(text, '__forward_arg__', text)}"
        for name, text in sorted(vars(kind).get("__annotations__", {}).items())
        if not issubclass(kind, Struct)
    )
    for name, member in sorted(vars(kind).items()):
        function = getattr(member, "__func__", member)
        if name.startswith("_") or name in getattr(kind, "__struct_fields__", ()):
            continue
        if isinstance(member, property):
            yield f"{name}: property"
        elif callable(function) and hasattr(function, "__code__"):
            yield f"{name}{_signature(function)}"


def _annotation(kind: type, field: str) -> str:
    return next(
        str(vars(one)["__annotations__"][field])
        for one in kind.__mro__
        if field in vars(one).get("__annotations__", {})
    )


def _signature(function: Any) -> str:
    """As it is written, with ``...`` for each default, so that every Python says the same."""
    signature = inspect.signature(function)
    parameters = [
        one.replace(default=... if one.default is not one.empty else one.empty) for one in signature.parameters.values()
    ]
    return str(signature.replace(parameters=parameters)).replace("Ellipsis", "...").replace("'", "")


if __name__ == "__main__":
    RECORD.write_text(signatures())
