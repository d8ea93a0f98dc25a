"""Dead letters that a person put back: what they hold is read once more."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pollctl_toilet_gap.client.parsing import read_again
from pollctl_toilet_gap.fetch.chunks import chunks
from pollctl_toilet_gap.model import Batch
from pollctl_toilet_gap.store import letters

if TYPE_CHECKING:
    from sqlite_utils import Database


def replays(db: Database) -> Iterator[Batch]:
    """The dead letters that were put back, in transactions of their own."""
    for some in chunks(letters.put_back(db)):
        read = {letter.id: read_again(letter) for letter in some}
        yield Batch(
            messages=[message for message in read.values() if message is not None],
            unreplayed=[number for number, message in read.items() if message is None],
        )
