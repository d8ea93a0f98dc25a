"""What the report shows of watches beside what it shows of all targets: how their texts have changed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from pollctl import Text, shorten, to_text
from pollctl_watch import store
from pollctl_watch.decide.difference import difference

if TYPE_CHECKING:
    from sqlite_utils import Database

_MOST_WATCHES = 5
_MOST_LINES = 20
_LONGEST_LINE = 200


def last_differences(db: Database, since: datetime) -> Iterator[Text]:
    """The last difference of each of the watches that changed last, the latest first."""
    for name, before, after in store.changed(db, to_text(since), _MOST_WATCHES):
        lines = difference(before, after).splitlines()
        more = ["…"] if len(lines) > _MOST_LINES else []
        yield Text(name)
        yield Text("\n".join([*(shorten(line, _LONGEST_LINE) for line in lines[:_MOST_LINES]), *more]), "diff")
