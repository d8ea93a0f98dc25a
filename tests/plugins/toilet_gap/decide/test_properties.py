"""For any visits, any delivery, any cron times and any split over passes, against a model that walks the day second by second."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as how
from hypothesis import strategies as st
from msgspec import structs
from plugins.toilet_gap.in_memory import BEGINS, ENDS, LENGTH, InMemoryWorld, Visit, moment, seconds, settings_of
from plugins.toilet_gap.oracle import alarms

from pollctl import testing
from pollctl_toilet_gap.decide import decide
from pollctl_toilet_gap.model import Batch, Decision, DueCheck, Settings, State
from pollctl_toilet_gap.store.checks import checks_of

instants = st.integers(-600, LENGTH + 600)


passes = st.lists(st.integers(1, LENGTH + 900), max_size=12)


@st.composite
def deliveries(draw: Callable[[Any], Any], *, has_late_history: bool = False) -> list[Visit]:
    """Visits, each received from the queue in any passes and as often as you like, or never."""
    visits = []
    for number, second in enumerate(draw(st.lists(instants, max_size=25))):
        late = draw(st.integers(0, 1500)) if has_late_history else 0
        in_passes = draw(st.lists(st.integers(0, 13), max_size=3))
        visits.append(Visit(moment(second), moment(second + late), f"e{number}", in_passes))
    return visits


def lived(settings: Settings, visits: list[Visit], looks: list[int], *, until: int = LENGTH) -> InMemoryWorld:
    """A day from its first second, with passes at any moments and a last one when it is over."""
    world = InMemoryWorld(settings, visits)
    for second in [0, *sorted(looks), max([until, *looks])]:
        world.run(moment(second))
    return world


def posted(world: InMemoryWorld) -> list[tuple[int, int]]:
    """The windows of the alarms that went out, in seconds of the epoch."""
    gap = seconds(BEGINS + world.settings.monitors[0].gap) - seconds(BEGINS)
    sinces = [seconds(datetime.fromisoformat(reference.partition("-")[2])) for reference in world.posted]
    return [(since, since + gap) for since in sinces]


@pytest.mark.slow
@how(deadline=None, max_examples=80)
@given(deliveries(), passes, st.integers(60, 2000), st.sampled_from([0, 45]), st.booleans())
def test_the_alarms_are_those_of_somebody_who_watched_every_second_each_once(
    visits: list[Visit], looks: list[int], gap: int, grace: int, has_queue: bool
) -> None:
    world = lived(settings_of(gap, grace, has_queue=has_queue), visits, looks, until=LENGTH + grace)
    happened = [seconds(visit.at) for visit in visits]
    assert posted(world) == alarms(happened, seconds(BEGINS), seconds(ENDS), gap)
    ((phase, result),) = world.db.execute("SELECT phase, result FROM status_check").fetchall()
    assert (phase, result) == ("COMPLETE", "ALARM_RAISED" if world.posted else "SUCCESS")
    world.close()


@pytest.mark.slow
@how(deadline=None, max_examples=60)
@given(deliveries(), passes, st.integers(60, 2000), st.booleans())
def test_with_the_history_alone_the_rows_do_not_depend_on_when_passes_came(
    visits: list[Visit], looks: list[int], gap: int, is_every_minute: bool
) -> None:
    alone = [visit._replace(passes=()) for visit in visits]
    settings = settings_of(gap, has_queue=False)
    split = lived(settings, alone, list(range(60, LENGTH, 60)) if is_every_minute else looks)
    whole = lived(settings, alone, [])
    assert split.records() == whole.records()
    assert split.posted == whole.posted
    split.close()
    whole.close()


@pytest.mark.slow
@how(deadline=None, max_examples=80)
@given(deliveries(has_late_history=True), passes, st.integers(60, 2000), st.sampled_from([0, 45]), st.booleans())
def test_windows_tile_the_day_and_no_alarm_lacks_its_whole_gap_however_late_the_visits_are_known(
    visits: list[Visit], looks: list[int], gap: int, grace: int, has_queue: bool
) -> None:
    world = lived(settings_of(gap, grace, has_queue=has_queue), visits, looks, until=LENGTH + grace)
    since = BEGINS
    for name, at, what in world.records():
        if name == "ALARM_SENT":
            assert at - since == timedelta(seconds=gap), "a window that is not whole"
            assert at <= ENDS
            assert what == f"1-{since:%Y-%m-%dT%H:%M:%S}.000Z", "a window that does not begin where the last one ended"
            since = at
        elif name == "EVENT_OBSERVED":
            assert since <= at <= since + timedelta(seconds=gap), "a visit that is not in its window"
            since = at
    assert ENDS - since < timedelta(seconds=gap), "the end of the day is not watched"
    assert len(set(world.posted)) == len(world.posted)
    world.close()


@how(deadline=None, max_examples=60)
@given(deliveries(has_late_history=True), passes, st.integers(60, 2000))
def test_each_visit_has_at_most_one_record_and_since_never_moves_back(
    visits: list[Visit], looks: list[int], gap: int
) -> None:
    world = lived(settings_of(gap), visits, looks)
    ids = [what for name, _, what in world.records() if name != "ALARM_SENT"]
    assert len(set(ids)) == len(ids)
    moved = [at for name, at, _ in world.records() if name in ("ALARM_SENT", "EVENT_OBSERVED")]
    assert all(earlier <= later for earlier, later in pairwise(moved))
    orders = [order for (order,) in world.db.execute('SELECT "order" FROM status_check_record ORDER BY 1')]
    assert orders == list(range(1, len(orders) + 1)), "a record that was decided and not written"
    world.close()


@how(deadline=None, max_examples=40)
@given(deliveries(), passes, st.integers(60, 2000), st.lists(st.integers(0, 13), max_size=6))
def test_passes_without_a_history_raise_nothing_and_the_next_one_makes_up_for_them(
    visits: list[Visit], looks: list[int], gap: int, down: list[int]
) -> None:
    world = InMemoryWorld(settings_of(gap), visits)
    for number, second in enumerate([0, *sorted(looks)]):
        world.is_down = number in down
        before = list(world.posted)
        world.run(moment(min(second, LENGTH + 300)))
        assert not world.is_down or world.posted == before
    world.is_down = False
    world.run(moment(LENGTH + 300))
    happened = [seconds(visit.at) for visit in visits]
    assert posted(world) == alarms(happened, seconds(BEGINS), seconds(ENDS), gap)
    world.close()


@st.composite
def unreadable(draw: Callable[[Any], Any]) -> list[Visit]:
    """Visits of which some say nowhere when they were."""
    visits = draw(deliveries(has_late_history=True))
    return [visit._replace(is_readable=draw(st.booleans())) for visit in visits]


@how(deadline=None, max_examples=80)
@given(
    unreadable(),
    passes,
    st.integers(60, 2000),
    st.lists(st.sampled_from(["", "", "no history", "no history and no end of the queue"]), min_size=14, max_size=14),
    st.booleans(),
)
def test_no_alarm_goes_out_against_a_visit_that_could_not_be_read_without_saying_so(
    visits: list[Visit], looks: list[int], gap: int, weather: list[str], is_required: bool
) -> None:
    settings = structs.replace(settings_of(gap), replay_required=is_required)
    world = InMemoryWorld(settings, visits)
    seconds_of_passes = [0, *sorted(looks), LENGTH]
    for number, second in enumerate(seconds_of_passes):
        world.is_down = "no history" in weather[number]
        world.unread_queue = "the queue has more" if "queue" in weather[number] else ""
        now = moment(second)
        before = len(world.posted)
        world.run(now)
        for reference in world.posted[before:]:
            until, unread = world.alarm(reference)
            since = datetime.fromisoformat(reference.partition("-")[2])
            is_blind = world.is_down and bool(world.unread_queue)
            assert not (is_blind and is_required)
            received = [
                visit
                for visit in visits
                if not visit.is_readable
                and since < visit.at <= until
                and (
                    # a message that came before its visit is none that anybody sends
                    any(one <= number and visit.at <= moment(seconds_of_passes[one]) for one in visit.passes)
                    or (visit.known_at <= now and not world.is_down)
                )
                and visit.at <= now
            ]
            assert unread or not (received or is_blind), (reference, received)
    world.close()


@how(deadline=None, max_examples=40)
@given(deliveries(), st.integers(60, 2000), st.integers(0, LENGTH))
def test_decide_is_pure_and_its_decisions_survive_a_recording(visits: list[Visit], gap: int, second: int) -> None:
    world = InMemoryWorld(settings_of(gap, has_queue=False), visits)
    world.run(BEGINS)
    check = checks_of(world.db, {1: []})[1]
    batch = Batch(due=[DueCheck(check_id=1, ends_at=check.ends_at)])
    state = State(checks={1: check})
    assert testing.impurities(decide, state, batch, moment(second), world.settings) == []
    decisions = decide(state, batch, moment(second), world.settings)
    assert testing.round_trip_problems(decisions, list[Decision]) == []
    assert testing.round_trip_problems(state, State) == []
    world.close()
