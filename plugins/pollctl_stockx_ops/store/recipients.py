"""Where notifications go: addresses are secrets, so that decisions and effects name them by a hash."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlite_utils import Database

    from pollctl import Run


def recipients_of(db: Database, users: Iterable[str], run: Run) -> dict[str, list[str]]:
    """The names of each user's addresses: those of the account, else of the plugin's section, else ``[pollctl.notify]``."""
    common = [name_of(url) for url in _common(run)]
    own: dict[str, list[str]] = {}
    rows = db.execute(
        "SELECT user_id, url FROM stockx_notify WHERE user_id IN (SELECT value FROM json_each(?)) ORDER BY url",
        [json.dumps(sorted(users))],
    )
    for user, url in rows:
        own.setdefault(user, []).append(name_of(url))
    return {user: own.get(user, common) for user in sorted(users)}


def address_of(db: Database, user_id: str, name: str, run: Run) -> str | None:
    """The address that a name stands for; None when it is gone from the account and the settings."""
    rows = db.execute("SELECT url FROM stockx_notify WHERE user_id = ?", [user_id])
    urls = [*(url for (url,) in rows), *_common(run)]
    return next((url for url in urls if name_of(url) == name), None)


def name_of(url: str) -> str:
    """A name for an address that is the same in every pass and gives nothing away."""
    return hashlib.sha256(url.encode()).hexdigest()[:12]


def _common(run: Run) -> list[str]:
    return list(dict.fromkeys(url.reveal() for url in run.settings.notify or run.addresses))
