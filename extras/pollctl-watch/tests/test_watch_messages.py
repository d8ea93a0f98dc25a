"""What arrives when a page has changed, at a mail server: as text, as HTML, within its bounds, with the page itself (watch 3)."""

from collections.abc import Callable
from email.message import EmailMessage
from typing import Any

import pytest
from msgspec.structs import replace
from pages import seen, watch

from pollctl.testing import Bench
from pollctl.testing.mail_server import MailServer, text_of
from pollctl_watch.decide import compare

URL = "https://shop.example.net/bicycle?colour=red&size=54"
HOSTILE = "<p>a &lt;script&gt;alert(1)&lt;/script&gt; &amp;amp; 799 €</p>"
SEEN = "a <script>alert(1)</script> &amp; 799 €"


def arrived(bench: Callable[..., Bench], keys: str, *pages: str | bytes) -> EmailMessage:
    """The one mail that comes when a page is now this and now that."""
    with MailServer() as server:
        settings = f'notify = ["{server.address}"]\n[[watches]]\nname = "bicycle"\nurl = "{URL}"\nevery = "5m"\n{keys}'
        shop = bench("watch", settings)
        for page in pages:
            body = page if isinstance(page, bytes) else page.encode()
            assert (
                shop.answer(URL, body, headers={"Content-Type": "text/html; charset=utf-8"}).at("+5m").run().outcome
                == "ok"
            )
    (mail,) = server.mails
    return mail


def html_of(mail: EmailMessage) -> str:
    part = mail.get_body(("html",))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


def test_as_text_it_arrives_line_by_line(bench: Callable[..., Bench]) -> None:
    mail = arrived(bench, "", "<p>a <b>899 €</b></p>", "<p>a <b>799 €</b></p>")
    assert mail["subject"] == "bicycle: a 899 € → a 799 €"
    assert text_of(mail).splitlines() == ["@@ -1 +1 @@", "-a [-899-] €", "+a {+799+} €", URL]
    assert mail.get_body(("html",)) is None


def test_as_html_it_arrives_with_its_words_marked_and_what_the_page_says_escaped(bench: Callable[..., Bench]) -> None:
    mail = arrived(bench, 'format = "html"\nwhen = "contains \'799\'"', "<p>a 899 €</p>", HOSTILE)
    shown, link = html_of(mail), URL.replace("&", "&amp;")
    assert "<script" not in shown
    assert "<del>[-899-]</del> €</span>" in shown
    assert "{+&lt;script&gt;alert(1)&lt;/script&gt; &amp;amp; 799+}" in shown
    assert f'<p><a href="{link}">{link}</a></p>' in shown
    text = text_of(mail).splitlines()
    assert text[:2] == ["@@ -1 +1 @@", "-a [-899-] €"]
    assert text[2].replace("{+", "").replace("+}", "") == f"+{SEEN}"
    assert [line for line in text[3:] if line] == ["(contains '799')", URL]


@pytest.mark.parametrize("form", ["text", "html"])
@pytest.mark.parametrize("letter", ["x", "<", '"', "Ж", "㐀", "🚲"])
@pytest.mark.parametrize("length", [1, 300, 5000], ids=["words", "lines", "one line"])
def test_a_message_has_4_kb_at_most_whatever_the_letters(form: str, letter: str, length: int) -> None:
    keys: dict[str, Any] = {"format": form, "when": "contains 'new'"}
    old, new = (
        (f"{letter * length} {word} " * 100, f"{letter * length} {word}\n" * 900)[length == 300]
        for word in ("old", "new")
    )
    before = compare(None, seen(old.encode(), "text/plain; charset=utf-8", **keys), watch(**keys)).keep
    (news,) = compare(before, seen(new.encode(), "text/plain; charset=utf-8", **keys), watch(**keys)).news
    link = watch().url if form == "text" else f'<p><a href="{watch().url}">{watch().url}</a></p>'
    assert 200 < len(f"{news.title}\n{news.body}\n{link}".encode()) <= 4096
    assert "…" in news.body


def test_the_page_goes_along_as_it_was_read_under_the_name_of_its_watch(bench: Callable[..., Bench]) -> None:
    page = b"<p>\xff\x00 799 \xe2\x82\xac</p>\r\n<script>1</script>"
    mail = arrived(bench, "attach_page = true", "<p>899 €</p>", page)
    (file,) = mail.iter_attachments()
    assert (file.get_filename(), file.get_content_type()) == ("bicycle.html", "text/html")
    assert file.get_payload(decode=True) == page
    assert "799" in text_of(mail)


def test_a_page_that_is_too_long_stays_behind_and_the_message_says_so(bench: Callable[..., Bench]) -> None:
    mail = arrived(
        bench, "attach_page = true\nselect = 'p'", "<p>899 €</p>", b"<p>799 \xe2\x82\xac</p>" + b"<!-- x -->" * 150_000
    )
    assert list(mail.iter_attachments()) == []
    assert "(the page of 1.5 MB is too long to go along)" in text_of(mail)


def test_another_format_begins_no_new_baseline() -> None:
    assert watch().definition == watch(format="html", attach_page=True).definition


def test_the_page_itself_is_not_remembered() -> None:
    keep = compare(None, seen("<p>1</p>", attach_page=True), watch(attach_page=True)).keep
    assert not hasattr(keep, "page")


@pytest.mark.parametrize(
    ("name", "media", "file"),
    [
        ("bicycle", "application/json", "bicycle.json"),
        ("https://a.example.net/x y?z=1", "text/plain", "https-a.example.net-x-y-z-1.txt"),
        ("..", "application/gzip", "page.bin"),
    ],
)
def test_a_file_is_called_by_its_watch_and_by_what_it_is(name: str, media: str, file: str) -> None:
    target = replace(watch(attach_page=True), name=name)
    blank = " " if media == "application/json" else "\0"
    before = compare(None, seen(f"1{blank}", media, attach_page=True), target).keep
    (news,) = compare(before, seen(f"2{blank}", media, attach_page=True), target).news
    assert [one.name for one in news.attach] == [file]
