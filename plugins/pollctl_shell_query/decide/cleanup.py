"""What is deleted upstream because nobody needs it any more."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from pollctl_shell_query.decide.wording import in_words
from pollctl_shell_query.model import (
    KEY_PREFIX,
    Batch,
    Decision,
    Definition,
    DeleteDefinition,
    DeleteTarget,
    NoteSweep,
    Settings,
    State,
)


def clean_up(state: State, batch: Batch, now: datetime, settings: Settings) -> Iterator[Decision]:
    """What is of no use upstream any more: definitions that were left behind, and data extensions kept long enough."""
    for run_id in batch.expired_targets:
        if run_id in state.expired_targets:
            kept = in_words(settings.target_keep)
            yield DeleteTarget(run_id=run_id, reason=f"it was kept for {kept} after the end of its run")
    if batch.definitions is None:
        return
    yield NoteSweep(found=len(batch.definitions), reason=f"{len(batch.definitions)} definitions of ours are upstream")
    for definition in batch.definitions:
        if is_left_behind(definition, state, now, settings):
            old = in_words(settings.sweep_after)
            yield DeleteDefinition(
                object_id=definition.object_id,
                customer_key=definition.customer_key,
                reason=f"left behind for over {old}",
            )


def is_left_behind(definition: Definition, state: State, now: datetime, settings: Settings) -> bool:
    """Whether a definition is ours, is old, and belongs to no run that still needs it."""
    if not definition.customer_key.startswith(KEY_PREFIX) or definition.created_at is None:
        return False
    return now - definition.created_at > settings.sweep_after and definition.customer_key not in state.needed_keys
