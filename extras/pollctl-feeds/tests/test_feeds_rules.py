"""Which entries are told."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pollctl import HttpUrl, testing
from pollctl_feeds.decide import REMEMBERED, compare
from pollctl_feeds.model import Entry, Feed, Known


def feed(**keys: Any) -> Feed:
    return Feed(url=HttpUrl("https://blog.example.net/feed"), name="blog", **keys)


def now(*keys: str) -> list[Entry]:
    return [Entry(key=key, title=key) for key in keys]


def told(looks: Sequence[list[Entry]], blog: Feed) -> list[list[str]]:
    before, found = None, []
    for look in looks:
        change = compare(before, look, blog)
        before = change.keep
        found.append([news.title.removeprefix("blog: ") for news in change.news])
    return found


def test_the_first_look_is_silent_and_each_new_entry_is_told_once() -> None:
    assert told([now("b", "a"), now("c", "b", "a"), now("c", "b")], feed()) == [[], ["c"], []]


def test_an_entry_that_vanishes_and_comes_back_is_not_new() -> None:
    assert told([now("a"), now("b"), now("a"), now("b", "a")], feed()) == [[], ["b"], [], []]


def test_a_feed_that_is_empty_for_a_while_tells_nothing_when_it_is_back() -> None:
    assert told([now("a"), now(), now("a")], feed()) == [[], [], []]


def test_a_message_has_the_latest_entries_and_the_number_of_the_others() -> None:
    looks = [now("a"), now("f", "e", "d", "c", "b", "a"), now("f", "e", "d", "c", "b", "a")]
    assert told(looks, feed(most=2)) == [[], ["e", "f", "3 more entries"], []]


def test_a_feed_that_changes_all_its_ids_is_one_message() -> None:
    looks = [now(*(f"a{i}" for i in range(500))), now(*(f"b{i}" for i in range(500)))]
    assert told(looks, feed())[1] == ["b4", "b3", "b2", "b1", "b0", "495 more entries"]


RELEASE = Entry(key="1", title="Release 2.0", text="notes", author="Ann", categories=["Releases", "News"])
FOG = Entry(key="2", title="Fog", url="https://blog.example.net/fog", categories=["Weather"])


@pytest.mark.parametrize(
    ("keys", "titles"),
    [
        ({}, ["Fog", "Release 2.0"]),
        ({"when": 'title ~ "release|security"'}, ["Release 2.0"]),
        ({"when": 'title !~ "release"'}, ["Fog"]),
        ({"when": "author ~ 'ann'"}, ["Release 2.0"]),
        ({"when": 'text ~ "notes"'}, ["Release 2.0"]),
        ({"when": 'url ~ "/fog$"'}, ["Fog"]),
        ({"categories": ("weather", "tides")}, ["Fog"]),
        ({"categories": ("weather",), "when": 'title ~ "release"'}, []),
    ],
)
def test_conditions_and_categories_choose_what_is_told(keys: dict[str, Any], titles: list[str]) -> None:
    assert told([now(), [RELEASE, FOG]], feed(**keys))[1] == titles


def test_another_condition_tells_nothing_that_was_passed_over() -> None:
    known = compare(Known([]), [RELEASE], feed(when='title ~ "fog"')).keep
    assert compare(known, [RELEASE], feed()).news == ()
    assert feed(when='title ~ "fog"', most=9, text="full").definition == feed().definition


@pytest.mark.parametrize("when", ["release", 'name ~ "x"', 'title ~ "("', 'title = "x"', "title ~ x"])
def test_a_wrong_condition_is_refused_with_what_works(when: str) -> None:
    with pytest.raises(ValueError, match="is not a"):
        feed(when=when)


def test_what_is_remembered_is_bounded() -> None:
    before = compare(None, now("a"), feed()).keep
    for page in range(30):
        before = compare(before, now(*(f"{page}-{i}" for i in range(100))), feed()).keep
    assert len(before.known) == REMEMBERED


@given(st.lists(st.lists(st.sampled_from("abcdefgh"), unique=True), max_size=8), st.integers(1, 9))
def test_no_entry_is_told_twice_and_none_is_lost(looks: list[list[str]], most: int) -> None:
    titles = [title for look in told([now(*look) for look in looks], feed(most=most)) for title in look]
    named = [title for title in titles if "more" not in title]
    numbers = sum(int(title.split()[0]) for title in titles if "more" in title)
    fresh = set().union(*looks[1:]) - set(looks[0]) if looks else set()
    assert len(named) == len(set(named))
    assert len(named) + numbers == len(fresh)


def test_compare_is_pure() -> None:
    rule: Any = compare
    assert testing.impurities(rule, Known(["a"]), now("b", "a"), feed(when='title ~ "b"')) == []
