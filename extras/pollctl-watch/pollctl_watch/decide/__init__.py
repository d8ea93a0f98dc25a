"""What is remembered of a page, and what is news: pure, no clock, no chance, no files, no network."""

from __future__ import annotations

from msgspec.structs import replace

from pollctl.targets import Change, News
from pollctl_watch.decide.wording import changed_title, difference
from pollctl_watch.model import Seen, Watch


def compare(before: Seen | None, now: Seen, watch: Watch) -> Change[Seen]:
    """A condition is told once when it becomes true, and again after it was false; the first look is silent."""
    kind = watch.condition.kind
    if kind == "changed":
        is_news = before is not None and before.text != now.text
        return Change(now, _news(before, now, watch) if is_news else [])
    if kind == "changes by":
        return _moved(before, now, watch)
    keep = replace(now, was_true=watch.condition.holds(now))
    is_news = before is not None and keep.was_true and not before.was_true
    return Change(keep, _news(before, now, watch) if is_news else [])


def _moved(before: Seen | None, now: Seen, watch: Watch) -> Change[Seen]:
    """Held against the number that was told last: many small steps are told when they have come far enough."""
    told = before.told if before else None
    if before is None or told is None or now.number is None:
        return Change(replace(now, told=now.number))
    if not watch.condition.is_far(told, now.number):
        return Change(replace(now, told=told))
    return Change(replace(now, told=now.number), _news(replace(before, number=told), now, watch))


def _news(before: Seen | None, now: Seen, watch: Watch) -> list[News]:
    was = before or Seen()
    condition = "" if watch.condition.kind in ("changed", "changes by") else f"\n({watch.when})"
    title = changed_title(watch.title, was, now, watch.condition)
    return [News(title, f"{difference(was.text, now.text)}{condition}".strip(), level=watch.condition.level)]
