"""soc_sections: one class opens, closes and opens again, another is open from the start; meanwhile a new term begins."""

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
from pollctl_soc_sections.model import ANY_SECTION

MINUTE = timedelta(minutes=1)
LETTERS = "XOOXXXO"
"""The class in each pass: O listed as open, X not; two misses close it.

Between the new term and the next opening lies a pass, in which those who came along are told of what was open before: a pass
more, which a kill makes, tells nobody anything else.
"""
START = datetime(2026, 8, 16, 4, tzinfo=UTC) - 4 * MINUTE
"""With the fifth pass it is midnight at Rutgers, and fall becomes the current term."""
QUESTIONS = {
    "sections": "SELECT * FROM soc_sections ORDER BY term, campus, index_number",
    "campuses": "SELECT term, campus, settled_hash, suspect_first, catalogue_read_at, catalogue_size FROM soc_campuses",
    "status_events": "SELECT term, campus, index_number, status, status_before, seat_delta, episode, event_at, dedupe_key "
    "FROM soc_status_events ORDER BY id",
    "open_events": "SELECT term, campus, index_number, episode, status_before, seat_delta, event_at, dedupe_key, payload "
    "FROM soc_open_events ORDER BY dedupe_key",
    "notifications": "SELECT dedupe_key, subscription_id, fanout_status, effect_key FROM soc_open_event_notifications "
    "JOIN soc_open_events ON id = event_id ORDER BY dedupe_key, subscription_id",
    "subscriptions": "SELECT id, term, index_number, course, status, last_known_section_status, sent_count, created_at "
    "FROM soc_subscriptions ORDER BY id",
    "history": "SELECT subscription_id, kind, detail FROM soc_subscription_events ORDER BY 1, 2, 3",
}


class SocSectionsWorld:
    """Three students wait for one class, one of them with a flaky phone, one for a single message; a fourth for another class.

    Three more follow its course, of which two sections open at once: one in the fall, and two, one with a flaky phone, in
    whatever term is current, which changes on the way.
    """

    name = "soc_sections"
    moments: Sequence[datetime] = tuple(START + number * MINUTE for number in range(len(LETTERS)))
    busiest = 1
    aliases: Mapping[str, str]

    def __init__(self) -> None:
        self._soc = FakeSoc({"NB": 12}, open_share=0.5)
        self._soc.__enter__()
        is_open = self._soc.open_sections("NB")
        self._open = min(is_open)
        self._wanted, self._twin, self._course = _closed_twins(self._soc, is_open)

    def prepare(self, folder: Path, sink_url: str) -> dict[str, str]:
        section = (
            f'[plugins.soc_sections]\nbase_url = "{self._soc.url}"\ncampuses = ["NB"]\nterms = ["92026", "current"]'
        )
        write_settings(folder, PATIENCE, section)
        create_database(folder, migrations)
        waiting = [
            (self._wanted, "", 0, "92026", f"{sink_url}/ann", 3),
            (self._wanted, "", 0, "92026", f"{sink_url}/flaky", 3),
            (self._wanted, "", 0, "92026", f"{sink_url}/bob", 1),
            (self._open, "", 0, "92026", f"{sink_url}/cid", 3),
            (ANY_SECTION, self._course, 0, "92026", f"{sink_url}/dan", 9),
            (ANY_SECTION, self._course, 1, "72026", f"{sink_url}/eve", 9),
            (ANY_SECTION, self._course, 1, "72026", f"{sink_url}/flaky-fay", 9),
        ]
        with closing(sqlite3.connect(folder / "pollctl.db")) as db, db:
            db.executemany(
                "INSERT INTO soc_subscriptions (campus, index_number, course, is_rolling, term, contact, max_notifications, "
                "created_at) VALUES ('NB', ?, ?, ?, ?, ?, ?, ?)",
                [(*each, to_text(START - MINUTE)) for each in waiting],
            )
        addresses = [address for *_, address, _ in waiting]
        self.aliases = {address_digest(address): address.rpartition("/")[2] for address in addresses}
        return clean_environment(folder)

    def turn(self, step: int) -> None:
        change = self._soc.open if LETTERS[step] == "O" else self._soc.close
        change("NB", self._wanted, self._twin)

    def state(self, folder: Path) -> Rows:
        with closing(sqlite3.connect(folder / "pollctl.db", timeout=20)) as db:
            return {name: db.execute(question).fetchall() for name, question in QUESTIONS.items()}

    def keep(self) -> None:
        """Nothing: each pass is answered as its number says."""

    def put_back(self, kept: object) -> None:
        pass

    def close(self) -> None:
        self._soc.__exit__()


def _closed_twins(soc: FakeSoc, is_open: set[str]) -> tuple[str, str, str]:
    """Two sections of one course that are both full, and the course."""
    closed: dict[str, list[str]] = {}
    for section in soc.sections["NB"]:
        if section.index_number not in is_open:
            closed.setdefault(section.course, []).append(section.index_number)
    course, (one, other, *_) = next((course, found) for course, found in closed.items() if len(found) > 1)
    return one, other, course
