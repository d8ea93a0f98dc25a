"""The section ``[plugins.shell_query]``."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from msgspec import Meta, Struct
from msgspec.structs import force_setattr

from pollctl import Duration, HttpUrl, PositiveDuration, Secret, split_addresses

_LONGEST = timedelta(days=366)


class Settings(Struct, frozen=True, kw_only=True):
    """The section ``[plugins.shell_query]``; sample.toml says what each key means."""

    auth_url: HttpUrl | None = None
    client_id: Secret = Secret("")
    client_secret: Secret = Secret("")
    account_id: Annotated[int, Meta(ge=0)] = 0
    initial_delay: PositiveDuration = PositiveDuration(seconds=2)
    max_delay: PositiveDuration = PositiveDuration(seconds=30)
    backoff: Annotated[float, Meta(ge=1, le=10)] = 2.0
    jitter: Annotated[float, Meta(ge=0, le=0.9)] = 0.2
    max_polls: Annotated[int, Meta(ge=1, le=100_000)] = 120
    max_duration: PositiveDuration = PositiveDuration(minutes=29)
    stuck_after: Duration = Duration(minutes=3)
    completed_date_after: Duration = Duration(seconds=5)
    confirmations: Annotated[int, Meta(ge=1, le=100)] = 2
    confirmation_gap: Duration = Duration(seconds=15)
    rowset_attempts: Annotated[int, Meta(ge=1, le=100)] = 6
    rowset_delay: PositiveDuration = PositiveDuration(seconds=3)
    rowset_max_delay: PositiveDuration = PositiveDuration(seconds=8)
    row_probe: bool = True
    row_probe_after: Duration = Duration(seconds=5)
    row_probe_every: PositiveDuration = PositiveDuration(seconds=15)
    reconcile_after: PositiveDuration = PositiveDuration(minutes=2)
    sweep_after: PositiveDuration = PositiveDuration(hours=24)
    target_keep: Duration = Duration(days=7)
    max_active: Annotated[int, Meta(ge=1, le=1000)] = 10
    keep_sql: bool = False
    notify: tuple[Secret, ...] = ()
    wsdl: Path | None = None

    def __post_init__(self) -> None:
        """Refuse what makes no sense together before anything starts."""
        force_setattr(self, "notify", tuple(split_addresses(self.notify)))
        if self.auth_url:
            _require_base(self.auth_url)
        for name in self.__struct_fields__:
            value = getattr(self, name)
            if isinstance(value, timedelta) and value > _LONGEST:
                raise ValueError(f'{name} "{value}" is longer than a year')
        for smaller, larger in (
            ("initial_delay", "max_delay"),
            ("rowset_delay", "rowset_max_delay"),
            ("stuck_after", "max_duration"),
            ("completed_date_after", "max_duration"),
            ("row_probe_after", "max_duration"),
            ("confirmation_gap", "max_duration"),
            ("max_duration", "sweep_after"),
        ):
            if getattr(self, smaller) > getattr(self, larger):
                raise ValueError(
                    f'{smaller} "{getattr(self, smaller)}" is longer than {larger} "{getattr(self, larger)}"'
                )

    @property
    def auth_base(self) -> str:
        """What paths of the token endpoint are put behind; empty where ``auth_url`` is not set."""
        return (self.auth_url or "").rstrip("/")


def _require_base(url: str) -> None:
    """Refuse an ``auth_url`` that nothing can be put behind.

    Raises:
        ValueError: what is wrong with it.
    """
    parts = urlsplit(url)
    if parts.query or parts.fragment or parts.username or parts.path.rstrip("/").endswith("/v2/token"):
        raise ValueError(
            'auth_url ends behind its host and holds no login: write "https://SUBDOMAIN.auth.marketingcloudapis.com"'
        )
