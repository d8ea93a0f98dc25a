"""The tables of soc_sections, step by step; a step that was released is never edited."""

from __future__ import annotations

from pollctl_soc_sections.migrations import later
from pollctl_soc_sections.migrations.tables import migrations

__all__ = ["later", "migrations"]
