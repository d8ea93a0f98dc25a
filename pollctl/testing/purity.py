"""Whether ``decide`` is pure, told from calling it."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any

from pollctl.plugin_host.conformance.recordings import as_json
from pollctl.testing.audit import audited
from pollctl.testing.watching import watched


def impurities(decide: Callable[..., Sequence[Any]], *arguments: Any) -> list[str]:
    """What shows that a call of ``decide`` is not pure: audited events, changed arguments, two different answers.

    It is called four times: heard by Python's audit hooks; watched for the clock, chance, the environment, files, sockets,
    threads and the terminal, with file and line of each; and twice with the same input.
    """
    before = copy.deepcopy(arguments)
    watched_arguments, first_arguments, second_arguments = (copy.deepcopy(before) for _ in range(3))
    events = audited(lambda: as_json(decide(*arguments)))
    found = [f"it caused the event {event!r}" for event in dict.fromkeys(events)]
    top = getattr(decide, "__module__", "").partition(".")[0]
    found += watched(lambda: as_json(decide(*watched_arguments)), top)
    if arguments != before:
        found.append("it changed its arguments")
    if as_json(decide(*first_arguments)) != as_json(decide(*second_arguments)):
        found.append("the same input gave two different answers")
    return found
