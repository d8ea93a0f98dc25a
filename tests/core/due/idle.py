"""A folder in which ``due --run`` has nothing to do."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from place import Place

from pollctl.due import fast_path, stamp
from pollctl.store.database import open_to_write

YEARLY = '[plugins.counter]\nschedule = "0 0 1 1 *"\ntimezone = "Asia/Tokyo"'
PLAIN_RUN = ("due", "--run")


class Idle(Place):
    """A folder in which a pass of plugin ``counter`` has run, whose next slot is next year."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, PYTHONTZPATH=f"{folder / 'zones'}:/usr/share/zoneinfo")
        self.plugin("counter")
        self.settings(YEARLY)
        open_to_write(self.database).close()
        age()
        self.due_run()

    @property
    def settings_file(self) -> Path:
        return self.folder / "pollctl.toml"

    def is_idle(self, *arguments: str, **variables: str) -> bool:
        return fast_path.is_nothing_due(arguments or PLAIN_RUN, {**self.env, **variables})

    def stamped(self) -> Sequence[str] | None:
        """The row that the stamp says for certain."""
        return stamp.read(str(self.database))

    @property
    def stamp(self) -> Path:
        return Path(stamp.path_of(str(self.database)))

    def stamp_it(self) -> None:
        """Have a stamp, also where a newer SQLite would journal in WAL."""
        self.sql("PRAGMA journal_mode=TRUNCATE")
        self.sql("DELETE FROM next_due")
        self.due_run()

    def row(self) -> list[str] | None:
        """The row in the database."""
        with suppress(IndexError):
            return [str(value) for value in self.sql(fast_path.ROW)[0]]
        return None

    def due_run(self, code: int = 0, now: str = "") -> None:
        done = self.call(*PLAIN_RUN, now=now)
        assert done.returncode == code, done.stderr
        assert code or (done.stdout, done.stderr) == ("", "")


def age() -> None:
    """Let files become older than the process that comes next: younger ones are not relied on."""
    time.sleep(0.05)
