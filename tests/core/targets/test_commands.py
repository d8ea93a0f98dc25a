"""The commands that come with targets (authors §1.5)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from core.targets.watching import FEEDS, Watching
from plugin_package import json_of

from pollctl import Duration, HttpUrl, Pace, Secret
from pollctl.fakes import ServerResponse
from pollctl.targets import Change, Target, TargetPlugin, TargetSettings
from pollctl.targets.keys import kept

A = 'name = "a"\nurl = "/a"'


def test_targets_are_listed_with_how_they_stand(watch: Watching) -> None:
    watch.settings(A, 'name = "off"\nurl = "/off"\nenabled = false')
    watch.pages_are(a="one")
    watch.run()
    watch.pages_are(a="two")
    watch.run(minutes=10)
    watch.pages_are(a=ServerResponse(404))
    watch.run(minutes=10)
    row, off = watch.listed()
    assert row == {
        "name": "a",
        "state": "failing",
        "every": "10m",
        "looked_at": "2026-03-08T12:20:00.000Z",
        "changed_at": "2026-03-08T12:10:00.000Z",
        "next_at": "2026-03-08T12:29:30.000Z",
        "failures": 1,
        "failing_since": "2026-03-08T12:20:00.000Z",
        "error": f"{watch.pages.url[7:]} answered 404",
        "address": f"{watch.pages.url}/a",
        "origin": "settings",
    }
    assert (off["state"], off["next_at"]) == ("disabled", None)


def test_a_target_is_added_beside_those_in_the_settings_and_removed(watch: Watching) -> None:
    watch.settings(A)
    watch.pages_are(a="one", b="one")
    address = f"{watch.pages.url}/b"
    watch.do("add", address, "--every", "3m", "--ignore", "x+", "--ignore", "y", "--kind", "text")
    watch.run()
    assert sorted(watch.pages.paths) == ["/a", "/b"]
    assert [(row["name"], row["every"], row["origin"]) for row in watch.listed()][1:] == [(address, "3m", "added")]
    watch.pages_are(b="two x")
    watch.run(minutes=3)
    assert list(watch.told) == [f"{address} changed"]
    assert "+two" in watch.people.messages[0]["message"].splitlines()
    watch.do("remove", address)
    assert [row["name"] for row in watch.listed()] == ["a"]
    for table in ("targets", "memory", "history"):
        assert len(watch.place.sql(f"SELECT * FROM watch_{table}")) == 1


def test_what_cannot_be_added_is_refused_with_why(watch: Watching) -> None:
    watch.settings(A)
    url = f"{watch.pages.url}/b"
    for words, why in (
        ((url, "--name", "a"), "there is a target called 'a' already; give this one another --name"),
        ((url, "--every", "often"), "'often' is not a valid duration"),
        ((url, "--every", "10 m"), 'did you mean "10m"?'),
        ((url, "--every", "5 minutes"), 'or a duration such as "15m"'),
        ((url, "--kind", "pdf"), "pdf"),
        ((url, "--ignore", "("), "is not a regular expression"),
        (("ftp://x",), "http"),
        (("http://me:secret@example.net/",), "an address with a login in it belongs in the settings"),
    ):
        watch.do("add", *words, code=2)
        assert why in " ".join(watch.place.stderr.split())
    assert len(watch.listed()) == 1


def test_one_from_the_settings_is_not_removed_but_named_where_it_stands(watch: Watching) -> None:
    watch.settings(A)
    watch.do("remove", "a", code=2)
    assert "pollctl.toml, [[plugins.watch.watches]]: take it out there" in watch.place.stderr
    watch.do("remove", "aa", code=2)
    assert "did you mean 'a'?" in watch.place.stderr


def test_a_paused_target_is_not_looked_at(watch: Watching) -> None:
    watch.settings(A)
    watch.pages_are(a="one")
    watch.do("pause", "a")
    watch.run()
    assert (watch.pages.paths, watch.listed()[0]["state"]) == ([], "paused")
    watch.do("resume", "a")
    watch.run(minutes=1)
    assert watch.pages.paths == ["/a"]
    assert watch.history("a")[1:] == ["resumed by hand", "paused by hand"]


def test_forget_takes_a_new_baseline_at_once(watch: Watching) -> None:
    watch.settings(A)
    watch.pages_are(a="one")
    watch.run()
    watch.pages_are(a="two")
    watch.do("forget", "a")
    assert watch.run(minutes=1)["stats"]["baselines"] == 1
    assert watch.told == []


def test_look_shows_what_would_be_read_and_keeps_nothing(watch: Watching) -> None:
    watch.settings(f'{A}\nkind = "html"\nselect = ".//b"')
    watch.pages_are(a="<p>x <b>800 EUR</b></p>")
    assert watch.do("look", "a") == "800 EUR\n"
    watch.pages_are(a="<p>x</p>")
    watch.do("look", "a", code=1)
    assert "a: nothing matches './/b'" in watch.place.stderr
    watch.pages_are(a=ServerResponse(404))
    watch.do("look", "a", code=1)
    assert f"a: {watch.pages.url[7:]} answered 404" in watch.place.stderr
    assert not watch.place.database.exists()


def test_history_keeps_the_last_hundred_lines(feeds: Watching) -> None:
    feeds.settings(f'{A}\nevery = "1m"')
    feeds.pages_are(a="one")
    feeds.run()
    feeds.place.sql(
        "INSERT INTO feeds_history (target, at, text) WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i+1 FROM n WHERE i<150) "
        "SELECT 1, '2026-03-08T12:00:00.000Z', 'line ' || i FROM n"
    )
    feeds.pages_are(a="two")
    feeds.run(minutes=1)
    assert len(feeds.history("a")) == 100
    assert feeds.history("a")[:2] == ["two", "line 150"]


def test_what_was_added_and_is_not_valid_any_more_is_named(watch: Watching) -> None:
    watch.settings()
    watch.pages_are(a="one")
    watch.do("add", f"{watch.pages.url}/a", "--name", "a")
    watch.place.sql("""UPDATE watch_targets SET added = json_set(added, '$.kind', 'pdf')""")
    assert watch.run()["outcome"] == "failed"
    assert "not valid any more: a" in watch.do_plain("status")
    assert "a: its keys are not valid any more" in " ".join(watch.do_plain("check", code=0).split())
    watch.do("remove", "a")
    assert watch.run(minutes=1)["outcome"] == "ok"


def test_metrics_count_targets_by_how_they_stand(watch: Watching) -> None:
    watch.settings(A, 'name = "b"\nurl = "/b"')
    watch.pages_are(a="one", b=ServerResponse(500))
    watch.run()
    page = watch.do_plain("metrics")
    assert 'pollctl_watch_targets{state="failing"} 1.0' in page
    assert 'pollctl_watch_target_failures{target="b"} 1.0' in page
    assert 'pollctl_watch_target_reached_timestamp_seconds{target="a"}' in page


def test_two_targets_of_one_name_are_refused(watch: Watching) -> None:
    watch.settings(A, 'name = "a"\nurl = "/b"')
    watch.do_plain("run", "watch", code=2)
    assert "watches: two are called 'a'; give each a name of its own" in watch.place.stderr


def test_a_listing_says_which_command_fills_it(watch: Watching) -> None:
    watch.settings()
    assert watch.do("watches") == ""
    assert "no target; `add` makes one" in watch.place.stderr
    assert json_of(watch.place.call("watch", "watches", "--json")) == []


def test_one_in_the_settings_takes_the_place_of_one_that_was_added(watch: Watching) -> None:
    watch.settings()
    watch.pages_are(a="one", b="one")
    watch.do("add", f"{watch.pages.url}/b", "--name", "a")
    watch.run()
    watch.settings(A)
    watch.run(minutes=10)
    watch.pages.asked.clear()
    for _ in range(3):
        watch.run(minutes=1)
    assert watch.pages.paths == [], "it is asked at its own pace"
    assert [(row["state"], row["origin"]) for row in watch.listed()] == [("ok", "settings")]
    assert "a: the target in the settings takes the place of the one that was added" in watch.do_plain("check")
    watch.wait(minutes=7)
    watch.pages_are(a=ServerResponse(404))
    watch.run()
    assert 'pollctl_watch_targets{state="failing"} 1.0' in watch.do_plain("metrics")
    assert 'pollctl_watch_targets{state="ok"} 0.0' in watch.do_plain("metrics")
    assert 'pollctl_watch_target_failures{target="a"} 1.0' in watch.do_plain("metrics")
    watch.do("remove", "a")
    assert [row["origin"] for row in watch.listed()] == ["settings"]
    assert "takes the place" not in watch.do_plain("check")


def test_news_of_one_that_is_not_valid_any_more_is_told_all_the_same(feeds: Watching) -> None:
    feeds.settings()
    feeds.pages_are(a="")
    feeds.do("add", f"{feeds.pages.url}/a", "--name", "a", "--every", "1m", "--digest", "3m")
    feeds.run()
    feeds.pages_are(a="one")
    feeds.run(minutes=1)
    feeds.place.sql("UPDATE feeds_targets SET added = json_set(added, '$.most', 'all')")
    assert feeds.run(minutes=3)["error"]["targets"] == ["a"]
    assert list(feeds.told) == ["one"]
    assert feeds.people.messages[0]["message"] == f"{feeds.pages.url}/a"
    assert "1 of 1 target not valid any more: a" in feeds.do_plain("status")
    assert "there is no target" not in feeds.do_plain("plan", "feeds", code=1)


def test_what_was_added_is_read_back_with_its_own_keys_and_without_secrets(feeds: Watching) -> None:
    keys = (
        '    kind: str = msgspec.field(default="", name="kind-of")\n    pin: Secret = Secret("1")\n    most: int = 20'
    )
    source = "import msgspec\nfrom pollctl import Secret\n" + FEEDS.replace("    most: int = 20", keys)
    source = source.replace("    return words", "    return [*words, feed.kind, feed.pin.reveal()]")
    feeds.is_made_of(source)
    feeds.settings()
    feeds.pages_are(a="x")
    feeds.do("add", f"{feeds.pages.url}/a", "--name", "a", "--kind-of", "news", "--digest", "2m")
    assert json_of(feeds.place.call("feeds", "look", "a")) == ["x", "news", "1"]
    (added,) = feeds.place.sql("SELECT added FROM feeds_targets")[0]
    assert "***" not in added
    assert "pin" not in feeds.do("add", "--help")


def test_a_key_that_holds_secrets_among_others_is_not_kept() -> None:
    class Login(Target, frozen=True, kw_only=True):
        ways: Any = ()
        pins: Mapping[str, list[Secret] | None] = {}

    url = HttpUrl("http://x/")
    assert "pins" not in kept(Login(url=url, pins={"a": [Secret("1")]}))
    with pytest.raises(ValueError, match="belongs in the settings"):
        kept(Login(url=url, ways=[Secret("1")]))


MEANINGS = '''
class Feed(Target, frozen=True, kw_only=True):
    """One feed.

    Attributes:
        most: how many words count,
            at *most*.
        mood, tone: how it is ``said``.
    """

    COSMETIC = frozenset({"mood"})
    SETTINGS_ONLY = frozenset({"tone"})
    mood: str = "calm"
    tone: str = ""
    most: int = 20
'''


@pytest.fixture
def explained(feeds: Watching) -> Watching:
    """Feeds whose keys say what they mean."""
    before, _, after = FEEDS.partition("class Feed")
    feeds.is_made_of(f"{before}{MEANINGS}\ndef read{after.partition('def read')[2]}")
    feeds.settings()
    return feeds


def test_the_help_of_an_option_is_what_its_key_means(explained: Watching) -> None:
    text = " ".join(explained.do("add", "--help").split())
    assert "How many words count, at most." in text
    assert "How it is said." in text
    assert "After how many failures in a row people hear of them." in text  # of every target


def test_a_key_that_stands_in_the_settings_alone_has_no_option(explained: Watching) -> None:
    assert "--tone" not in explained.do("add", "--help")
    explained.do("add", "http://a.example/", "--tone", "x", code=2)


@pytest.mark.parametrize(
    ("keys", "why"),
    [
        ({"url": "http://a.example/", "token": Secret("1")}, "token of http://a.example/ belongs in the settings"),
        ({"url": "http://a.example/", "headers": {"X": Secret("1")}}, "headers of http://a.example/ belongs"),
        ({"url": "http://ann:1@a.example/"}, "an address with a login in it belongs in the settings"),
    ],
    ids=["a secret", "secrets by name", "a login"],
)
def test_what_belongs_in_the_settings_is_not_added_without_it(keys: dict[str, Any], why: str) -> None:
    target = Target(**{**keys, "url": HttpUrl(keys["url"])})
    with pytest.raises(ValueError, match=why):
        PLUGIN.check(target)


def test_a_target_is_read_from_keys_as_a_person_types_them() -> None:
    target = PLUGIN.typed({"url": "http://a.example/", "every": "3m", "name": None, "digest": "1h", "notify": ()})
    assert (target.every, target.digest, target.name) == (Pace("3m"), Duration(hours=1), "")
    with pytest.raises(ValueError, match="every"):
        PLUGIN.typed({"url": "http://a.example/", "every": "often"})


def test_the_section_has_keys_of_its_own_and_their_rule_beside_those_of_every_plugin_of_targets() -> None:
    class Section(TargetSettings, frozen=True, kw_only=True):
        most: int = 3

        def __post_init__(self) -> None:
            if self.most > 9:
                raise ValueError("most is 9 at most")

    plugin: Any = TargetPlugin(
        "pages", Target, str, summary="x", read=lambda answer, _: answer.text, compare=_compare, settings=Section
    )
    kind = plugin.pollctl_poller().settings
    assert (kind().most, kind(most=4, targets=()).most) == (3, 4)
    with pytest.raises(ValueError, match="most is 9"):
        kind(most=10)
    two = (Target(url=HttpUrl("http://a/"), name="a"), Target(url=HttpUrl("http://b/"), name="a"))
    with pytest.raises(ValueError, match="two are called 'a'"):
        kind(targets=two)


def _compare(before: str | None, now: str, target: Target) -> Change[str]:
    return Change(now)


PLUGIN: TargetPlugin[Target, str] = TargetPlugin(
    "pages", Target, str, summary="x", read=lambda answer, _: answer.text, compare=_compare
)
