"""The facts that a plugin states of itself, held against the contract before anything of it runs."""

from __future__ import annotations

from collections.abc import Collection
from types import UnionType
from typing import Any, Union, get_args, get_origin

import msgspec

from pollctl import units
from pollctl.api.poller import CONTRACT_VERSION, Poller
from pollctl.api.values import TELL
from pollctl.plugin_host.blame import class_place
from pollctl.redaction import shorten


def fact_problems(poller: Any, implemented: Collection[str]) -> list[str]:
    """What is wrong with the answer of ``pollctl_poller``, one line each.

    Args:
        poller: the answer, of whatever type.
        implemented: the names of the plugin's hooks.
    """
    if not isinstance(poller, Poller):
        return [f"pollctl_poller answered {type(poller).__name__}, not pollctl.Poller"]
    if poller.contract != CONTRACT_VERSION:
        return [f"it needs contract version {poller.contract}; this pollctl has {CONTRACT_VERSION}"]
    found = []
    if "\n" in poller.summary or not poller.summary.strip():
        found.append("its summary must be one line")
    found += _effect_problems(poller, implemented)
    found += _table_problems(poller)
    for role in ("batch", "state", "decision"):
        found += _type_problems(role, getattr(poller, role))
    return found + _reason_problems(poller.decision)


def _effect_problems(poller: Poller, implemented: Collection[str]) -> list[str]:
    found = []
    if TELL in poller.effects:
        found.append(f"it calls a kind of effects {TELL!r}: those are what run.tell queues, and the core delivers them")
    if poller.effects and "pollctl_deliver" not in implemented:
        found.append("it names kinds of effects but has no pollctl_deliver")
    if unknown := set(poller.tireless) - set(poller.effects):
        found.append(
            f"it calls kinds of effects tireless that it does not name in effects: {', '.join(sorted(unknown))}"
        )
    return found


def _table_problems(poller: Poller) -> list[str]:
    prefixes: object = poller.tables
    if isinstance(prefixes, list | tuple) and all(isinstance(one, str) and one for one in prefixes):
        return []
    return [
        f"its tables are {shorten(repr(prefixes))}; write a list of the beginnings of their names: tables=['words_']"
    ]


def _type_problems(role: str, kind: Any) -> list[str]:
    try:
        msgspec.json.Decoder(kind, dec_hook=units.decode)
    except TypeError as error:
        remedy = "; give each struct of it tag=True" if "tagged" in str(error) else ""
        return [f"its {role} cannot be read back from a recording: {error}{remedy}"]
    return []


def _reason_problems(decision: Any) -> list[str]:
    members = get_args(decision) if get_origin(decision) in (Union, UnionType) else (decision,)
    return [
        f"its decision {_named(one)} has no field reason; add `reason: str`, which is what people read"
        for one in members
        if "reason" not in getattr(get_origin(one) or one, "__struct_fields__", ())
    ]


def _named(kind: Any) -> str:
    return f"{kind.__name__} ({class_place(kind)})" if isinstance(kind, type) else repr(kind)
