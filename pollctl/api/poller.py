"""The static facts of a plugin."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from msgspec import Struct

if TYPE_CHECKING:
    from pollctl.api.migrations import AnyMigrations

CONTRACT_VERSION = 1

Repeat = Literal["keyed", "idempotent", "look", "hold"]
"""What a second delivery of the same effect means, should a crash hide the result of the first.

``keyed``: the upstream drops a repeat by its key. ``idempotent``: a repeat changes nothing. ``look``: ``pollctl_deliver``
looks before it sends. ``hold``: a repeat would do harm, so a cut-off delivery waits for a person as ``unknown``.
"""


class Poller(Struct, frozen=True, kw_only=True):
    """The static facts of a plugin, answered by ``pollctl_poller``.

    Attributes:
        contract: the version of the contract that the plugin was written for: 1.
        summary: one line that says what is polled.
        settings: the frozen msgspec struct of the plugin's section; every field needs a default unless the user must set it.
        schedule: the cron expression used when the settings name none.
        defaults: the plugin's own defaults for keys of the core, as the settings file would write them
            (``{"window": "55s", "backoff": "0s"}``).
        migrations: a callable that returns the ``pollctl.Migrations`` of the plugin's tables, named like the plugin;
            those of sqlite-utils do as well, and cost each pass the import.
        tables: what the names of its tables begin with where that is not the plugin's name and ``_``: it may write those
            tables, also where a program made them, and those that its migrations made.
        batch, state, decision: types of what ``fetch`` yields, ``load`` returns and ``decide`` returns a sequence of
            (a union of tagged structs); anything that msgspec writes as JSON and reads back.
        effects: every kind of effect that ``apply`` queues, with what a repeat of it means.
        tireless: those kinds that are never given up, whatever ``max_attempts`` says: tried again at least every other minute
            until they are delivered, or ``pollctl_deliver`` says that they never can be.
        decides_with: further functions that ``decide`` calls and that lie elsewhere: a layer's, for what its authors give it. They
            are held against purity, too.
    """

    contract: int
    summary: str
    settings: type
    batch: Any
    decision: Any
    state: Any = None
    schedule: str = "* * * * *"
    defaults: Mapping[str, str] = {}
    migrations: Callable[[], AnyMigrations] | None = None
    effects: Mapping[str, Repeat] = {}
    tireless: Sequence[str] = ()
    decides_with: Sequence[Callable[..., Any]] = ()
    tables: Sequence[str] = ()
