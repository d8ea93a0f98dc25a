"""What a pass sends: the effects of its plugin and messages to people, and what the plugin hears of how they fared."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from pollctl.api.values import TELL, Effect
from pollctl.delivery.courier import Courier
from pollctl.delivery.effects import CORE_PREFIX
from pollctl.delivery.in_flight import Tally
from pollctl.delivery.messages import is_message
from pollctl.delivery.outbox import Outbox
from pollctl.errors import DeliveryError, MachineError, PluginError, PollctlError
from pollctl.store.database import writing

if TYPE_CHECKING:
    from sqlite_utils import Database

    from pollctl.concurrency.cancellation import Stop
    from pollctl.config.schema import Core
    from pollctl.passes.context import PassContext
    from pollctl.passes.events import PassEvents
    from pollctl.plugin_host.hooks import Hooks


class Sender:
    """Sends what is due, as often as it is asked within one pass; ``tally`` and ``error`` say how that went.

    Args:
        core: the settings of the core.
        hooks: of the plugin; None where it cannot be used, so that only what the core itself has to say goes out:
            nobody knows what a repeat of the rest would do.
        db: the database, to write.
        outbox: of the plugin.
        run: the pass as the plugin sees it.
        events: who hears of each effect.
        stop: when to end.
        flush: writes what the plugin left in *run* while it settled, within the transaction that is open.
    """

    def __init__(
        self,
        core: Core,
        hooks: Hooks | None,
        db: Database,
        outbox: Outbox,
        run: PassContext,
        events: PassEvents,
        stop: Stop,
        flush: Callable[[], object],
    ) -> None:
        self.tally = Tally()
        self.error: PollctlError | None = None
        self._core = core
        self._hooks = hooks
        self._db = db
        self._outbox = outbox
        self._run = run
        self._events = events
        self._stop = stop
        self._flush = flush

    def send_due(self, until: float = float("inf"), *, is_last: bool = False) -> None:
        """Send what is due; where there is no thread to send it with, it waits for the next pass."""
        try:
            self.tally += self._outbox.deliver(
                self._send, self._settle, self._stop, until=until, only_core=self._hooks is None, is_last=is_last
            )
            if self._hooks:
                self._settle_given_up()
        except (MachineError, PluginError) as error:
            self.error = self.error or error
        finally:
            self._events.tell_settled()

    def _settle_given_up(self) -> None:
        """Have the plugin settle messages that are dead, whoever gave them up: a pass, its end in the midst of it, a person."""
        effects = self._outbox.given_up()
        if effects:
            with writing(self._db):
                for effect in effects:
                    self._settle(effect, None)
                    self._outbox.mark_heard_of(effect)

    def _send(self, effect: Effect) -> Any:
        """Send one effect, in a worker thread; one for which the machine had no further thread is tried again later."""
        with self._events.delivery(effect), self._run.deliveries.delivering() as delivery:
            try:
                if is_message(effect.kind) or not self._hooks:
                    return self._send_message(effect)
                return self._hooks.deliver(self._run, effect)
            except MachineError as error:
                self.error = self.error or error
                raise DeliveryError(str(error), uncertain=delivery.has_begun) from error

    def _send_message(self, effect: Effect) -> str:
        """Have the core deliver a message; its plugin has the last look at those of its own."""
        hooks = self._hooks if effect.kind == TELL and self._hooks and self._hooks.looks_at_messages else None
        look = partial(hooks.tell, self._run) if hooks else None
        courier = Courier(self._core.http, self._core.notify.urls)
        with self._run.reading() as db:
            return courier.deliver(db, effect, timeout=self._stop.remaining, last_look=look)

    def _settle(self, effect: Effect, result: Any) -> None:
        with self._events.settling(effect):
            if effect.kind.startswith(CORE_PREFIX) or not self._hooks:
                return
            try:
                self._hooks.settle(self._run, self._db, effect, result)
            except BaseException:
                self._run.drain()
                raise
            self._flush()
