"""A target fails on its own: who hears of it, and what it makes of the pass (authors §1.3)."""

from __future__ import annotations

from core.targets.watching import FEEDS, Watching

from pollctl.fakes import ServerResponse

A, B = 'name = "a"\nurl = "/a"\nalert_after = 2', 'name = "b"\nurl = "/b"\nevery = "30m"'
DEAD = ServerResponse(500)


def error_of(watching: Watching, name: str) -> str:
    (row,) = (one for one in watching.listed() if one["name"] == name)
    return str(row["error"])


def test_people_hear_once_that_it_fails_and_once_that_it_answers_again(watch: Watching) -> None:
    watch.settings(A)
    watch.pages_are(a="one")
    watch.run()
    watch.pages_are(a=DEAD)
    for _ in range(4):
        watch.run(minutes=10)
    watch.pages_are(a="one")
    watch.run(minutes=10)
    watch.run(minutes=10)
    assert list(watch.told) == ["a: failed 2 times in a row", "a: answers again"]
    address = watch.pages.url.removeprefix("http://")
    first, second = (message["message"].splitlines() for message in watch.people.messages)
    assert first == [f"{address} answered 500", "for 10 min", f"{watch.pages.url}/a"]
    assert second == ["after 40 min", f"{watch.pages.url}/a"]
    assert watch.history("a")[:2] == ["answers again after 40 min", f"failing: {address} answered 500"]


def test_news_and_recovery_are_one_message(watch: Watching) -> None:
    watch.settings(A)
    watch.pages_are(a="one")
    watch.run()
    watch.pages_are(a=DEAD)
    watch.run(minutes=10)
    watch.run(minutes=10)
    watch.pages_are(a="two")
    watch.run(minutes=10)
    assert list(watch.told) == ["a: failed 2 times in a row", "a: 2 pieces of news"]
    assert "a: answers again\nafter 20 min" in watch.people.messages[-1]["message"]


def test_a_pass_whose_only_due_target_is_dead_is_partial_while_another_was_reached_lately(watch: Watching) -> None:
    watch.settings(A, B)
    watch.pages_are(a=DEAD, b="one")
    assert watch.run()["outcome"] == "partial"
    assert watch.run(minutes=10)["outcome"] == "partial", "b is not due, and was reached"
    watch.run(minutes=20)
    assert watch.run(minutes=10)["outcome"] == "partial", "a 304 counts"
    watch.pages_are(b=DEAD)
    watch.run(minutes=20)
    assert watch.run(minutes=10)["outcome"] == "failed"


def test_what_an_author_raises_fails_that_target_alone(feeds: Watching) -> None:
    feeds.settings(A, B, 'name = "c"\nurl = "/c"')
    feeds.pages_are(a="one", b="secret", c="bad")
    report = feeds.run()
    assert (report["outcome"], report["stats"]["failed"], report["stats"]["baselines"]) == ("partial", 2, 1)
    assert error_of(feeds, "b") == "read raised KeyError: 'secret' (feeds.py:13)"
    assert error_of(feeds, "c") == "compare raised TypeError: what is bad? (feeds.py:18)"
    assert "2 of 3 targets failing: b, c" in feeds.do_plain("status")


def test_the_line_that_is_named_is_the_author_s_and_then_where_it_ended(feeds: Watching) -> None:
    feeds.is_made_of(
        FEEDS.replace("    words =", "    __import__('fractions').Fraction(1, len(answer.text))\n    words =")
    )
    feeds.settings(A)
    feeds.pages_are(a="")
    feeds.run()
    said = error_of(feeds, "a")
    assert said.startswith("read raised ZeroDivisionError: Fraction(1, 0) (feeds.py:11, in python3.")
    assert said.endswith("/fractions.py)")
    feeds.do("look", "a", code=1)
    assert "feeds.py:11" in feeds.place.stderr


def test_an_answer_that_cannot_be_read_is_read_when_it_has_not_changed_since(watch: Watching) -> None:
    watch.settings(f'{A}\nkind = "json"')
    watch.pages_are(a='{"price": 1}')
    watch.run()
    watch.pages_are(a="nonsense")
    watch.run(minutes=10)
    assert error_of(watch, "a") != "None"
    assert watch.run(minutes=10)["outcome"] == "failed", "its ETag was not kept"
    watch.pages_are(a='{"price": 2}')
    watch.run(minutes=10)
    assert list(watch.told)[-1:] == ["a: 2 pieces of news"]


def test_retry_after_holds_the_host_and_others_go_on(watch: Watching) -> None:
    other = watch.pages.url.replace("127.0.0.1", "localhost")
    watch.settings(
        f'{A}\nevery = "1m"', 'name = "b"\nurl = "/b"\nevery = "1m"', f'name = "c"\nurl = "{other}/c"\nevery = "1m"'
    )
    busy = ServerResponse(429, headers={"Retry-After": "300"})
    watch.pages_are(a="one", b="one", c="one")
    watch.run()
    watch.pages_are(a=busy, b=busy)
    watch.run(minutes=1)
    watch.pages.asked.clear()
    report = watch.run(minutes=1)
    assert (watch.pages.paths, report["outcome"]) == (["/c"], "partial")
    watch.pages_are(a="one", b="one")
    watch.run(minutes=5)
    assert sorted(watch.pages.paths) == ["/a", "/b", "/c"]


def test_a_dead_target_that_is_not_due_is_still_dead(watch: Watching) -> None:
    watch.settings(A, 'name = "b"\nurl = "/b"\nevery = "1m"')
    watch.pages_are(a=DEAD, b="one")
    reports = [watch.run(minutes=1) for _ in range(12)]
    assert {report["outcome"] for report in reports} == {"partial"}
    assert f"a: {error_of(watch, 'a')}" in str(reports[5]["error"]) or "answered 500" in str(reports[5]["error"])
    watch.do("pause", "a")
    assert watch.run(minutes=1)["outcome"] == "ok", "nobody waits for it"


def test_where_all_are_dead_a_pass_in_which_none_is_due_has_failed(watch: Watching) -> None:
    watch.settings(A)
    watch.pages_are(a=DEAD)
    assert [watch.run(minutes=5)["outcome"] for _ in range(4)] == ["failed"] * 4


def test_one_that_is_not_asked_because_its_host_wants_rest_counts_as_it_stood(watch: Watching) -> None:
    watch.settings(*(f'name = "{name}"\nurl = "/{name}"' for name in "abcdefghijkl"))
    watch.pages_are(**dict.fromkeys("abcdefghijkl", "one"))
    watch.run()
    busy = ServerResponse(429, headers={"Retry-After": "300"})
    watch.pages_are(**dict.fromkeys("abcdefghijkl", busy))
    watch.pages.asked.clear()
    report = watch.run(minutes=10)
    assert len(watch.pages.paths) < 12
    assert report["outcome"] == "partial"


def test_a_target_that_could_not_be_compared_was_not_reached(feeds: Watching) -> None:
    feeds.settings(A)
    feeds.pages_are(a="bad")
    assert feeds.run()["outcome"] == "failed"


def test_a_pass_that_its_deadline_cuts_short_says_what_it_has_reached(watch: Watching) -> None:
    watch.settings(A, B, 'name = "c"\nurl = "/c"', section='deadline = "1s"')
    watch.pages_are(a=DEAD, b="one", c=ServerResponse(delay=3))
    report = watch.run()
    assert (report["outcome"], report["error"]["targets"]) == ("partial", ["a"])
    assert report["stats"]["looked"] == 2
