"""Effects that a plugin queued under a kind of its own before the core delivered messages."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from pollctl.api.values import TELL
from pollctl.delivery.messages import Message
from pollctl.redaction import Secret, address_digest
from pollctl.store.authorizer import lifted

if TYPE_CHECKING:
    from sqlite_utils import Database

Told = tuple[str, str, Secret | str | None]
"""Title, body, and whom it is for: an address, the digest of one of the settings, or nobody."""


def carry_over(db: Database, plugin: str, kind: str, told: Callable[[dict[str, Any]], Told]) -> None:
    """Make messages of ``run.tell`` of a plugin's effects of one kind that have not arrived; for its migrations.

    Each keeps its key, its attempts and its place: what was told is not told again, what waits is told once. One that cannot be
    read is left as it is.

    Args:
        db: the database that is migrated.
        plugin: whose effects.
        kind: which of them.
        told: what the payload of one says, and to whom.
    """
    if "outbox_addresses" not in db.table_names():
        return  # the plugin's tables alone, as its tests may make them
    rows = db.execute(
        "SELECT id, payload FROM outbox WHERE plugin = ? AND kind = ? AND status <> 'delivered' ORDER BY id",
        [plugin, kind],
    ).fetchall()
    for number, payload in rows:
        try:
            title, body, to = told(json.loads(payload))
        except (ValueError, KeyError, TypeError):
            continue
        with lifted(db):
            _rewrite(db, number, Message(title=title, body=body), to)


def _rewrite(db: Database, number: int, message: Message, to: Secret | str | None) -> None:
    digest = address_digest(to.reveal()) if isinstance(to, Secret) else to
    payload = msgspec.json.encode(msgspec.structs.replace(message, address=digest)).decode()
    db.execute(
        "UPDATE outbox SET kind = ?, payload = ?, lane = coalesce('tell:' || ?, key) WHERE id = ?",
        [TELL, payload, digest, number],
    )
    if isinstance(to, Secret):
        db.execute("INSERT INTO outbox_addresses VALUES (?, ?) ON CONFLICT DO NOTHING", [number, to.reveal()])
