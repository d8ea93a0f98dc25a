"""A loopback server that speaks bytes, not HTTP: each connection is played by a function, faults included."""

from __future__ import annotations

import contextlib
import gzip
import socket
import ssl
import struct
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Self

TLS = Path(__file__).parent / "tls"
OK = b"HTTP/1.1 200 OK\r\n"
Play = Callable[["Peer"], None]


class Peer:
    """The server's end of one connection."""

    def __init__(self, server: HostileServer, sock: socket.socket, number: int) -> None:
        self.server = server
        self.sock = sock
        self.number = number  # connections before this one
        self._held = b""

    def request(self) -> bytes:
        """The next request, head and body; empty when the client hung up."""
        while b"\r\n\r\n" not in self._held:
            received = self.sock.recv(65536)
            if not received:
                return b""
            self._held += received
        head, _, rest = self._held.partition(b"\r\n\r\n")
        length = next(
            (int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0
        )
        while len(rest) < length:
            rest += self.sock.recv(65536)
        self._held = rest[length:]
        self.server.requests.append(head + b"\r\n\r\n" + rest[:length])
        return self.server.requests[-1]

    def send(self, *pieces: bytes) -> None:
        self.sock.sendall(b"".join(pieces))

    def trickle(self, content: bytes, pause: float = 0.05) -> None:
        for byte in content:
            self.send(bytes([byte]))
            time.sleep(pause)

    def hang(self, seconds: float = 30) -> None:
        """Say nothing until the client hangs up."""
        self.sock.settimeout(seconds)
        with contextlib.suppress(TimeoutError):
            while self.sock.recv(65536):
                pass

    def reset(self) -> None:
        """Close with RST."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()


class HostileServer:
    """Listens on a free port of 127.0.0.1 while its ``with`` block lasts.

    Args:
        play: called in a thread of its own for each connection, which is closed when it returns.
        certificate: name of a file in ``tls`` to speak TLS with.
        protocols: what is offered on TLS (ALPN).
    """

    def __init__(self, play: Play, certificate: str = "", protocols: Sequence[str] = ()) -> None:
        self.requests: list[bytes] = []
        self.connections = 0
        self.closed = 0
        self._play = play
        self._context: ssl.SSLContext | None = None
        if certificate:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(TLS / f"{certificate}.pem")
            self._context.set_alpn_protocols(protocols)
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self._listener.getsockname()[1]
        self.url = f"http{'s' if certificate else ''}://127.0.0.1:{self.port}/"

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                sock, _ = self._listener.accept()
                self.connections += 1
                threading.Thread(target=self._serve, args=(sock, self.connections - 1), daemon=True).start()

    def _serve(self, sock: socket.socket, number: int) -> None:
        with contextlib.suppress(OSError):
            if self._context:
                sock = self._context.wrap_socket(sock, server_side=True)
            self._play(Peer(self, sock, number))
        with contextlib.suppress(OSError):
            sock.close()
        self.closed += 1


def saying(*pieces: bytes) -> Play:
    """Answer the first request with these bytes and close."""

    def play(peer: Peer) -> None:
        peer.request()
        peer.send(*pieces)

    return play


def whole(body: bytes, *headers: str, status: str = "200 OK") -> bytes:
    """A complete answer."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


def serving(answer: Callable[[bytes], bytes]) -> Play:
    """Answer every request of a connection that is kept open."""

    def play(peer: Peer) -> None:
        while request := peer.request():
            peer.send(answer(request))

    return play


def forever(make: Callable[[], bytes], head: bytes) -> Play:
    """Send *head*, then what *make* gives, as fast as it is taken."""

    def play(peer: Peer) -> None:
        peer.request()
        peer.send(head)
        while True:
            peer.send(make())

    return play


def gzip_bomb(size: int) -> Iterator[bytes]:
    """*size* zeros, packed a thousandfold, in pieces."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    zeros = bytes(1024**2)
    for _ in range(size // len(zeros)):
        yield packer.compress(zeros)
    yield packer.flush()


def packed(body: bytes) -> bytes:
    return gzip.compress(body)


@contextlib.contextmanager
def black_hole() -> Iterator[str]:
    """The address of a listener whose queue is full, so that a connect is never answered."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(4):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        time.sleep(0.05)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"


def wait_until(is_true: Callable[[], bool], seconds: float = 3) -> bool:
    end = time.monotonic() + seconds
    while not is_true() and time.monotonic() < end:
        time.sleep(0.01)
    return is_true()
