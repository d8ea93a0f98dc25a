"""Ways to the outside that do not work: effects given up, or tried again and again, with nothing arriving since.

A channel is the address of a person, whoever writes to it, or one of a plugin's own kinds of effects.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import NamedTuple

from pollctl.console.words import count
from pollctl.delivery.effects import CORE_PREFIX
from pollctl.delivery.messages import is_message
from pollctl.redaction import Secret, address_digest

STUCK_AFTER = 5
"""Attempts without success after which an effect is no longer just waiting: a quarter of an hour by the defaults.

The index ``outbox_stuck`` holds those alone, by the same number: another one needs a migration.
"""
_MOST = 1000  # effects of a plugin that are looked at, the newest first
_OPEN_TROUBLE = f"""
SELECT * FROM (SELECT id, kind, CAST(payload AS BLOB), last_error, 1 FROM outbox
    WHERE plugin = ?1 AND status = 'dead' AND last_error IS NOT 'dropped by hand' ORDER BY id DESC LIMIT {_MOST})
UNION ALL
SELECT * FROM (SELECT id, kind, CAST(payload AS BLOB), last_error, 0 FROM outbox INDEXED BY outbox_stuck
    WHERE plugin = ?1 AND status = 'pending' AND attempts - attempts_cut_off >= {STUCK_AFTER}
    ORDER BY id DESC LIMIT {_MOST})
"""  # noqa: S608 - own text
_MESSAGE_ARRIVED = """
SELECT 1 FROM outbox WHERE status = 'delivered' AND (kind = 'tell' OR kind GLOB 'pollctl.*')
    AND lane IN (?, ?) AND id > ? AND result = '"sent"' LIMIT 1
"""
_KIND_ARRIVED = f"""
SELECT 1 FROM (SELECT kind FROM outbox WHERE plugin = ? AND status = 'delivered' AND id > ? ORDER BY id DESC LIMIT {_MOST * 10})
WHERE kind = ? LIMIT 1
"""  # noqa: S608 - own text


class Channel(NamedTuple):
    """A channel that does not work.

    Attributes:
        name: the same as long as it does not work and whatever fails on it.
        plugin: the one whose effect failed last.
        address: digest of the person's address; empty for one of the plugin's kinds.
        kind: of the effects.
        is_dead: whether something was given up, and not only waits.
        is_tireless: whether the plugin never gives up effects of this kind by itself.
        first: the first effect that failed since something arrived.
        number: how many did.
        error: what the last failed with.
    """

    name: str
    plugin: str
    address: str
    kind: str
    is_dead: bool
    is_tireless: bool
    first: int
    number: int
    error: str

    def is_vital(self, common: Iterable[Secret]) -> bool:
        """Whether it is dead and of those that everything depends on: an address of all, or a tireless kind."""
        return self.is_dead and (self.is_tireless or self.address in {address_digest(one.reveal()) for one in common})

    @property
    def text(self) -> str:
        """What is wrong, in a line."""
        what = (
            count(self.number, "message") if self.address else f"{count(self.number, 'effect')} of kind {self.kind!r}"
        )
        course = "given up" if self.is_dead else f"not taken after {STUCK_AFTER} and more attempts"
        return f"{what} {course}: {self.error}"


class _Failed(NamedTuple):
    plugin: str
    number: int
    kind: str
    address: str
    error: str
    is_dead: bool


def broken(connection: sqlite3.Connection, plugins: Sequence[str] | None = None) -> list[Channel]:
    """The channels that do not work, those of some plugins or of all; none in a database of an earlier version."""
    with suppress(sqlite3.OperationalError):
        tireless = dict(connection.execute("SELECT plugin, kinds FROM tireless").fetchall())
        known = connection.execute("SELECT plugin FROM schedules WHERE plugin NOT LIKE 'pollctl.%' ORDER BY plugin")
        names = [name for (name,) in known.fetchall()] if plugins is None else plugins
        found: dict[str, list[_Failed]] = {}
        for failed in (one for name in names for one in _failed(connection, name)):
            channel = failed.address or f"{failed.plugin} {failed.kind}"
            found.setdefault(channel, []).append(failed)
        channels = [_channel(connection, name, failed, tireless) for name, failed in sorted(found.items())]
        return [channel for channel in channels if channel]
    return []


def _failed(connection: sqlite3.Connection, plugin: str) -> Iterator[_Failed]:
    for number, kind, payload, error, is_dead in connection.execute(_OPEN_TROUBLE, (plugin,)):
        address = ""
        if is_message(kind):
            with suppress(ValueError, AttributeError):
                address = json.loads(payload).get("address") or ""
        yield _Failed(plugin, number, kind, address, error or "", bool(is_dead))


def _channel(
    connection: sqlite3.Connection, name: str, failed: Sequence[_Failed], tireless: dict[str, str]
) -> Channel | None:
    """The channel, unless something arrived after all that failed on it."""
    open_ = [one for one in failed if not _has_arrived(connection, one)]
    if not open_:
        return None
    last = max(open_, key=lambda one: one.number)
    return Channel(
        name=name,
        plugin=last.plugin,
        address=last.address,
        kind=last.kind,
        is_dead=any(one.is_dead for one in open_),
        is_tireless=f'"{last.kind}"' in (tireless.get(last.plugin) or ""),
        first=min(one.number for one in open_),
        number=len(open_),
        error=last.error,
    )


def _has_arrived(connection: sqlite3.Connection, failed: _Failed) -> bool:
    """Whether something arrived on a channel that was queued after what failed on it."""
    if failed.address:
        lanes = (f"tell:{failed.address}", f"{CORE_PREFIX}{failed.address}")
        return connection.execute(_MESSAGE_ARRIVED, (*lanes, failed.number)).fetchone() is not None
    return connection.execute(_KIND_ARRIVED, (failed.plugin, failed.number, failed.kind)).fetchone() is not None
