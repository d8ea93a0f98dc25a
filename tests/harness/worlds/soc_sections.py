"""soc_sections: one class opens, closes and opens again, another is open from the start."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from plugin_package import clean_environment, write_settings
from worlds.world import PATIENCE, Rows, create_database

from pollctl import address_digest, to_text
from pollctl_soc_sections.fake import FakeSoc
from pollctl_soc_sections.migrations import migrations

START = datetime(2026, 8, 3, 16, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
LETTERS = "XOOXXO"
"""The class in each pass: O listed as open, X not; two misses close it."""
QUESTIONS = {
    "sections": "SELECT * FROM soc_sections ORDER BY term, campus, index_number",
    "campuses": "SELECT term, campus, settled_hash, suspect_first, catalogue_read_at, catalogue_size FROM soc_campuses",
    "status_events": "SELECT term, campus, index_number, status, status_before, seat_delta, episode, event_at, dedupe_key "
    "FROM soc_status_events ORDER BY id",
    "open_events": "SELECT term, campus, index_number, episode, status_before, seat_delta, event_at, dedupe_key, payload "
    "FROM soc_open_events ORDER BY dedupe_key",
    "notifications": "SELECT dedupe_key, subscription_id, fanout_status, effect_key FROM soc_open_event_notifications "
    "JOIN soc_open_events ON id = event_id ORDER BY dedupe_key, subscription_id",
    "subscriptions": "SELECT id, index_number, status, last_known_section_status, sent_count FROM soc_subscriptions ORDER BY id",
    "history": "SELECT subscription_id, kind, detail FROM soc_subscription_events ORDER BY 1, 2, 3",
}


class SocSectionsWorld:
    """Three students wait for one class, one of them with a flaky phone, one for a single message; a fourth for another class."""

    name = "soc_sections"
    moments: Sequence[datetime] = tuple(START + number * MINUTE for number in range(len(LETTERS)))
    busiest = 1
    aliases: Mapping[str, str]

    def __init__(self) -> None:
        self._soc = FakeSoc({"NB": 12}, open_share=0.5)
        self._soc.__enter__()
        is_open = self._soc.open_sections("NB")
        self._open = min(is_open)
        self._wanted = min(
            section.index_number for section in self._soc.sections["NB"] if section.index_number not in is_open
        )

    def prepare(self, folder: Path, sink_url: str) -> dict[str, str]:
        section = f'[plugins.soc_sections]\nbase_url = "{self._soc.url}"\ncampuses = ["NB"]'
        write_settings(folder, PATIENCE, section)
        create_database(folder, migrations)
        waiting = [
            (self._wanted, f"{sink_url}/ann", 3),
            (self._wanted, f"{sink_url}/flaky", 3),
            (self._wanted, f"{sink_url}/bob", 1),
            (self._open, f"{sink_url}/cid", 3),
        ]
        with closing(sqlite3.connect(folder / "pollctl.db")) as db, db:
            db.executemany(
                "INSERT INTO soc_subscriptions (term, campus, index_number, contact, max_notifications, created_at) "
                "VALUES ('92026', 'NB', ?, ?, ?, ?)",
                [(*each, to_text(START - MINUTE)) for each in waiting],
            )
        self.aliases = {address_digest(address): address.rpartition("/")[2] for _, address, _ in waiting}
        return clean_environment(folder)

    def turn(self, step: int) -> None:
        change = self._soc.open if LETTERS[step] == "O" else self._soc.close
        change("NB", self._wanted)

    def state(self, folder: Path) -> Rows:
        with closing(sqlite3.connect(folder / "pollctl.db", timeout=20)) as db:
            return {name: db.execute(question).fetchall() for name, question in QUESTIONS.items()}

    def keep(self) -> None:
        """Nothing: each pass is answered as its number says."""

    def put_back(self, kept: object) -> None:
        pass

    def close(self) -> None:
        self._soc.__exit__()
