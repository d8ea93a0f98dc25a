"""Whom news goes to: addresses are secrets, so effects name them by a hash."""

from __future__ import annotations

import hashlib

from pollctl import Run


def names(run: Run) -> list[str]:
    """The names of the addresses of ``[pollctl.notify]``."""
    return [name_of(url.reveal()) for url in dict.fromkeys(run.addresses)]


def address(name: str, run: Run) -> str | None:
    """The address that a name stands for; None when it is gone from the settings."""
    return next((url.reveal() for url in run.addresses if name_of(url.reveal()) == name), None)


def name_of(url: str) -> str:
    """A name for an address that is the same in every pass and gives nothing away."""
    return hashlib.sha256(url.encode()).hexdigest()[:12]
