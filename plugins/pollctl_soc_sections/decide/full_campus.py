"""An answer without any section of its campus: of another term or campus, or is the campus full?"""

from __future__ import annotations

from datetime import datetime
from fractions import Fraction

from pollctl_soc_sections.decide.comparison import Comparison, has_catalogue
from pollctl_soc_sections.model import Poll, Reference, Settings, State

SHARE = Fraction(9, 10)
"""How much of what another campus listed last an answer must hold to be one that ignores the campus."""
FEWEST = 10
"""Sections that the other campus must have listed, so that a share of them means something."""


def holds_none_of_its_own(state: State, poll: Poll, comparison: Comparison, settings: Settings) -> bool:
    """Whether an answer shares nothing with the catalogue; without one that cannot be known."""
    if not poll.listed or not has_catalogue(state.campus, settings):
        return False
    return comparison.known == len(state.unresolved & poll.listed)


def holds_others(state: State, poll: Poll, comparison: Comparison, settings: Settings) -> bool:
    """Whether an answer holds sections outside the catalogue of its campus: the upstream ignores the campus."""
    if not has_catalogue(state.campus, settings):
        return False
    return len(poll.listed) > comparison.known - len(state.unresolved & poll.listed)


def evidence_that_it_is_full(state: State, now: datetime, settings: Settings) -> Reference | None:
    """Another campus whose answers ignore the campus, and whose last accepted one this answer equals well enough."""
    return next((it for it in state.references if _is_evidence(it, now, settings)), None)


def _is_evidence(reference: Reference, now: datetime, settings: Settings) -> bool:
    if reference.size < FEWEST or now - reference.accepted_at > settings.catalogue_every:
        return False
    return reference.shared >= SHARE * reference.size
