"""What is remembered of a page, and what is news: pure, no clock, no chance, no files, no network."""

from __future__ import annotations

from msgspec.structs import replace

from pollctl.targets import Change, News
from pollctl_watch.decide.wording import news_of
from pollctl_watch.model import Remembered, Seen, Watch


def compare(before: Remembered | None, now: Seen, watch: Watch) -> Change[Remembered]:
    """A condition is told once when it becomes true, and again after it was false; the first look is silent."""
    kind = watch.condition.kind
    keep = Remembered(text=now.text, number=now.number)
    if kind == "changed":
        is_news = before is not None and before.text != now.text
        return Change(keep, _news(before, now, watch) if is_news else [])
    if kind == "changes by":
        return _moved(before, now, watch)
    keep = replace(keep, was_true=watch.condition.holds(now))
    is_news = before is not None and keep.was_true and not before.was_true
    return Change(keep, _news(before, now, watch) if is_news else [])


def _moved(before: Remembered | None, now: Seen, watch: Watch) -> Change[Remembered]:
    """Held against the number that was told last: many small steps are told when they have come far enough."""
    keep = Remembered(text=now.text, number=now.number, told=now.number)
    told = before.told if before else None
    if before is None or told is None or now.number is None:
        return Change(keep)
    if not watch.condition.is_far(told, now.number):
        return Change(replace(keep, told=told))
    return Change(keep, _news(replace(before, number=told), now, watch))


def _news(before: Remembered | None, now: Seen, watch: Watch) -> list[News]:
    return [news_of(before or Remembered(), now, watch)]
