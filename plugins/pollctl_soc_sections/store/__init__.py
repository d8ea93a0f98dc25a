"""Every SQL statement that a pass makes, and those that make and change subscriptions."""

from __future__ import annotations

from pollctl_soc_sections.store.apply import apply
from pollctl_soc_sections.store.fetch_state import fetch_states
from pollctl_soc_sections.store.load import load
from pollctl_soc_sections.store.outgoing import last_look
from pollctl_soc_sections.store.settle import settle

__all__ = ["apply", "fetch_states", "last_look", "load", "settle"]
