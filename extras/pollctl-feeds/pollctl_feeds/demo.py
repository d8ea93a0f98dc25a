"""What ``pollctl demo feeds`` shows, and ``pollctl fake feeds`` serves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pollctl_feeds.fake import Site

if TYPE_CHECKING:
    from pollctl.demo import DemoSession
    from pollctl.fakes import Playground

SETTINGS = """\
[plugins.feeds]
notify = ["INBOX"]

[[plugins.feeds.feeds]]
name = "harbour"
url = "URL"
every = "5m"
"""


def run(session: DemoSession) -> None:
    """Two entries come; each is told once."""
    with Site() as site:
        session.title("feeds: what is new in feeds?")
        session.settings(SETTINGS.replace("INBOX", session.inbox("skipper")).replace("URL", f"{site.url}/feed.xml"))
        session.passes("feeds", "2026-03-02T09:00:00Z")
        session.say("What was there at the first look is told to nobody. Now there is news.")
        site.titles[:0] = ["The lock is open", "High water on Sunday"]
        session.passes("feeds", "2026-03-02T09:05:00Z", "2026-03-02T09:10:00Z")
        session.expect_messages("skipper", "The lock is open")
        session.pollctl("feeds", "history", "harbour", at="2026-03-02T09:11:00Z")


def playground(port: int) -> Playground:
    """A feed of two entries, to be tried by hand."""
    from pollctl.fakes import Playground

    site = Site(port=port)
    settings = SETTINGS.replace("INBOX", f"{site.json_url}/inbox").replace("URL", f"{site.url}/feed.xml")
    return Playground(site, settings, "pollctl run feeds; pollctl feeds look harbour")
