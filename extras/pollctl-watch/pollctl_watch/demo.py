"""What ``pollctl demo watch`` shows, and ``pollctl fake watch`` serves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pollctl_watch.fake import Shop

if TYPE_CHECKING:
    from pollctl.demo import DemoSession
    from pollctl.fakes import Playground

SETTINGS = """\
[plugins.watch]
notify = ["INBOX"]

[[plugins.watch.watches]]
name = "bicycle"
url = "URL"
select = ".price"
when = "number < 800"
every = "5m"
"""


def run(session: DemoSession) -> None:
    """A price falls below a limit; the buyer hears of it once."""
    with Shop() as shop:
        session.title("watch: has a page changed, and is it what is waited for?")
        session.settings(SETTINGS.replace("INBOX", session.inbox("buyer")).replace("URL", f"{shop.url}/bicycle"))
        for minute, shop.price in ((0, "899,00"), (5, "849,00"), (10, "1.049,00"), (15, "799,00"), (20, "789,00")):
            session.passes("watch", f"2026-03-02T09:{minute:02}:00Z")
        session.say("It was told once, when the price fell below 800; it will be told again after it was above.")
        session.expect_messages("buyer", "bicycle: 1049 € → 799 €")
        session.pollctl("watch", "history", "bicycle", at="2026-03-02T09:21:00Z")


def playground(port: int) -> Playground:
    """A page with a price, to be tried by hand."""
    from pollctl.fakes import Playground

    shop = Shop(port=port)
    settings = SETTINGS.replace("INBOX", f"{shop.json_url}/inbox").replace("URL", f"{shop.url}/bicycle")
    return Playground(shop, settings, "pollctl run watch; pollctl watch look bicycle")
