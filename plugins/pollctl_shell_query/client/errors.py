"""Why the upstream was of no use, by what can be done about it."""

from __future__ import annotations

import re
from typing import Literal

from pollctl_shell_query.client.xml import shown

Kind = Literal["transient", "large", "rejected", "auth", "token", "held", "cut"]


class UpstreamError(Exception):
    """A request that brought nothing to go on with.

    Attributes:
        kind: ``transient``: worth another try (network, 5xx, 429, an unreadable answer). ``large``: so is this,
            but the answer was larger than may be. ``rejected``: refused for good.
            ``auth``: a fresh token was refused too. ``token``: there is no token to ask with. ``held``: the upstream wants no
            request now. ``cut``: the pass had to end.
        retry_after_s: how long the upstream wants no request.
    """

    def __init__(self, kind: Kind, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.retry_after_s = retry_after_s

    @property
    def is_of_the_pass(self) -> bool:
        """Whether it says nothing about what was asked for: it is as if it had not been asked."""
        return self.kind in ("token", "held", "cut")


LONGEST_SAID = 1000
_CUT_OUT = "[the SQL text]"
_SHORTEST_PIECE = 30
"""Characters in a row that are of the SQL text and not by chance: longer than most names of columns."""
_BEGINNING = re.compile(r"\bselect\b|/\*|--", re.IGNORECASE)


def scrubbed(said: str, sql: str | None) -> str:
    """What the upstream said, at most so long, without the SQL text that it likes to repeat, whole or in pieces.

    Where the text is not known any more, everything from what looks like its beginning is left out.
    """
    if sql and (bare := shown(sql)):
        return _without_pieces(shown(said).replace(bare, _CUT_OUT)[:LONGEST_SAID], bare)
    beginning = _BEGINNING.search(said)
    return f"{said[: beginning.start()]}{_CUT_OUT}"[:LONGEST_SAID] if beginning else said[:LONGEST_SAID]


def _without_pieces(said: str, sql: str) -> str:
    kept, place = "", 0
    while place < len(said):
        end = place + _SHORTEST_PIECE
        if end > len(said) or said[place:end] not in sql:
            kept, place = kept + said[place], place + 1
            continue
        while end < len(said) and said[place : end + 1] in sql:
            end += 1
        kept, place = kept + _CUT_OUT, end
    return kept
