"""Whom messages are for: addresses are secrets, so that decisions name them by a digest."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from pollctl import Secret, address_digest, split_addresses

if TYPE_CHECKING:
    from sqlite_utils import Database

    from pollctl import Run


def recipients_of(db: Database, users: Iterable[str], run: Run) -> dict[str, list[str]]:
    """The names of each user's addresses: those of the account, else of the plugin's section, else ``[pollctl.notify]``."""
    common = [_name(address) for address in _common(run)]
    own: dict[str, list[str]] = {}
    rows = db.execute(
        "SELECT user_id, url FROM stockx_notify WHERE user_id IN (SELECT value FROM json_each(?)) ORDER BY url",
        [json.dumps(sorted(users))],
    )
    for user, url in rows:
        own.setdefault(user, []).extend(map(_name, split_addresses(Secret(url))))
    return {user: own.get(user, common) for user in sorted(users)}


def addresses_of(db: Database, user_id: str, names: Collection[str], run: Run) -> list[Secret]:
    """The addresses of a user that some names stand for."""
    rows = db.execute("SELECT url FROM stockx_notify WHERE user_id = ?", [user_id]).fetchall()
    known = split_addresses([*(Secret(url) for (url,) in rows), *_common(run)])
    return [address for address in known if _name(address) in names]


def _name(address: Secret) -> str:
    return address_digest(address.reveal())


def _common(run: Run) -> list[Secret]:
    return split_addresses(run.settings.notify or run.addresses)
