"""What a pass did, as a value: the rows that commands show and ``--json`` prints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct

from pollctl import clock, redaction
from pollctl.encoding import encoded
from pollctl.errors import PluginError

_NAMED = 5  # targets that an error names before it only counts them


class EffectCounts(Struct, frozen=True, kw_only=True):
    """What became of a pass' effects: queued by it; delivered and failed by it, whoever queued them.

    ``known`` is only there where some were not queued, because their keys were known already.
    """

    queued: int = 0
    delivered: int = 0
    failed: int = 0
    known: int | msgspec.UnsetType = msgspec.UNSET


class Report(Struct, frozen=True, kw_only=True):
    """What one pass did, as ``pollctl run --json`` prints it.

    ``decisions`` is their number, or with a dry run the decisions themselves, each with its ``type``; ``reasons`` is only
    there with a dry run: why it decides nothing, or what the plugin has noted. ``error`` has ``type`` and ``message``, and in
    ``targets`` all that could not be fetched.
    """

    run_id: str
    plugin: str
    outcome: str
    started_at: datetime
    finished_at: datetime
    duration_ms: int
    batches: int = 0
    decisions: int | list[dict[str, Any]] = 0
    effects: EffectCounts = EffectCounts()
    stats: Mapping[str, int] = {}
    error: Mapping[str, Any] | None = None
    reasons: Sequence[str] | msgspec.UnsetType = msgspec.UNSET


def report_of(run: Mapping[str, Any], *, known: int = 0) -> Report:
    """The report of a finished pass, from its row; *known* effects were asked for in vain."""
    return Report(
        run_id=run["id"],
        plugin=run["plugin"],
        outcome=run["outcome"],
        started_at=clock.from_text(run["started_at"]),
        finished_at=clock.from_text(run["finished_at"]),
        duration_ms=run["duration_ms"],
        batches=run["batches"],
        decisions=run["decisions"],
        effects=EffectCounts(
            queued=run["effects"],
            delivered=run["delivered"],
            failed=run["undelivered"],
            known=known or msgspec.UNSET,
        ),
        stats=run["stats"],
        error=run["error"],
    )


def as_json(decision: Any) -> dict[str, Any]:
    """A decision as plain JSON values, its type under ``type``, secrets masked.

    Raises:
        PluginError: it has a type that cannot be written as JSON.
    """
    fields = msgspec.json.decode(recorded(decision))
    if not isinstance(fields, dict):
        fields = {"value": fields}
    return {"type": type(decision).__name__, **fields}


def explain(error: BaseException) -> dict[str, str]:
    """An error as a run keeps it: ``type`` and ``message``, secrets masked, on one line of printable characters."""
    return described(type(error).__name__, str(error))


def described(kind: str, message: str) -> dict[str, str]:
    """As ``explain``, for what is not an exception."""
    text = "".join(character if character.isprintable() else " " for character in redaction.mask(message))
    return {"type": kind, "message": " ".join(text.split())}


def unreached(failures: Mapping[str, str]) -> dict[str, Any]:
    """What to say about targets that could not be fetched: all of them listed, the first few named to people, in their order."""
    ordered = sorted(failures.items())
    named = [f"{target}: {why}" for target, why in ordered[:_NAMED]]
    more = f"; and {len(failures) - _NAMED} more" if len(failures) > _NAMED else ""
    return {**described("Unreached", "; ".join(named) + more), "targets": [target for target, _ in ordered]}


def recorded(value: Any) -> str:
    """A value as a recording keeps it: JSON text with the secrets masked.

    Raises:
        PluginError: the value has a type that cannot be written as JSON.
    """
    try:
        return encoded(value)
    except (TypeError, ValueError, NotImplementedError) as error:
        raise PluginError(f"{type(value).__name__} cannot be recorded: {error}") from error
