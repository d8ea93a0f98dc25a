"""Names of plugins, as people and packages write them and as the code has them."""

from __future__ import annotations

from pollctl.errors import UsageError
from pollctl.redaction import shorten

LONGEST = 64
_FIRST = frozenset("abcdefghijklmnopqrstuvwxyz")
_FURTHER = _FIRST | frozenset("0123456789_")


def canonical(name: str) -> str:
    """A plugin's name as the code has it; people may write ``-`` for ``_``."""
    return name.replace("-", "_")


def fault(name: str) -> str:
    """Why no plugin can have this name, in a sentence on one line; empty when one can.

    A name is a table prefix, part of a lock file's name, a section and a command: what is safe in one of them need not be in the
    next.
    """
    plain = canonical(name)
    if plain[:1] in _FIRST and len(plain) <= LONGEST and _FURTHER.issuperset(plain):
        return ""
    return (
        f"{shorten(ascii(name), 80)} is not a valid name of a plugin: write a small letter, then small letters, digits and _,"
        f" at most {LONGEST} in all"
    )


def checked(name: str) -> str:
    """The canonical form of *name*.

    Raises:
        UsageError: no plugin can have this name.
    """
    if problem := fault(name):
        raise UsageError(problem)
    return canonical(name)
