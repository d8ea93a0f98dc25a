"""Numbers as people write them: ``1.234,50 €``, ``$1,234.50``, ``1 234``."""

from __future__ import annotations

import re

from pollctl_watch.model import Number

_BLANKS = " \u00a0\u2009\u202f"
_DIGITS = re.compile(rf"(?:(?<![^\W_])|(?<=\b[A-Z]{{3}}))(?<!\d[.,])\d(?:[\d.,'’{_BLANKS}]*\d)?")
_CURRENCY = "$€£¥₹₽₩₺₴₫฿¢"
_BEFORE = re.compile(
    rf"(?P<far>(?<!\w)[-−])?(?:(?P<unit>[{_CURRENCY}]|\b[A-Z]{{3}})[{_BLANKS}]?)?(?P<near>(?<!\w)[-−])?$"
)
_AFTER = re.compile(
    rf"[{_BLANKS}]?([{_CURRENCY}%‰]|°[CF]?|[A-Z]{{3}}\b|[kMGTcmµn]?i?(?:Wh|Hz|bit|[gmlLWBVAsh])(?:/[a-z]{{1,2}})?\b)"
)
_GROUP_AFTER_BLANK = re.compile(r"\d{3}(?:[.,]\d+)?")

_GROUPS = re.compile(r"[1-9]\d{0,2}(?:[.,]\d{3})+")


def number_in(text: str, decimal: str = "") -> Number | None:
    """The first number in a text; None where there is none.

    Args:
        text: any.
        decimal: which sign stands before decimals. Without one ``1.234`` and ``1,234`` are groups of thousands, ``1.23`` is not.
    """
    found = _DIGITS.search(text)
    if found is None:
        return None
    taken = _joined(found[0])
    before = _BEFORE.search(text[: found.start()][-6:])
    after = _AFTER.match(text, found.start() + len(taken))
    is_negative = bool(before and (before["far"] or before["near"]))
    unit = (before and before["unit"]) or (after and after[1]) or ""
    value = _value(re.sub(rf"['’{_BLANKS}]", "", taken), decimal)
    return Number(-value if is_negative else value, unit)


def _joined(digits: str) -> str:
    """What of digits and blanks is one number: blanks stand before groups of three."""
    first, *others = re.split(rf"([{_BLANKS}])", digits)
    taken = first
    for blank, group in zip(others[::2], others[1::2], strict=True):
        is_group = _GROUP_AFTER_BLANK.fullmatch(group) and len(first) <= 3 and not set(taken) & set(".,")  # noqa: PLR2004
        if not is_group:
            break
        taken += blank + group
    return taken


def _value(digits: str, decimal: str) -> float:
    signs = [char for char in digits if char in ".,"]
    if len(signs) > 1 and len({*signs}) == 1 and not _GROUPS.fullmatch(digits):
        digits, signs = digits.partition(signs[0])[0], []  # a date, or a version
    if not decimal and signs:
        decimal = _decimal_of(digits, signs)
    other = {".": ",", ",": "."}.get(decimal, ".,")
    whole, _, fraction = "".join(char for char in digits if char not in other).partition(decimal or "\0")
    return float(f"{whole}.{''.join(filter(str.isdigit, fraction)) or 0}")


def _decimal_of(digits: str, signs: list[str]) -> str:
    """Which sign stands before the decimals; empty where all stand between groups of thousands."""
    last = signs[-1]
    if len({*signs}) > 1:
        return last if signs.count(last) == 1 else ""
    return "" if _GROUPS.fullmatch(digits) else last
