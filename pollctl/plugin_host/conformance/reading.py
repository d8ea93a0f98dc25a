"""What one function, class or statement refers to, calls and changes."""

from __future__ import annotations

import ast
from typing import NamedTuple


class Use(NamedTuple):
    """One reference.

    Attributes:
        names: what it may refer to.
        arguments: with how many it is called, None when it is not called here.
        is_call: whether what stands here runs it at once, decorators included; where it is only named, others may later.
        depth: how many functions it stands in, within what was read.
    """

    node: ast.expr
    names: frozenset[str]
    arguments: int | None
    is_call: bool
    depth: int


class Change(NamedTuple):
    """One change of something that has a name; ``depth`` is as that of a use.

    Attributes:
        names: what may be changed.
        method: by which it is called for, if by one.
        is_sure: whether that method changes what it is called of where this is of a built-in type (``append``).
    """

    node: ast.AST
    names: frozenset[str]
    depth: int
    method: str = ""
    is_sure: bool = True


class Reading:
    """All that was read.

    Attributes:
        types: names in annotations.
        attributes: that are looked up, of whatever.
        is_dynamic: whether any attribute may be meant (``getattr(x, name)``).
    """

    def __init__(self) -> None:
        self.uses: list[Use] = []
        self.changes: list[Change] = []
        self.types: set[str] = set()
        self.attributes: set[str] = set()
        self.is_dynamic = False
