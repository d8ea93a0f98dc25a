"""The words in which people are told news."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from pollctl import Level, counted
from pollctl.targets.target import News

_LEVELS: Sequence[Level] = ("info", "success", "warning", "failure")


class Words(NamedTuple):
    """One message."""

    title: str
    body: str
    level: Level


def message(heading: str, news: Sequence[tuple[News, str]]) -> Words:
    """All of some news in one message.

    Args:
        heading: what the title says it is about where there are several.
        news: each with the address of its target.
    """
    level = max((one.level for one, _ in news), key=_LEVELS.index)
    if len(news) == 1:
        one, address = news[0]
        return Words(one.title, _block(one, address), level)
    blocks = [f"{one.title}\n{_block(one, address)}" for one, address in news]
    return Words(f"{heading}: {counted(len(news), 'piece')} of news", "\n\n".join(blocks), level)


def _block(news: News, address: str) -> str:
    return "\n".join(filter(None, (news.body, news.url or address)))
