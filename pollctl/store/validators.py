"""Statements about validators: what a plugin's upstreams said their answers can be told from later ones by."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from pollctl.clock import to_text
from pollctl.damage import table_of

if TYPE_CHECKING:
    from sqlite_utils import Database


class Kept(NamedTuple):
    """The headers that ask whether one answer has changed, by the digest of the request that it was an answer to."""

    request: str
    headers: Mapping[str, str]


def of_request(db: Database, plugin: str, request: str) -> dict[str, str]:
    """The headers that are kept for a request; none where nothing is, or where the table is still to be made."""
    try:
        row = db.conn.execute(
            "SELECT headers FROM validators WHERE plugin=? AND request=?", (plugin, request)
        ).fetchone()
    except sqlite3.OperationalError:
        return {}
    found = table_of(row[0], "damaged") if row else {}
    return {} if "damaged" in found else {str(name): str(value) for name, value in found.items()}


def keep(db: Database, plugin: str, kept: Iterable[Kept], now: datetime) -> None:
    """Keep what answers said in place of what was kept before; nothing of those that said nothing."""
    rows = list(kept)
    db.conn.executemany("DELETE FROM validators WHERE plugin=? AND request=?", [(plugin, one.request) for one in rows])
    db.conn.executemany(
        "INSERT INTO validators VALUES (?,?,?,?)",
        [(plugin, one.request, json.dumps(dict(one.headers)), to_text(now)) for one in rows if one.headers],
    )
