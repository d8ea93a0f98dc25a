"""What becomes of a delivery that failed or was cut off: which status, and when it is tried again. Pure."""

from __future__ import annotations

import zlib
from datetime import timedelta
from typing import NamedTuple

from pollctl.api.outcomes import EffectStatus
from pollctl.api.poller import Poller
from pollctl.errors import DeliveryError

LONGEST_RETRY_AFTER = timedelta(days=1)
LONGEST_TIRELESS_PAUSE = timedelta(minutes=2)
LONGEST_PAUSE = timedelta(days=3650)  # whatever the settings say: no moment may lie beyond the last year that there is
DEADLY = 8
"""So many passes that died while an effect was alone on its way are taken for no accident."""


class Retry(NamedTuple):
    """How failed deliveries are tried again: *backoff* doubled per attempt, at most *backoff_max*, *max_attempts* in all."""

    max_attempts: int
    backoff: timedelta
    backoff_max: timedelta

    def pause(self, key: str, attempts: int) -> timedelta:
        """The pause after the given number of attempts, with a jitter of ±10 % fixed by key and attempt."""
        doubled = self.backoff.total_seconds() * 2.0 ** min(attempts - 1, 40)  # too long for a timedelta, maybe
        spread = 0.9 + 0.2 * zlib.crc32(f"{key}:{attempts}".encode()) / 2**32
        return timedelta(seconds=min(doubled, min(self.backoff_max, LONGEST_PAUSE).total_seconds())) * spread

    @property
    def longest_pause(self) -> timedelta:
        """No effect that was tried waits longer: a moment beyond that was written by a clock that ran ahead."""
        return max(min(self.backoff_max, LONGEST_PAUSE) * 1.1, LONGEST_RETRY_AFTER)


class Kinds(NamedTuple):
    """What a plugin says of its kinds of effects.

    Attributes:
        holding: a second delivery would do harm.
        tireless: never given up.
    """

    holding: frozenset[str] = frozenset()
    tireless: frozenset[str] = frozenset()

    @staticmethod
    def of(poller: Poller) -> Kinds:
        """By the facts of the plugin."""
        holding = frozenset(kind for kind, repeat in poller.effects.items() if repeat == "hold")
        return Kinds(holding, frozenset(poller.tireless))


class Next(NamedTuple):
    """The status of an effect after a try, and how long it rests before the next."""

    status: EffectStatus
    pause: timedelta = timedelta()


class Policy(NamedTuple):
    """The rules of one plugin's outbox: what the plugin says of its kinds, and how patient the settings are."""

    retry: Retry
    kinds: Kinds = Kinds()

    def after_cut(self, kind: str, key: str, counted: int, tries_alone: int) -> Next:
        """After the pass died during the delivery.

        It is sent again at once; one that dies alone again and again rests in between, so that passes that do not send it
        have their turn.

        Args:
            kind: of the effect.
            key: of the effect.
            counted: attempts that count against it.
            tries_alone: how many passes have died by now while it was alone on its way.
        """
        if kind in self.kinds.holding:
            return Next("unknown")
        is_spent = self._is_counted_out(counted)
        if is_spent and kind not in self.kinds.tireless:
            return Next("dead")
        is_deadly = is_spent or tries_alone >= DEADLY
        return Next("pending", self._pause(kind, key, counted) if is_deadly else timedelta())

    def after_failure(self, kind: str, key: str, counted: int, error: DeliveryError) -> Next:
        """After the delivery raised; whatever a plugin made of its error, this does not raise."""
        pause = self._pause(kind, key, counted, _asked_for(error))
        if kind in self.kinds.holding and _says(error, "uncertain", unreadable=True):
            return Next("unknown", pause)
        is_spent = self._is_counted_out(counted) and kind not in self.kinds.tireless
        is_over = is_spent or _says(error, "permanent", unreadable=False)
        return Next("dead" if is_over else "pending", pause)

    def _is_counted_out(self, counted: int) -> bool:
        return counted >= self.retry.max_attempts

    def _pause(self, kind: str, key: str, counted: int, asked_for: timedelta = timedelta()) -> timedelta:
        pause = max(self.retry.pause(key, counted), asked_for)
        return min(pause, LONGEST_TIRELESS_PAUSE) if kind in self.kinds.tireless else pause


def _asked_for(error: DeliveryError) -> timedelta:
    """The pause that an upstream asked for; a plugin may have set the attribute to anything since it made the error."""
    try:
        seconds = error.retry_after
        if isinstance(seconds, int | float) and seconds == seconds:  # noqa: PLR0124 - NaN
            return timedelta(seconds=min(max(0.0, seconds), LONGEST_RETRY_AFTER.total_seconds()))
    except Exception:  # noqa: BLE001 - no such attribute, or a number of the plugin's own making
        return timedelta()
    return timedelta()


def _says(error: DeliveryError, attribute: str, *, unreadable: bool) -> bool:
    """What an error says of itself; one of the plugin's own making may lack the attribute, or hold what has no truth."""
    try:
        return bool(getattr(error, attribute))
    except Exception:  # noqa: BLE001 - whatever it is, the effect must be marked
        return unreadable
