"""What is waited for: ``when`` of a watch."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from typing import Literal

from msgspec import Struct

from pollctl import Level
from pollctl_watch.model.seen import Number, Seen

Kind = Literal["changed", "number", "status", "changes by", "contains", "missing", "appears", "disappears"]

_COMPARED: Mapping[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "=": operator.eq,
    "==": operator.eq,
    "!=": operator.ne,
}
_COMPARISON = re.compile(r"(number|status)\s*(<=|>=|==|!=|<|>|=)\s*(-?\d+(?:\.\d+)?)")
_DISTANCE = re.compile(r"number\s+changes\s+by\s+(\d+(?:\.\d+)?)\s*(%?)")
_WORDS = re.compile(r"(contains|missing)\s+([\"'])(.+)\2", re.DOTALL)
_LEVELS: Mapping[Kind, Level] = {"changed": "info", "changes by": "info", "missing": "warning", "disappears": "warning"}
_HELP = (
    'changed, number < N, number changes by N or N%, contains "x", missing "x", appears, disappears, status != N, '
    "with any of < <= > >= = !="
)


class Condition(Struct, frozen=True):
    """A condition, taken apart; *limit* and *sign* are of numbers, *words* of texts."""

    kind: Kind = "changed"
    sign: str = ""
    limit: float = 0
    words: str = ""

    @classmethod
    def parse(cls, text: str) -> Condition:
        """Read a condition.

        Raises:
            ValueError: it is not one; says which there are.
        """
        said = text.strip()
        if said in ("changed", "appears", "disappears"):
            return cls(said)  # type: ignore[arg-type] # it is one of three
        if match := _COMPARISON.fullmatch(said):
            return cls(match[1], match[2], float(match[3]))  # type: ignore[arg-type] # number or status
        if match := _DISTANCE.fullmatch(said):
            if not float(match[1]):
                raise ValueError(f"{text!r} would be told at each look; name how much it must change")
            return cls("changes by", match[2], float(match[1]))
        if match := _WORDS.fullmatch(said):
            return cls(match[1], words=match[3])  # type: ignore[arg-type] # contains or missing
        raise ValueError(f"{text!r} is not a condition; there are {_HELP}")

    @property
    def needs_number(self) -> bool:
        """Whether a text without a number is a failure."""
        return self.kind in ("number", "changes by")

    @property
    def may_be_empty(self) -> bool:
        """Whether a selector that matches nothing is an answer."""
        return self.kind in ("appears", "disappears")

    @property
    def level(self) -> Level:
        """How people should take it: what was waited for has come, or something has gone wrong."""
        if self.kind == "status":
            return "info" if self.holds(Seen()) else "warning"  # whether it is about a page that is fine
        return _LEVELS.get(self.kind, "success")

    def holds(self, seen: Seen) -> bool:
        """Whether it is true of what was seen, for those that can be told from one look."""
        if self.kind == "number":
            return seen.number is not None and _COMPARED[self.sign](seen.number.value, self.limit)
        if self.kind == "status":
            return _COMPARED[self.sign](seen.status, self.limit)
        if self.kind in ("contains", "missing"):
            return (self.words.casefold() in seen.text.casefold()) == (self.kind == "contains")
        return seen.is_there == (self.kind == "appears")

    def is_far(self, told: Number, now: Number) -> bool:
        """Whether a number has moved by as much as is told; in percent, of what was told last."""
        distance = abs(now.value - told.value)
        if self.sign != "%":
            return distance >= self.limit
        return distance > 0 and distance >= abs(told.value) * self.limit / 100
