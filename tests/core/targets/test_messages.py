"""What arrives of news in HTML, and of files that go along with it (people §2, watch §3)."""

from __future__ import annotations

import json
from base64 import b64encode
from html import escape

import pytest
from core.targets.watching import Watching

from pollctl.fakes import ServerResponse
from pollctl.testing.mail_server import MailServer, text_of

SOURCE = """
from html import escape
from pollctl import Answer, Attachment
from pollctl.targets import Change, News, Target, TargetPlugin

class Feed(Target, frozen=True, kw_only=True):
    format: str = "html"
    times: int = 1

def read(answer: Answer, feed: Feed) -> bytes:
    return answer.body

def compare(before: bytes | None, now: bytes, feed: Feed) -> Change[bytes]:
    text = now.decode("latin-1")
    body = f"<p><b>{escape(text[:40])}</b></p>" if feed.format == "html" else text[:40]
    files = (Attachment("page.html", now * feed.times),) if feed.times else (Attachment("../page", now),)
    return Change(now, [] if before == now else [News(f"{feed.title} <new>", body, format=feed.format, attach=files)])

plugin = TargetPlugin("feeds", Feed, bytes, key="feeds", summary="What is new?", read=read, compare=compare)
"""
HOSTILE = '<script>alert("1")</script> & \xff'


@pytest.fixture
def feeds(feeds: Watching) -> Watching:
    feeds.is_made_of(SOURCE)
    return feeds


def target(name: str, *keys: str) -> str:
    return "\n".join([f'name = "{name}"\nurl = "/{name}?x=1&y=2"', *keys])


def pages_are(feeds: Watching, text: str, *names: str) -> None:
    feeds.pages_are(**{name: ServerResponse(body=text.encode("latin-1")) for name in names})


def test_html_arrives_as_html_and_as_text_with_its_link_and_the_bytes_of_its_file(feeds: Watching) -> None:
    with MailServer() as server:
        feeds.settings(target("a", f'notify = ["{server.address}"]'))
        pages_are(feeds, "old", "a")
        feeds.run()
        pages_are(feeds, HOSTILE, "a")
        assert feeds.run(minutes=10)["outcome"] == "ok"
    (mail,) = server.mails
    html = mail.get_body(("html",))
    assert html is not None
    shown = html.get_content()
    link = f"{feeds.pages.url}/a?x=1&amp;y=2"
    assert "<p><b>&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp; ÿ</b></p>" in shown
    assert f'<a href="{link}">{link}</a>' in shown
    assert "<script" not in shown
    assert text_of(mail).split() == [*HOSTILE.split(), f"{feeds.pages.url}/a?x=1&y=2"]
    assert mail["subject"] == "a <new>"
    (file,) = mail.iter_attachments()
    assert (file.get_filename(), file.get_content_type()) == ("page.html", "text/html")
    assert file.get_payload(decode=True) == HOSTILE.encode("latin-1")


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", "ftp://there.example/<b>"])
def test_only_addresses_of_pages_are_links(feeds: Watching, url: str) -> None:
    feeds.is_made_of(SOURCE.replace("format=feed.format,", f"format=feed.format, url={url!r},"))
    with MailServer() as server:
        feeds.settings(target("a", f'notify = ["{server.address}"]'))
        for text in ("old", "new"):
            pages_are(feeds, text, "a")
            feeds.run(minutes=10)
    html = server.mails[0].get_body(("html",))
    assert html is not None
    assert f"<p>{escape(url)}</p>" in html.get_content()
    assert "<a " not in html.get_content()


def test_what_was_recorded_is_decided_alike_and_a_plan_shows_it(feeds: Watching) -> None:
    feeds.settings(target("a"), section='record = "all"')
    pages_are(feeds, "old", "a")
    feeds.run()
    pages_are(feeds, HOSTILE, "a")
    feeds.wait(minutes=10)
    assert "a <new>" in feeds.do_plain("plan", "feeds")
    feeds.run()
    rows = json.loads(feeds.do_plain("replay", "--all", "--json"))
    assert [row["verdict"] for row in rows] == ["same", "same"]
    (decisions,) = feeds.place.sql("SELECT decisions FROM recordings ORDER BY run_id DESC LIMIT 1")[0]
    assert f'"content":"{b64encode(HOSTILE.encode("latin-1")).decode()}"' in decisions


def test_news_of_different_formats_is_one_message_in_which_text_stays_text(feeds: Watching) -> None:
    with MailServer() as server:
        to = f'notify = ["{server.address}"]'
        feeds.settings(target("a", to), target("b", to, 'format = "text"'), section='digest = "20m"')
        pages_are(feeds, "old", "a", "b")
        feeds.run()
        pages_are(feeds, "<i>one</i>\n  two", "a", "b")
        feeds.run(minutes=10)
        feeds.run(minutes=20)
    (mail,) = server.mails
    html = mail.get_body(("html",))
    assert html is not None
    assert '<pre style="white-space:pre-wrap">&lt;i&gt;one&lt;/i&gt;\n  two</pre>' in html.get_content().replace(
        "\r\n", "\n"
    )
    assert [file.get_filename() for file in mail.iter_attachments()] == ["page.html", "page.html"]


def test_more_than_fits_into_a_message_is_left_out_and_the_message_says_so(feeds: Watching) -> None:
    feeds.settings(target("a", "times = 3_000_000"), target("b", "times = 1"), section='digest = "20m"')
    pages_are(feeds, "ab", "a", "b")
    feeds.run()
    pages_are(feeds, "cd", "a", "b")
    feeds.run(minutes=10)
    feeds.run(minutes=20)
    (message,) = feeds.people.messages
    assert "1 file left out: more than 5 MB do not go along" in message["message"]
    assert len(message["attachments"]) == 1


def test_a_file_without_a_proper_name_fails_its_target_alone(feeds: Watching) -> None:
    feeds.settings(target("a", "times = 0"), target("b"))
    pages_are(feeds, "ab", "a", "b")
    report = feeds.run()
    assert report["outcome"] == "partial"
    assert "'../page' is not the name of a file" in str(feeds.listed())
