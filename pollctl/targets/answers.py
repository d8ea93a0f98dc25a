"""What is known of the last answer of a target: whether the next one must be read at all."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any, NamedTuple

import msgspec

from pollctl import Answer, Request, conditional_key, retry_after
from pollctl.targets.model import Validators
from pollctl.targets.rows import Known

_OF_THE_EXCHANGE = frozenset(["age", "date", "set-cookie"])
"""Headers that differ from one answer to the next without saying anything else."""


class Asked(NamedTuple):
    """A target that is asked.

    Attributes:
        known: the target.
        request: by which it is asked, before conditions were added.
        reader: by what that is known which makes something of the answer; another one reads the same answer again.
    """

    known: Known[Any]
    request: Request
    reader: str

    @property
    def key(self) -> str:
        """What validators of the answer belong to; empty where there are none."""
        key = conditional_key(self.request)
        return key and f"{key}{self.reader}"


def conditions(asked: Asked) -> Mapping[str, str]:
    """The headers that ask whether what is remembered has changed: it must be what the upstream named them for."""
    known = known_validators(asked.known)
    return known.headers if known.headers and known.asked == asked.key else {}


def known_validators(one: Known[Any]) -> Validators:
    """What the upstream named for what is remembered."""
    if one.row is None or one.row.validators in (None, "{}") or one.is_redefined:
        return Validators()
    return msgspec.json.decode(one.row.validators, type=Validators)


def validators(answer: Answer, asked: Asked) -> Validators:
    """What to ask by the next time; nothing where the request has conditions of its own, or is not a plain GET."""
    named = answer.validators
    key = asked.key if named else ""
    return Validators(key, named) if key else Validators()


def digest_of(answer: Answer, asked: Asked) -> str:
    """What an answer is known by: the same one says the same to the same reader."""
    headers = [item for item in sorted(answer.headers.items()) if item[0] not in _OF_THE_EXCHANGE]
    said = b"%b\n%d\n%r\n%b" % (asked.reader.encode(), answer.status, headers, answer.body)
    return sha256(said).hexdigest()[:32]


def row_of_same(asked: Asked, answer: Answer, digest: str) -> int | None:
    """The row of a target where nothing comes of an answer but that there was one; None where more may come of it.

    That is one of which the upstream says so (304), or the one from before. Of a target that failed the last time, or goes by
    another name than its row, there is something to write, or to tell.
    """
    one, row = asked.known, asked.known.row
    if row is None or not (answer.is_unchanged or digest == row.answer) or not row.has_memory or one.is_redefined:
        return None
    if row.failures or row.retired_at or row.name != one.title or retry_after(answer, answer.started_at):
        return None
    key = known_validators(one).asked
    return row.id if answer.is_unchanged or not key or key == asked.key else None
