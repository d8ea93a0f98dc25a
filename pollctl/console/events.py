"""What happens in a pass, as lines of the log: JSON for programs, text for ``-v``."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from pollctl.console import log_format
from pollctl.console.streams import log, log_json


class Event(NamedTuple):
    """One thing that happened in a pass.

    Attributes:
        at: when.
        event: what, such as ``batch.applied``; docs/operating.md lists them.
        plugin: whose pass it is.
        run_id: of the pass.
        trace_id: likewise, in the form that OpenTelemetry wants.
        facts: what there is to say of it, by name.
    """

    at: datetime
    event: str
    plugin: str
    run_id: str
    trace_id: str
    facts: Mapping[str, Any]


def log_event(event: Event) -> None:
    """Write an event to stderr if events are wanted there: as one JSON object, or with ``-v`` as a line of text."""
    if log_format.is_json():
        who = {"plugin": event.plugin, "run_id": event.run_id, "trace_id": event.trace_id}
        log_json(event.event, event.at, {**who, **event.facts})
    elif log_format.is_verbose():
        log(f"{event.plugin}: {_sentence(event)}")


def _sentence(event: Event) -> str:
    """``batch applied: batch 2, decisions 4``."""
    from pollctl.console.cells import plain

    facts = {"run": event.run_id, **event.facts} if event.event == "pass.started" else event.facts
    said = ", ".join(
        f"{name.replace('_', ' ')} {plain(value)}" for name, value in facts.items() if value not in (None, {}, "")
    )
    what = event.event.replace(".", " ")
    return f"{what}: {said}" if said else what
