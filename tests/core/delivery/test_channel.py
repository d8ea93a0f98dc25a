"""What arrives of a message, on which ways it goes, and what is said when it does not (people.md 2, 4, 5)."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from html import escape, unescape
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import apprise
import pytest
from core.http.test_client_certificates import Asking
from dead_address import LIVING, NAME, name_with_a_dead_address
from hostile_server import TLS, HostileServer, serving, whole
from inbox import Inbox

from pollctl import Attachment
from pollctl.api.values import TextFormat
from pollctl.config.schema import Http
from pollctl.delivery.apprise_parts import MOST
from pollctl.delivery.channel import send
from pollctl.delivery.messages import Message
from pollctl.errors import DeliveryError
from pollctl.fakes import FakeUpstream, ServerRequest, ServerResponse
from pollctl.http.connecting import ATTEMPT_DELAY_S
from pollctl.redaction import Secret
from pollctl.testing.mail_server import MailServer, text_of
from pollctl.units import PositiveDuration, PositiveSize

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr':DeprecationWarning")  # of Apprise, which imports it
BODY = "http://x/\n\n--- before\n-  <b>100</b>\n+ 80 & <script>"


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    with Inbox() as server:
        yield server


def tell(url: str, body: str = BODY, *, http: Http | None = None, **more: Any) -> None:
    send(url, Message(title="T <x> & 'q'", body=body, **more), key="one", timeout=10, http=http or Http())


def refused(url: str, *, http: Http | None = None) -> str:
    with pytest.raises(DeliveryError) as caught:
        tell(url, http=http)
    return str(caught.value)


class Service(FakeUpstream):
    """An end of Telegram, Slack or Discord: it takes everything, and says no where it is told to."""

    def __init__(self, answer: ServerResponse | None = None) -> None:
        super().__init__()
        self.said: list[dict[str, Any]] = []
        self._answer = answer or ServerResponse.json({"ok": True})

    def respond(self, request: ServerRequest) -> ServerResponse:
        self.said.append(json.loads(request.body))
        return self._answer


@pytest.mark.parametrize("way", ["a web hook", "mail"])
def test_a_name_with_a_dead_address_costs_a_quarter_of_a_second(monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    """Mail was never sent: smtplib gives the first address all of the time."""
    with Inbox() as inbox, MailServer() as mail:
        url = mail.address if way == "mail" else inbox.json_url
        port = urlsplit(url).port
        assert port
        with name_with_a_dead_address(monkeypatch, port):
            began = time.monotonic()
            tell(url.replace(LIVING, NAME))
            assert time.monotonic() - began < ATTEMPT_DELAY_S + 1
        assert [len(inbox.messages), len(mail.mails)] == ([0, 1] if way == "mail" else [1, 0])


def test_the_lines_of_a_body_are_the_lines_of_the_mail() -> None:
    with MailServer() as server:
        tell(server.address)
    (mail,) = server.mails
    assert text_of(mail) == BODY
    assert mail["subject"] == "T <x> & 'q'"


def test_a_web_hook_gets_the_body_as_it_is(inbox: Inbox) -> None:
    tell(inbox.json_url)
    assert (inbox.messages[0]["title"], inbox.messages[0]["message"]) == ("T <x> & 'q'", BODY)


def test_telegram_shows_the_body_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    with Service() as telegram:
        monkeypatch.setattr(apprise.plugins.N_MGR["tgram"], "notify_url", f"{telegram.url}/bot")
        tell("tgram://123456789:abcdefg_hijklmnop/12315544/")
    (said,) = telegram.said
    assert said["parse_mode"] == "HTML"
    assert "-  &lt;b&gt;100&lt;/b&gt;\r\n+ 80 &amp; &lt;script&gt;" in said["text"]


def test_discord_shows_the_body_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    with Service() as discord:
        monkeypatch.setattr(apprise.plugins.N_MGR["discord"], "notify_url", discord.url)
        tell(f"discord://{'4' * 18}/{'w' * 68}")
    assert BODY in json.dumps(discord.said[0]["content"]).encode().decode("unicode_escape")


def test_slack_shows_the_body_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    with Service(ServerResponse(200, b"ok")) as slack:
        monkeypatch.setattr(apprise.plugins.N_MGR["slack"], "webhook_url", slack.url)
        tell("slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/")
    text = slack.said[0]["attachments"][0]["text"]
    assert text == BODY.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def test_ntfy_gets_the_body_as_it_is() -> None:
    with Service() as ntfy:
        tell(f"{ntfy.url.replace('http', 'ntfy')}/topic")
    assert ntfy.said[0]["message"] == BODY


def test_markdown_is_markdown_where_an_author_says_so() -> None:
    with MailServer() as server:
        tell(f"{server.address}&format=html", "a **bold** word", format="markdown")
    part = server.mails[0].get_body(("html",))
    assert part is not None
    assert "<strong>bold</strong>" in part.get_content()


def test_html_is_html_where_an_author_says_so() -> None:
    with MailServer() as server:
        tell(server.address, "<p>100 <b>seats</b></p>", format="html")
    part = server.mails[0].get_body(("html",))
    assert part is not None
    assert "<p>100 <b>seats</b></p>" in part.get_content()


def told_to(monkeypatch: pytest.MonkeyPatch, service: str, message: Message, *, extra: str = "") -> list[str]:
    """What Telegram or Discord got of a message: the text of each of its parts."""
    schema, url, path, text = {
        "telegram": ("tgram", f"tgram://123456789:abcdefg_hijklmnop/12315544/{extra}", "/bot", "text"),
        "discord": ("discord", f"discord://{'4' * 18}/{'w' * 68}{extra}", "", "content"),
    }[service]
    with Service() as there:
        monkeypatch.setattr(apprise.plugins.N_MGR[schema], "notify_url", f"{there.url}{path}")
        send(url, message, key="one", timeout=10, http=Http())
    return [said[text] for said in there.said]


@pytest.mark.parametrize("service", ["telegram", "discord"])
@pytest.mark.parametrize(
    "title", ["8 → <script> & <b>free</b>", "<!-- sold", '<a href="https://there.example/">log in</a>']
)
def test_a_title_is_shown_as_it_is_where_it_stands_in_html(
    monkeypatch: pytest.MonkeyPatch, title: str, service: str
) -> None:
    """Neither is the body lost behind it, nor can it be markup."""
    (text,) = told_to(monkeypatch, service, Message(title=title, body="<p>+ <b>7</b></p>", format="html"))
    shown = escape(title, quote=False) if service == "telegram" else title
    assert shown in text
    assert ("+ <b>7</b>" if service == "telegram" else "+ 7") in text


LONG = [f"line {number} of <all> & more" for number in range(400)]


@pytest.mark.parametrize(("service", "limit"), [("telegram", 4096), ("discord", 2000)])
@pytest.mark.parametrize("form", ["text", "html"])
def test_what_is_too_long_for_a_service_arrives_in_parts(
    monkeypatch: pytest.MonkeyPatch, service: str, limit: int, form: TextFormat
) -> None:
    lines = LONG[: limit * 3 // 30]
    body = "\n".join(lines) if form == "text" else f"<pre>{escape(chr(10).join(lines))}</pre>"
    parts = told_to(monkeypatch, service, Message(title="T", body=body, format=form))
    assert len(parts) > 1
    assert max(map(len, parts)) <= limit
    bodies = [re.sub(r"^(<b>)?T( .\d/\d.)?(</b>)?", "", unescape(part)) for part in parts]
    assert "".join("".join(bodies).split()) == "".join("".join(lines).split())


def test_what_does_not_fit_into_a_few_parts_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = told_to(monkeypatch, "discord", Message(title="T", body="word " * 20_000))
    assert len(parts) <= MOST + 1
    assert parts[-1].endswith(f"… and {100_000 - MOST * 2000} more characters")


def test_an_address_says_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    (cut,) = told_to(monkeypatch, "discord", Message(title="T", body="word " * 1000), extra="?overflow=truncate")
    assert 1900 < len(cut) <= 2000


def test_a_web_hook_gets_all_of_a_long_body_at_once(inbox: Inbox) -> None:
    """Its key is that of the whole message."""
    tell(inbox.json_url, "word " * 20_000)
    (message,) = inbox.messages
    assert len(message["message"]) > 99_000


def test_a_file_goes_along(tmp_path: Path) -> None:
    (tmp_path / "day.csv").write_text("at,rtt_ms\n09:03,20.8\n")
    with MailServer() as server:
        tell(server.address, attach=(str(tmp_path / "day.csv"),))
    (mail,) = server.mails
    (file,) = mail.iter_attachments()
    assert (file.get_filename(), text_of(mail)) == ("day.csv", BODY)
    assert file.get_payload(decode=True) == b"at,rtt_ms\n09:03,20.8\n"


def test_bytes_go_along_under_their_name_and_as_what_they_are() -> None:
    with MailServer() as server:
        files = [
            Attachment('prêt "à" lire.html', b"<p>\xff</p>"),
            Attachment("nothing.txt", b""),
            Attachment("x", b"1"),
        ]
        send(server.address, Message(title="t", body="b"), files, key="one", timeout=10, http=Http())
    found = [(file.get_filename(), file.get_content_type()) for file in server.mails[0].iter_attachments()]
    assert found == [("pret _a_ lire.html", "text/html"), ("x", "application/octet-stream")]
    assert next(server.mails[0].iter_attachments()).get_payload(decode=True) == b"<p>\xff</p>"


def test_title_and_body_are_masked(inbox: Inbox) -> None:
    Secret("hunter2-swordfish")
    address = inbox.json_url.replace("://", "://otto:letterbox-key@")
    message = Message(
        title="http://anna:geheim@db.example.net/ is offline",
        body="It said hunter2-swordfish.\nThe second line names letterbox-key.",
    )
    send(address, message, key="one", timeout=10, http=Http())
    assert inbox.titles == ["http://***@db.example.net/ is offline"]
    assert inbox.messages[0]["message"] == "It said ***.\nThe second line names ***."


def test_a_secret_is_masked_as_html_has_it(inbox: Inbox) -> None:
    secret = 'sword<&>fish"'
    Secret(secret)
    body = f"<p>{escape(secret)}</p><p>{escape(secret, quote=False)}</p>"
    send(inbox.json_url, Message(title="t", body=body, format="html"), key="one", timeout=10, http=Http())
    assert inbox.messages[0]["message"] == "<p>***</p><p>***</p>"


# --- the settings of the outside


@pytest.fixture
def snares(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[HostileServer]:
    """A .netrc that has a password for the loopback device, and a proxy for everything."""
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login otto password from-the-netrc\n")
    (tmp_path / ".netrc").chmod(0o600)
    with HostileServer(serving(lambda _: whole(b"{}"))) as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        yield proxy


def test_neither_netrc_nor_proxy_is_used_unless_the_settings_ask_for_them(snares: HostileServer, inbox: Inbox) -> None:
    tell(inbox.json_url)
    assert snares.requests == []
    assert "authorization" not in inbox.requests[0].headers


def test_netrc_and_proxy_are_used_where_the_settings_ask_for_them(snares: HostileServer, inbox: Inbox) -> None:
    tell(inbox.json_url, http=Http(trust_env=True))
    assert inbox.requests == []
    assert b"authorization: basic" in snares.requests[0].lower()


def test_a_private_authority_works_for_notifications() -> None:
    with HostileServer(serving(lambda _: whole(b"{}")), "good") as server:
        address = server.url.replace("https", "jsons")
        assert "certificate refused" in refused(address)
        assert server.requests == []
        tell(address, http=Http(ca_file=TLS / "ca.pem"))
        assert len(server.requests) == 1


def test_a_service_that_trickles_ends_at_the_time_limit() -> None:
    with HostileServer(lambda peer: peer.hang()) as server:
        address = server.url.replace("http", "json")
        assert "in time" in refused(address, http=Http(timeout=PositiveDuration(milliseconds=300)))


def test_a_service_that_sends_too_much_is_cut_at_the_size_limit() -> None:
    with HostileServer(serving(lambda _: whole(b"x" * 5000))) as server:
        address = server.url.replace("http", "json")
        assert "larger than 1000B" in refused(address, http=Http(max_body=PositiveSize(1000)))
        tell(address)


def test_a_client_certificate_is_shown_to_services() -> None:
    shown = {"client_cert": TLS / "good.pem", "ca_file": TLS / "ca.pem"}
    with Asking() as server:
        address = server.url.replace("https", "jsons")
        assert "TLS" in refused(address, http=Http(ca_file=TLS / "ca.pem"))
        tell(address, http=Http(**shown))  # type: ignore[arg-type]
    assert server.shown == ["pollctl test good"]


def test_verification_cannot_be_switched_off_for_notifications() -> None:
    with HostileServer(serving(lambda _: whole(b"{}")), "good") as server:
        assert "certificate refused" in refused(f"{server.url.replace('https', 'jsons')}?verify=no")


def test_a_service_that_leads_elsewhere_has_not_taken_the_message() -> None:
    """As a GET, which is what a POST becomes on its way, it would arrive without its words."""
    with HostileServer(
        serving(lambda _: b"HTTP/1.1 302 Found\r\nLocation: /login\r\nContent-Length: 0\r\n\r\n")
    ) as server:
        assert "302" in refused(server.url.replace("http", "json"))
        assert len(server.requests) == 1


# --- why it failed


def test_the_error_is_what_the_web_hook_answered(inbox: Inbox) -> None:
    said = refused(f"{inbox.json_url}/hook-401")
    assert said.startswith("json://…: Failed to send JSON POST notification: Verification Failed., error=401.")
    assert said.endswith("It said: no entry for ***")
    assert "hook-401" not in said


class RefusingMailServer(MailServer):
    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's
        return "554 5.7.1 your kind of mail is not welcome"


def test_the_error_is_what_the_mail_server_answered() -> None:
    with RefusingMailServer() as server:
        assert "your kind of mail is not welcome" in refused(server.address)


def test_the_error_of_a_connection_names_its_reason_and_no_part_of_the_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apprise.plugins.N_MGR["tgram"], "notify_url", "http://127.0.0.1:9/bot")
    said = refused("tgram://123456789:abcdefg_hijklmnop/12315544/")
    assert "connection refused" in said
    for piece in ("123456789", "abcdefg_hijklmnop", "12315544"):
        assert piece not in said


def test_an_address_that_nobody_knows_says_so() -> None:
    assert refused("carrier-pigeon://coop") == (
        "carrier-pigeon://… is not an address that Apprise knows; see its list of services"
    )
