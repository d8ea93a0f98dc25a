"""What is refused of an answer's form, because nobody can tell what it means (speed, "HTTP" 5)."""

from __future__ import annotations

from contextlib import closing

import pytest
from core.http.exchanges import answered_by
from hostile_server import OK, HostileServer, packed, saying, serving, whole

from pollctl.api.values import Answer, Request
from pollctl.concurrency.cancellation import Stop
from pollctl.http.client import Client
from pollctl.http.limits import Limits

CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
LENGTH = b"Content-Length: 2\r\n"
INTERIM = b"HTTP/1.1 103 Early Hints\r\n"


def answer_to(sent: bytes) -> Answer:
    with HostileServer(saying(sent)) as server, closing(Client(Limits(timeout=5), stop=Stop())) as client:
        return answered_by(client, Request(url=server.url))


TRUNCATED = {
    "after the last chunk": CHUNKED + b"2\r\n{}\r\n0\r\n",
    "within the trailers": CHUNKED + b"2\r\n{}\r\n0\r\nX: y\r\n",
    "within a trailer": CHUNKED + b"2\r\n{}\r\n0\r\nX: y",
    "within the size of the last chunk": CHUNKED + b"2\r\n{}\r\n0",
    "before the last chunk": CHUNKED + b"2\r\n{}\r\n",
    "after the data of a chunk": CHUNKED + b"2\r\n{}",
    "within the end of a chunk": CHUNKED + b"2\r\n{}\r",
    "trailers of gzip": CHUNKED[:-2]
    + b"Content-Encoding: gzip\r\n\r\n%x\r\n%b\r\n0\r\n" % (len(packed(b"{}")), packed(b"{}")),
    "after the status": OK,
    "within the status": b"HTTP/1.1 20",
    "after a header": OK + LENGTH,
    "within a header": OK + b"X: y\r\nContent-Len",
    "within an interim answer": INTERIM + b"Link: x\r\n",
    "after an interim answer": INTERIM + b"\r\n",
}


@pytest.mark.parametrize("sent", TRUNCATED.values(), ids=TRUNCATED)
def test_an_answer_that_is_cut_within_its_lines_is_truncated(sent: bytes, engine: str) -> None:
    answer = answer_to(sent)
    assert answer.error is not None
    begun = "reset" if engine == "curl" and sent is TRUNCATED["within the status"] else "truncated"
    assert answer.error.kind == begun, answer.error
    assert (answer.status, answer.body) == (0, b"")


REFUSED = {
    "a bare CR in a value": OK + LENGTH + b"X: a\rb\r\n\r\n{}",
    "a bare CR that hides a header": OK + b"X: a\rContent-Length: 2\r\n\r\n{}",
    "a bare CR at the end of a value": OK + LENGTH + b"X: a\r\r\n\r\n{}",
    "a bare CR in a name": OK + LENGTH + b"X\r: a\r\n\r\n{}",
    "a bare CR in the status": b"HTTP/1.1 200 O\rK\r\n" + LENGTH + b"\r\n{}",
    "a bare CR before the body": OK + LENGTH + b"\r\r\n{}",
    "a bare CR in an interim answer": INTERIM + b"X: a\rb\r\n\r\n" + whole(b"{}"),
    "a bare CR in the size of a chunk": CHUNKED + b"2;a\rb\r\n{}\r\n0\r\n\r\n",
    "a bare CR in a trailer": CHUNKED + b"2\r\n{}\r\n0\r\nX: a\rb\r\n\r\n",
    "NUL in a value": OK + LENGTH + b"X: a\0b\r\n\r\n{}",
    "NUL in a name": OK + LENGTH + b"X\0: a\r\n\r\n{}",
    "NUL in the status": b"HTTP/1.1 200 O\0K\r\n" + LENGTH + b"\r\n{}",
    "NUL in a trailer": CHUNKED + b"2\r\n{}\r\n0\r\nX: a\0b\r\n\r\n",
    "a line without a colon": OK + b"nonsense\r\n" + LENGTH + b"\r\n{}",
    "a line without a colon, last": OK + LENGTH + b"nonsense\r\n\r\n{}",
    "a line without a colon that mail would take": OK + b"From me\r\n" + LENGTH + b"\r\n{}",
    "a line without a colon in an interim answer": INTERIM + b"nonsense\r\n\r\n" + whole(b"{}"),
    "a line without a colon in the trailers": CHUNKED + b"2\r\n{}\r\n0\r\nnonsense\r\n\r\n",
    "a header without a name": OK + LENGTH + b": a\r\n\r\n{}",
    "a name with a blank at its end": OK + b"X : a\r\n" + LENGTH + b"\r\n{}",
    "a name of letters beyond ASCII": OK + b"\xc3\xa4: a\r\n" + LENGTH + b"\r\n{}",
    "a folded line that continues nothing": OK + b" X: a\r\n" + LENGTH + b"\r\n{}",
    "a chunk longer than its size": CHUNKED + b"1\r\n{}\r\n0\r\n\r\n",
    "a chunk that is not ended": CHUNKED + b"2\r\n{}XX0\r\n\r\n",
    "more trailers than anybody sends": CHUNKED + b"2\r\n{}\r\n0\r\n" + b"X: y\r\n" * 1000 + b"\r\n",
    "more headers than anybody sends": OK + b"X: y\r\n" * 1000 + LENGTH + b"\r\n{}",
    "two blanks before the status": b"HTTP/1.1  200 OK\r\n" + LENGTH + b"\r\n{}",
    "a tab before the status": b"HTTP/1.1\t200 OK\r\n" + LENGTH + b"\r\n{}",
    "a tab behind the status": b"HTTP/1.1 200\tOK\r\n" + LENGTH + b"\r\n{}",
    "a status of four digits": b"HTTP/1.1 0200 OK\r\n" + LENGTH + b"\r\n{}",
    "a status of four digits, the last too many": b"HTTP/1.1 2000 OK\r\n" + LENGTH + b"\r\n{}",
    "a status of two digits": b"HTTP/1.1 99 OK\r\n" + LENGTH + b"\r\n{}",
    "a status with a sign": b"HTTP/1.1 +200 OK\r\n" + LENGTH + b"\r\n{}",
    "a status as Python writes numbers": b"HTTP/1.1 2_00 OK\r\n" + LENGTH + b"\r\n{}",
    "a version that there is not": b"HTTP/1.7 200 OK\r\n" + LENGTH + b"\r\n{}",
    "two blanks before an interim status": b"HTTP/1.1  103 Early Hints\r\n\r\n" + whole(b"{}"),
}


@pytest.mark.parametrize("sent", REFUSED.values(), ids=REFUSED)
def test_an_answer_of_doubtful_form_is_refused(sent: bytes) -> None:
    answer = answer_to(sent)
    assert answer.error is not None
    assert answer.error.kind == "protocol", answer.error
    assert (answer.status, answer.body) == (0, b"")
    assert answer.error.message.isprintable()


@pytest.mark.parametrize("digits", [19, 30, 5000], ids=["beyond 64 bits", "thirty digits", "more than Python reads"])
def test_a_length_beyond_all_bounds_is_too_large(digits: int, capfd: pytest.CaptureFixture[str]) -> None:
    answer = answer_to(OK + b"Content-Length: " + b"9" * digits + b"\r\n\r\n{}")
    assert answer.error is not None
    assert answer.error.kind == "too_large", answer.error
    assert capfd.readouterr().err == ""


READ = {
    "bare line feeds throughout": b"HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n2\n{}\n0\nX: y\n\n",
    "a name of odd characters": OK + b"X(y)@: z\r\n" + LENGTH + b"\r\n{}",
    "a header without a value": OK + b"X:\r\n" + LENGTH + b"\r\n{}",
    "a value of bytes beyond ASCII": OK + b"X: \xe9\x85\xa0\xff\r\n" + LENGTH + b"\r\n{}",
    "a multipart type": OK + b"Content-Type: multipart/mixed; boundary=x\r\n" + LENGTH + b"\r\n{}",
    "HTTP/1.0": b"HTTP/1.0 200 OK\r\n" + LENGTH + b"\r\n{}",
    "a status without a reason, and a blank": b"HTTP/1.1 200 \r\n" + LENGTH + b"\r\n{}",
    "a status without a reason": b"HTTP/1.1 200\r\n" + LENGTH + b"\r\n{}",
    "a hundred headers": OK + b"X: y\r\n" * 98 + LENGTH + b"\r\n{}",
}


@pytest.mark.parametrize("sent", READ.values(), ids=READ)
def test_what_is_rare_but_clear_is_read(sent: bytes) -> None:
    answer = answer_to(sent)
    assert (answer.status, answer.body, answer.error) == (200, b"{}", None)


def test_cr_and_nul_in_a_body_are_its_own_affair() -> None:
    body = b"a\rb\0c\r\r\n"
    assert answer_to(whole(body)).body == body
    assert answer_to(CHUNKED + b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)).body == body


def test_a_connection_is_kept_after_chunks_with_trailers() -> None:
    sent = CHUNKED + b"1\r\n{\r\n1\r\n}\r\n0\r\nX: y\r\n\r\n"
    with HostileServer(serving(lambda _: sent)) as server, closing(Client(Limits(), stop=Stop())) as client:
        assert [answered_by(client, Request(url=server.url)).body for _ in range(3)] == [b"{}"] * 3
        assert server.connections == 1
