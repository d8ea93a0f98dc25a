"""Buckets of time: nothing is hidden by them that matters, nothing is made up."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as some

from pollctl import Beat, Heartbeat, TimeSeries
from pollctl.console.moments import Moments
from pollctl.pages.axis import ticks, top_for
from pollctl.pages.folding import BUCKETS, WORSE, bars, buckets
from pollctl.pages.report import STRETCHES

END = datetime(2026, 11, 28, 18, 2, tzinfo=UTC)
START = END - timedelta(hours=24)
QUARTER = timedelta(minutes=15)
moments = some.integers(0, 86_400_000).map(lambda ms: START + timedelta(milliseconds=ms))
levels = some.sampled_from(sorted(WORSE))


@pytest.mark.parametrize(("since", "number"), [("24h", 96), ("7d", 84), ("90d", 90)])
def test_a_strip_has_96_84_or_90_bars(since: str, number: int) -> None:
    stretch = STRETCHES[since]
    assert len(bars(Heartbeat([], END - stretch.length, END), stretch.bar)) == number


@given(some.lists(some.builds(Beat, moments, levels, some.text(max_size=3), some.integers(1, 9))))
def test_the_worst_of_a_bar_wins_and_each_beat_is_counted_once(beats: list[Beat]) -> None:
    drawn = bars(Heartbeat(beats, START, END), QUARTER)
    assert sum(sum(bar.counts.values()) for bar in drawn) == sum(beat.count for beat in beats)
    for bar in drawn:
        assert all(WORSE[level] <= WORSE[bar.level] for level in bar.counts)
        within = [beat for beat in beats if bar.start <= beat.at < bar.end or beat.at == END == bar.end]
        assert bar.text in {"", *(beat.text for beat in within if beat.level == bar.level)}


def test_what_lies_outside_is_left_out() -> None:
    beats = [Beat(START - timedelta(seconds=1), "fail"), Beat(END + timedelta(seconds=1), "fail")]
    assert {bar.level for bar in bars(Heartbeat(beats, START, END), QUARTER)} == {"none"}


@given(some.lists(some.tuples(moments, some.none() | some.floats(0, 1e6) | some.just(float("nan")))))
def test_every_point_is_in_one_bucket_and_the_band_goes_around_the_median(
    points: list[tuple[datetime, float | None]],
) -> None:
    folded = buckets(TimeSeries("rtt", "ms", points, START, END))
    assert len(folded) == BUCKETS
    assert sum(bucket.count for bucket in folded) == len(points)
    for bucket in folded:
        assert 0 <= bucket.lost <= 1
        if bucket.median is not None:
            assert bucket.low is not None
            assert bucket.high is not None
            assert bucket.low <= bucket.median <= bucket.high


def test_a_bucket_in_which_all_was_lost_is_not_left_blank() -> None:
    folded = buckets(TimeSeries("rtt", "ms", [(START, None), (START, None)], START, END))
    assert (folded[0].count, folded[0].lost, folded[0].median) == (2, 1.0, None)


def test_the_last_point_of_a_length_that_cannot_be_divided_is_in_the_last_bucket() -> None:
    end = START + timedelta(seconds=1, microseconds=81)
    folded = buckets(TimeSeries("rtt", "ms", [(end - timedelta(microseconds=1), 1.0)], START, end))
    assert [bucket.count for bucket in folded[-1:]] == [1]


def test_a_series_without_length_is_empty() -> None:
    assert all(bucket.count == 0 for bucket in buckets(TimeSeries("rtt", "ms", [(END, 1.0)], END, END)))


@given(some.floats(1e-6, 1e12))
def test_the_top_of_an_axis_shows_the_value_and_little_more(value: float) -> None:
    assert value <= top_for(value) * 1.0001 <= value * 2.001


@given(
    some.integers(1, 90 * 24 * 60), some.sampled_from(["UTC", "Europe/Amsterdam", "Asia/Kathmandu", "America/New_York"])
)
def test_moments_on_the_axis_are_few_and_lie_on_it(minutes: int, zone: str) -> None:
    found = ticks(END - timedelta(minutes=minutes), END, Moments(END, ZoneInfo(zone)))
    assert len(found) <= 10
    assert all(0 <= tick.part <= 1 for tick in found)
