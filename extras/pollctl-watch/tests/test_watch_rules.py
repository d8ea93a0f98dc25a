"""When people are told, and in which words."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pages import seen, watch

from pollctl import testing
from pollctl.targets import News
from pollctl_watch.decide import compare
from pollctl_watch.decide.difference import LONGEST, difference
from pollctl_watch.model import Seen, Watch


def told(looks: Sequence[Seen], bicycle: Watch) -> list[list[News]]:
    before, found = None, []
    for look in looks:
        change = compare(before, look, bicycle)
        before = change.keep
        found.append(list(change.news))
    return found


def titles(pages: Sequence[str], **keys: Any) -> list[str]:
    news = told([seen(page, **keys) for page in pages], watch(**keys))
    return [look[0].title if look else "" for look in news]


def test_a_change_is_told_each_time_and_the_first_look_is_silent() -> None:
    assert titles(["a", "a", "b", "a"]) == ["", "", "bicycle: a → b", "bicycle: b → a"]


@pytest.mark.parametrize(
    ("when", "pages", "expected"),
    [
        ("number < 800", ["799 €", "700 €"], ["", ""]),
        ("number < 800", ["899 €", "799 €", "700 €", "800 €", "1.200 €", "1 €"], ["", "bicycle: 899 € → 799 €", "", "", "", "bicycle: 1200 € → 1 €"]),
        ("number >= 5", ["4", "5", "4", "5"], ["", "bicycle: 4 → 5", "", "bicycle: 4 → 5"]),
        ("number != 5", ["5", "6"], ["", "bicycle: 5 → 6"]),
        ('contains "In stock"', ["sold out", "now in STOCK", "in stock!"], ["", "bicycle: contains 'In stock'", ""]),
        ("missing 'sold out'", ["sold out", "hello"], ["", "bicycle: missing 'sold out'"]),
        ("number changes by 5%", ["100", "104", "105", "109", "99"], ["", "", "bicycle: 100 → 105", "", "bicycle: 105 → 99"]),
        ("number changes by 3", ["1", "3", "4", "4"], ["", "", "bicycle: 1 → 4", ""]),
        ("number changes by 5%", ["0", "0", "1"], ["", "", "bicycle: 0 → 1"]),
    ],
)  # fmt: skip
def test_conditions_are_told_when_they_become_true(when: str, pages: list[str], expected: list[str]) -> None:
    assert titles(pages, when=when) == expected


@pytest.mark.parametrize(
    ("when", "there"),
    [
        ("appears", ["", "bicycle: it is there, free places", "", "", "bicycle: it is there, free places"]),
        ("disappears", ["", "", "", "bicycle: it is gone, it was free places", ""]),
    ],
)
def test_what_is_selected_appears_and_disappears(when: str, there: list[str]) -> None:
    pages = ["<i>full</i>", "<b>free places</b>", "<b>free places</b>", "", "<b>free places</b>"]
    assert titles(pages, select="b", when=when) == there


def test_a_status_is_told_once_until_it_is_over() -> None:
    looks = [seen("", status=status, when="status != 200") for status in (200, 503, 500, 200, 404)]
    news = told(looks, watch(when="status != 200"))
    assert [[one.title for one in look] for look in news] == [[], ["bicycle: status 200 → status 503"], [], [], ["bicycle: status 200 → status 404"]]  # fmt: skip


def test_a_threshold_is_held_against_what_was_told_last() -> None:
    assert titles(["100", "101", "102", "103"], threshold="2") == ["", "", "bicycle: 100 → 102", ""]
    assert titles(["100", "101", "103"], threshold="2%") == ["", "", "bicycle: 100 → 103"]


numbers = st.lists(st.integers(0, 20), max_size=20)


@given(numbers, st.sampled_from(["<", "<=", ">", ">=", "=", "!="]), st.integers(0, 20))
def test_a_condition_is_told_exactly_where_it_turns_true(values: list[int], sign: str, limit: int) -> None:
    truths = [eval(f"{value} {'==' if sign == '=' else sign} {limit}") for value in values]
    edges = [bool(at and now and not truths[at - 1]) for at, now in enumerate(truths)]
    assert [bool(title) for title in titles([str(one) for one in values], when=f"number {sign} {limit}")] == edges


@given(numbers, st.integers(1, 9))
def test_no_number_is_further_from_the_one_that_was_told_than_is_allowed(values: list[int], distance: int) -> None:
    news = titles([str(one) for one in values], when=f"number changes by {distance}")
    last = values[0] if values else 0
    for value, title in zip(values, news, strict=True):
        assert bool(title) == (abs(value - last) >= distance)
        last = value if title else last


@given(st.lists(st.sampled_from(["a", "b", "c\nd"]), max_size=12))
def test_every_change_is_told_and_nothing_else(pages: list[str]) -> None:
    changes = [bool(at and page != pages[at - 1]) for at, page in enumerate(pages)]
    assert [bool(title) for title in titles(pages)] == changes


@pytest.mark.parametrize(
    ("keys", "why"),
    [
        ({"when": "price < 5"}, "is not a condition; there are changed, number < N"),
        ({"when": "number < five"}, "is not a condition"),
        ({"when": "number changes by 0%"}, "would be told at each look"),
        ({"select": "a", "json": "b"}, "select and json exclude each other"),
        ({"when": "appears"}, "needs a selector"),
        ({"when": "status != 200", "select": "p"}, "reads no text"),
        ({"threshold": "5", "when": "number < 5"}, "goes with when = 'changed'"),
        ({"threshold": "much"}, "is not a condition"),
        ({"ignore": ("(",)}, "is not a regular expression"),
    ],
)
def test_a_wrong_watch_is_refused_with_what_works(keys: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        watch(**keys)


def test_a_message_is_a_unified_diff_with_words_marked() -> None:
    old, new = "one\ntwo red bicycles\nthree\nfour\nfive", "one\ntwo blue bicycles\nthree\nfour\nfive"
    assert difference(old, new).splitlines() == [
        "@@ -1,4 +1,4 @@", " one", "-two [-red-] bicycles", "+two {+blue+} bicycles", " three", " four",
    ]  # fmt: skip


def test_lines_that_came_are_not_taken_for_changed_words() -> None:
    assert difference("a\nb", "a\nc\nd").splitlines()[1:] == [" a", "-b", "+c", "+d"]


@pytest.mark.parametrize("lines", [3000, 20_000])
def test_a_message_is_bounded_and_quick_however_much_has_changed(lines: int) -> None:
    old, new = ("\n".join(f"{name} {i}" for i in range(lines)) for name in ("old", "new"))
    told_text = difference(old, new)
    assert len(told_text) < LONGEST + 50
    assert "more lines" in told_text
    assert len(difference("a" * 100_000, "b" * 100_000)) < LONGEST + 50


@pytest.mark.parametrize(
    ("when", "level"),
    [
        ("changed", "info"),
        ("number < 5", "success"),
        ("missing 'x'", "warning"),
        ("status != 200", "warning"),
        ("status = 200", "info"),
        ("status >= 400", "warning"),
        ("status < 300", "info"),
    ],
)
def test_the_level_is_that_of_the_condition(when: str, level: str) -> None:
    assert watch(when=when).condition.level == level


@pytest.mark.parametrize("keys", [{}, {"when": "number < 5"}, {"format": "html", "attach_page": True}])
def test_compare_is_pure(keys: dict[str, Any]) -> None:
    rule: Any = compare
    before = compare(None, seen("5 €", **keys), watch(**keys)).keep
    assert testing.impurities(rule, before, seen("4 €", **keys), watch(**keys)) == []
