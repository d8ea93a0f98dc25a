"""The settings of latency."""

from __future__ import annotations

from base64 import urlsafe_b64decode
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from pollctl import Duration, HttpUrl, Secret


def is_public(key: str) -> bool:
    """Whether a key is meant for browsers: under row level security it takes "not yours" for "not there"."""
    if key.startswith("sb_publishable_"):
        return True
    claims = key.split(".")[1] if key.startswith("eyJ") and key.count(".") == 2 else ""  # noqa: PLR2004 - a JWT
    try:
        return bool(msgspec.json.decode(urlsafe_b64decode(claims + "=" * (-len(claims) % 4))).get("role") == "anon")
    except (ValueError, AttributeError):
        return False


class Supabase(Struct, frozen=True, kw_only=True):
    """``[plugins.latency.supabase]``: where jobs are kept elsewhere, with which key, and as whom they are claimed."""

    url: HttpUrl | None = None
    key: Secret = Secret("")
    poller: str = ""

    def __post_init__(self) -> None:
        if self.url and not self.key.reveal():
            raise ValueError("key is empty; write the secret key of the project")
        if is_public(self.key.reveal()):
            raise ValueError(
                "key is a publishable or anon key, which sees no row that is not its own; "
                "write the secret key (sb_secret_...) or that of service_role"
            )


class Settings(Struct, frozen=True, kw_only=True):
    """The section ``[plugins.latency]``; sample.toml says what each key means."""

    base_url: HttpUrl | None = None
    label: Annotated[str, Meta(min_length=1)] = "Sound Check"
    timeout: Duration = Duration(seconds=10)
    deadline: Duration = Duration(seconds=58)
    concurrency: Annotated[int, Meta(ge=1, le=1000)] = 64
    max_running: Annotated[int, Meta(ge=1)] = 100
    keep_samples: Duration = Duration(days=30)
    supabase: Supabase = Supabase()
    host_id: str = ""

    def __post_init__(self) -> None:
        if not self.timeout:
            raise ValueError("timeout must be longer than 0s")
        if self.timeout >= self.deadline:
            raise ValueError(
                f"timeout is {self.timeout}, and a pass ends after its deadline of {self.deadline}: "
                "a silent target would never count as missed; write a shorter timeout"
            )
        if self.supabase.url and not self.poller:
            raise ValueError(
                "supabase.poller is not set, and neither is [pollctl] host_id: jobs are claimed under a name that stays"
            )

    @property
    def poller(self) -> str:
        """Who claims jobs that are kept elsewhere."""
        return self.supabase.poller or self.host_id
