"""What the fake upstream holds, and how its tasks go on."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct


class Step(Struct, frozen=True, kw_only=True):
    """What the status request answers at one poll."""

    status: str = "Queued"
    error: str = ""
    completed_date: str = ""


class StoredDefinition(Struct, kw_only=True):
    """A query definition, as it was created."""

    object_id: str
    customer_key: str
    name: str
    sql: str
    target: str
    update_type: str
    created_at: datetime
    is_active: bool = True
