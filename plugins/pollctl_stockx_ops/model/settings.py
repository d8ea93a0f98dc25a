"""The plugin's section, and the dialects in which an upstream names the status of an operation."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from msgspec import Meta, Struct
from msgspec.structs import force_setattr

from pollctl import HttpUrl, PositiveDuration, Secret, split_addresses

Dialect = Literal["v2", "operations"]
OperationStatus = Literal["open", "completed", "failed", "partial"]
News = Literal["live", "failed", "partial", "auth", "daily"]
"""What people can be told of."""

OPERATION_STATUS: dict[Dialect, dict[str, OperationStatus]] = {
    "v2": {"PENDING": "open", "SUCCEEDED": "completed", "FAILED": "failed"},
    "operations": {
        "queued": "open",
        "processing": "open",
        "completed": "completed",
        "failed": "failed",
        "partial_success": "partial",
    },
}
"""What each dialect's word for the status of an operation means; any other word means ``open``."""

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}


class Settings(Struct, frozen=True, kw_only=True):
    """The section ``[plugins.stockx_ops]``; sample.toml says what each key means."""

    base_url: HttpUrl = HttpUrl("https://api.stockx.com")
    token_url: HttpUrl = HttpUrl("https://accounts.stockx.com/oauth/token")
    dialect: Dialect = "v2"
    api_key: Secret = Secret("")
    client_id: Secret = Secret("")
    client_secret: Secret = Secret("")
    round_every: PositiveDuration = PositiveDuration(seconds=30)
    max_jobs: Annotated[int, Meta(ge=1, le=1000)] = 50
    poll_delay: PositiveDuration = PositiveDuration(seconds=20)
    rate_limit_delay: PositiveDuration = PositiveDuration(seconds=60)
    give_up_after: PositiveDuration = PositiveDuration(minutes=15)
    rate: str = "1/s"
    notify_on: tuple[News, ...] = get_args(News)
    notify: tuple[Secret, ...] = ()

    def __post_init__(self) -> None:
        _ = self.interval
        force_setattr(self, "notify", tuple(split_addresses(self.notify)))

    @property
    def interval(self) -> float:
        """Seconds between the starts of two requests that ``rate`` asks for.

        Raises:
            ValueError: it is not a valid rate.
        """
        count, _, unit = self.rate.partition("/")
        if unit not in _UNITS or not (count.isascii() and count.isdecimal()) or int(count) == 0:
            raise ValueError(f'rate {self.rate!r} is not a valid rate; write "1/s", "30/m" or "100/h"')
        return _UNITS[unit] / int(count)
