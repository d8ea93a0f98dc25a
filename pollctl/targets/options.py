"""The keys of a target as options of a command, with what they mean as help."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from itertools import chain
from typing import Any

import click
import msgspec

from pollctl import Addresses, ReadBy, completion_from
from pollctl.targets.keys import PEOPLE, is_for_settings, read_value
from pollctl.targets.target import Target

_NOT_OPTIONS = ("url", "enabled")
_SEQUENCES = (msgspec.inspect.ListType, msgspec.inspect.VarTupleType, msgspec.inspect.SetType)
_MEANING = re.compile(r"^    ([\w, *]+): +(.+(?:\n {5,}.+)*)", re.MULTILINE)
_MARKUP = re.compile(r"`+([^`]+)`+|\*(\w+)\*")


def name_argument(table: str) -> Callable[[Any], Any]:
    """The argument that takes the name of a target of a table."""
    names = f"SELECT name, error FROM {table} WHERE retired_at IS NULL ORDER BY name"  # noqa: S608 - a name of our own
    return click.argument("name", shell_complete=completion_from(names))


def options_of(target: type[Target], only: Collection[str] = ()) -> list[Callable[[Any], Any]]:
    """An option for each key of a target that may be typed; what belongs in the settings has none."""
    meanings = _meanings(target)
    fields = [one for one in msgspec.structs.fields(target) if not is_for_settings(target, one)]
    chosen = [one for one in fields if (one.name in only if only else one.name not in _NOT_OPTIONS)]
    return [_option(field, meanings.get(field.name, "As in the settings.")) for field in chosen]


def _meanings(target: type[Target]) -> Mapping[str, str]:
    """What each key means: what the docstrings of its type and of those that it inherits from say below ``Attributes:``."""
    found: dict[str, str] = {}
    for kind in reversed(target.__mro__):
        _, _, attributes = inspect.cleandoc(kind.__doc__ or "").partition("\nAttributes:\n")
        for names, text in _MEANING.findall(attributes):
            words = " ".join(_MARKUP.sub(r"\1\2", text).split())
            found |= dict.fromkeys(re.findall(r"\w+", names), words[:1].upper() + words[1:])
    return found


def _option(field: msgspec.structs.FieldInfo, help_text: str) -> Callable[[Any], Any]:
    words = f"--{field.encode_name.replace('_', '-')}"
    if field.name == PEOPLE:
        return click.option(words, type=Addresses(), multiple=True, metavar="ADDRESS", callback=_all, help=help_text)
    kind = msgspec.inspect.type_info(field.type)
    if isinstance(kind, msgspec.inspect.BoolType):
        return click.option(words, field.name, is_flag=True, default=None, help=help_text)
    if isinstance(kind, _SEQUENCES):
        one = ReadBy("text", lambda text: (read_value([text], field.type), text)[1])
        return click.option(words, field.name, multiple=True, type=one, help=f"{help_text}  [several]")
    value = ReadBy("text", lambda text: (read_value(text, field.type), text)[1])
    return click.option(words, field.name, type=value, help=help_text)


def _all(_context: click.Context, _option: click.Parameter, given: Iterable[Iterable[Any]]) -> tuple[Any, ...]:
    return tuple(chain(*given))
