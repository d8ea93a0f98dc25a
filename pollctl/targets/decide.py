"""The rules of targets, pure: what to remember of a look, what is news, and when people hear of failures."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from traceback import walk_tb
from typing import Any, NamedTuple

import msgspec
from msgspec.structs import replace

from pollctl import Secret, address_digest, counted, spoken_length
from pollctl.targets.model import (
    Batch,
    Decision,
    Gathered,
    Kept,
    Look,
    Memory,
    Missed,
    Retired,
    Same,
    State,
    Told,
    Unchanged,
    Waiting,
)
from pollctl.targets.target import Change, News, Target, TargetSettings


class Rules(NamedTuple):
    """What an author gives: how what is remembered and what was read are compared, and of which types they are."""

    compare: Callable[[Any, Any, Any], Change[Any]]
    value: Any
    kept: Any


class _Broken(Exception):  # noqa: N818 - it ends the comparison of one target, no more
    """Why nothing could be compared."""


def decide(
    rules: Rules, state: State, batch: Batch, now: datetime, settings: TargetSettings, targets: Mapping[str, Target]
) -> list[Decision]:
    """What becomes of one batch; a look at a target that is not there any more is passed over."""
    found: list[Decision] = []
    for look in batch.looks:
        if look.title in targets and look.title in state.memories:
            found += _judge(rules, look, state.memories[look.title], targets[look.title], now, settings)
    if batch.same:
        found.append(Same(rows=batch.same, reason=f"{counted(len(batch.same), 'answer')} as before"))
    found += [Retired(row=row, reason="no target is called so any more") for row in batch.retired]
    if batch.is_digest_due:
        found += _gathered(state.waiting, targets, settings)
    return found


def people(target: Target | None, settings: TargetSettings) -> tuple[Secret, ...]:
    """Who hears of a target: those that it names, else those of the plugin; none: those of the core."""
    return (target.notify if target else ()) or settings.notify


def _judge(
    rules: Rules, look: Look, memory: Memory, target: Target, now: datetime, settings: TargetSettings
) -> Iterator[Decision]:
    look = replace(look, row=memory.row)
    if look.is_unchanged and memory.is_baseline_needed:
        return  # it was forgotten meanwhile: the next look takes a baseline
    length = target.digest if target.digest is not None else settings.digest
    try:
        first, news = _seen(rules, look, memory, target, now) if not look.error else _missed(look, memory, target, now)
    except _Broken as error:
        first, news = _missed(replace(look, value=None), memory, target, now, str(error))
    yield first
    if news:
        reason = news[0].title if len(news) == 1 else f"{counted(len(news), 'piece')} of news in one message"
        yield Told(title=look.title, news=news, digest=length, reason=reason)


def _missed(look: Look, memory: Memory, target: Target, now: datetime, why: str = "") -> tuple[Decision, list[News]]:
    failures, since, why = memory.failures + 1, min(memory.failing_since or now, now), why or look.error
    is_alert = failures >= target.alert_after and not memory.is_alerted
    note = f"failing: {why}" if failures == 1 else ""
    missed = Missed(look=look, failures=failures, since=since, is_alert=is_alert, note=note, reason=why)
    title = f"{target.title}: failed {counted(failures, 'time')}{' in a row' if failures > 1 else ''}"
    for_long = f"\nfor {spoken_length(now - since)}" if now > since else ""
    return missed, [News(title, f"{why}{for_long}", level="failure")] if is_alert else []


def _seen(rules: Rules, look: Look, memory: Memory, target: Target, now: datetime) -> tuple[Decision, list[News]]:
    """What an answer means, and what is news: first that it answers again, where people had heard of its failures."""
    lasted = spoken_length(max(now - memory.failing_since, timedelta())) if memory.failing_since else ""
    again = [News(f"{target.title}: answers again", f"after {lasted}", level="success")] if memory.is_alerted else []
    note = f"answers again after {lasted}" if lasted else ""
    if look.is_unchanged:
        return Unchanged(look=look, note=note, reason="not modified, says the upstream"), again
    why, before = _before(rules, look, memory)
    keep, found = _compared(rules, before, look, target)
    ids = _unknown(found, memory.told)
    news = [] if why else list(_fresh(found, memory.told))
    if not why and keep == memory.value and not news:
        return Unchanged(look=look, note=note, reason="unchanged"), again
    said = why or (news[0].title if news else "changed, nothing of it is news")
    lines = [f"baseline: {why}"] if why else [*filter(None, [note]), said]
    kept = Kept(look=look, value=keep, ids=ids, is_baseline=bool(why), note="; ".join(lines), reason=said)
    return replace(kept, is_settled=_is_settled(rules, kept, memory, target)), [*again, *news]


def _is_settled(rules: Rules, kept: Kept, memory: Memory, target: Target) -> bool:
    """Whether the same answer would change nothing again: what compares may count looks, as an example."""
    try:
        keep, found = _compared(rules, msgspec.convert(kept.value, rules.kept), kept.look, target)
    except (_Broken, msgspec.ValidationError):
        return False
    return keep == kept.value and not list(_fresh(found, [*memory.told, *kept.ids]))


def _before(rules: Rules, look: Look, memory: Memory) -> tuple[str, Any]:
    """What there is to compare with, or why a baseline is taken instead."""
    if memory.is_baseline_needed:
        return "the first look, nothing is told", None
    if memory.definition != look.definition:
        return "what defines it has changed, nothing is told", None
    try:
        return "", msgspec.convert(memory.value, rules.kept)
    except msgspec.ValidationError as error:
        return f"what was remembered is of another form ({error}), nothing is told", None


def _compared(rules: Rules, before: Any, look: Look, target: Target) -> tuple[Any, Sequence[News]]:
    """What to remember, as JSON has it, so that it equals what is read back; and what is news."""
    try:
        change = rules.compare(before, msgspec.convert(look.value, rules.value), target)
        return msgspec.json.decode(msgspec.json.encode(change.keep)), change.news
    except Exception as error:
        raise _Broken(said_of(error, "compare", rules.compare)) from error


def said_of(error: Exception, name: str, function: Callable[..., Any]) -> str:
    """Why a function of the author failed: its own words in a ValueError, else the error and where it was raised."""
    if isinstance(error, ValueError) and str(error):
        return str(error)
    place = _place(error, function)
    return f"{name} raised {type(error).__name__}: {error}{f' ({place})' if place else ''}"


def _place(error: Exception, function: Callable[..., Any]) -> str:
    """The last line in the author's package that an error came through, and where it ended."""
    package = getattr(function, "__module__", "").partition(".")[0]
    frames = [(frame.f_globals.get("__name__", ""), frame, line) for frame, line in walk_tb(error.__traceback__)]
    own = [(frame, line) for module, frame, line in frames if module.partition(".")[0] == package]
    if not own:
        return ""
    (last, line), end = own[-1], frames[-1][1]
    ended = "" if end is last else f", in {'/'.join(Path(end.f_code.co_filename).parts[-2:])}"
    return f"{Path(last.f_code.co_filename).name}:{line}{ended}"


def _unknown(news: Sequence[News], told: Sequence[str]) -> list[str]:
    """The ids that are not known yet."""
    known = {*told, ""}
    return [one.id for one in news if one.id not in known]


def _fresh(news: Sequence[News], told: Sequence[str]) -> Iterator[News]:
    """Those that nobody was told yet."""
    known = set(told)
    for one in news:
        if one.id not in known:
            yield one
        known |= {one.id} - {""}


def _gathered(
    waiting: Sequence[Waiting], targets: Mapping[str, Target], settings: TargetSettings
) -> Iterator[Gathered]:
    groups: dict[tuple[str, ...], list[Waiting]] = {}
    for one in waiting:
        if one.is_personal and not one.people and one.title not in targets:
            continue  # whom it named is not known any more, and it is nobody else's
        named = people(targets.get(one.title), settings)
        to = one.people or tuple(address_digest(person.reveal()) for person in named)
        groups.setdefault(to, []).append(one)
    for group in groups.values():
        if any(one.is_due for one in group):
            yield Gathered(waiting=group, reason=f"{counted(len(group), 'piece')} of news, gathered for long enough")
