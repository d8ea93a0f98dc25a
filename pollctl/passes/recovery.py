"""What a killed pass left behind, put right while nobody else works on the plugin."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from pollctl import clock
from pollctl.due.state import PluginState, read
from pollctl.passes.alerts import Alerts, outbox_of
from pollctl.store import database
from pollctl.store.lock import held, lock_path

if TYPE_CHECKING:
    from pollctl.config.settings import Config


def recover(config: Config, name: str) -> None:
    """Mark what a killed pass of *name* left ``running`` as ``crashed``.

    Raises:
        LockedError: another pass is at work already, and does so itself.
    """
    own_defaults = read(config.core.database).get(name, PluginState(name)).own_defaults
    limits = config.timing_and_limits(name, own_defaults)
    with (
        held(lock_path(config.core.database, name), run_id="recovery", like=config.core.database) as stack,
        closing(database.open_to_write(config.core.database)) as db,
        closing(outbox_of(config, db, name)) as outbox,
        database.writing(db),
    ):
        Alerts(config, db, outbox, name, limits.timezone).mark_crashed(clock.now(), limits, stack)
