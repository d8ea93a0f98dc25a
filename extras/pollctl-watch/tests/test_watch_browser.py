"""Pages that scripts write, shown by the Chromium of this machine (watch 8)."""

import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

from pollctl.fakes import FakeUpstream, ServerRequest, ServerResponse
from pollctl.testing import Bench
from pollctl_watch.client import browser
from pollctl_watch.client.browser import showing

MISSING = ""
try:
    browser.executable("")
except browser.MissingError as missing:
    MISSING = str(missing)
shown = pytest.mark.skipif(bool(MISSING), reason=MISSING)
HTML = {"Content-Type": "text/html; charset=utf-8"}
PAGE = """<!doctype html><title>The shop</title><p class="price">loading</p><img src="/picture.png"><script>
fetch("price.json").then(answer => answer.json()).then(found => setTimeout(() => {
  document.querySelector("p").outerHTML = `<p class="price" id="there">${found.price} €</p>`
}, 200))
</script>"""
SNOOPING = """<p>a</p><img src="URL/picture"><iframe src="URL/frame"></iframe><script src="URL/script.js"></script><script>
for (const path of ["URL/fetched", "http://169.254.169.254/latest"]) fetch(path, {mode: "no-cors"}).catch(() => 0)
navigator.sendBeacon("URL/beacon", "x"); new WebSocket("URL/socket".replace("http", "ws"))
const link = document.createElement("link"); link.rel = "preconnect"; link.href = "URL"; document.head.append(link)
window.open("URL/opened"); new EventSource("URL/events")
</script>"""


class Site(FakeUpstream):
    """A shop whose page asks for its price; what its visitors asked, and with which headers."""

    def __init__(self) -> None:
        super().__init__()
        self.price, self.asked = "899,00", list[ServerRequest]()
        self.pages: dict[str, ServerResponse] = {}

    def respond(self, request: ServerRequest) -> ServerResponse:
        self.asked.append(request)
        if request.path.endswith("/price.json"):
            return ServerResponse.json({"price": self.price})
        return self.pages.get(request.path, ServerResponse(body=PAGE.encode(), headers=HTML))

    @property
    def paths(self) -> list[str]:
        return [request.path for request in self.asked]


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as found:
        yield found


@pytest.fixture
def shop(bench: Callable[..., Bench], site: Site) -> Callable[..., Bench]:
    """A bench with one watch of a page of the site."""

    def made(path: str = "/bicycle", keys: str = "select = '#there'", section: str = "") -> Bench:
        watch = f'[[watches]]\nname = "bicycle"\nurl = "{site.url}{path}"\nevery = "5m"\nbrowser = true\n{keys}'
        return bench("watch", f'notify = ["json://inbox/buyer"]\n{section}\n{watch}')

    return made


@shown
def test_what_a_script_writes_is_read_and_its_change_is_told(shop: Callable[..., Bench], site: Site) -> None:
    bicycle = shop()
    assert bicycle.run().outcome == "ok"
    site.price = "799,00"
    (message,) = bicycle.at("+5m").run().messages
    assert message.title == "bicycle: 899,00 € → 799,00 €"
    assert set(site.paths) == {"/bicycle", "/price.json"}


@shown
def test_a_page_of_which_only_its_scripts_answer_changes_is_asked_without_conditions(
    shop: Callable[..., Bench], site: Site
) -> None:
    site.pages["/bicycle"] = ServerResponse(body=PAGE.encode(), headers={**HTML, "ETag": '"same"'})
    bicycle = shop()
    bicycle.run()
    bicycle.at("+5m").run()
    assert not any("if-none-match" in request.headers for request in site.asked)


def test_an_answer_that_is_not_read_is_not_shown_and_one_that_asks_for_patience_is_heeded(
    shop: Callable[..., Bench], site: Site
) -> None:
    site.pages["/bicycle"] = ServerResponse(503, PAGE.encode(), {**HTML, "Retry-After": "3600"})
    bicycle = shop(section='chromium = "/no/such"')
    assert "503" in str(bicycle.run().error)
    assert len(bicycle.sql("SELECT * FROM holds")) == 1
    assert site.paths == ["/bicycle"]
    site.pages["/gone"] = ServerResponse(404, PAGE.encode(), HTML)
    assert "404" in str(shop("/gone", section='chromium = "/no/such"').run().error)


def test_what_is_no_page_may_stay_as_it_was(shop: Callable[..., Bench], site: Site) -> None:
    def respond(request: ServerRequest) -> ServerResponse:
        site.asked.append(request)
        if request.headers.get("if-none-match") == '"one"':
            return ServerResponse(304)
        return ServerResponse.json({"price": 1})._replace(headers={"Content-Type": "application/json", "ETag": '"one"'})

    site.respond = respond  # type: ignore[method-assign]
    bicycle = shop("/price", "json = 'price'", 'chromium = "/no/such"')
    assert bicycle.run().outcome == "ok"
    assert bicycle.at("+5m").run().outcome == "ok"
    assert [request.headers.get("if-none-match") for request in site.asked] == [None, '"one"']


@shown
def test_redirects_lead_where_others_may_and_addresses_on_the_page_are_those_of_where_it_is(
    shop: Callable[..., Bench], site: Site
) -> None:
    site.pages["/old"] = ServerResponse(302, headers={"Location": "/shop/bicycle"})
    assert shop("/old").run().outcome == "ok"
    assert site.paths[:2] == ["/old", "/shop/bicycle"]
    assert "/shop/price.json" in site.paths
    site.pages["/away"] = ServerResponse(302, headers={"Location": "http://169.254.169.254/latest"})
    assert "redirect to another host refused" in str(shop("/away").run().error)


@shown
def test_cookies_are_kept_as_long_as_the_page_is_shown(shop: Callable[..., Bench], site: Site) -> None:
    def respond(request: ServerRequest) -> ServerResponse:
        site.asked.append(request)
        sent = request.headers.get("cookie", "")
        if request.path.endswith(".json"):
            return ServerResponse.json({"price": sent})
        if "seen=1" not in sent:
            return ServerResponse(302, headers={"Location": request.path, "Set-Cookie": "seen=1; Path=/"})
        return ServerResponse(
            body=PAGE.encode(), headers={**HTML, "Set-Cookie": "visit=2; Expires=Wed, 21 Oct 2037 07:28:00 GMT"}
        )

    site.respond = respond  # type: ignore[method-assign]
    bicycle = shop(keys='select = "#there"\ncookies = {own = "0"}')
    assert bicycle.run().outcome == "ok"
    assert site.asked[-1].headers["cookie"] == "own=0; seen=1; visit=2"


def test_cookies_of_a_host_on_the_way_stay_there(shop: Callable[..., Bench], site: Site) -> None:
    with Site() as other:
        site.pages["/bicycle"] = ServerResponse(302, headers={"Location": f"{other.url}/consent"})
        other.pages["/consent"] = ServerResponse(
            302, headers={"Location": f"{site.url}/price", "Set-Cookie": "login=theirs; Path=/"}
        )
        site.pages["/price"] = ServerResponse.json({"price": 1})
        keys = f'json = "price"\nallow_hosts = ["{other.url[7:]}"]\ncookies = {{login = "mine"}}'
        assert shop(keys=keys).run().outcome == "ok"
    assert [request.headers["cookie"] for request in site.asked] == ["login=mine", "login=mine"]


@shown
def test_redirects_in_a_ring_end(shop: Callable[..., Bench], site: Site) -> None:
    site.pages["/ring"] = ServerResponse(302, headers={"Location": "/ring"})
    assert "more than 10 redirects" in str(shop("/ring").run().error)
    assert len(site.asked) == 11


@shown
def test_a_page_makes_the_browser_ask_nobody_else(shop: Callable[..., Bench], site: Site) -> None:
    with Site() as other:
        site.pages["/bicycle"] = ServerResponse(body=SNOOPING.replace("URL", other.url).encode(), headers=HTML)
        assert shop(keys="").run().outcome == "ok"
        assert other.asked == []


@shown
def test_hosts_that_are_allowed_are_asked_without_what_is_for_the_page_alone(
    shop: Callable[..., Bench], site: Site
) -> None:
    with Site() as other:
        script = b"document.querySelector('p').id = 'there'"
        other.pages["/script.js"] = ServerResponse(body=script, headers={"Content-Type": "text/javascript"})
        page = f'<p>a</p><script src="{other.url}/script.js"></script>'
        site.pages["/bicycle"] = ServerResponse(body=page.encode(), headers=HTML)
        keys = f'select = "#there"\nallow_hosts = ["{other.url[7:]}"]\ncookies = {{login = "geheim"}}'
        assert shop(keys=keys).run().outcome == "ok"
        assert [request.headers["cookie"] for request in site.asked] == ["login=geheim"]
        assert [request.headers.get("cookie") for request in other.asked] == [None]
        assert other.asked[0].headers["user-agent"].startswith("pollctl")


@shown
@pytest.mark.parametrize(
    "script", ["while (true) {}", "setTimeout(() => { while (true) {} }, 50)"], ids=["at once", "later"]
)
def test_a_page_that_never_rests_fails_in_time(
    shop: Callable[..., Bench], site: Site, script: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(showing, "PAGE_S", 3.0)
    site.pages["/bicycle"] = ServerResponse(body=f"<p>a</p><script>{script}</script>".encode(), headers=HTML)
    began = time.monotonic()
    found = str(shop(keys="").run().error)
    assert "the page was not there within 3 s" in found or "its scripts did not come to rest" in found
    assert time.monotonic() - began < 8


@shown
def test_a_page_that_grows_too_large_fails(
    shop: Callable[..., Bench], site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(showing, "LONGEST", 1024**2)
    page = "<p>a</p><script>document.querySelector('p').textContent = 'x'.repeat(2e6)</script>"
    site.pages["/bicycle"] = ServerResponse(body=page.encode(), headers=HTML)
    assert "the page has more than 1 MiB" in str(shop(keys="").run().error)


def test_what_is_no_page_needs_no_browser(shop: Callable[..., Bench], site: Site) -> None:
    site.pages["/price"] = ServerResponse.json({"price": 1})
    site.pages["/moved"] = ServerResponse(302, headers={"Location": "/price"})
    for path in ("/price", "/moved"):
        assert shop(path, "json = 'price'", 'chromium = "/no/such"').run().outcome == "ok"


@shown
def test_look_and_test_show_what_a_pass_reads(shop: Callable[..., Bench], site: Site) -> None:
    assert "> 899,00 €" in shop().command("watch", "look", "bicycle")
    found = shop().command("watch", "test", f"{site.url}/bicycle", "--browser", "--select", "#there")
    assert "> 899,00 €" in found


def test_a_browser_that_is_missing_is_named_with_the_remedy(
    shop: Callable[..., Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "playwright", ModuleType("playwright"))
    bicycle = shop(section='chromium = "/no/such/chromium"')
    what = "browser = true needs Chromium: '/no/such/chromium' is not a program; install it, or name it in [plugins.watch] chromium"
    assert what in str(bicycle.run().error)
    assert f"bicycle: {what}" in bicycle.command("check", code=None)
    monkeypatch.setitem(sys.modules, "playwright", None)
    assert "pip install 'pollctl-watch[browser]'" in shop().command("check", code=None)
    monkeypatch.setitem(sys.modules, "playwright", ModuleType("playwright"))
    monkeypatch.setattr(browser, "_NAMES", ("no-such-program",))
    assert "none of no-such-program is in PATH" in shop().command("check", code=None)


def marked(mark: str) -> list[str]:
    """The processes with a mark in their environment."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            is_marked = mark.encode() in (process / "environ").read_bytes()
            words = (process / "cmdline").read_text().split("\0")
        except OSError:
            continue
        if is_marked and words != [""]:  # one without words is over already
            found.append(words[0])
    return found


@shown
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=["asked to end", "killed"])
def test_the_browser_ends_with_the_pass_however_that_ends(site: Site, tmp_path: Path, number: int) -> None:
    page = b"<p>a</p><script>setTimeout(() => { while (true) {} }, 50)</script>"
    site.pages["/bicycle"] = ServerResponse(body=page, headers=HTML)
    (tmp_path / "pollctl.toml").write_text(
        f'[pollctl]\ndatabase = "pollctl.db"\n[plugins.watch]\n[[plugins.watch.watches]]\nurl = "{site.url}/bicycle"\nbrowser = true'
    )
    mark = uuid.uuid4().hex
    words = [sys.executable, "-m", "pollctl", "run", "watch"]
    running = subprocess.Popen(words, cwd=tmp_path, env={**os.environ, "MARK": mark}, stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + 30
        while not any("chrom" in name for name in marked(mark)) and time.monotonic() < until:
            time.sleep(0.1)
        assert any("chrom" in name for name in marked(mark))
    finally:
        running.send_signal(number)
        running.wait(15)
    until = time.monotonic() + 10
    while marked(mark) and time.monotonic() < until:
        time.sleep(0.1)
    assert marked(mark) == []
