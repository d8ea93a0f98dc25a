"""Text that came from elsewhere, as it may be shown."""

from __future__ import annotations


def one_line(text: str) -> str:
    """*text* with the unprintable escaped, so that it is one line and cannot steer a terminal."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def shorten(text: str, limit: int = 200) -> str:
    """*text* of an upstream as it may be kept and shown: one line of printable characters, at most *limit* of them.

    What does not print and runs of blanks become one blank; what was cut off is shown by a ``…``.
    """
    printable = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return printable if len(printable) <= limit else f"{printable[: limit - 1]}…"
