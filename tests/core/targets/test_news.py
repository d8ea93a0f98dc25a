"""What people are told, how often, and in how many messages (authors §1.4)."""

from __future__ import annotations

from core.targets.watching import Watching
from inbox import Inbox

A, B = 'name = "a"\nurl = "/a"', 'name = "b"\nurl = "/b"'


def test_from_a_to_b_and_back_and_to_b_again_is_told_three_times(watch: Watching) -> None:
    watch.settings(A)
    for text in ("A", "B", "A", "B"):
        watch.pages_are(a=text)
        watch.run(minutes=10)
        watch.run(minutes=10)
    assert [message["message"].splitlines()[-2] for message in watch.people.messages] == ["+B", "+A", "+B"]


def test_news_with_an_id_is_told_once_for_good_and_a_title_alone_arrives(feeds: Watching) -> None:
    feeds.settings(A, B)
    feeds.pages_are(a="old", b="old")
    feeds.run()
    for text in ("old new", "", "new", "old new new", "new newer"):
        feeds.pages_are(a=text)
        feeds.run(minutes=10)
    assert list(feeds.told) == ["new", "newer"]
    assert [message["message"] for message in feeds.people.messages] == [f"{feeds.pages.url}/a"] * 2


def test_what_was_there_at_the_first_look_is_never_told(feeds: Watching) -> None:
    feeds.settings(A)
    for text in ("old", "", "old"):
        feeds.pages_are(a=text)
        feeds.run(minutes=10)
    feeds.do("forget", "a")
    for text in ("other", "old other"):
        feeds.pages_are(a=text)
        feeds.run(minutes=10)
    assert feeds.told == []


def test_a_target_has_one_message_in_a_pass(feeds: Watching) -> None:
    feeds.settings(A, B)
    feeds.pages_are(a="", b="")
    feeds.run()
    feeds.pages_are(a="one two", b="three")
    feeds.run(minutes=10)
    assert sorted(feeds.told) == ["a: 2 pieces of news", "three"]
    (message,) = (one for one in feeds.people.messages if one["title"].startswith("a:"))
    address = f"{feeds.pages.url}/a"
    assert message["message"] == f"one\n{address}\n\ntwo\n{address}"


def test_people_are_those_of_the_target_or_of_the_plugin_or_of_all(feeds: Watching) -> None:
    with Inbox() as own:
        feeds.settings(A, f'{B}\nnotify = ["{own.json_url}/b, {own.json_url}/c"]')
        feeds.pages_are(a="", b="")
        feeds.run()
        feeds.pages_are(a="one", b="two")
        feeds.run(minutes=10)
        assert (list(feeds.told), own.titles) == (["one"], ["two", "two"])
    text = (
        (feeds.place.folder / "pollctl.toml").read_text().replace(f'notify = ["{feeds.people.json_url}/all"]\n', "", 1)
    )
    everybody = f'[pollctl.notify]\nurls = ["{feeds.people.json_url}/core"]\n'
    (feeds.place.folder / "pollctl.toml").write_text(text.replace("[plugins.feeds]", f"{everybody}[plugins.feeds]"))
    feeds.pages_are(a="one more")
    feeds.run(minutes=10)
    assert feeds.people.requests[-1].path == "/core"


def test_a_digest_gathers_what_is_for_the_same_people(feeds: Watching) -> None:
    feeds.settings(f'{A}\nevery = "1m"', f'{B}\nevery = "1m"\ndigest = "0s"', section='digest = "10m"')
    feeds.pages_are(a="", b="")
    feeds.run()
    feeds.pages_are(a="one", b="urgent")
    feeds.run(minutes=1)
    assert list(feeds.told) == ["urgent"], "what a target says of its digest wins"
    for minute, text in enumerate(("one two", "one two", "three")):
        feeds.pages_are(a=text)
        feeds.run(minutes=1)
        assert len(feeds.told) == 1, minute
    feeds.run(minutes=6)
    assert len(feeds.told) == 1
    feeds.run(minutes=1)
    assert list(feeds.told) == ["urgent", "feeds: 3 pieces of news"]
    assert [line for line in feeds.people.messages[-1]["message"].splitlines() if "http" not in line] == [
        "one", "", "two", "", "three",
    ]  # fmt: skip
    feeds.run(minutes=20)
    assert len(feeds.told) == 2


def test_a_digest_ends_an_idle_time(feeds: Watching) -> None:
    feeds.settings(f'{A}\nevery = "1h"\ndigest = "4m"', section='idle_max = "1h"')
    feeds.pages_are(a="")
    feeds.run()
    feeds.pages_are(a="one")
    feeds.run(hours=1)
    feeds.wait(minutes=3)
    assert not feeds.is_due()
    feeds.wait(minutes=1)
    assert feeds.is_due()
    feeds.run()
    assert list(feeds.told) == ["one"]


def digest_of(feeds: Watching, *names: str, notify: str = "") -> None:
    """Targets whose news waits for ten minutes, and one piece of news of each."""
    to = f'\nnotify = ["{notify}"]' if notify else ""
    feeds.settings(*(f'name = "{name}"\nurl = "/{name}"\nevery = "1h"{to}' for name in names), section='digest = "10m"')
    feeds.pages_are(**dict.fromkeys(names, ""))
    feeds.run()
    feeds.pages_are(**{name: f"new-{name}" for name in names})
    feeds.run(hours=1)


def test_news_that_waits_goes_with_its_target_when_that_is_called_otherwise(feeds: Watching) -> None:
    with Inbox() as own, Inbox() as other:
        digest_of(feeds, "a", notify=f"{own.json_url}/x")
        other_a = f'name = "a"\nurl = "/c"\nevery = "1h"\nnotify = ["{other.json_url}/x"]'
        feeds.settings(f'name = "b"\nurl = "/a"\nevery = "1h"\nnotify = ["{own.json_url}/x"]', other_a)
        feeds.pages_are(c="")
        feeds.run(minutes=10)
        assert (own.titles, other.titles, list(feeds.told)) == (["new-a"], [], [])
        assert own.messages[0]["message"] == f"{feeds.pages.url}/a"


def test_news_of_a_target_that_was_taken_out_is_told_to_those_of_the_plugin(feeds: Watching) -> None:
    digest_of(feeds, "a")
    feeds.settings(section='digest = "10m"')
    feeds.run(minutes=10)
    assert list(feeds.told) == ["new-a"]
    assert feeds.people.messages[0]["message"] == f"{feeds.pages.url}/a"


def test_news_for_people_who_stand_nowhere_any_more_is_told_to_nobody_else(feeds: Watching) -> None:
    with Inbox() as own:
        digest_of(feeds, "a", "b", notify=f"{own.json_url}/x")
        feeds.settings(f'name = "b"\nurl = "/b"\nevery = "1h"\nnotify = ["{own.json_url}/x"]')
        feeds.run(minutes=9)
        assert "taken out of the settings, with news that nobody was told" in str(
            feeds.place.sql("SELECT text FROM feeds_history JOIN feeds_targets AS t ON t.id = target WHERE name = 'a'")
        )
        feeds.run(minutes=1)
        assert (own.titles, list(feeds.told)) == (["new-b"], [])
        assert feeds.place.sql("SELECT * FROM feeds_waiting") == []


def test_news_of_a_target_that_was_redefined_names_where_it_was_found(feeds: Watching) -> None:
    digest_of(feeds, "a")
    feeds.settings('name = "a"\nurl = "/b"\nevery = "1h"', section='digest = "10m"')
    feeds.pages_are(b="other")
    feeds.run(minutes=10)
    assert [message["message"] for message in feeds.people.messages] == [f"{feeds.pages.url}/a"]


def test_news_that_came_while_the_clock_was_ahead_is_told_once_it_is_right(feeds: Watching) -> None:
    feeds.wait(days=100)
    digest_of(feeds, "a")
    feeds.run(days=-100)
    assert list(feeds.told) == ["new-a"]


def test_an_added_target_names_its_people(feeds: Watching) -> None:
    """They stand in the database alone, and what is gathered for them is for nobody else."""
    feeds.settings(f'{A}\nevery = "1m"', section='digest = "10m"')
    feeds.pages_are(a="one", b="one", c="one")
    with Inbox() as own:
        for name in "bc":
            address = f"{own.json_url}/{name}"
            feeds.do("add", f"{feeds.pages.url}/{name}", "--name", name, "--every", "1m", "--notify", address)
        feeds.do("add", f"{feeds.pages.url}/b", "--name", "at once", "--notify", f"{own.json_url}/b", "--digest", "0s")
        feeds.run()
        feeds.pages_are(a="one two", b="one two", c="one two")
        feeds.run(minutes=10)
        assert (list(own.titles), list(feeds.told)) == (["two"], [])
        feeds.run(minutes=11)
        first, *side_by_side = [request.path for request in own.requests]
        assert (first, sorted(side_by_side)) == ("/b", ["/b", "/c"])
        assert len(feeds.told) == 1
    assert own.json_url not in feeds.do("feeds") + feeds.do_plain("outbox", "list", "--json")
    feeds.do("remove", "b")
    assert len(feeds.place.sql("SELECT * FROM feeds_notify")) == 2


def added_digest(feeds: Watching, own: Inbox) -> None:
    """An added target whose news waits for ten minutes, for people whom it names."""
    feeds.settings()
    feeds.pages_are(a="one")
    address, people = f"{feeds.pages.url}/a", f"{own.json_url}/boss"
    feeds.do("add", address, "--name", "a", "--every", "1m", "--digest", "10m", "--notify", people)
    feeds.run()
    feeds.pages_are(a="one two")
    feeds.run(minutes=2)


def test_news_of_an_added_target_that_is_not_valid_any_more_is_told_to_whom_it_named(feeds: Watching) -> None:
    with Inbox() as own:
        added_digest(feeds, own)
        feeds.place.sql("UPDATE feeds_targets SET added = json_set(added, '$.most', 'all')")
        feeds.run(minutes=11)
        assert (list(own.titles), list(feeds.told)) == (["two"], [])


def test_news_of_an_added_target_whose_place_another_takes_is_told_to_whom_it_named(feeds: Watching) -> None:
    with Inbox() as own:
        added_digest(feeds, own)
        feeds.settings('name = "a"\nurl = "/a"\nevery = "1h"')
        feeds.run(minutes=11)
        assert (list(own.titles), list(feeds.told)) == (["two"], [])


def test_people_of_an_added_target_must_be_addresses(feeds: Watching) -> None:
    feeds.settings()
    done = feeds.place.call(
        "feeds", "add", "https://a.example/", "--notify", "ann:swordfish-77", now="2026-03-08T12:00:00Z"
    )
    assert done.returncode == 2
    assert "is not an address that Apprise supports" in done.stderr
    assert "swordfish" not in done.stderr
    assert feeds.listed() == []
