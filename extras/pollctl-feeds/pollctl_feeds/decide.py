"""Which entries are new, and how people are told: pure, no clock, no chance, no files, no network."""

from __future__ import annotations

from pollctl import counted
from pollctl.targets import Change, News
from pollctl_feeds.model import Entry, Feed, Known

REMEMBERED = 2000
"""How many keys are kept at least of a feed; twice as many as it has entries where that is more."""


def compare(before: Known | None, now: list[Entry], feed: Feed) -> Change[Known]:
    """What is in the feed at the first look is known; later each entry that is not is told, the oldest first."""
    if before is None:
        return Change(Known([one.key for one in now]))
    known = set(before.known)
    fresh = [one for one in now if one.key not in known]
    if not fresh:
        return Change(before)
    most = max(REMEMBERED, 2 * len(now))
    keys = dict.fromkeys([*(one.key for one in now), *before.known])
    return Change(Known(list(keys)[:most]), _news([one for one in fresh if feed.wants(one)], feed))


def _news(fresh: list[Entry], feed: Feed) -> list[News]:
    """The first ones of a feed are its latest: those are told, and of the others the number."""
    told = [_told(one, feed) for one in reversed(fresh[: feed.most])]
    more = len(fresh) - len(told)
    return [*told, News(f"{feed.title}: {counted(more, 'more entry', 'more entries')}")] if more else told


def _told(entry: Entry, feed: Feed) -> News:
    by = f"by {entry.author}" if entry.author else ""
    return News(f"{feed.title}: {entry.title}", "\n".join(filter(None, (by, entry.text))), id=entry.key, url=entry.url)
