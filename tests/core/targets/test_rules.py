"""What holds of every sequence of looks, whatever was answered (authors §1)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from core.targets.watching import watching
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pollctl import HttpUrl, Pace
from pollctl.fakes import ServerResponse
from pollctl.targets import Change, News, Target, TargetSettings
from pollctl.targets.decide import Rules, decide
from pollctl.targets.model import Batch, Decision, Kept, Look, Memory, Missed, State, Told, Unchanged

START = datetime(2026, 3, 8, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
TARGET = Target(url=HttpUrl("http://x/"), name="x", alert_after=2)


def compare(before: list[str] | None, now: list[str], target: Target) -> Change[list[str]]:
    """Each word is news once; a page that has changed is news each time."""
    has_changed = before is not None and before != now
    return Change(now, [*([News("changed")] if has_changed else []), *(News(word, id=word) for word in now)])


RULES = Rules(compare, list[str], list[str])
PAGES = st.lists(st.sampled_from("abcd"), max_size=3)
LOOKS = st.lists(PAGES | st.none(), min_size=1, max_size=12)
"""What a page holds at each look; None: it does not answer."""


class Course:
    """One target, look by look: what becomes of its memory as a store would keep it."""

    def __init__(self) -> None:
        self.memory = Memory(row=1)
        self.titles: list[str] = []
        self.at = START

    def look(self, page: list[str] | None) -> Sequence[Decision]:
        error = "dead" if page is None else ""
        look = Look(title="x", row=1, definition=TARGET.definition, value=page, error=error)
        state, batch = State(memories={"x": self.memory}), Batch(looks=[look])
        decisions = decide(RULES, state, batch, self.at, TargetSettings(), {"x": TARGET})
        assert decide(RULES, state, batch, self.at, TargetSettings(), {"x": TARGET}) == decisions
        self.at += 10 * MINUTE
        for one in decisions:
            self._keep(one)
        return decisions

    def _keep(self, one: Decision) -> None:
        before = self.memory
        if isinstance(one, Told):
            self.titles += [news.title for news in one.news]
        if isinstance(one, Missed):
            is_alerted = before.is_alerted or one.is_alert
            self.memory = _changed(before, failures=one.failures, failing_since=one.since, is_alerted=is_alerted)
        if isinstance(one, Unchanged):
            self.memory = _changed(before, failures=0, failing_since=None, is_alerted=False)
        if isinstance(one, Kept):
            told = [*before.told, *one.ids]
            definition = one.look.definition
            self.memory = Memory(row=1, definition=definition, value=one.value, is_baseline_needed=False, told=told)


def _changed(memory: Memory, **changes: object) -> Memory:
    kept = {name: getattr(memory, name) for name in Memory.__struct_fields__}
    return Memory(**{**kept, **changes})


@given(LOOKS)
@settings(max_examples=80, deadline=None)
def test_an_id_is_told_once_for_good_and_a_change_each_time(looks: list[list[str] | None]) -> None:
    course = Course()
    for page in looks:
        course.look(page)
    pages = [page for page in looks if page is not None]
    words = dict.fromkeys(word for page in pages[1:] for word in page if word not in pages[0])
    changes = sum(before != now for before, now in pairwise(pages))
    told = [title for title in course.titles if not title.startswith("x: ")]
    assert [title for title in told if title != "changed"] == list(words)
    assert told.count("changed") == changes


@given(LOOKS)
@settings(max_examples=80, deadline=None)
def test_failures_are_told_once_and_their_end_once_each_in_one_message(looks: list[list[str] | None]) -> None:
    course, in_a_row, is_alerted = Course(), 0, False
    for page in looks:
        decisions = course.look(page)
        messages = [one for one in decisions if isinstance(one, Told)]
        assert len(messages) <= 1
        titles = [news.title for one in messages for news in one.news]
        in_a_row = in_a_row + 1 if page is None else 0
        assert ("x: failed 2 times in a row" in titles) == (in_a_row == 2)
        assert ("x: answers again" in titles) == (is_alerted and page is not None)
        is_alerted = page is None and (is_alerted or in_a_row == 2)


@given(
    st.sampled_from(["1m", "2m", "10m", "1h", "90s"]),
    st.lists(st.floats(0, 20), min_size=30, max_size=30),
    st.sampled_from([0, 0, 0, 7]),
)
@settings(max_examples=80, deadline=None)
def test_the_seconds_by_which_passes_begin_late_do_not_change_a_pace(
    every: str, late: list[float], missed: int
) -> None:
    pace, minutes = Pace(every), {"1m": 1, "2m": 2, "10m": 10, "1h": 60, "90s": 2}[every]
    began = START + timedelta(seconds=late[0])
    tick = START
    for seconds in late[1:]:
        due_at = pace.next_after(began, ZoneInfo("UTC"))
        before = tick + (minutes - 1) * MINUTE + timedelta(seconds=seconds)
        tick += (minutes + missed) * MINUTE
        began = tick + timedelta(seconds=seconds)
        assert due_at <= began
        assert minutes == 1 or every == "90s" or before < due_at


@pytest.mark.slow
@given(LOOKS)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_people_get_what_the_model_says(
    tmp_path_factory: pytest.TempPathFactory, looks: list[list[str] | None]
) -> None:
    with watching(tmp_path_factory.mktemp("feeds"), "feeds") as feeds:
        feeds.settings('name = "x"\nurl = "/x"\nalert_after = 99')
        for page in looks:
            feeds.pages_are(x=ServerResponse(500) if page is None else " ".join(page))
            feeds.run(minutes=10)
        pages = [page for page in looks if page is not None]
        known, expected = set(pages[0]) if pages else set(), []
        for page in pages[1:]:
            new = [word for word in dict.fromkeys(page) if word not in known]
            known |= set(new)
            expected += [new[0] if len(new) == 1 else f"x: {len(new)} pieces of news"] if new else []
        assert list(feeds.told) == expected
