"""What ``check`` finds, one line each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from msgspec import Struct

from pollctl.errors import ConfigError, PollctlError

Level = Literal["ok", "warn", "FAIL"]


class Finding(Struct, frozen=True, kw_only=True):
    """One line of ``pollctl check``.

    Attributes:
        subject: ``settings``, ``database``, ``clock`` or the name of a plugin.
        exit_code: what the check exits with because of it; 0 unless it failed.
    """

    level: Level
    subject: str
    text: str
    exit_code: int = 0


def failures(subject: str, error: PollctlError) -> Iterator[Finding]:
    """An error as findings, one for each of its problems."""
    for line in error.problems if isinstance(error, ConfigError) else [str(error)]:
        yield Finding(level="FAIL", subject=subject, text=line, exit_code=error.exit_code)
