"""An answer, compared with the known sections of its campus."""

from __future__ import annotations

from typing import NamedTuple

from pollctl_soc_sections.model import Campus, Poll, Settings, State


class Comparison(NamedTuple):
    """The sections that an answer concerns, by what they were and what they are now.

    Attributes:
        opened: closed before, and listed.
        appeared: without a status before, and listed.
        missing: open before, and not listed.
        absent: without a status before, and not listed.
        known: how many of the campus' own sections the answer lists.
    """

    opened: frozenset[str]
    appeared: frozenset[str]
    missing: frozenset[str]
    absent: frozenset[str]
    known: int


def compare(state: State, poll: Poll, settings: Settings) -> Comparison:
    """Compare an answer with the known sections; without a catalogue whatever is listed is known from now on."""
    opened = poll.listed & state.closed
    missing = state.open - poll.listed
    present = len(state.open) - len(missing)
    is_catalogued = has_catalogue(state.campus, settings)
    appeared = poll.listed & state.unknown if is_catalogued else poll.listed - state.open - opened
    absent = state.unknown - poll.listed
    return Comparison(opened, appeared, missing, absent, present + len(opened) + len(appeared))


def has_catalogue(campus: Campus, settings: Settings) -> bool:
    """Whether the known sections are those of a catalogue, and not those ever seen."""
    return bool(settings.catalogue_every) and campus.catalogue_size > 0
