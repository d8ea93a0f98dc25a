"""One job of another program."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

_SIMPLE_PATH = re.compile(r"\$?\.?([A-Za-z_]\w*(?:\.[A-Za-z_]\w*|\[\d+\]|\[\*?\])*)")


SHOWN = "what a browser asks other hosts for: name those in allow_hosts"
"""What is left out of every job that needs a browser."""


class Job(NamedTuple):
    """A job as keys of a watch.

    Attributes:
        refused: why it cannot become a watch; empty if it can.
        left_out: what of it was left out, with the reason.
    """

    title: str
    keys: Mapping[str, Any]
    refused: str = ""
    left_out: tuple[str, ...] = ()


class Untranslatable(Exception):  # noqa: N818 - it ends the translation of one job, no more
    """What of a job has no counterpart."""


def path_of(expression: str) -> str:
    """A JMESPath for a simple expression of JSONPath or jq, such as ``$.offers[0].price``.

    Raises:
        Untranslatable: it is not a simple one.
    """
    match = _SIMPLE_PATH.fullmatch(expression.strip())
    if match is None:
        raise Untranslatable(f"{expression!r} is not a simple path; write it as JMESPath, json = ...")
    return match[1]


def dropping_lines(pattern: str, *, is_plain: bool = False) -> str:
    """A pattern of ``ignore`` that drops whole lines; a plain one in upper or lower case."""
    return f"(?i:^.*{re.escape(pattern)}.*$)" if is_plain else f"^.*(?:{pattern}).*$"
