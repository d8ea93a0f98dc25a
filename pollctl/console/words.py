"""Numbers and lengths of time as a person would say them."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite

_UNITS = (("d", 86_400), ("h", 3600), ("min", 60), ("s", 1))
_EXACT_FROM = 100
_SECOND_MS = 1000
_THREE_DIGITS = 0.1


def count(number: int, one: str, many: str = "") -> str:
    """How many of something there are: ``1 check``, ``2 checks``, ``2 batches``."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def enumeration(names: Sequence[str]) -> str:
    """Several names in a sentence: ``A``, ``A and B``, ``A, B and C``."""
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))


def age(seconds: float) -> str:
    """A length of time as people say it, in its two largest units: ``3 d 4 h``, ``2 min``, ``12 s``."""
    whole = max(0, round(seconds))
    parts = []
    for unit, size in _UNITS:
        if whole >= size:
            parts.append(f"{whole // size} {unit}")
            whole %= size
    return " ".join(parts[:2]) or "0 s"


def distance(seconds: float) -> str:
    """About how long, for ages and countdowns: ``42 s``, ``2 min``, ``3 h 20 min``, ``4 d``."""
    whole = max(0, int(seconds))
    for unit, size, below, smaller in (("d", 86_400, 86_400 * 7, "h"), ("h", 3600, 86_400, "min")):
        if whole >= size:
            rest = whole % size // (3600 if smaller == "h" else 60)
            return f"{whole // size} {unit}{f' {rest} {smaller}' if rest and whole < below else ''}"
    return f"{whole // 60} min" if whole >= 60 else f"{whole} s"  # noqa: PLR2004 - seconds of a minute


def took(milliseconds: float) -> str:
    """How long something took: ``9 ms``, ``1.4 s``, ``58 s``, ``2 min 5 s``."""
    if not isfinite(milliseconds):
        return f"{milliseconds} ms"
    if milliseconds < _SECOND_MS:
        return f"{round(milliseconds)} ms"
    seconds = milliseconds / _SECOND_MS
    return f"{seconds:.1f} s" if seconds < 10 else age(seconds)  # noqa: PLR2004 - where a tenth still matters


def lasted(seconds: float) -> str:
    """How long something took, from its length in seconds, as ``took``."""
    return took(seconds * _SECOND_MS)


def share(part: float) -> str:
    """A part of 1 in hundredths: ``5.8 %``, ``0 %``."""
    return f"{number(round(part * 100, 1))} %"


def number(value: float) -> str:
    """A number with as many places as it needs to be compared: ``1440``, ``129.5``, ``20.8``, ``0.12``."""
    if isinstance(value, int) or not isfinite(value):
        return str(value)
    if abs(value) >= _EXACT_FROM or value == int(value):
        return f"{value:.1f}".removesuffix(".0")
    return f"{value:.2f}".rstrip("0").rstrip(".") if abs(value) >= 0.01 else f"{value:.3g}"  # noqa: PLR2004 - a hundredth


def exact(value: float) -> str:
    """A number for programs that read a table, to three places, small ones to three digits: ``20.843``, ``0.000123``."""
    return str(float(f"{value:.3g}") if abs(value) < _THREE_DIGITS else round(value, 3))
