"""What hostile upstreams send and do: plays for a HostileServer, in tables by what is wrong with them."""

import time
from collections.abc import Callable

from hostile_server import (
    OK,
    Peer,
    Play,
    forever,
    gzip_bomb,
    packed,
    saying,
    serving,
    whole,
)

CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


GZIP = "Content-Encoding: gzip"


def slowly(head: bytes, trickle: bytes) -> Play:
    def play(peer: Peer) -> None:
        peer.request()
        peer.send(head)
        while True:
            peer.trickle(trickle)

    return play


def silent(peer: Peer) -> None:
    peer.request()
    peer.hang()


def deaf(peer: Peer) -> None:
    peer.hang()


SLOW = {
    "nothing at all": silent,
    "status line a byte at a time": slowly(b"", b"H"),
    "headers a byte at a time": slowly(OK, b"X: y\r\n"),
    "body a byte at a time": slowly(OK + b"Content-Length: 9999\r\n\r\n", b"x"),
    "chunk sizes a byte at a time": slowly(CHUNKED, b"0"),
    "trailers a byte at a time": slowly(CHUNKED + b"0\r\n", b"X: y\r\n"),
    "endless 100 Continue": forever(lambda: b"HTTP/1.1 100 Continue\r\n\r\n", b""),
    "endless empty gzip members": forever(
        lambda: b"%x\r\n%b\r\n" % (len(packed(b"")), packed(b"")), CHUNKED[:-2] + b"Content-Encoding: gzip\r\n\r\n"
    ),
    "body without an end": slowly(OK + b"\r\n", b"x"),
}


def bomb(peer: Peer) -> None:
    peer.request()
    peer.send(CHUNKED[:-2], b"Content-Encoding: gzip\r\n\r\n")
    for piece in gzip_bomb(1024**3):
        if piece:
            peer.send(b"%x\r\n%b\r\n" % (len(piece), piece))
    peer.send(b"0\r\n\r\n")


def nested_bomb(peer: Peer) -> None:
    peer.request()
    peer.send(OK, b"Content-Encoding: gzip, gzip\r\n\r\n", packed(b"".join(gzip_bomb(100 * 1024**2))))


CAP = 16 * 1024**2
MEGABYTE = bytes(1024**2)


LARGE = {
    "1 GiB from 1 MB of gzip": (bomb, "too_large"),
    "gzip within gzip": (nested_bomb, "protocol"),
    "endless chunks": (forever(lambda: b"100000\r\n" + MEGABYTE + b"\r\n", CHUNKED), "too_large"),
    "endless body without length": (forever(lambda: MEGABYTE, OK + b"\r\n"), "too_large"),
    "200 MB announced": (forever(lambda: MEGABYTE, OK + b"Content-Length: 209715200\r\n\r\n"), "too_large"),
    "endless headers": (forever(lambda: b"X: y\r\n" * 1000, OK), "protocol"),
    "one endless header": (forever(lambda: MEGABYTE, OK + b"X: "), "protocol"),
    "endless chunk size": (forever(lambda: b"0" * 1000, CHUNKED), "protocol"),
    "chunk of minus one byte": (forever(lambda: MEGABYTE, CHUNKED + b"-1\r\n"), "too_large"),
    "exactly the cap": (saying(OK, b"Content-Length: %d\r\n\r\n" % CAP, bytes(CAP)), None),
    "exactly the cap, without length": (saying(OK, b"\r\n", bytes(CAP)), None),
    "one byte over the cap": (saying(OK, b"\r\n", bytes(CAP + 1)), "too_large"),
}


TRUNCATED = {
    "by length": OK + b"Content-Length: 100\r\n\r\n{}",
    "by length, nothing of it": OK + b"Content-Length: 100\r\n\r\n",
    "within a chunk": CHUNKED + b"5\r\nab",
    "between chunks": CHUNKED + b"2\r\n{}\r\n",
    "gzip trailer missing": whole(packed(b"{}")[:-8], GZIP),
    "gzip trailer cut": whole(packed(b"{}")[:-3], GZIP),
    "gzip, chunks whole": CHUNKED[:-2] + GZIP.encode() + b"\r\n\r\n5\r\n" + packed(b"{}")[:5] + b"\r\n0\r\n\r\n",
    "gzip without length": OK + GZIP.encode() + b"\r\n\r\n" + packed(b"{}")[:-1],
    "within the headers": OK + b"Content-Le",
}


NONSENSE = {
    "another protocol": b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
    "HTTP/2": b"HTTP/2 200 OK\r\n\r\n",
    "no status": b"HTTP/1.1\r\n\r\n",
    "length that is not a number": OK + b"Content-Length: ten\r\n\r\n",
    "negative length": OK + b"Content-Length: -1\r\n\r\n",
    "two lengths": OK + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n{}",
    "length and chunks": OK + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    "unknown transfer coding": OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n",
    "unknown content coding": whole(b"x", "Content-Encoding: br"),
    "endless early hints": b"HTTP/1.1 103 Early Hints\r\n\r\n" * 9,
    "chunk longer than its size": CHUNKED + b"1\r\n{}\r\n0\r\n\r\n",
    "chunk size that is none": CHUNKED + b"two\r\n{}\r\n0\r\n\r\n",
    "damaged gzip": whole(b"\x1f\x8b" + b"x" * 30, GZIP),
    "damaged check sum": whole(packed(b"{}")[:-8] + bytes(8), GZIP),
    "switching protocols": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
}


PROPER = {
    "100 before the answer": b"HTTP/1.1 100 Continue\r\n\r\n" + whole(b"{}"),
    "chunks with extensions and trailers": CHUNKED + b"1;a=b\r\n{\r\n1\r\n}\r\n0\r\nX: y\r\n\r\n",
    "gzip": whole(packed(b"{}"), GZIP),
    "gzip of two members": whole(packed(b"{") + packed(b"}"), GZIP),
    "bare line feeds": b"HTTP/1.1 200 OK\nContent-Length: 2\n\n{}",
    "folded header": OK + b"X: a\r\n b\r\nContent-Length: 2\r\n\r\n{}",
    "HTTP/1.0": b"HTTP/1.0 200 OK\r\n\r\n{}",
    "no reason": b"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\n{}",
}


def breaking(first: Callable[[Peer], None]) -> Play:
    """The first connection breaks, the next ones serve."""

    def play(peer: Peer) -> None:
        if peer.number == 0:
            first(peer)
        else:
            serving(lambda _: whole(b"again"))(peer)

    return play


def reset_mid_body(peer: Peer) -> None:
    peer.request()
    peer.send(OK, b"Content-Length: 1000\r\n\r\nhalf")
    time.sleep(0.05)
    peer.reset()


def reset_at_once(peer: Peer) -> None:
    peer.request()
    peer.reset()


def close_at_once(peer: Peer) -> None:
    peer.request()


BREAKS = {"reset mid-body": reset_mid_body, "reset at once": reset_at_once, "closed at once": close_at_once}
