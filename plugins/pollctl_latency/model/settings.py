"""The settings of latency."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from pollctl import Duration, HttpUrl


class Settings(Struct, frozen=True, kw_only=True):
    """The section ``[plugins.latency]``; sample.toml says what each key means."""

    base_url: HttpUrl | None = None
    label: Annotated[str, Meta(min_length=1)] = "Sound Check"
    timeout: Duration = Duration(seconds=10)
    deadline: Duration = Duration(seconds=58)
    concurrency: Annotated[int, Meta(ge=1, le=1000)] = 64
    max_running: Annotated[int, Meta(ge=1)] = 100
    keep_samples: Duration = Duration(days=30)

    def __post_init__(self) -> None:
        if not self.timeout:
            raise ValueError("timeout must be longer than 0s")
        if self.timeout >= self.deadline:
            raise ValueError(
                f"timeout is {self.timeout}, and a pass ends after its deadline of {self.deadline}: "
                "a silent target would never count as missed; write a shorter timeout"
            )
