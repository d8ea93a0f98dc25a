"""What goes from fetch through decide to apply."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from msgspec import Struct

from pollctl import Duration
from pollctl.targets.target import News


class Validators(Struct, frozen=True, omit_defaults=True):
    """What an upstream can tell by whether its answer has changed.

    Attributes:
        asked: a digest of the request that it answered; they are of no use with another one.
        headers: of the next request.
    """

    asked: str = ""
    headers: Mapping[str, str] = {}


class Look(Struct, frozen=True, kw_only=True):
    """What came of asking one target.

    Attributes:
        title: of the target.
        row: its number in the table, None where it has none yet.
        definition: of the target as it was asked.
        value: what ``read`` answered, as JSON has it.
        is_unchanged: whether the upstream says so (304).
        validators: what the next request asks by whether something has changed; None: as before.
        answer: a digest of the answer that was read.
        error: why there is nothing to compare.
        held: the host that wants no request before *held_until*.
    """

    title: str
    row: int | None = None
    definition: str
    value: Any = None
    is_unchanged: bool = False
    validators: Validators | None = None
    answer: str = ""
    error: str = ""
    held: str = ""
    held_until: datetime | None = None


class Batch(Struct, frozen=True, kw_only=True):
    """Looks at some targets, or what else a pass has found.

    Attributes:
        same: rows of which the answer was the one over which nothing is to be decided any more.
        retired: rows that no target has any more.
        is_digest_due: whether news has waited long enough.
        titles: if so, what the targets of rows are called that were called otherwise; empty for those that are no more.
    """

    looks: list[Look] = []
    same: list[int] = []
    retired: list[int] = []
    is_digest_due: bool = False
    titles: dict[int, str] = {}


class Memory(Struct, frozen=True, kw_only=True):
    """What is known of one target.

    Attributes:
        added: its keys as JSON, where it was added by a command.
        definition: what was compared; empty for one that was never looked at.
        was_called: by which name it was known; empty for one that was not.
        value: what ``compare`` said to remember, as JSON has it; *is_baseline_needed* where there is none.
        told: ids of news that was told, or was there at the first look.
    """

    row: int | None = None
    added: str | None = None
    definition: str = ""
    was_called: str = ""
    value: Any = None
    is_baseline_needed: bool = True
    told: list[str] = []
    failures: int = 0
    failing_since: datetime | None = None
    is_alerted: bool = False


class Waiting(Struct, frozen=True, kw_only=True):
    """News that waits to be gathered into one message.

    Attributes:
        row: of its target.
        title: of its target, empty where that is no more.
        is_due: whether it has waited long enough.
        is_personal: whether its target named people of its own.
        people: digests of their addresses, where a command named them.
    """

    id: int
    row: int = 0
    title: str
    news: News
    is_due: bool
    is_personal: bool = False
    people: tuple[str, ...] = ()


class State(Struct, frozen=True, kw_only=True):
    """What decide needs: what is known of the targets of a batch, by title, and the news that waits."""

    memories: dict[str, Memory] = {}
    waiting: list[Waiting] = []


class Unchanged(Struct, frozen=True, tag=True, kw_only=True):
    """Looked at, and nothing is new; *note* is what its history says of it."""

    look: Look
    note: str = ""
    reason: str


class Same(Struct, frozen=True, tag=True, kw_only=True):
    """Looked at, and the answers were those from before."""

    rows: list[int]
    reason: str


class Kept(Struct, frozen=True, tag=True, kw_only=True):
    """Something to remember: a baseline, or what has changed; *ids* are known from now on.

    *is_settled*: the same answer would change nothing again.
    """

    look: Look
    note: str = ""
    value: Any
    ids: list[str] = []
    is_baseline: bool = False
    is_settled: bool = False
    reason: str


class Missed(Struct, frozen=True, tag=True, kw_only=True):
    """It could not be looked at, for the *failures*-th time in a row *since* a moment; *is_alert*: people hear of it now."""

    look: Look
    note: str = ""
    failures: int
    since: datetime
    is_alert: bool = False
    reason: str


class Told(Struct, frozen=True, tag=True, kw_only=True):
    """What people are told of one target in one message, now or with other news after *digest*."""

    title: str
    news: list[News]
    digest: Duration = Duration()
    reason: str


class Gathered(Struct, frozen=True, tag=True, kw_only=True):
    """News that has waited long enough, for people who are the same: those of the first one."""

    waiting: list[Waiting]
    reason: str


class Retired(Struct, frozen=True, tag=True, kw_only=True):
    """A row that no target has any more."""

    row: int
    reason: str


Decision = Unchanged | Same | Kept | Missed | Told | Gathered | Retired
