"""What the end of a pass means beside its row: a dead one is marked as crashed, and people are notified of failures."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from pollctl.api.outcomes import FAILURES, Outcome
from pollctl.delivery import channels, notify
from pollctl.delivery.outbox import Outbox
from pollctl.delivery.policy import Kinds, Policy, Retry
from pollctl.store import failures, runs

if TYPE_CHECKING:
    from sqlite_utils import Database

    from pollctl.config.schema import PluginConfig
    from pollctl.config.settings import Config


def outbox_of(config: Config, db: Database, name: str, kinds: Kinds | None = None) -> Outbox:
    """The outbox of a plugin, with the settings' patience."""
    settings = config.core.outbox
    return Outbox(
        db, name, Policy(Retry(settings.max_attempts, settings.backoff, settings.backoff_max), kinds or Kinds())
    )


class Alerts(NamedTuple):
    """What follows the passes of one plugin, within the transaction that writes their end."""

    config: Config
    db: Database
    outbox: Outbox
    name: str
    zone: ZoneInfo

    def mark_crashed(self, now: datetime, limits: PluginConfig, stack: str = "") -> None:
        """Mark a dead pass as crashed and notify people if that is once too often; it could not do so itself.

        Args:
            now: the present moment.
            limits: of the plugin.
            stack: where its threads stood, if it hung.
        """
        dead = runs.mark_crashed(self.db, self.name, now, limits, stack)
        if dead:
            self.queue_alerts(dead, "crashed", runs.crashed(stack), now)

    def queue_alerts(self, run_id: str, outcome: Outcome, error: Mapping[str, Any] | None, now: datetime) -> int:
        """Queue what the end of a pass means for those who are notified of failures; answers how many effects."""
        found = failures.of_plugin(self.db, self.name)
        if outcome in FAILURES or found.last_alert_at:
            found = replace(found, since=failures.since(self.db, self.name))
        settings = self.config.core.notify
        effects = notify.alerts(settings, self.name, run_id, found, outcome, error, now, zone=self.zone)
        if effects:
            failures.note_alert(self.db, self.name, now if outcome in FAILURES else None)
        return self.outbox.queue(run_id, effects, now)

    def queue_channel_alerts(self, run_id: str, now: datetime) -> int:
        """Queue that a channel is dead for those of ``[pollctl.notify]`` that work, once until it works again."""
        urls = self.config.core.notify.urls
        effects = [
            effect
            for channel in channels.broken(self.db.conn, [self.name])
            if channel.is_vital(urls)
            for effect in notify.channel_alert(urls, channel)
        ]
        return self.outbox.queue(run_id, effects, now) if effects else 0
