"""Why a request gave nothing to go on with, by what can be done about it."""

from __future__ import annotations

from typing import Literal

ErrorKind = Literal["transient", "large", "rejected", "auth", "token", "held", "cut"]


class UpstreamError(Exception):
    """A request that gave nothing to go on with.

    Attributes:
        kind: ``transient``: worth another try (network, 5xx, 429, an unreadable answer). ``large``: so is this,
            but the answer was larger than allowed. ``rejected``: refused for good.
            ``auth``: a fresh token was refused too. ``token``: there is no token to ask with. ``held``: the upstream wants no
            request now. ``cut``: the pass had to end.
        retry_after_s: how long the upstream wants no request.
    """

    def __init__(self, kind: ErrorKind, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.retry_after_s = retry_after_s

    @property
    def is_of_the_pass(self) -> bool:
        """Whether it says nothing about what was asked for: it is as if it had not been asked."""
        return self.kind in ("token", "held", "cut")
