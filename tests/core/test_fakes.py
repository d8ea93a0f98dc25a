"""The base for fake upstreams: what a plugin's demo and tests may rely on."""

from __future__ import annotations

import socket
import threading
import time

import pytest
import requests

from pollctl.fakes import NOT_FOUND, FakeUpstream, ServerRequest, ServerResponse


class Echo(FakeUpstream):
    """Says what it was asked, or what it is told to say."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[ServerRequest] = []
        self.says: ServerResponse | None = None

    def respond(self, request: ServerRequest) -> ServerResponse:
        self.asked.append(request)
        return self.says or ServerResponse.json(
            {"method": request.method, "parts": request.parts, "query": request.query}, 201
        )


def test_a_request_is_told_apart() -> None:
    with Echo() as echo:
        headers = {"Authorization": "Bearer abc", "X-Odd": "1"}
        address = f"{echo.url}/a%2Fb/c/?x=1&y=2&x=3"
        answer = requests.post(address, data=b"words", headers=headers, timeout=5)
    assert answer.status_code == 201
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json() == {"method": "POST", "parts": ["a/b", "c"], "query": {"x": "1", "y": "2"}}
    (request,) = echo.asked
    assert (request.address, request.path) == ("/a%2Fb/c/?x=1&y=2&x=3", "/a%2Fb/c/")
    assert (request.body, request.bearer, request.headers["x-odd"]) == (b"words", "abc", "1")


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
def test_each_method_is_answered_on_one_connection(method: str) -> None:
    with Echo() as echo, requests.Session() as session:
        assert [session.request(method, echo.url, timeout=5).json()["method"] for _ in range(2)] == [method] * 2


def test_an_answer_is_sent_as_it_is() -> None:
    with Echo() as echo, requests.Session() as session:
        echo.says = ServerResponse(429, b"slow down", {"Retry-After": "3"})
        answer = session.get(echo.url, timeout=5)
        assert (answer.status_code, answer.content, answer.headers["Retry-After"]) == (429, b"slow down", "3")
        assert "Content-Type" not in answer.headers
        echo.says = NOT_FOUND
        assert (session.get(echo.url, timeout=5).status_code, NOT_FOUND.body) == (404, b"{}")
        echo.says = ServerResponse(204)
        answer = session.delete(echo.url, timeout=5)
        assert (answer.status_code, answer.content) == (204, b"")
        echo.says = None
        assert session.get(echo.url, timeout=5).status_code == 201


def test_an_answer_may_never_come_or_come_late_while_others_are_answered() -> None:
    with Echo() as echo:
        echo.says = ServerResponse(is_lost=True)
        with pytest.raises(requests.ConnectionError):
            requests.get(echo.url, timeout=5)
        echo.says = ServerResponse(delay=1.0)
        began = time.monotonic()
        slow = threading.Thread(target=requests.get, args=(echo.url,), kwargs={"timeout": 5})
        slow.start()
        while len(echo.asked) < 2:
            time.sleep(0.01)
        echo.says = ServerResponse()
        assert requests.get(echo.url, timeout=5).status_code == 200
        assert time.monotonic() - began < 1.0
        slow.join()
        assert time.monotonic() - began >= 1.0


def test_a_client_that_went_away_is_passed_over(capfd: pytest.CaptureFixture[str]) -> None:
    with Echo() as echo:
        echo.says = ServerResponse(body=b"x" * 10_000_000, delay=0.2)
        with pytest.raises(requests.Timeout):
            requests.get(echo.url, timeout=0.05)
        time.sleep(0.4)
        echo.says = ServerResponse()
        assert requests.get(echo.url, timeout=5).status_code == 200
    assert capfd.readouterr().err == ""


def test_half_a_request_is_not_acted_on() -> None:
    with Echo() as echo:
        address = ("127.0.0.1", int(echo.url.rpartition(":")[2]))
        with socket.create_connection(address) as client:
            client.sendall(b"POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\nhalf")
            client.shutdown(socket.SHUT_WR)
            assert client.recv(100) == b""
        assert echo.asked == []


def test_a_fake_that_raises_is_told_of(capfd: pytest.CaptureFixture[str]) -> None:
    with FakeUpstream() as unfinished, pytest.raises(requests.ConnectionError):
        requests.get(unfinished.url, timeout=5)
    assert "NotImplementedError" in capfd.readouterr().err
