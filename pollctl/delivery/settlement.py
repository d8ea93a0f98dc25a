"""What became of an effect that was sent, written so that nothing a plugin made of its error or its result can hinder it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from pollctl import redaction, signals
from pollctl.api.values import Effect
from pollctl.clock import to_text
from pollctl.delivery.effects import NotNowError
from pollctl.delivery.policy import Policy
from pollctl.encoding import encoded
from pollctl.errors import DeliveryError, text_of
from pollctl.redaction import one_line
from pollctl.store.errors import raise_for_machine

if TYPE_CHECKING:
    from concurrent.futures import Future

    from sqlite_utils import Database

LONGEST_ERROR = 10_000  # characters of a message that are kept

Settle = Callable[[Effect, Any], None]
Course = Literal["delivered", "failed", "postponed"]


class Claimed(NamedTuple):
    """An effect on its way, and how many of its attempts count against it."""

    effect: Effect
    counted: int


class Settlement:
    """Marks effects within the caller's transaction.

    Args:
        db: a database to write to.
        policy: what becomes of deliveries that fail.
    """

    def __init__(self, db: Database, policy: Policy) -> None:
        self._db = db
        self._policy = policy

    def settled(self, one: Claimed, future: Future[Any], settle: Settle, now: datetime) -> Course:
        """Mark an effect by what its delivery answered or raised; *settle* records an answer."""
        try:
            with self._db.atomic():
                self._mark_delivered(one.effect, future.result(), now)
                settle(one.effect, future.result())
        except NotNowError as error:
            self._mark_postponed(one.effect, error)
            return "postponed"
        except DeliveryError as error:
            self._mark_failed(one, error, now)
            return "failed"
        except BaseException as error:
            if signals.is_of_a_person(error):
                raise
            if future.exception() is None:
                raise_for_machine(error)
            # a plugin's bug, SystemExit too; the effect must not be lost over it
            self._mark_failed(one, DeliveryError(f"{type(error).__name__}: {text_of(error)}", uncertain=True), now)
            return "failed"
        return "delivered"

    def mark_damaged(self, number: int, error: ValueError) -> None:
        """Give up an effect whose row cannot be read: nobody knows what to send."""
        self._db.conn.execute(
            "UPDATE outbox SET status='dead', last_error=? WHERE id=?", (f"its row is damaged: {error}", number)
        )

    def _mark_delivered(self, effect: Effect, result: Any, now: datetime) -> None:
        self._db.conn.execute(
            "UPDATE outbox SET status='delivered', delivered_at=?, result=?, last_error=NULL WHERE id=?",
            (to_text(now), encoded(result), effect.id),
        )
        self._db.conn.execute("DELETE FROM outbox_addresses WHERE effect_id=?", (effect.id,))
        self._db.conn.execute("DELETE FROM outbox_attachments WHERE effect_id=?", (effect.id,))

    def _mark_postponed(self, effect: Effect, error: NotNowError) -> None:
        """It leaves its lane, so that what stands behind it need not wait as well."""
        self._db.conn.execute(
            "UPDATE outbox SET status='pending', attempts=attempts-1, next_attempt_at=?, lane=key, tries_alone=NULL, "
            "last_error=? WHERE id=?",
            (to_text(error.until), _shown(error), effect.id),
        )

    def _mark_failed(self, one: Claimed, error: DeliveryError, now: datetime) -> None:
        """The process survived it: no suspect."""
        what = self._policy.after_failure(one.effect.kind, one.effect.key, one.counted, error)
        self._db.conn.execute(
            "UPDATE outbox SET status=?, next_attempt_at=?, tries_alone=NULL, last_error=? WHERE id=?",
            (what.status, to_text(now + what.pause), _shown(error), one.effect.id),
        )


def _shown(error: BaseException) -> str:
    return one_line(redaction.mask(text_of(error)))[:LONGEST_ERROR]
