"""When targets are looked at, what of it is remembered, and what a pass says of it (authors §1.1, 1.2, 1.5)."""

from __future__ import annotations

import pytest
from core.targets.watching import FEEDS, Watching
from plugin_package import json_of

from pollctl import to_text
from pollctl.fakes import ServerRequest, ServerResponse

A, B = 'name = "a"\nurl = "/a"', 'name = "b"\nurl = "/b"'


def test_the_first_look_is_silent_and_the_second_tells_what_has_changed(watch: Watching) -> None:
    watch.settings(A)
    watch.pages_are(a="one")
    assert watch.run()["stats"] == {"baselines": 1, "changed": 0, "failed": 0, "looked": 1}
    watch.pages_are(a="two")
    assert watch.run(minutes=10)["stats"] == {"baselines": 0, "changed": 1, "failed": 0, "looked": 1}
    assert watch.told == ["a changed"]
    (message,) = watch.people.messages
    assert message["message"].splitlines()[-3:] == ["-one", "+two", f"{watch.pages.url}/a"]


def test_each_target_has_a_pace_of_its_own(watch: Watching) -> None:
    watch.settings(f'{A}\nevery = "10m"', f'{B}\nevery = "3m"', 'url = "/c"\nevery = "*/5 * * * *"')
    watch.pages_are(a="one", b="one", c="one")
    watch.run(seconds=1)
    assert sorted(watch.pages.paths) == ["/a", "/b", "/c"]
    asked = []
    for minute in range(1, 13):
        watch.run(minutes=1)
        asked += [f"{minute}{path}" for path in sorted(watch.pages.paths)]
    assert asked == ["3/b", "5/c", "6/b", "9/b", "10/a", "10/c", "12/b"]


@pytest.mark.parametrize(("every", "late_s"), [("10m", 0.1), ("10m", 3), ("1m", 3), ("1h", 20)])
def test_the_seconds_of_cron_do_not_make_a_pace_slower(watch: Watching, every: str, late_s: float) -> None:
    watch.settings(f'{A}\nevery = "{every}"', section='idle_max = "2h"')
    watch.pages_are(a="one")
    minutes = {"10m": 10, "1m": 1, "1h": 60}[every]
    watch.run(seconds=late_s)
    watch.wait(seconds=-late_s)
    watch.pages.asked.clear()
    watch.wait(minutes=minutes - 1)
    assert minutes == 1 or not watch.is_due()
    watch.run(minutes=1)
    assert watch.pages.paths == ["/a"]


def test_another_secret_that_says_what_is_compared_begins_a_new_baseline(feeds: Watching) -> None:
    with_form = "    form: Mapping[str, Secret] = {}\n    most: int = 20\n"
    imports = "from collections.abc import Mapping\nfrom pollctl import Answer, Secret\n"
    feeds.is_made_of(FEEDS.replace("    most: int = 20\n", with_form).replace("from pollctl import Answer\n", imports))
    for number, (query, found) in enumerate([("bicycle", "old"), ("motor car", "new"), ("motor car", "new newer")]):
        feeds.settings(f'{A}\nform = {{ q = "{query}" }}')
        feeds.pages_are(a=found)
        assert feeds.run(minutes=10)["stats"]["baselines"] == (number < 2)
    assert feeds.told == ["newer"]


def test_a_304_is_a_look_at_which_nothing_has_changed(watch: Watching) -> None:
    watch.settings(A)
    watch.pages_are(a="one")
    watch.run()
    report = watch.run(minutes=10)
    assert report["stats"] == {"baselines": 0, "changed": 0, "failed": 0, "looked": 1}
    assert [request.headers.get("if-none-match") for request in watch.pages.asked] == [None, '"one"']
    assert watch.listed()[0]["looked_at"] == "2026-03-08T12:10:00.000Z"


def test_what_is_asked_by_belongs_to_what_was_read_also_where_two_targets_share_an_address(watch: Watching) -> None:
    watch.settings(A, 'name = "b"\nurl = "/a"\nselect = "other"\nevery = "3m"')
    watch.pages_are(a="one")
    watch.run()
    watch.pages_are(a="two")
    watch.run(minutes=3)
    watch.run(minutes=7)
    assert sorted(watch.told) == ["a changed", "b changed"]


def test_nothing_is_started_while_nothing_is_due(watch: Watching) -> None:
    watch.settings(A, section='idle_max = "1h"')
    watch.pages_are(a="one")
    watch.run(seconds=2)
    watch.wait(minutes=9)
    assert not watch.is_due()
    watch.wait(minutes=1)
    assert watch.is_due()
    watch.do("pause", "a")
    watch.run()
    watch.wait(minutes=30)
    assert not watch.is_due()
    watch.do("resume", "a")
    assert watch.is_due()


def test_another_definition_begins_a_new_baseline_and_says_so(watch: Watching) -> None:
    watch.settings(A)
    watch.pages_are(a="one", c="two")
    watch.run()
    watch.settings('name = "a"\nurl = "/c"')
    watch.wait(minutes=1)
    assert watch.is_due(), "changed settings end an idle time"
    assert watch.run()["stats"]["baselines"] == 1
    assert watch.told == []
    assert watch.history("a") == [
        "baseline: what defines it has changed, nothing is told",
        "baseline: the first look, nothing is told",
    ]
    watch.pages_are(c="three")
    watch.run(minutes=10)
    assert watch.told == ["a changed"]


def test_a_target_that_was_redefined_and_fails_is_asked_at_its_pace(watch: Watching) -> None:
    watch.settings(A)
    watch.pages_are(a="one", c=ServerResponse(500))
    watch.run()
    watch.settings('name = "a"\nurl = "/c"')
    watch.run(minutes=1)
    watch.pages.asked.clear()
    watch.run(minutes=1)
    assert watch.pages.paths == []
    watch.pages_are(c="two")
    assert watch.run(minutes=10)["stats"]["baselines"] == 1
    assert watch.told == []


@pytest.mark.parametrize(
    "lines",
    ['name = "z"\nurl = "/a"', f'{A}\nevery = "1m"', f'{A}\nnotify = ["json://127.0.0.1:1/x"]'],
    ids=["name", "pace", "people"],
)
def test_another_name_pace_or_people_change_nothing(watch: Watching, lines: str) -> None:
    watch.settings(A)
    watch.pages_are(a="one")
    watch.run()
    watch.settings(lines)
    watch.pages_are(a="two")
    assert watch.run(minutes=10)["stats"] == {"baselines": 0, "changed": 1, "failed": 0, "looked": 1}


def test_names_that_two_targets_exchange_take_their_memory_along(watch: Watching) -> None:
    watch.settings(A, B)
    watch.pages_are(a="one", b="two")
    watch.run()
    watch.settings('name = "b"\nurl = "/a"', 'name = "a"\nurl = "/b"')
    assert watch.run(minutes=10)["stats"] == {"baselines": 0, "changed": 0, "failed": 0, "looked": 2}


def test_cosmetic_keys_of_an_author_begin_no_new_baseline(feeds: Watching) -> None:
    feeds.settings(A)
    feeds.pages_are(a="one")
    feeds.run()
    feeds.settings(f'{A}\nmood = "wild"')
    assert feeds.run(minutes=10)["stats"]["baselines"] == 0
    feeds.settings(f"{A}\nmost = 3")
    assert feeds.run(minutes=10)["stats"]["baselines"] == 1


def test_a_target_that_comes_back_within_a_month_is_known(feeds: Watching) -> None:
    feeds.settings(A, B)
    feeds.pages_are(a="one", b="one")
    feeds.run()
    feeds.settings(B)
    feeds.run(minutes=10)
    assert [row["name"] for row in feeds.listed()] == ["b"]
    feeds.settings(A, B)
    feeds.pages_are(a="one two")
    feeds.run(days=3)
    assert feeds.told == ["two"]
    feeds.settings(B)
    feeds.run(minutes=10)
    feeds.settings(A, B)
    feeds.run(days=31)
    feeds.settings(B)
    feeds.run(minutes=1)
    feeds.run(days=31)
    feeds.run(days=2)
    assert feeds.place.sql("SELECT name FROM feeds_targets") == [("b",)]


def test_a_plan_says_how_many_are_looked_at_and_until_when_the_others_rest(watch: Watching) -> None:
    watch.settings(A, f'{B}\nevery = "3m"')
    watch.pages_are(a="one", b="one")
    watch.run()
    watch.wait(minutes=1)
    said = watch.do_plain("plan", "watch")
    assert "0 targets looked at, 2 not due until 2026-03-08T12:02:30.000Z" in said
    watch.pages_are(b="two")
    watch.wait(minutes=2)
    plan = json_of(watch.place.call("plan", "watch", "--json", now="2026-03-08T12:03:00Z"))
    assert [one["type"] for one in plan["decisions"]] == ["Kept", "Told"]
    assert plan["reasons"] == ["1 target looked at, 1 not due until 2026-03-08T12:09:30.000Z"]
    assert watch.told == []


def test_what_was_recorded_decides_the_same_again(watch: Watching) -> None:
    watch.settings(A, section='record = "all"')
    for text in ("one", "two", "one"):
        watch.pages_are(a=text)
        watch.run(minutes=10)
    assert watch.told == ["a changed", "a changed"]
    print(watch.do_plain("replay", "--all"))


@pytest.mark.parametrize("every", ["10m", "*/10 * * * *"])
def test_a_clock_that_was_ahead_stops_no_target(watch: Watching, every: str) -> None:
    watch.settings(f'{A}\nevery = "{every}"')
    watch.pages_are(a="one")
    watch.run(days=400)
    watch.pages_are(a=ServerResponse(500))
    watch.run(minutes=10)
    watch.pages.asked.clear()
    watch.wait(days=-400)
    assert watch.listed()[0]["next_at"] is None
    watch.run()
    watch.pages_are(a="two")
    watch.run(minutes=5)
    watch.run(minutes=5)
    assert watch.pages.paths == ["/a", "/a"]
    assert watch.history("a")[0] == "answers again after 10 min; a changed"


def test_a_clock_that_is_ahead_for_one_pass_forgets_no_target(feeds: Watching) -> None:
    feeds.settings(A, B)
    feeds.pages_are(a="one", b="one")
    feeds.run()
    feeds.settings(B)
    feeds.run(minutes=10)
    feeds.run(days=400)
    feeds.wait(days=-400)
    feeds.settings(A, B)
    feeds.pages_are(a="one two")
    feeds.run(minutes=10)
    assert list(feeds.told) == ["two"]


def test_an_answer_to_other_headers_is_asked_for_whole(watch: Watching) -> None:
    watch.settings(A)
    watch.pages_are(a="one")
    watch.run()
    watch.settings(f'{A}\nheaders = {{ Accept-Language = "de" }}')
    watch.run(minutes=10)
    watch.run(minutes=10)
    watch.settings(f'{A}\ntoken = "of another account"')
    watch.run(minutes=10)
    watch.run(minutes=10)
    assert [request.headers.get("if-none-match") for request in watch.pages.asked] == [
        None, None, '"one"', None, '"one"',
    ]  # fmt: skip


def test_conditions_of_its_own_are_left_as_they_are(watch: Watching) -> None:
    watch.settings(f'{A}\nheaders = {{ If-None-Match = "mine" }}')
    watch.pages_are(a="one")
    watch.run()
    watch.run(minutes=10)
    assert [request.headers.get("if-none-match") for request in watch.pages.asked] == ["mine", "mine"]


def test_a_new_key_with_a_default_begins_no_new_baseline(feeds: Watching) -> None:
    feeds.settings(A)
    feeds.pages_are(a="one")
    feeds.run()
    newer = FEEDS.replace(
        "    most: int = 20", '    most: int = 20\n    sorted_by: str = "date"\n    tags: list[str] = []'
    )
    feeds.is_made_of(newer)
    feeds.pages_are(a="one two")
    assert feeds.run(minutes=10)["stats"]["baselines"] == 0
    assert list(feeds.told) == ["two"]
    feeds.settings(f'{A}\ntags = ["x"]')
    assert feeds.run(minutes=10)["stats"]["baselines"] == 1


def test_a_target_that_is_added_while_the_one_before_is_asked_and_removed_is_another_one(
    feeds: Watching, monkeypatch: pytest.MonkeyPatch
) -> None:
    feeds.settings()
    feeds.pages_are(x="one", y="why")
    feeds.do("add", f"{feeds.pages.url}/x", "--name", "X")
    feeds.run()
    respond = feeds.pages.respond

    def replaced(request: ServerRequest) -> ServerResponse:
        monkeypatch.setattr(feeds.pages, "respond", respond)
        feeds.place.spawn("feeds", "remove", "X", now=to_text(feeds.at))
        feeds.place.spawn("feeds", "add", f"{feeds.pages.url}/y", "--name", "Y", now=to_text(feeds.at))
        return respond(request)

    monkeypatch.setattr(feeds.pages, "respond", replaced)
    feeds.pages_are(x="one two")
    feeds.run(minutes=10)
    assert [(row["name"], row["state"]) for row in feeds.listed()] == [("Y", "new")]
    feeds.run(minutes=10)
    feeds.pages_are(y="why not")
    feeds.run(minutes=10)
    assert feeds.told == ["not"]
