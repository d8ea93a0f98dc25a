"""Settings and the frozen values that travel from fetch through decide to the database."""

from __future__ import annotations

from pollctl_soc_sections.model.batch import Batch, Catalogue, CatalogueSection, Poll
from pollctl_soc_sections.model.decisions import (
    CloseSection,
    CountMisses,
    Decision,
    EndNotification,
    Facts,
    FanOut,
    HoldUpstream,
    KeepCatalogue,
    OpenEvent,
    PollVerdict,
    PrunePolls,
    RecordPoll,
    Release,
    SectionStatus,
    StoreCatalogue,
    StoreStates,
)
from pollctl_soc_sections.model.settings import Settings
from pollctl_soc_sections.model.state import Campus, Candidate, Deferred, Details, FetchState, State, Suspicion
from pollctl_soc_sections.model.subscription import ELIGIBLE, NewSubscription, SubscriptionStatus
from pollctl_soc_sections.model.windows import is_within, quiet_reason, read_window

__all__ = [
    "ELIGIBLE",
    "Batch",
    "Campus",
    "Candidate",
    "Catalogue",
    "CatalogueSection",
    "CloseSection",
    "CountMisses",
    "Decision",
    "Deferred",
    "Details",
    "EndNotification",
    "Facts",
    "FanOut",
    "FetchState",
    "HoldUpstream",
    "KeepCatalogue",
    "NewSubscription",
    "OpenEvent",
    "Poll",
    "PollVerdict",
    "PrunePolls",
    "RecordPoll",
    "Release",
    "SectionStatus",
    "Settings",
    "State",
    "StoreCatalogue",
    "StoreStates",
    "SubscriptionStatus",
    "Suspicion",
    "is_within",
    "quiet_reason",
    "read_window",
]
