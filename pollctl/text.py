"""Text that came from elsewhere, as it may be shown."""

from __future__ import annotations


def one_line(text: str) -> str:
    """*text* with the unprintable escaped, so that it is one line and cannot steer a terminal."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
