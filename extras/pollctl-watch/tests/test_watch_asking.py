"""How pages are asked: politely, and with a login."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

import pytest
from pages import watch

from pollctl import Secret
from pollctl.fakes import ServerRequest, ServerResponse
from pollctl.testing import Bench
from pollctl_watch import plugin

URL = "https://shop.example.net/bicycle"


def settings(keys: str, url: str = URL) -> str:
    return f'[[watches]]\nname = "bicycle"\nurl = "{url}"\nevery = "5m"\n{keys}'


def asked(bench: Callable[..., Bench], keys: str, url: str = URL) -> ServerRequest:
    shop = bench("watch", settings(keys, url)).answer(URL, "a")
    result = shop.run()
    assert result.outcome == "ok", result.log
    return shop.requests[-1]


def test_cookies_and_basic_authentication_are_sent(bench: Callable[..., Bench]) -> None:
    request = asked(bench, 'cookies = {a = "1", b = "2"}\nuser = "ann"\npassword = "word"')
    assert (request.headers["cookie"], request.headers["authorization"]) == ("a=1; b=2", "Basic YW5uOndvcmQ=")


def test_headers_and_tokens_are_sent(bench: Callable[..., Bench]) -> None:
    request = asked(bench, 'token = "abc"\nheaders = {Accept = "text/plain"}')
    assert (request.headers["authorization"], request.headers["accept"]) == ("Bearer abc", "text/plain")


@pytest.mark.parametrize(
    ("keys", "kind", "body"),
    [
        ('form = {q = "a b", w = "ü"}', "application/x-www-form-urlencoded", b"q=a+b&w=%C3%BC"),
        ("""body = '{"q": 1}'""", "application/json", b'{"q": 1}'),
        ("""body = 'q'\nheaders = {"Content-Type" = "text/x"}""", "text/x", b"q"),
    ],
)
def test_what_is_sent_goes_by_a_post(bench: Callable[..., Bench], keys: str, kind: str, body: bytes) -> None:
    request = asked(bench, keys)
    assert (request.method, request.headers["content-type"], request.body) == ("POST", kind, body)


LOGIN = "https://login.example.net/"


def test_what_the_request_before_has_brought_goes_into_the_other(bench: Callable[..., Bench]) -> None:
    cookies = {"Set-Cookie": "sid=7; Path=/; Expires=Mon, 02 Mar 2026 09:00:00 GMT"}
    keys = f"""headers = {{X-Token = "t-{{before}}"}}
before = {{url = "{LOGIN}", form = {{user = "ann"}}, json = "token"}}"""
    shop = bench("watch", settings(keys, f"{URL}?t={{before}}"))
    shop.answer(LOGIN, {"token": "abc"}, headers=cookies).answer(URL, "a")
    assert shop.run().outcome == "ok"
    first, second = shop.requests
    assert (first.method, first.body) == ("POST", b"user=ann")
    assert (second.address, second.headers["x-token"], second.headers["cookie"]) == (f"{URL}?t=abc", "t-abc", "sid=7")


def test_a_field_of_a_page_can_be_sent_on(bench: Callable[..., Bench]) -> None:
    keys = f"""form = {{csrf = "{{before}}"}}\nbefore = {{url = "{LOGIN}", xpath = "//input/@value"}}"""
    shop = bench("watch", settings(keys)).answer(LOGIN, "<input name=csrf value=x1>").answer(URL, "a")
    shop.run()
    assert shop.requests[-1].body == b"csrf=x1"


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ({"status": 403}, "before: login.example.net answered 403"),
        ({"content": {"other": 1}}, "before: nothing matches 'token' in an answer of 12 bytes"),
        ({"is_lost": True}, "before: "),
    ],
)
def test_a_login_that_fails_is_a_failure_of_its_watch(
    bench: Callable[..., Bench], answer: dict[str, Any], why: str
) -> None:
    shop = bench("watch", settings(f'before = {{url = "{LOGIN}", json = "token"}}')).answer(LOGIN, **answer)
    result = shop.answer(URL, "a").run()
    assert (result.outcome, why in result.error) == ("failed", True)


@pytest.mark.parametrize(
    ("robots", "outcome"),
    [
        ({"content": b"User-agent: *\nDisallow: /basket"}, "ok"),
        ({"content": b"User-agent: *\nDisallow: /b"}, "failed"),
        ({"content": b"User-agent: pollctl\nDisallow: /\n\nUser-agent: *\nAllow: /"}, "failed"),
        ({"status": 404}, "ok"),
        ({"status": 503}, "failed"),
        ({"is_lost": True}, "failed"),
    ],
)
def test_robots_txt_is_obeyed_where_it_is_wanted(
    bench: Callable[..., Bench], robots: dict[str, Any], outcome: str
) -> None:
    shop = (
        bench("watch", settings("robots = true"))
        .answer("https://shop.example.net/robots.txt", **robots)
        .answer(URL, "a")
    )
    result = shop.run()
    assert result.outcome == outcome
    assert (outcome == "ok") == any(request.address == URL for request in shop.requests)


def test_robots_txt_is_read_once_for_a_site(bench: Callable[..., Bench]) -> None:
    both = settings("robots = true\n") + settings("robots = true", "https://shop.example.net/2").replace(
        "bicycle", "two", 1
    )
    shop = bench("watch", both).answer_all(lambda _: ServerResponse(404))
    shop.run()
    assert [request.address.rpartition("/")[2] for request in shop.requests].count("robots.txt") == 1


class Crowd:
    """Counts how many requests a host has in hand at once."""

    def __init__(self) -> None:
        self.most, self._now, self._lock = 0, 0, threading.Lock()

    @contextmanager
    def one_more(self) -> Iterator[None]:
        with self._lock:
            self._now += 1
            self.most = max(self.most, self._now)
        yield
        with self._lock:
            self._now -= 1

    def answer(self, _: ServerRequest) -> ServerResponse:
        with self.one_more():
            time.sleep(0.02)
        return ServerResponse(body=b"a", headers={"Content-Type": "text/plain"})


def many(hosts: int, pages: int, keys: str = "") -> str:
    return "".join(
        f'[[watches]]\nurl = "https://h{host}.example.net/{page}"\n{keys}\n'
        for host in range(hosts)
        for page in range(pages)
    )


def test_a_host_has_one_request_in_hand_while_others_go_on(bench: Callable[..., Bench]) -> None:
    crowds = {f"h{host}.example.net": Crowd() for host in range(4)}
    all_of_them = Crowd()

    def respond(request: ServerRequest) -> ServerResponse:
        with all_of_them.one_more():
            return crowds[request.address.split("/")[2]].answer(request)

    result = bench("watch", many(4, 8)).answer_all(respond).run()
    assert (result.outcome, result.stats["looked"]) == ("ok", 32)
    assert {crowd.most for crowd in crowds.values()} == {1}
    assert all_of_them.most > 1


def test_the_rate_of_a_host_is_kept(bench: Callable[..., Bench]) -> None:
    moments: list[float] = []

    def respond(_: ServerRequest) -> ServerResponse:
        moments.append(time.monotonic())
        return ServerResponse(body=b"a")

    bench("watch", many(1, 4, 'rate = "20/s"\nkind = "text"')).answer_all(respond).run()
    assert len(moments) == 4
    assert min(later - earlier for earlier, later in pairwise(moments)) >= 0.045


def test_a_host_of_a_slow_rate_is_asked_once_a_pass_and_rests_between_passes(bench: Callable[..., Bench]) -> None:
    shop = bench("watch", many(1, 3, 'rate = "20/h"\nevery = "1h"\nkind = "text"')).answer_all(
        lambda _: ServerResponse(body=b"a")
    )
    asked_so_far = []
    for _ in range(7):
        assert shop.run().outcome == "ok"
        asked_so_far.append(len(shop.requests))
        shop.at("+1m")
    assert asked_so_far == [1, 1, 1, 2, 2, 2, 3]


def test_a_host_of_a_slow_rate_rests_also_when_its_page_is_the_same(bench: Callable[..., Bench]) -> None:
    shop = bench("watch").answer_all(lambda _: ServerResponse(body=b"a"))
    for name in ("one", "two"):
        shop.command("watch", "add", f"http://shop.example/{name}", "--every", "1m", "--rate", "20/h", "--kind", "text")
    asked_so_far = []
    for _ in range(13):
        shop.run()
        asked_so_far.append(len(shop.requests))
        shop.at("+1m")
    assert asked_so_far == [1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4, 5]


def test_a_host_that_wants_to_be_left_alone_is_asked_no_more(bench: Callable[..., Bench]) -> None:
    shop = bench("watch", many(1, 5)).answer_all(lambda _: ServerResponse(429, headers={"Retry-After": "600"}))
    shop.run()
    assert len(shop.requests) == 1
    shop.at("+1m").run()
    assert len(shop.requests) == 1


def test_what_may_be_secret_is_kept_in_no_database(bench: Callable[..., Bench]) -> None:
    shop = bench("watch")
    offered = shop.command("watch", "add", "--help")
    assert not [name for name in ("user", "password", "cookies", "form", "body", "before") if f"--{name} " in offered]
    with pytest.raises(ValueError, match="user of bicycle belongs in the settings"):
        plugin.add(None, watch(user="ann"), shop.now)  # type: ignore[arg-type] # it is refused before anything is written


@pytest.mark.parametrize(
    ("keys", "why"),
    [
        ({"rate": "fast"}, "is not a rate; write 1/s"),
        ({"form": {"a": Secret("b")}, "body": Secret("c")}, "form and body exclude each other"),
        ({"user": "ann", "token": Secret("b")}, "user and token exclude each other"),
    ],
)
def test_wrong_keys_are_refused(keys: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        watch(**keys)


def test_no_secret_is_part_of_what_defines_a_watch() -> None:
    first, second = (watch(user="ann", password=Secret(word)) for word in ("one", "two"))
    assert first.definition == second.definition


def test_look_asks_as_a_pass_does(bench: Callable[..., Bench]) -> None:
    shop = bench("watch", settings(f'before = {{url = "{LOGIN}", json = "t"}}\ncookies = {{t = "{{before}}"}}'))
    shop.answer(LOGIN, {"t": "abc"}).answer(URL, "a").command("watch", "look", "bicycle")
    assert shop.requests[-1].headers["cookie"] == "t=abc"
