"""An answer that is the one from before costs next to nothing: it is not read, and nothing is decided over it (watch, Shown)."""

from __future__ import annotations

from pathlib import Path

import pytest
from core.targets.watching import Watching

from pollctl import to_text
from pollctl.fakes import ServerResponse

A = 'name = "a"\nurl = "/a"'
COUNTING = """
from pathlib import Path
from pollctl import Answer
from pollctl.targets import Change, News, Target, TargetPlugin

class Feed(Target, frozen=True, kw_only=True):
    select: str = ""

def read(answer: Answer, feed: Feed) -> str:
    with Path(__file__).with_name("read").open("a") as lines:
        lines.write(f"{answer.request.url.rpartition('/')[2]} ")
    return answer.text

def compare(before: str | None, now: str, feed: Feed) -> Change[str]:
    return Change(now, [News(f"{feed.title}: {now}")] if now != before else [])

plugin = TargetPlugin("feeds", Feed, str, key="feeds", summary="What is new?", read=read, compare=compare)
"""
THIRD_LOOK = COUNTING.replace(
    """return Change(now, [News(f"{feed.title}: {now}")] if now != before else [])""",
    """
    number = min(int(before or 0) + 1, 3)
    return Change(str(number), [News("third look")] if number == 3 and before == "2" else [])""",
)

PRICES = """
from pollctl import Answer
from pollctl.targets import Change, News, Target, TargetPlugin

class Feed(Target, frozen=True, kw_only=True):
    COSMETIC = frozenset({"threshold"})
    threshold: int = 100

def read(answer: Answer, feed: Feed) -> float:
    return float(answer.text.removesuffix("EUR"))

def compare(before: bool | None, now: float, feed: Feed) -> Change[bool]:
    is_low = now < feed.threshold
    return Change(is_low, [News(f"low: {now:g}")] if is_low and before is False else [])

plugin = TargetPlugin("feeds", Feed, float, kept=bool, key="feeds", summary="Is it cheap?", read=read, compare=compare)
"""
HASTY = PRICES.replace('.removesuffix("EUR")', "[:2]")
"""One that reads two digits alone."""
OTHER_FORM = COUNTING.replace("Feed, str,", "Feed, str, kept=dict[str, str],").replace(
    'Change(now, [News(f"{feed.title}: {now}")] if now != before',
    "Change({'': now}, [News(f'{feed.title}: {now}')] if {'': now} != before",
)
"""One that keeps what it reads in another form."""
either_way = pytest.mark.parametrize("text", ["150EUR", "150 EUR"], ids=["by its ETag", "by its digest"])


@pytest.fixture
def counting(feeds: Watching) -> Watching:
    feeds.is_made_of(COUNTING)
    feeds.settings(A)
    feeds.pages_are(a="one page")
    feeds.run()
    return feeds


def reads(watch: Watching) -> str:
    """The pages that were read since this was asked the last time."""
    path = Path(watch.place.folder, "site-feeds", "read")
    found = path.read_text() if path.exists() else ""
    path.unlink(missing_ok=True)
    return found.strip()


def page(text: str, **headers: str) -> ServerResponse:
    return ServerResponse(body=text.encode(), headers={"Content-Type": "text/plain", **headers})


def test_the_same_answer_is_not_read_again_and_counts_as_a_look(counting: Watching) -> None:
    assert reads(counting) == "a"
    report = counting.run(minutes=10)
    assert reads(counting) == ""
    assert report["stats"] == {"baselines": 0, "changed": 0, "failed": 0, "looked": 1}
    assert report["outcome"] == "ok"
    (row,) = counting.listed()
    assert (row["looked_at"], row["state"]) == (to_text(counting.at), "ok")
    assert len(counting.history("a")) == 1


def test_a_change_is_read_and_told_and_then_it_rests_again(counting: Watching) -> None:
    counting.run(minutes=10)
    counting.pages_are(a="another page")
    counting.run(minutes=10)
    counting.run(minutes=10)
    assert reads(counting) == "a a"
    assert counting.told == ["a: another page"]
    counting.pages_are(a="one page")
    counting.run(minutes=10)
    assert counting.told == ["a: another page", "a: one page"]


def test_what_compares_is_asked_as_long_as_it_has_something_to_remember_of_the_same_answer(feeds: Watching) -> None:
    feeds.is_made_of(THIRD_LOOK)
    feeds.settings(A)
    feeds.pages_are(a="one page")
    for _ in range(5):
        feeds.run(minutes=10)
    assert feeds.told == ["third look"]
    assert reads(feeds) == "a a a"


def test_headers_are_part_of_an_answer_but_for_those_of_each_exchange(counting: Watching) -> None:
    counting.pages_are(a=page("one page", Age="1"))
    counting.run(minutes=10)
    reads(counting)
    counting.pages_are(a=page("one page", Age="2"))
    counting.run(minutes=10)
    assert reads(counting) == ""
    counting.pages_are(a=page("one page", Language="de"))
    counting.run(minutes=10)
    assert reads(counting) == "a"


def test_one_that_was_forgotten_is_read(counting: Watching) -> None:
    counting.do("forget", "a")
    reads(counting)
    assert counting.run(minutes=10)["stats"]["baselines"] == 1
    assert reads(counting) == "a"


def test_one_that_is_asked_for_something_else_is_read(counting: Watching) -> None:
    counting.settings(f'{A}\nselect = "title"')
    reads(counting)
    assert counting.run(minutes=10)["stats"]["baselines"] == 1
    assert reads(counting) == "a"


def test_the_same_answer_after_failures_tells_their_end(counting: Watching) -> None:
    counting.settings(f"{A}\nalert_after = 1")
    counting.pages_are(a=ServerResponse(500))
    counting.run(minutes=10)
    counting.pages_are(a="one page")
    counting.run(minutes=10)
    assert [title.partition(":")[2] for title in counting.told] == [" failed 1 time", " answers again"]
    assert counting.listed()[0]["state"] == "ok"


def test_another_name_is_kept_although_the_answer_is_the_same(counting: Watching) -> None:
    counting.settings(A.replace('"a"', '"b"', 1))
    counting.run(minutes=10)
    assert [row["name"] for row in counting.listed()] == ["b"]
    counting.pages_are(a="another page")
    counting.run(minutes=10)
    assert counting.told == ["b: another page"]


def test_what_was_recorded_of_it_decides_the_same_again(counting: Watching) -> None:
    counting.settings(A, section='record = "all"')
    for text in ("one page", "one page", "another page", "another page"):
        counting.pages_are(a=text)
        counting.run(minutes=10)
    counting.do_plain("replay", "--all")


def test_news_that_is_known_is_no_change(feeds: Watching) -> None:
    feeds.settings(A)
    feeds.pages_are(a=page("old new", Number="1"))
    feeds.run()
    feeds.pages_are(a=page("old new", Number="2"))
    assert feeds.run(minutes=10)["stats"]["changed"] == 0
    assert len(feeds.history("a")) == 1


def test_a_plan_says_how_many_answers_are_those_from_before(counting: Watching) -> None:
    counting.wait(minutes=10)
    assert "1 answer as before" in counting.do_plain("plan", "feeds")


@either_way
def test_what_another_version_of_the_plugin_reads_otherwise_is_read_again(feeds: Watching, text: str) -> None:
    feeds.is_made_of(HASTY)
    feeds.settings(A)
    feeds.pages_are(a=text)
    feeds.run()
    feeds.is_made_of(PRICES)
    feeds.run(minutes=10)
    feeds.pages_are(a="99EUR")
    feeds.run(minutes=10)
    assert feeds.told == ["low: 99"]


def test_the_first_change_after_another_version_remembers_otherwise_is_told(counting: Watching) -> None:
    reads(counting)
    counting.is_made_of(OTHER_FORM)
    for _ in range(2):
        counting.run(minutes=10)
    assert reads(counting) == "a", "once for the new version, and then it rests again"
    counting.pages_are(a="another page")
    counting.run(minutes=10)
    assert counting.told == ["a: another page"]


def test_any_file_of_the_package_that_reads_makes_another_version(feeds: Watching) -> None:
    package = Path(feeds.place.folder, "site-feeds", "reading")
    package.mkdir()
    (package / "__init__.py").write_text(COUNTING.replace("with_name", "parent.with_name"))
    feeds.is_made_of("from reading import plugin")
    feeds.settings(A)
    feeds.pages_are(a="one page")
    for version in ("one", "one", "two"):
        (package / "words.py").write_text(f"VERSION = {version!r}")
        feeds.run(minutes=10)
    assert reads(feeds) == "a a"


@either_way
def test_a_cosmetic_key_that_changes_is_compared_by_although_the_answer_is_the_same(feeds: Watching, text: str) -> None:
    feeds.is_made_of(PRICES)
    feeds.settings(A)
    feeds.pages_are(a=text)
    for _ in range(2):
        feeds.run(minutes=10)
    feeds.settings(f"{A}\nthreshold = 200")
    for _ in range(2):
        feeds.run(minutes=10)
    assert feeds.told == ["low: 150"]


@pytest.mark.parametrize("first", ["another page", ServerResponse(500)], ids=["at once", "after a failure"])
def test_validators_of_what_a_target_was_before_are_not_sent_for_what_it_is(
    counting: Watching, first: str | ServerResponse
) -> None:
    counting.pages_are(a=page("one page", ETag='"1"'))
    counting.run(minutes=10)
    counting.settings(f'{A}\nselect = "title"')
    counting.pages_are(a=first)
    counting.run(minutes=10)
    counting.pages_are(a="another page")
    for _ in range(2):
        counting.run(minutes=10)
    assert "if-none-match" not in counting.pages.asked[-1].headers
